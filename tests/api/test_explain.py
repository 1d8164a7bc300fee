"""``?explain=access``: an administrator learns why somebody may do something with a row; nobody else does."""

import pytest

from tests.api.harness import Client, World

DESK = """
version: 1
service: { name: desk }
auth: { signup: open, default_role: agent, claims: { team: user.team } }
roles: { agent: {}, lead: { inherits: [agent] }, admin: { inherits: [lead] } }
entities:
  users:
    schema: { properties: { team: { type: string } } }
    access: { read: [ { role: admin } ], create: [ { role: admin } ] }
  tickets:
    soft_delete: true
    schema:
      properties: { title: { type: string }, team: { type: string }, cost: { type: number } }
    access:
      read: [ { role: agent, rule: "self.team == user.team", hide: [cost] }, { role: lead } ]
      create: [ { role: admin } ]
      update: [ { role: agent, rule: "self.team == user.team", fields: [title] }, { role: admin } ]
      delete: [ { role: admin } ]
  plain:
    schema: { properties: { text: { type: string } } }
"""
MIA = "01900000-0000-7000-8000-00000000aa01"


@pytest.fixture(scope="module")
async def desk(world: World) -> Client:
    await world.tenant("desk", DESK)
    return world.client("desk", "admin")


async def ticket(desk: Client, team: str) -> str:
    made = await desk.post(
        "/tickets", {"title": "x", "team": team, "cost": 3}, Prefer="return=representation"
    )
    assert made.status == 201, made
    return str(made.json[0]["id"])


async def test_an_admin_learns_what_the_entries_say_of_a_row(desk: Client) -> None:
    answer = await desk.get(f"/tickets/{await ticket(desk, 'north')}?explain=access")
    assert answer.status == 200, answer
    told = answer.json
    assert (told["entity"], told["declared"], told["deleted"]) == ("tickets", True, False)
    assert [(entry["role"], entry["mine"], entry["holds"]) for entry in told["verbs"]["read"]] == [
        ("agent", True, False), ("lead", True, True),
    ]  # fmt: skip
    assert "cost" not in told["verbs"]["read"][0]["fields"]
    assert told["told"][0].startswith(
        "read: entry 0 (role agent): rule `self.team == user.team` does not hold"
    )
    assert told["told"][0].endswith("entry 1 (role lead): every row")


async def test_another_person_is_explained_by_what_they_are(desk: Client, world: World) -> None:
    boss = world.ports["desk"].generation
    await world.sql(
        boss.identity, "INSERT INTO ns.users (id, email, role, team) VALUES ($1::text::uuid, $2, 'agent', 'north')",
        MIA, "mia@example.com",
    )  # fmt: skip
    for team, holds in (("north", True), ("south", False)):
        answer = await desk.get(f"/tickets/{await ticket(desk, team)}?explain=access&as={MIA}")
        assert answer.status == 200, answer
        assert (answer.json["user"], "agent" in answer.json["roles"]) == (MIA, True)
        agent, lead = answer.json["verbs"]["read"]
        assert (agent["mine"], agent["holds"], lead["mine"]) == (True, holds, False)
    nobody = await desk.get("/tickets?explain=access&as=00000000-0000-7000-8000-000000000000")
    assert (nobody.status, nobody.json["code"]) == (404, "auth.user_not_found")


async def test_without_a_row_the_rules_stand_as_written(desk: Client) -> None:
    told = (await desk.get("/tickets?explain=access")).json
    assert "key" not in told
    assert "holds" not in told["verbs"]["read"][0]
    assert "where `self.team == user.team`" in told["told"][0]
    plain = (await desk.get("/plain?explain=access")).json
    assert plain["declared"] is False
    assert {entry["role"] for entries in plain["verbs"].values() for entry in entries} == {"admin"}


async def test_a_deleted_row_is_explained_and_a_row_that_never_was_is_not_found(desk: Client) -> None:
    key = await ticket(desk, "north")
    assert (await desk.delete(f"/tickets/{key}")).status == 204
    told = await desk.get(f"/tickets/{key}?explain=access")
    assert (told.status, told.json["deleted"]) == (200, True)
    gone = await desk.get("/tickets/00000000-0000-7000-8000-000000000000?explain=access")
    assert gone.status == 404
    assert (await desk.get("/tickets/nonsense?explain=access")).status in {400, 404}
    assert (await desk.get("/tickte?explain=access")).status == 404


@pytest.mark.parametrize("path", ["/tickets", "/tickets/{key}", "/plain", "/nothing"])
async def test_only_admins_are_told(desk: Client, world: World, path: str) -> None:
    path = path.format(key=await ticket(desk, "north"))
    for role, status in (("lead", 403), ("agent", 403), (None, 401)):
        answer = await world.client("desk", role).get(f"{path}?explain=access")
        assert answer.status == status, (role, answer)
        assert b"self.team" not in answer.body


@pytest.mark.parametrize(
    "query", ["select=id&explain=access", "explain=access&title=eq.x", "explain=access&x"]
)
async def test_nothing_else_goes_with_it(desk: Client, query: str) -> None:
    answer = await desk.get(f"/tickets?{query}")
    assert (answer.status, answer.json["code"]) == (400, "PGRST100")
