"""What is done to the installation is in the platform's ``audit_log``, whoever did it and from where."""

import asyncio
from typing import Any

from tests.platform.conftest import Platform
from tests.process.test_platform import EMAIL


async def acts(platform: Platform, query: str) -> list[dict[str, Any]]:
    status, rows = await platform.call("GET", f"audit_log?order=id&{query}")
    assert status == 200, rows
    found: list[dict[str, Any]] = rows
    return found


async def act(platform: Platform, query: str) -> dict[str, Any]:
    """The one row that matches; it may follow what it is about by a moment."""
    async with asyncio.timeout(30):
        while not (found := await acts(platform, query)):
            await asyncio.sleep(0.05)
    (row,) = found
    return row


async def test_acts_of_administrators(platform: Platform) -> None:
    slug = "act-co"
    status, _ = await platform.create(slug)
    assert status == 201
    made = await act(platform, f"action=eq.tenant.created&key=eq.{slug}")
    assert (made["email"], made["address"], made["new_values"]) == (EMAIL, "127.0.0.1", {"template": "blank"})
    assert made["request_id"]
    assert made["user_id"]
    row = await act(platform, f"action=eq.create&entity=eq.tenants&request_id=eq.{made['request_id']}")
    assert (row["new_values"]["slug"], row["email"]) == (slug, EMAIL)
    for name in ("suspend", "resume"):
        assert (await platform.rpc(f"{name}_tenant", slug=slug, reason="a reason"))[0] == 200
    assert (await act(platform, f"action=eq.tenant.suspended&key=eq.{slug}"))["new_values"] == {
        "reason": "a reason"
    }
    changed = await acts(platform, f"entity=eq.tenants&action=eq.update&key=eq.{row['new_values']['id']}")
    assert changed[0]["old_values"]["status"] == "active"
    assert changed[0]["new_values"]["status"] == "suspended"
    assert (await platform.rpc("rename_domain", slug=slug, domain="act.example.com"))[0] == 200
    assert (await act(platform, f"action=eq.tenant.domain&key=eq.{slug}"))["email"] == EMAIL
    status, answer = await platform.rpc("clone_tenant", slug=slug, to="act-two")
    assert status == 201, answer
    assert (await act(platform, "action=eq.tenant.created&key=eq.act-two"))["new_values"]["cloned"] == slug
    status, answer = await platform.rpc("export_tenant", slug=slug)
    assert status == 200, answer
    assert (await act(platform, f"action=eq.tenant.exported&key=eq.{slug}"))["email"] == EMAIL
    status, answer = await platform.rpc("delete_tenant", slug="act-two", confirm="act-two", grace_days=0)
    assert status == 200, answer
    assert (await act(platform, "action=eq.tenant.deleted&key=eq.act-two"))["new_values"] == {
        "verified": True
    }


async def test_files_saved_by_whoever(platform: Platform) -> None:
    slug = "saved-co"
    await platform.create(slug)
    made = await act(platform, f"action=eq.schema.deployed&key=eq.{slug}")
    assert (made["email"], made["new_values"]["version"]) == (EMAIL, 1)
    file = platform.live.schemas / f"{slug}.yaml"
    text = file.read_text().replace("        done: {", "        urgent: { type: boolean }\n        done: {")
    platform.live.write(slug, text)
    saved = await act(platform, f"action=eq.schema.deployed&key=eq.{slug}&new_values->>version=eq.2")
    assert (saved["email"], saved["old_values"]) == ("file", {"version": 1})
    edit = [{"op": "set", "path": ["service", "description"], "value": "by the API"}]
    assert (await platform.rpc("edit_schema", slug=slug, edits=edit))[0] == 200
    written = await act(platform, f"action=eq.schema.deployed&key=eq.{slug}&new_values->>version=eq.3")
    assert written["email"] == EMAIL


async def test_people_keys_and_memberships(platform: Platform) -> None:
    slug = "people-co"
    await platform.create(slug)
    await platform.person("member@example.com")
    created = await act(platform, "entity=eq.users&action=eq.create&new_values->>email=eq.member@example.com")
    status, (tenant,) = await platform.call("GET", f"tenants?slug=eq.{slug}&select=id")
    assert status == 200
    made = await act(platform, f"action=eq.user.created&key=eq.{created['key']}")
    assert made["request_id"] == created["request_id"]
    body = {"user_id": created["key"], "tenant_id": tenant["id"], "role": "member"}
    assert (await platform.call("POST", "memberships", body))[0] == 201
    joined = await act(
        platform, f"entity=eq.memberships&action=eq.create&new_values->>user_id=eq.{created['key']}"
    )
    assert (joined["email"], joined["new_values"]["role"]) == (EMAIL, "member")
    status, key = await platform.client.send(
        "POST", "/auth/v1/keys", {"name": "ci", "role": "admin"}, **platform.admin
    )
    assert status in {200, 201}, key
    listed = await acts(platform, "action=eq.api_key.created&entity=eq.users")
    assert key["key"] not in str(listed)
    assert listed[-1]["user_id"] == joined["user_id"]
    done = platform.live.command("key", slug, "--name", "shell")
    assert done.returncode == 0, done.stderr
    shell = await act(platform, f"action=eq.api_key.created&key=eq.{slug}")
    assert (shell["email"], shell["new_values"]["name"]) == ("operator", "shell")
    assert done.stdout.strip() not in str(shell)
    # nobody but administrators reads it, and they write nothing
    outsider = await platform.person("outsider@example.com")
    assert (await platform.client.send("GET", "/api/platform/audit_log", None, **outsider))[0] == 403
    assert (await platform.call("DELETE", "audit_log?id=gt.0"))[0] == 403
