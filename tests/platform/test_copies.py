"""Copies of tenants: with rows or without; and the commands that do it."""

from typing import Any

from tests.platform.conftest import Platform

CANARY = "swordfish-canary-9"


async def rows(platform: Platform, slug: str, query: str) -> list[dict[str, Any]]:
    status, found = await platform.inside(slug, "GET", query, **await platform.enter(slug))
    assert status == 200, found
    return list(found)


async def seeded(platform: Platform, slug: str) -> None:
    status, answer = await platform.create(slug, template="crm")
    assert status == 201, answer
    person = {
        "email": f"mia@{slug}.example",
        "password": f"{CANARY} and more",
        "email_confirm": True,
        "role": "sales",
    }
    inside = await platform.enter(slug)
    status, answer = await platform.inside(slug, "POST", "auth/v1/admin/users", person, **inside)
    assert status in {200, 201}, answer


async def test_a_clone_with_rows_masks_people(platform: Platform) -> None:
    await seeded(platform, "origin-co")
    status, made = await platform.rpc("clone_tenant", slug="origin-co", to="copy-co", name="A copy")
    assert (status, made["slug"], made["name"]) == (201, "copy-co", "A copy"), made
    for query in (
        "companies?select=id,name&order=id",
        "deals?select=id,number,amount,value&order=id",
        "stages?select=id&order=id",
    ):
        assert await rows(platform, "copy-co", query) == await rows(platform, "origin-co", query)
    people = await rows(platform, "copy-co", "contacts?select=first_name,last_name,email")
    assert len(people) == 2
    assert all(row["email"].endswith("@masked.invalid") for row in people)
    contacts = "contacts?select=first_name,last_name,email&order=id"
    for masked, real in zip(
        await rows(platform, "copy-co", contacts), await rows(platform, "origin-co", contacts), strict=True
    ):
        assert masked["email"] != real["email"]
        assert (masked["first_name"], masked["last_name"]) != (real["first_name"], real["last_name"])
        assert masked["first_name"].isalpha(), "it looks like a name"
    # numbers go on, the copy's changes are its own, and nobody of the original signs in
    inside = await platform.enter("copy-co")
    deal = {"name": "New", "company_id": (await rows(platform, "copy-co", "companies?select=id"))[0]["id"]}
    status, answer = await platform.inside(
        "copy-co", "POST", "deals", deal, Prefer="return=representation", **inside
    )
    assert (status, answer[0]["number"]) == (201, "D-000003"), answer
    assert len(await rows(platform, "origin-co", "deals?select=id")) == 2
    sign_in = {"email": "mia@origin-co.example", "password": f"{CANARY} and more"}
    assert (await platform.inside("copy-co", "POST", "auth/v1/token?grant_type=password", sign_in))[0] == 400
    text = (platform.live.schemas / "copy-co.yaml").read_text()
    assert "  name: copy-co\n" in text
    assert "# A small sales CRM" in text


async def test_a_clone_with_a_sample(platform: Platform) -> None:
    status, made = await platform.rpc("clone_tenant", slug="origin-co", to="part-co", data="sample", rows=1)
    assert status == 201, made
    deals = await rows(platform, "part-co", "deals?select=id,company_id,company(id)")
    assert len(deals) == 1
    assert deals[0]["company"]["id"] == deals[0]["company_id"], "what a row refers to comes along"
    assert 1 <= len(await rows(platform, "part-co", "contacts?select=id")) <= 2
    masks = "contacts?select=email&order=id&limit=1"
    (one,) = await rows(platform, "part-co", masks)
    assert one in await rows(platform, "copy-co", "contacts?select=email"), "the same mask in every copy"
    for values in ({"data": "some"}, {"data": "sample", "rows": 0}):
        assert (await platform.rpc("clone_tenant", slug="origin-co", to="other-co", **values))[0] == 422


async def test_a_clone_without_rows(platform: Platform) -> None:
    await platform.create("bare-co", template="blank")
    assert (await platform.rpc("clone_tenant", slug="bare-co", to="empty-co", data=False))[0] == 201
    assert await rows(platform, "empty-co", "notes?select=id") == []
    for body, wanted in (
        ({"slug": "bare-co", "to": "empty-co"}, 409),
        ({"slug": "bare-co", "to": "admin"}, 422),
        ({"slug": "system", "to": "mine-own"}, 403),
        ({"slug": "no-such-co", "to": "mine-own"}, 404),
    ):
        assert (await platform.call("POST", "rpc/clone_tenant", body))[0] == wanted, body


async def test_commands_beside_a_server(platform: Platform) -> None:
    run = platform.live.command
    done = run("new", "by-command", "--template", "projects", "--owner", "cli@example.com")
    assert done.returncode == 0, done.stderr
    assert len(await rows(platform, "by-command", "tasks?select=id")) == 4
    assert await platform.mails("cli@example.com")
    assert run("tenants", "suspend", "by-command", "--reason", "why not").returncode == 0
    listed = run("tenants", "list")
    assert any("by-command" in line and "suspended" in line for line in listed.stdout.splitlines()), listed
    done = run("schema", "set", "by-command", "entities.tasks.title", "Work items")
    assert done.returncode == 0, done.stderr
    assert "+    title: Work items" in run("schema", "diff", "by-command", "2").stdout
    assert "cli@example.com" in run("users", "list").stdout
    assert run("users", "role", "cli@example.com", "customer").returncode == 0
    archive = platform.live.directory / "by.zip"
    assert run("tenants", "export", "by-command", str(archive)).returncode == 0
    assert archive.stat().st_mode & 0o777 == 0o600
    gone = run("tenants", "delete", "by-command", "--confirm", "by-command", "--grace-days", "0")
    assert gone.returncode == 0, gone.stderr
    assert not (platform.live.schemas / "by-command.yaml").exists()
