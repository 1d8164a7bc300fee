"""What is kept of a change, by whom, and what is not."""

import orjson

from tests.api.harness import World, slug

FILE = """
version: 1
entities:
  customers:
    schema: {properties: {name: {type: string}}}
    access: {read: [{role: admin}], create: [{role: admin}], update: [{role: admin}], delete: [{role: admin}]}
  orders:
    schema:
      properties:
        title: {type: string}
        pin: {type: string, writeOnly: true}
        customer_id: {type: string, format: uuid, references: customers, onDelete: cascade}
    access: {read: [{role: admin}], create: [{role: admin}], update: [{role: admin}], delete: [{role: admin}]}
    functions: {tell: {trigger: after_update, function: publish_event, config: {event: changed}}}
  notes:
    schema: {properties: {text: {type: string}}}
    access: {read: [{role: admin}], create: [{role: admin}], update: [{role: admin}], delete: [{role: admin}]}
"""


async def changes(world: World, name: str) -> list[dict[str, object]]:
    identity = world.ports[name].generation.identity
    rows = await world.sql(
        identity, "SELECT entity, key, verb, old::text, new::text, who::text FROM ns._outbox ORDER BY seq"
    )
    await world.sql(identity, "DELETE FROM ns._outbox")
    return [
        {
            **dict(row),
            **{part: orjson.loads(row[part]) if row[part] else None for part in ("old", "new", "who")},
        }
        for row in rows
    ]


async def test_a_change_is_kept_with_both_images_and_who_asked(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    client = world.client(name, subject="u1")
    made = (
        await client.post("/orders", {"title": "a", "pin": "secret"}, Prefer="return=representation")
    ).json
    key = (made[0] if isinstance(made, list) else made)["id"]
    await client.patch(f"/orders/{key}", {"title": "b"}, X_Request_Id="r-1")
    await client.delete(f"/orders/{key}")
    first, second, third = await changes(world, name)
    assert [first["verb"], second["verb"], third["verb"]] == ["insert", "update", "delete"]
    assert first["old"] is None
    assert third["new"] is None
    assert second["old"]["title"] == "a"
    assert second["new"]["title"] == "b"
    assert second["key"] == key
    assert second["entity"] == "orders"
    assert second["who"]["user"] == "u1"
    assert "admin" in second["who"]["roles"]
    assert second["who"]["request_id"]  # type: ignore[index]
    assert "secret" not in repr(first), "what may only be written is kept nowhere else"


async def test_every_way_to_write_is_kept_and_nothing_that_was_undone(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    client = world.client(name)
    customer = (await client.post("/customers", {"name": "c"}, Prefer="return=representation")).json
    customer = customer[0] if isinstance(customer, list) else customer
    await client.post("/orders", [{"title": "x", "customer_id": customer["id"]}, {"title": "y"}])
    await client.post(
        "/batch", {"operations": [{"method": "POST", "path": "/orders", "body": {"title": "z"}}]}
    )
    await client.post("/notes", {"text": "nobody listens"})
    assert [change["new"]["title"] for change in await changes(world, name)] == ["x", "y", "z"]  # type: ignore[index]
    await client.delete(f"/customers/{customer['id']}")
    [cascaded] = await changes(world, name)
    assert cascaded["verb"] == "delete", "reached by a cascade"
    assert cascaded["who"] is not None
    await client.post("/orders", {"title": "dry"}, Prefer="tx=rollback")
    refused = await client.post(
        "/batch",
        {
            "operations": [
                {"method": "POST", "path": "/orders", "body": {"title": "one"}},
                {"method": "POST", "path": "/orders", "body": {"nonsense": 1}},
            ]
        },
    )
    assert refused.status >= 400
    assert await changes(world, name) == []


async def test_nothing_leaks_from_one_statement_to_the_next(world: World) -> None:
    name = slug()
    generation = await world.tenant(name, FILE)
    await world.client(name, subject="u1").post("/orders", {"title": "a"})
    connection = await generation.pool.acquire()
    try:
        assert not await connection.fetchval("SELECT current_setting('backsaas.who', true)")
    finally:
        generation.pool.release(connection)


async def test_a_migration_that_rewrites_rows_is_no_change(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    await world.client(name).post("/orders", {"title": "a"})
    await changes(world, name)
    more = FILE.replace(
        "title: {type: string}",
        "title: {type: string}\n        twice: {type: string, computed: self.title, stored: true}",
    )
    await world.tenant(name, more)
    assert await changes(world, name) == []
    await world.client(name).post("/orders", {"title": "b"})
    assert (await changes(world, name))[0]["new"]["twice"] == "b"  # type: ignore[index]


async def test_who_stops_listening_stops_recording(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE)
    await world.tenant(
        name,
        FILE.replace(
            "    functions: {tell: {trigger: after_update, function: publish_event, config: {event: changed}}}\n",
            "",
        ),
    )
    await world.client(name).post("/orders", {"title": "a"})
    assert await changes(world, name) == []
