"""How often one may ask: by the file's limits, a key's own, and apart for every tenant."""

from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from actors.messages import Call, ProblemError
from actors.tenant.generation import Generation
from actors.tenant.limits import TenantLimits
from actors.tenant.operations import execute
from schemas.compiler.principal import Principal
from tests.api.harness import World, slug

FILE = """
version: 1
service: { name: %s }
roles: { member: {} }
api:
  rate_limit:
    - { match: "notes:create", per: user, limit: 2/h }
    - { match: "notes:read", per: ip, limit: 3/h }
    - { match: "batch", per: tenant, limit: 1/h }
    - { match: "*", per: tenant, limit: 50/h }
entities:
  notes:
    schema: { properties: { text: { type: string } } }
    access: { read: [ member ], write: [ member ] }
"""
ANN = Principal("ann", None, frozenset({"member", "authenticated", "public"}))
BOB = replace(ANN, id="bob")


async def limited(world: World) -> Generation:
    name = slug()
    generation = await world.tenant(name, FILE % name)
    generation.limits = TenantLimits()
    return generation


async def ask(generation: Generation, operation: str, who: Principal = ANN, *, body: Any = None, address: str = "192.0.2.1") -> dict[str, str]:  # fmt: skip
    method = {"create": "POST", "replace": "PUT", "batch": "POST", "delete": "DELETE"}.get(operation, "GET")
    call = Call(
        operation, method, "" if operation == "batch" else "notes", principal=who, address=address,
        body=orjson.dumps(body) if body is not None else b"", content_type="application/json",
    )  # fmt: skip
    return dict((await execute(generation, call)).headers)


async def refused(*arguments: Any, **more: Any) -> dict[str, str]:
    with pytest.raises(ProblemError) as refusal:
        await ask(*arguments, **more)
    assert refusal.value.code == "http.rate_limited"
    return dict(refusal.value.headers)


async def test_the_first_limit_that_fits_counts_whom_it_names(world: World) -> None:
    generation = await limited(world)
    told = [await ask(generation, "create", body={"text": "x"}) for _ in range(2)]
    assert [headers["RateLimit"].partition(";t")[0] for headers in told] == ['"user";r=1', '"user";r=0']
    assert told[0]["RateLimit-Policy"] == '"user";q=2;w=3600'
    assert int((await refused(generation, "create", body={"text": "x"}))["Retry-After"]) > 1000
    await ask(generation, "create", BOB, body={"text": "x"})
    for _ in range(3):
        await ask(generation, "list")
    await refused(generation, "list", BOB)
    await ask(generation, "list", address="192.0.2.2")


async def test_a_batch_is_counted_by_what_is_in_it(world: World) -> None:
    generation = await limited(world)
    operation = {"method": "POST", "path": "notes", "body": {"text": "x"}}
    await refused(generation, "batch", body={"operations": [operation] * 3})
    rows = await world.sql(generation.identity, "SELECT count(*) FROM ns.notes")
    assert rows[0][0] == 0, "all or nothing"
    await refused(generation, "batch", body={"operations": [operation]})


async def test_a_key_has_its_own_limit_beside_the_file(world: World) -> None:
    generation = await limited(world)
    key = replace(ANN, id=None, key="k1", rate=(2, 60.0))
    for _ in range(2):
        await ask(generation, "list", key, address="198.51.100.1")
    told = await refused(generation, "list", key, address="198.51.100.1")
    assert '"own-key";r=0' in told["RateLimit"]
    await ask(generation, "list", replace(key, key="k2"), address="198.51.100.2")


async def test_one_tenants_flood_is_its_own(world: World) -> None:
    one, other = await limited(world), await limited(world)
    for _ in range(3):
        await ask(one, "list")
    await refused(one, "list")
    await ask(other, "list")


async def test_limits_outlive_a_version_of_the_file(world: World) -> None:
    before = await limited(world)
    for _ in range(2):
        await ask(before, "create", body={"text": "x"})
    name = before.identity.slug
    after = await world.tenant(name, FILE % name + "    description: A new version\n")
    after.limits = before.limits
    await refused(after, "create", body={"text": "x"})
