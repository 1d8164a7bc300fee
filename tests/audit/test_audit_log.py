"""``audit: true``: every change of every row, with who and what; and nobody who could take it back."""

from typing import Any

import asyncpg
import pytest

from actors.connections import derive_password
from actors.tenant.provision import provision
from schemas.compiler.compile import compile_source
from schemas.compiler.diagnostics import CompileError
from schemas.compiler.sql import quote
from tests.api.harness import CLUSTER, World, slug

FILE = """
version: 1
audit: true
roles: {admin: {}, clerk: {}}
let: {all: "true"}
entities:
  customers:
    soft_delete: true
    schema: {properties: {name: {type: string}}}
    access: &all {read: [{role: clerk}, {role: admin}], create: [{role: clerk}, {role: admin}],
      update: [{role: clerk}, {role: admin}], delete: [{role: clerk}, {role: admin}]}
  orders:
    schema:
      properties:
        title: {type: string}
        pin: {type: string, writeOnly: true}
        state: {type: string, enum: [open, closed], default: open}
        customer_id: {type: string, format: uuid, references: customers, onDelete: cascade}
    access: {read: [{role: admin}], create: [{role: admin}], update: [{role: admin}], delete: [{role: admin}]}
    workflow:
      field: state
      states: {open: {}, closed: {}}
      transitions: {close: {from: open, to: closed}}
    functions: {stamp: {trigger: after_create, function: publish_event, config: {event: made}}}
  clicks:
    audit: false
    schema: {properties: {page: {type: string}}}
    access: {read: [{role: admin}], create: [{role: admin}], update: [{role: admin}], delete: [{role: admin}]}
""".replace("&all ", "")


async def log_of(world: World, name: str, query: str = "") -> list[dict[str, Any]]:
    found = await world.client(name).get(f"/audit_log?order=id{query}")
    assert found.status == 200, found.json
    rows: list[dict[str, Any]] = found.json
    return rows


async def test_every_way_to_write_is_in_it_with_who_and_what(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    client = world.client(name, subject="u1", email="u1@example.com")
    (made,) = (
        await client.post("/orders", {"title": "a", "pin": "1234"}, Prefer="return=representation")
    ).json
    key = made["id"]
    await client.patch(f"/orders/{key}", {"title": "b"})
    await client.patch(f"/orders/{key}", {"pin": "5678"})
    moved = await client.post(f"/orders/{key}/transitions/close", {})
    assert moved.status == 200, moved.json
    await client.post("/batch", {"operations": [{"method": "DELETE", "path": f"/orders/{key}"}]})
    await client.patch(f"/orders/{key}", {"title": "nothing there any more"})
    await client.post("/orders", {"title": "c"}, Prefer="tx=rollback")
    await client.post("/clicks", {"page": "nobody asks"})
    made, renamed, secret, closed, gone = await log_of(world, name, "&entity=eq.orders")
    assert [one["action"] for one in (made, renamed, secret, closed, gone)] == [
        "create", "update", "update", "update", "delete",
    ]  # fmt: skip
    assert (made["old_values"], made["new_values"]["title"], made["changed"]) == (None, "a", None)
    assert (renamed["old_values"]["title"], renamed["new_values"]["title"]) == ("a", "b")
    assert "state" not in renamed["new_values"]
    assert "title" in renamed["changed"]
    assert "pin" in secret["changed"]
    assert closed["old_values"]["state"] == "open"
    assert (gone["new_values"], gone["old_values"]["title"]) == (None, "b")
    for one in (made, renamed, secret, closed, gone):
        assert (one["key"], one["user_id"], one["email"]) == (key, "u1", "u1@example.com")
        assert "admin" in one["roles"]
        assert one["request_id"]
        assert one["address"] == "127.0.0.1"
        assert not {"1234", "5678"} & {str(value) for part in ("old_values", "new_values") for value in (one[part] or {}).values()}  # fmt: skip
    assert await log_of(world, name, "&entity=in.(clicks,function_executions,workflow_history)") == []
    # the grammar is everybody's: filters into what changed, aggregates, exports
    assert len(await log_of(world, name, "&changed=cs.{title}")) == 1
    exported = await client.get("/audit_log.csv?select=action,entity&entity=eq.orders&order=id")
    assert exported.body.decode().splitlines()[:2] == ["action,entity", "create,orders"]


async def test_hidden_rows_and_what_goes_with_them(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE.replace("soft_delete: true", "soft_delete: false"))
    client = world.client(name, subject="u2")
    (customer,) = (await client.post("/customers", {"name": "c"}, Prefer="return=representation")).json
    await client.post("/orders", [{"title": "x", "customer_id": customer["id"]}])
    await client.delete(f"/customers/{customer['id']}")
    actions = [(one["entity"], one["action"], one["user_id"]) for one in await log_of(world, name)]
    assert sorted(actions[2:]) == [("customers", "delete", "u2"), ("orders", "delete", "u2")]
    soft = slug()
    await world.tenant(soft, FILE)
    client = world.client(soft)
    (customer,) = (await client.post("/customers", {"name": "c"}, Prefer="return=representation")).json
    await client.delete(f"/customers/{customer['id']}")
    assert [one["action"] for one in await log_of(world, soft)] == ["create", "delete"]


async def test_nobody_of_the_tenant_changes_or_forges_it(world: World) -> None:
    name = slug()
    generation = await world.tenant(name, FILE)
    client, clerk = world.client(name), world.client(name, "clerk")
    await client.post("/customers", {"name": "c"})
    before = await log_of(world, name)
    row = {"at": "2026-01-01T00:00:00Z", "action": "create", "entity": "customers"}
    for answer in (
        await client.post("/audit_log", row),
        await client.patch("/audit_log?id=gt.0", {"action": "nothing"}),
        await client.delete("/audit_log?id=gt.0"),
        await clerk.get("/audit_log"),
    ):
        assert answer.status == 403, answer.json
    # the tenant's own role, past every line of ours
    identity = generation.identity
    log = f"{quote(identity.namespace)}.audit_log"
    attempts = (
        f"INSERT INTO {log} (at, action, entity) VALUES (now(), 'create', 'customers')",
        f"UPDATE {log} SET action = 'nothing'",
        f"DELETE FROM {log}",
        f"TRUNCATE {log}",
        f"ALTER TABLE {log} DISABLE TRIGGER ALL",
        f"DROP TRIGGER _audit ON {log}",
        f"DROP TRIGGER _audit ON {quote(identity.namespace)}.customers",
        "SET session_replication_role = replica",
        f"SELECT {quote(identity.namespace)}._audit()",
        f"DROP FUNCTION {quote(identity.namespace)}._audit_seal() CASCADE",
        f"CREATE TABLE {quote(identity.namespace)}.mine (id int)",
        "SELECT backsaas.act('a', 'b', 'c', null, null, null)",
    )

    async def refuse_all() -> None:
        for attempt in attempts:
            connection = await generation.pool.acquire()
            try:
                with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)):
                    await connection.execute(attempt)
            finally:
                generation.pool.release(connection)

    await refuse_all()
    # a mended place grants rights on every table again, and a mistake could: neither opens the log
    async with world.database.owner() as owner:
        await provision(owner, identity, derive_password(CLUSTER, identity.id))
    await refuse_all()
    async with world.database.owner() as owner:
        await owner.execute(f"GRANT INSERT, UPDATE, DELETE, TRUNCATE ON {log} TO {quote(identity.namespace)}")
    await refuse_all()
    assert await log_of(world, name) == before


