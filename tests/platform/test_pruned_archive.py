"""What a file's removals archived stays until an administrator drops it, and is really gone then."""

import zipfile
from typing import Any

import orjson

from tests.platform.conftest import Platform
from tests.platform.test_files_by_api import FILE, put

WITH_MORE = """  extras:
    schema: { properties: { name: { type: string } } }
    access: { read: [ { role: admin } ], write: [ { role: admin } ] }
"""
NOTE = "        note: { type: string }\n"


async def write(platform: Platform, slug: str, text: str) -> None:
    status, answer, _ = await put(platform, slug, text)
    if status == 409:
        status, answer, _ = await put(platform, slug, text, f"?plan_id={answer['plan']['plan_id']}")
    assert status == 200, answer


async def names(platform: Platform, slug: str) -> set[str]:
    """Names of everything archived that PostgreSQL still has."""
    async with platform.owner() as connection:
        rows: list[Any] = await connection.fetch(
            "SELECT a.attname AS name FROM backsaas.tenants t "
            "JOIN pg_namespace n ON n.nspname = t.namespace JOIN pg_class c ON c.relnamespace = n.oid "
            "JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE t.slug = $1 AND a.attname LIKE '\\_arch\\_%' AND NOT a.attisdropped "
            "UNION SELECT c.relname FROM backsaas.tenants t JOIN pg_namespace n ON n.nspname = t.archive "
            "JOIN pg_class c ON c.relnamespace = n.oid WHERE t.slug = $1 AND c.relkind = 'r'",
            slug,
        )
    return {row["name"] for row in rows}


async def test_dropped_only_when_old_enough_and_confirmed(platform: Platform) -> None:
    slug = "prune-co"
    await platform.create(slug)
    full = FILE % slug + WITH_MORE
    await write(platform, slug, full)
    inside = await platform.enter(slug)
    assert (await platform.inside(slug, "POST", "things", {"name": "a", "note": "b"}, **inside))[0] == 201
    await write(platform, slug, (FILE % slug).replace(NOTE, ""))
    kept = await names(platform, slug)
    assert {"_arch_note_3", "_arch_extras_3"} <= kept
    # nothing is old enough; of what is, the first call tells and drops nothing
    status, answer = await platform.rpc("prune_archive", slug=slug, older_than_days=1)
    assert (status, answer["archived"], answer["dropped"]) == (200, [], False)
    status, answer = await platform.rpc("prune_archive", slug=slug, older_than_days=0)
    assert {"_arch_note_3", "_arch_extras_3"} <= {one["name"] for one in answer["archived"]}
    assert await names(platform, slug) == kept
    status, refused = await platform.rpc("prune_archive", slug=slug, older_than_days=0, confirm="yes")
    assert (status, refused["code"]) == (409, "tenant.confirm")
    assert (await platform.rpc("prune_archive", slug=slug))[0] == 422
    # no dump, nothing dropped
    folder = platform.live.directory / "data" / "exports"
    folder.rmdir() if folder.exists() else None
    folder.write_text("in the way")
    body = {"slug": slug, "older_than_days": 0, "confirm": answer["confirm"]}
    status, refused = await platform.rpc("prune_archive", **body)
    assert (status, refused["code"]) == (503, "tenant.not_dumped")
    assert await names(platform, slug) == kept
    folder.unlink()
    body = {"slug": slug, "older_than_days": 0, "confirm": answer["confirm"]}
    stranger = await platform.person("no-pruner@example.com")
    assert (await platform.client.send("POST", "/api/platform/rpc/prune_archive", body, **stranger))[0] == 403
    status, done = await platform.rpc("prune_archive", **body)
    assert (status, done["dropped"]) == (200, True), done
    assert await names(platform, slug) == set()
    # what went is in a dump that was read back first
    dump = platform.live.directory / "data" / "exports" / done["dump"]
    assert dump.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(dump) as archive:
        assert orjson.loads(archive.read("things._arch_note_3.jsonl"))["value"] == "b"
        assert "_arch_extras_3.jsonl" in archive.namelist()
    _, (event,) = await platform.call("GET", f"events?type=eq.archive.pruned&slug=eq.{slug}")
    assert "things._arch_note_3" in event["data"]["dropped"]
    # the tenant serves on; the way back gives an empty field
    assert (await platform.inside(slug, "GET", "things?select=name", **inside))[1] == [{"name": "a"}]
    await write(platform, slug, full)
    assert (await platform.inside(slug, "GET", "things?select=note", **inside))[1] == [{"note": None}]
