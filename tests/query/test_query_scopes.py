"""The scopes of an API key narrow what its roles may do: every verb, every entity a request enters, every cache."""

import pytest
from msgspec.structs import replace

from schemas.compiler.query.errors import QueryError
from tests.query.kit import Tenant, uid, who

ALL = who(1, "boss", "member", "clerk", "admin")


def key_with(tenant: Tenant, *scopes: str) -> Tenant:
    """The tenant asked with a key of that many scopes and every role."""
    return tenant.as_(replace(ALL, scopes=frozenset(scopes)))


async def refused(tenant: Tenant, verb: str, entity: str, query: str = "", **more: object) -> str:
    """What a call out of scope is told."""
    call = (
        tenant.get(entity, query, **more)
        if verb == "read"
        else tenant.write(verb, entity, {"name": "x"}, query=query, **more)  # type: ignore[arg-type]
    )
    with pytest.raises(QueryError) as caught:
        await call
    assert caught.value.code == "42501"
    return caught.value.message


@pytest.mark.parametrize("scope", ["people:read", "*:read", "people:*", "*:*"])
async def test_a_scope_lets_through_what_it_names(boss: Tenant, scope: str) -> None:
    assert await key_with(boss, scope).get("people", "select=name&order=name&limit=1") == [{"name": "Ann"}]


@pytest.mark.parametrize(
    "scope", ["people:create", "people:write", "projects:read", "read", "people", "*", ":", "peopl*:read"]
)
async def test_anything_else_does_not(boss: Tenant, scope: str) -> None:
    assert "the scope people:read" in await refused(key_with(boss, scope), "read", "people")
    assert "the scope people:read" in await refused(key_with(boss), "read", "people")


@pytest.mark.parametrize(
    "query",
    ["select=title,owner(name)", "select=title,...owner(name)", "select=id,owner!inner()", "select=id,owner()&owner=not.is.null",
     "select=id,owner()&order=owner(name)", "select=id,owner(name)&owner.name=eq.Ann"],
)  # fmt: skip
async def test_a_relation_needs_its_own_scope(boss: Tenant, query: str) -> None:
    assert await key_with(boss, "tickets:read", "people:read").get("tickets", query)
    assert "the scope people:read" in await refused(key_with(boss, "tickets:read"), "read", "tickets", query)


async def test_a_junction_needs_its_own_scope(boss: Tenant) -> None:
    key = key_with(boss, "projects:read", "people:read")
    query = "select=title,people!memberships(name)"
    assert "the scope memberships:read" in await refused(key, "read", "projects", query)


@pytest.mark.parametrize("query", ["select=count()", "select=city,salary.sum()"])
async def test_counts_and_aggregates_are_reads(boss: Tenant, query: str) -> None:
    assert await key_with(boss, "people:read").get("people", query)
    assert "the scope people:read" in await refused(key_with(boss, "people:write"), "read", "people", query)


@pytest.mark.parametrize(
    ("verb", "needs"),
    [("insert", "create"), ("update", "update"), ("delete", "delete"), ("replace", "create")],
)
async def test_every_verb_needs_its_scope(boss: Tenant, verb: str, needs: str) -> None:
    others = {"read", "create", "update", "delete"} - {needs}
    key = key_with(boss, *(f"people:{other}" for other in others))
    where = uid(3) if verb != "insert" else None
    assert f"the scope people:{needs}" in await refused(key, verb, "people", key=where, prefer="")


@pytest.mark.parametrize("scopes", [("people:create", "people:update"), ("people:write",)])
async def test_a_write_needs_no_read_unless_it_reads(boss: Tenant, scopes: tuple[str, ...]) -> None:
    key = key_with(boss, *scopes)
    row = {"id": uid(70), "name": "New"}
    minimal = "return=minimal"
    assert (await key.write("insert", "people", row, prefer=minimal))["page_count"] == 1
    assert (await key.write("update", "people", {"name": "x"}, key=uid(3), prefer=minimal))["page_count"] == 1
    merge = "resolution=merge-duplicates,return=minimal"
    assert (await key.write("insert", "people", row, prefer=merge))["page_count"] == 1
    for call in (
        key.write("insert", "people", row, prefer="return=representation"),
        key.write("update", "people", {"name": "x"}, key=uid(3), prefer="return=representation"),
        key.write("update", "people", {"name": "x"}, query="name=eq.Cid", prefer=minimal),
    ):
        with pytest.raises(QueryError) as caught:
            await call
        assert (caught.value.code, "people:read" in caught.value.message) == ("42501", True)


async def test_an_upsert_needs_both_halves(boss: Tenant) -> None:
    row = {"id": uid(3), "name": "x"}
    for have, lack in (("create", "update"), ("update", "create")):
        key = key_with(boss, f"people:{have}")
        with pytest.raises(QueryError) as caught:
            await key.write("insert", "people", row, prefer="resolution=merge-duplicates,return=minimal")
        assert f"people:{lack}" in caught.value.message
    ignore = "resolution=ignore-duplicates,return=minimal"
    assert (await key_with(boss, "people:create").write("insert", "people", row, prefer=ignore))[
        "page_count"
    ] == 0


async def test_scopes_add_no_right(boss: Tenant) -> None:
    stranger = boss.as_(replace(who(1), scopes=frozenset({"*:*"})))
    with pytest.raises(QueryError) as caught:
        await stranger.get("vault")
    assert (caught.value.code, "scope" in caught.value.message) == ("42501", False)


async def test_no_cache_forgets_the_scopes(boss: Tenant) -> None:
    query = "select=name&order=name&limit=2"
    free, key, closed = boss.as_(ALL), key_with(boss, "people:read"), key_with(boss, "tickets:read")
    for _ in range(2):
        assert await free.get("people", query) == await key.get("people", query)
        await refused(closed, "read", "people", query)
        await free.write("update", "people", {"name": "x"}, key=uid(3), prefer="")
        await refused(key, "update", "people", key=uid(3), prefer="")
