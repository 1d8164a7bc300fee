"""What functions write: on whose behalf, and through the workflow like everybody."""

import pytest

from tests.api.harness import Client, World, slug

FILE = """
version: 1
roles: { member: {}, manager: { inherits: [member] } }
functions:
  act: { trigger: rpc, roles: [member] }
entities:
  notes:
    schema: { properties: { text: { type: string }, owner_id: { type: string, default: user.id } } }
    access: { read: [ { role: member } ] }
    functions:
      # makes writes of notes say who asked
      heard: { trigger: after_create, function: publish_event, config: { event: noted } }
  bills:
    schema: { properties: { status: { type: string, enum: [open, paid, void], default: open }, net: { type: number, default: 0 }, why: { type: string } } }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
    workflow:
      field: status
      states: { paid: { lock: [net] } }
      transitions:
        pay: { from: open, to: paid, roles: [manager], guard: self.net > 0.0 }
        void: { from: [open, paid], to: void, comment: required }
"""
CODE = """
async def act(args, ctx):
    do = getattr(ctx.data, args.pop("do"))
    return await do(*args.pop("with"), **args)
"""
USER = "01890000-0000-7000-8000-00000000000a"


@pytest.fixture(scope="module")
async def tenant(world: World) -> str:
    name = slug()
    await world.tenant(name, FILE, CODE)
    return name


@pytest.fixture
def member(world: World, tenant: str) -> Client:
    return world.client(tenant, "member", subject=USER)


async def act(member: Client, do: str, *given: object, **more: object) -> object:
    answer = await member.post("/rpc/act", {"do": do, "with": list(given), **more})
    return (
        answer.json
        if answer.status == 200
        else (answer.status, answer.json["code"], answer.json.get("errors"))
    )


async def test_rows_say_for_whom_a_function_wrote_them(world: World, tenant: str, member: Client) -> None:
    note = await act(member, "create", "notes", {"text": "a"})
    assert (note["created_by"], note["owner_id"]) == (USER, USER)
    (kept,) = await world.sql(
        world.ports[tenant].generation.identity,
        "SELECT who::text AS who FROM ns._outbox WHERE entity = 'notes'",
    )
    assert f'"user": "{USER}"' in kept["who"]
    assert '"function": "act"' in kept["who"]
    assert '"member"' in kept["who"]
    assert '"*"' not in kept["who"], "what runs because of it has the caller's roles, not the platform's"


async def test_a_function_changes_a_state_by_a_transition_only(member: Client) -> None:
    bill = await act(member, "create", "bills", {"net": 5})
    key = bill["id"]
    code, told, errors = await act(member, "update", "bills", key, {"status": "paid"})
    assert (code, told) == (422, "workflow.state")
    assert errors[0]["pointer"] == "/status"
    same = await act(
        member, "update", "bills", key, {"status": "open", "why": "a row as it is may be written back"}
    )
    assert same["why"]
    paid = await act(member, "transition", "bills", key, "pay")
    assert paid["status"] == "paid", "a function is not bound by the transition's roles"
    assert (await act(member, "transition", "bills", key, "pay"))[1] == "workflow.elsewhere"
    assert (await act(member, "transition", "bills", key, "void"))[1] == "workflow.comment"
    void = await act(
        member, "transition", "bills", key, "void", comment="wrong", values={"why": "typing error"}
    )
    assert (void["status"], void["why"]) == ("void", "typing error")
    past = (await member.get(f"/bills/{key}/transitions")).json["history"]
    assert [(step["transition"], step["comment"]) for step in past] == [("void", "wrong"), ("pay", None)]
    assert {step.get("user", step.get("user_id")) for step in past} == {USER}
    poor = await act(member, "create", "bills", {"net": 0})
    assert (await act(member, "transition", "bills", poor["id"], "pay"))[1] == "workflow.guard"