async def test_switched_on_and_off_while_it_runs(world: World) -> None:
    name = slug()
    silent = FILE.replace("audit: true\n", "", 1)
    await world.tenant(name, silent)
    client = world.client(name)
    await client.post("/customers", {"name": "unseen"})
    identity = world.ports[name].generation.identity
    found = await world.sql(
        identity,
        "SELECT count(*) FROM pg_trigger WHERE tgname = '_audit' AND tgrelid::regclass::text LIKE $1",
        f"{identity.namespace}%",
    )
    assert found[0][0] == 0, "who does not ask for it pays nothing"
    assert (await client.get("/audit_log")).status == 404
    await world.tenant(name, FILE)
    await client.post("/customers", {"name": "seen"})
    await world.tenant(name, FILE.replace("audit: true\n", "audit: false\n", 1))
    await client.post("/customers", {"name": "unseen again"})
    assert [one["new_values"]["name"] for one in await log_of(world, name)] == ["seen"]
    await world.tenant(name, FILE + "\n")
    await client.post("/customers", {"name": "seen again"})
    assert [one["new_values"]["name"] for one in await log_of(world, name)] == ["seen", "seen again"]


async def test_accounts_and_keys_are_in_it(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE + "auth: {signup: open}\n")
    client = world.client(name, subject="boss")
    body = {"email": "new@example.com", "password": "a long pass phrase 1"}
    made = await client.post("/auth/v1/admin/users", body)
    assert made.status in {200, 201}, made.json
    key = await client.post("/auth/v1/keys", {"name": "mine", "role": "clerk"})
    assert key.status in {200, 201}, key.json
    log = await log_of(world, name)
    created = next(one for one in log if one["action"] == "user.created")
    assert (created["entity"], created["user_id"], created["key"]) == ("users", "boss", made.json["id"])
    assert created["request_id"]
    assert next(one for one in log if one["action"] == "api_key.created")["user_id"] == "boss"
    row = next(one for one in log if (one["entity"], one["action"]) == ("users", "create"))
    assert (row["new_values"]["email"], row["user_id"]) == ("new@example.com", "boss")
    assert row["request_id"] == created["request_id"]
    text = str(log)
    assert body["password"] not in text
    assert "argon2" not in text
    assert key.json["key"] not in text


async def test_a_name_that_is_taken_is_said(world: World) -> None:
    with pytest.raises(CompileError) as error:
        compile_source("version: 1\naudit: true\nentities:\n  audit_log: {}\n", "some-co")
    assert error.value.diagnostics[0].position.line == 4
