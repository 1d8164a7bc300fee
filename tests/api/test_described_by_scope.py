"""What a key with scopes is told about the schema: what it may use, and nothing beside it."""

import orjson
from msgspec.structs import replace

from actors.messages import Call
from actors.tenant.operations import execute
from schemas.compiler.principal import Principal
from tests.api.harness import World, slug

FILE = """
version: 1
service: { name: %s }
entities:
  notes: { schema: { properties: { text: { type: string } } } }
  vault: { schema: { properties: { secret: { type: string } } } }
"""
ADMIN = Principal(key="k", roles=frozenset({"admin", "authenticated", "public"}))


async def test_descriptions_follow_the_scopes(world: World) -> None:
    name = slug()
    generation = await world.tenant(name, FILE % name)
    reader = replace(ADMIN, scopes=frozenset({"notes:read"}))
    for operation in ("schema", "openapi"):
        texts = [
            (await execute(generation, Call(operation, principal=who, base="/x"))).body.decode()
            for who in (ADMIN, reader, ADMIN)
        ]
        assert ["vault" in text for text in texts] == [True, False, True]
        assert all("notes" in text for text in texts)
    paths = orjson.loads((await execute(generation, Call("openapi", principal=reader, base="/x"))).body)[
        "paths"
    ]
    assert "post" not in paths["/notes"]
