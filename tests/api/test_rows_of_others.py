"""Ids of another tenant's rows are worth nothing: docs/attacks.md A11, A14; what is not yours is not there."""

import secrets
import uuid
from typing import Any

import pytest

from tests.api.harness import Answer, Client, World

TENANT = """
version: 1
service: {{ name: {slug} }}
roles: {{ member: {{}}, admin: {{ inherits: [member] }} }}
entities:
  boxes:
    schema: {{ required: [name], properties: {{ name: {{ type: string }}, owner: {{ type: string }} }} }}
    access:
      read: [ {{ role: member, rule: self.owner == user.id }}, {{ role: admin }} ]
      create: [ {{ role: member, check: self.owner == user.id }}, {{ role: admin }} ]
      update: [ {{ role: member, rule: self.owner == user.id, check: self.owner == user.id }}, {{ role: admin }} ]
      delete: [ {{ role: member, rule: self.owner == user.id }}, {{ role: admin }} ]
  things:
    schema: {{ properties: {{ box_id: {{ references: boxes }}, label: {{ type: string }} }} }}
    access: {{ read: [ {{ role: member }} ], write: [ {{ role: member }} ] }}
"""
ANN, BOB = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


class Two:
    """Two tenants of the same file, each with a box; and Bob, a member of the first, whose tenant has Ann's box."""

    def __init__(self, world: World, slugs: tuple[str, str], generations: Any) -> None:
        self.mine, self.theirs = (world.client(slug) for slug in slugs)
        self.bob = world.client(slugs[0], "member", subject=BOB)
        self.world, self.identities = world, [generation.identity for generation in generations]
        self.foreign = self.anns = ""

    async def everything(self) -> list[Any]:
        """All rows of both, from behind."""
        return [
            await self.world.sql(identity, f"SELECT t::text FROM ns.{table} t ORDER BY 1")
            for identity in self.identities
            for table in ("boxes", "things")
        ]


@pytest.fixture(scope="module")
async def two(world: World) -> Two:
    names = (f"a-{secrets.token_hex(3)}", f"b-{secrets.token_hex(3)}")
    found = Two(world, names, [await world.tenant(name, TENANT.format(slug=name)) for name in names])
    found.anns = await _box(found.mine)
    found.foreign = await _box(found.theirs)
    return found


async def _box(client: Client) -> str:
    answer = await client.post("/boxes", {"name": "secret", "owner": ANN}, Prefer="return=representation")
    return str(answer.json[0]["id"])


def _told(answer: Answer, key: str) -> tuple[int, Any]:
    told = answer.json if answer.body else None
    if isinstance(told, dict):
        told.pop("request_id")
    assert key.encode() not in answer.body
    assert b"secret" not in answer.body
    return answer.status, told


REQUESTS: dict[str, tuple[str, str, Any]] = {
    "get": ("GET", "/boxes/{key}", None),
    "patch": ("PATCH", "/boxes/{key}", {"name": "mine now"}),
    "delete": ("DELETE", "/boxes/{key}", None),
    "filter": ("GET", "/boxes?id=eq.{key}", None),
    "many": ("GET", "/boxes?or=(id.in.({key}),id.eq.{key})&select=id,things(label)", None),
    "patch many": ("PATCH", "/boxes?id=in.({key})", {"name": "mine now"}),
    "delete many": ("DELETE", "/boxes?id=eq.{key}", None),
    "embed": ("GET", "/things?select=label,boxes!inner(name)&boxes.id=eq.{key}", None),
}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("whose", ["another tenant's", "another member's"])
async def test_it_is_as_if_it_were_not_there(two: Two, whose: str, request_: str) -> None:
    client, key = (two.mine, two.foreign) if whose == "another tenant's" else (two.bob, two.anns)
    method, path, body = REQUESTS[request_]
    before, nobody = await two.everything(), str(uuid.uuid4())

    async def ask(number: str) -> tuple[int, Any]:
        prefer = {} if method == "GET" else {"Prefer": "return=representation"}
        return _told(await client.request(method, path.format(key=number), body, **prefer), number)

    assert await ask(key) == await ask(nobody)
    assert await two.everything() == before


async def test_a_reference_to_another_tenants_row_is_one_to_nothing(two: Two) -> None:
    before = await two.everything()
    for method, path in (("POST", "/things"), ("POST", "/things?on_conflict=id")):
        told = [
            _told(await two.mine.request(method, path, {"box_id": key, "label": "x"}), key)
            for key in (two.foreign, str(uuid.uuid4()))
        ]
        assert told[0] == told[1]
        assert told[0][0] == 409
    assert await two.everything() == before


@pytest.mark.parametrize("prefer", ["", "resolution=merge-duplicates", "resolution=ignore-duplicates"])
async def test_no_list_takes_over_a_row(two: Two, prefer: str) -> None:
    """Whatever is wrong with one row of many, none is written."""
    before = await two.everything()
    rows = [
        {"id": str(uuid.uuid4()), "name": "new", "owner": BOB},
        {"id": two.anns, "name": "mine now", "owner": BOB},
    ]
    answer = await two.bob.post("/boxes", rows, Prefer=f"{prefer}, return=representation, tx=rollback")
    told = answer.json
    if prefer == "resolution=ignore-duplicates":
        assert [row["name"] for row in told] == ["new"]
    else:
        assert answer.status in {403, 409}
    assert b"secret" not in answer.body
    put = await two.bob.put(f"/boxes/{two.anns}", {"name": "mine now", "owner": BOB})
    assert put.status in {403, 404}
    batch = await two.bob.post(
        "/batch",
        {
            "operations": [
                {"method": "POST", "path": "boxes", "body": {"name": "new", "owner": BOB}},
                {"method": "PATCH", "path": f"boxes/{two.anns}", "body": {"name": "mine now"}},
            ]
        },
    )
    assert batch.status == 404
    assert await two.everything() == before
