"""Functions before a read: what they hide is found by no way of asking."""

import pytest

from schemas.compiler.principal import Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.requests import ReadRequest
from tests.api.harness import Client, World, slug

FILE = """
version: 1
roles: { member: {}, auditor: { inherits: [member] } }
entities:
  people:
    schema: { properties: { name: { type: string } } }
    access: { read: [ { role: member, aggregate: true } ] }
  papers:
    schema:
      properties:
        title: { type: string, searchable: true }
        secret: { type: boolean, default: false }
        person_id: { references: people }
    access: { read: [ { role: member, aggregate: true } ], write: [ { role: member } ] }
    functions:
      discreet: { trigger: before_read, function: filter_rows, condition: "!self.secret || 'auditor' in user.roles" }
  undeclared:
    schema: { properties: { shown: { type: boolean } } }
    functions:
      some: { trigger: before_read, function: filter_rows, condition: self.shown }
  orders:
    schema: { properties: { region: { type: string }, net: { type: integer }, person_id: { references: people } } }
    access: { read: [ { role: member, aggregate: true } ], write: [ { role: member } ] }
    functions:
      mine: { trigger: before_read, function: own_region, config: { of: papers } }
  vault:
    schema: { properties: { name: { type: string } } }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
    functions:
      closed: { trigger: before_read, function: require_role, config: { role: auditor, message: auditors only } }
"""
CODE = """
calls = 0

async def own_region(query, ctx):
    global calls
    calls += 1
    if "region=eq.nowhere" in query["query"]:
        ctx.reject("there is no such region")
    if "bad" in query["query"]:
        return "select=net"
    if "auditor" in ctx.user["roles"]:
        return None
    if await ctx.data.count(ctx.config["of"]) > 100:
        return "and=(net.gt.5)"
    return {"region": ctx.user["claims"].get("region", "EU")}
"""


@pytest.fixture(scope="module")
async def tenant(world: World) -> str:
    name = slug()
    await world.tenant(name, FILE, CODE)
    admin = world.client(name, "member")
    await admin.post(
        "/papers", [{"title": "open plan", "secret": False}, {"title": "secret plan", "secret": True}]
    )
    await admin.post(
        "/orders", [{"region": "EU", "net": 1}, {"region": "US", "net": 2}, {"region": "EU", "net": 4}]
    )
    return name


@pytest.fixture
def member(world: World, tenant: str) -> Client:
    return world.client(tenant, "member")


@pytest.fixture
def auditor(world: World, tenant: str) -> Client:
    return world.client(tenant, "auditor")


@pytest.mark.parametrize(
    ("path", "few", "all_of_them"),
    [
        ("/papers?select=title", [{"title": "open plan"}], 2),
        ("/papers?select=count()", [{"count": 1}], [{"count": 2}]),
        ("/papers?search=plan&select=title", [{"title": "open plan"}], 2),
        ("/papers?title=eq.secret+plan", [], 1),
        ("/papers?or=(secret.is.true,secret.is.false)&select=title", [{"title": "open plan"}], 2),
    ],
)
async def test_a_filter_is_part_of_every_read(
    member: Client, auditor: Client, path: str, few: list, all_of_them: int | list
) -> None:
    assert (await member.get(path)).json == few
    found = (await auditor.get(path)).json
    assert (found if isinstance(all_of_them, list) else len(found)) == all_of_them


async def test_a_hidden_row_is_none_at_all(
    member: Client, auditor: Client, world: World, tenant: str
) -> None:
    (hidden,) = (await auditor.get("/papers?secret=is.true&select=id")).json
    one = await member.get(f"/papers/{hidden['id']}")
    none = await member.get("/papers/01890000-0000-7000-8000-000000000001")
    assert (one.status, one.json["code"]) == (none.status, none.json["code"]) == (404, "row.not_found")
    assert (await auditor.get(f"/papers/{hidden['id']}")).status == 200
    made = await world.client(tenant, "admin").get("/undeclared")
    assert made.status == 200, "an entity without access stays the admins', filtered"
    assert (await member.get("/undeclared")).status == 403


async def test_embedded_rows_are_filtered_too(
    member: Client, auditor: Client, world: World, tenant: str
) -> None:
    generation = world.ports[tenant].generation
    (person,) = await world.sql(
        generation.identity,
        "INSERT INTO ns.people (id, name) VALUES (gen_random_uuid(), 'Ann') RETURNING id::text",
    )
    await member.patch("/papers?title=eq.open+plan", {"person_id": person["id"]})
    await auditor.patch("/papers?title=eq.secret+plan", {"person_id": person["id"]})
    seen = (await member.get("/people?select=name,papers(title)&name=eq.Ann")).json
    assert seen == [{"name": "Ann", "papers": [{"title": "open plan"}]}]
    both = (await auditor.get("/people?select=papers(title)&papers.order=title&name=eq.Ann")).json
    assert [row["title"] for row in both[0]["papers"]] == ["open plan", "secret plan"]


async def test_a_python_function_says_what_is_found(
    member: Client, auditor: Client, world: World, tenant: str
) -> None:
    assert (await member.get("/orders?select=net&order=net")).json == [{"net": 1}, {"net": 4}]
    assert (await member.get("/orders?select=net.sum()")).json == [{"sum": 5}]
    american = world.client(tenant, "member", region="US")
    assert (await american.get("/orders?select=net")).json == [{"net": 2}]
    assert (await auditor.get("/orders?select=net&order=net")).json == [{"net": 1}, {"net": 2}, {"net": 4}]
    assert (await member.get("/orders?region=eq.US")).json == []
    batch = await member.post(
        "/batch", {"operations": [{"method": "GET", "path": "/orders?select=net&order=net"}]}
    )
    assert "2" not in str(batch.json).partition("body")[2].partition("headers")[0], batch


async def test_it_refuses_and_its_mistakes_let_nothing_out(member: Client, world: World, tenant: str) -> None:
    refused = await member.get("/orders?region=eq.nowhere")
    assert (refused.status, refused.json["detail"]) == (422, "there is no such region")
    wrong = await member.get("/orders?region=neq.bad")
    assert wrong.status == 500, wrong
    assert "net" not in wrong.json.get("errors", ())
    inside = await member.get("/people?select=name,orders(net)")
    assert (inside.status, inside.json["code"]) == (403, "42501")
    assert "ask for orders by itself" in inside.json["hint"]
    with pytest.raises(QueryError, match="a function narrows its reads"):
        world.ports[tenant].generation.queries.follow(
            ReadRequest("orders"), Principal(roles=frozenset({"member"}))
        )


async def test_a_role_can_be_asked_for(member: Client, auditor: Client) -> None:
    assert (await member.post("/vault", {"name": "gold"})).status == 201
    refused = await member.get("/vault")
    assert (refused.status, refused.json["detail"]) == (403, "auditors only")
    assert [row["name"] for row in (await auditor.get("/vault?select=name")).json] == ["gold"]
