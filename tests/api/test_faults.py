"""The database fails in every way it can: docs/faults.md 2 to 4, 11, 12; what callers see, and that nothing is lost."""

import asyncio

import asyncpg
import pytest

from actors.tenant.executor import StaleGenerationError
from tests.api.harness import Client, World

TEXT = """
version: 1
service: { name: faulty }
roles: { admin: {} }
entities:
  items:
    schema: { properties: { name: { type: string }, n: { type: integer, default: 0 } } }
"""


@pytest.fixture(scope="module")
async def api(world: World) -> Client:
    await world.tenant("faulty", TEXT)
    return world.client("faulty")


async def role_of(world: World) -> str:
    return world.ports["faulty"].generation.identity.namespace


async def end_connections(world: World) -> int:
    rows = await world.sql(
        world.ports["faulty"].generation.identity,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1",
        await role_of(world),
    )
    return len(rows)


async def make(api: Client) -> str:
    answer = await api.post("/items", {"name": "x"}, Prefer="return=representation")
    return str(answer.json[0]["id"])


async def test_idle_connections_that_ended_cost_nobody_a_request(world: World, api: Client) -> None:
    await asyncio.gather(*(api.get("/items") for _ in range(8)))
    assert await end_connections(world)
    await asyncio.sleep(0.2)  # until the news is here: a write that crosses with it cannot know what happened
    answers = [await api.get("/items") for _ in range(4)] + [
        await api.post("/items", {"name": "y"}) for _ in range(2)
    ]
    assert {answer.status for answer in answers} <= {200, 201}


async def lock(world: World) -> asyncpg.Connection:
    """Hold the table, so that what follows waits inside PostgreSQL."""
    connection = await world.database.dedicated()
    await connection.execute("BEGIN")
    await connection.execute(f'LOCK TABLE "{await role_of(world)}".items IN ACCESS EXCLUSIVE MODE')
    return connection


async def waiting(world: World) -> None:
    for _ in range(200):
        rows = await world.sql(
            world.ports["faulty"].generation.identity,
            "SELECT pid FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'",
            await role_of(world),
        )
        if rows:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing waits")


async def test_a_read_cut_off_is_read_again(world: World, api: Client) -> None:
    holder = await lock(world)
    reading = asyncio.ensure_future(api.get("/items"))
    await waiting(world)
    await end_connections(world)
    await holder.execute("ROLLBACK")
    await holder.close()
    assert (await reading).status == 200


async def test_a_write_cut_off_says_that_nobody_knows(world: World, api: Client) -> None:
    await api.post("/items", {"name": "first"}, Idempotency_Key="cut-0")  # makes the table of keys
    holder = await lock(world)
    writing = asyncio.ensure_future(api.post("/items", {"name": "cut"}, Idempotency_Key="cut-1"))
    plain = asyncio.ensure_future(api.post("/items", {"name": "cut plain"}))
    await waiting(world)
    await asyncio.sleep(0.1)
    await end_connections(world)
    await holder.execute("ROLLBACK")
    await holder.close()
    for answer in (await writing, await plain):
        assert answer.status == 503, answer
        assert answer.json["code"] in ("outcome_unknown", "database.unavailable")
        assert "Retry-After" in answer.headers
    again = await api.post("/items", {"name": "cut"}, Idempotency_Key="cut-1")
    assert again.status == 201
    assert len((await api.get("/items?name=eq.cut")).json) == 1


async def test_a_slow_query_ends_in_time(world: World, api: Client) -> None:
    generation = world.ports["faulty"].generation
    holder = await lock(world)
    connection = await generation.pool.acquire()
    await connection.execute("SET statement_timeout = '200ms'")
    generation.pool.release(connection)
    answer = await api.get("/items")
    await holder.execute("ROLLBACK")
    await holder.close()
    generation.pool.reset()
    assert (answer.status, answer.json["code"]) == (504, "query_timeout")


async def test_deadlocks_are_tried_again(world: World, api: Client) -> None:
    first, second = await make(api), await make(api)

    async def both(one: str, two: str) -> int:
        operations = [{"method": "PATCH", "path": f"items/{key}", "body": {"n": 1}} for key in (one, two)]
        return (await api.post("/batch", {"operations": operations})).status

    for _ in range(3):
        statuses = await asyncio.gather(*(both(*pair) for pair in [(first, second), (second, first)] * 3))
        assert set(statuses) <= {200, 409}
        assert statuses.count(200) >= 4


async def test_changed_tables_ask_for_the_newest_generation(world: World, api: Client) -> None:
    generation = world.ports["faulty"].generation
    await api.get("/items")
    await world.sql(generation.identity, "ALTER TABLE ns.items RENAME COLUMN n TO m")
    from actors.messages import Call
    from actors.tenant.operations import execute
    from schemas.compiler.principal import Principal

    admin = Principal("u", None, frozenset({"admin", "authenticated", "public"}))
    for call in (
        Call("list", "GET", "items", principal=admin),
        Call("create", "POST", "items", body=b'{"n":1}', content_type="application/json", principal=admin),
        Call(
            "batch",
            "POST",
            body=b'{"operations":[{"method":"GET","path":"items"}]}',
            content_type="application/json",
            principal=admin,
        ),
    ):
        with pytest.raises(StaleGenerationError):
            await execute(generation, call)
    await world.sql(generation.identity, "ALTER TABLE ns.items RENAME COLUMN m TO n")
    assert (await api.get("/items")).status == 200


async def test_a_type_changed_under_a_prepared_statement(world: World, api: Client) -> None:
    await asyncio.gather(*(api.get("/items?select=n") for _ in range(4)))
    await world.sql(
        world.ports["faulty"].generation.identity, "ALTER TABLE ns.items ALTER COLUMN n TYPE numeric"
    )
    assert {(await api.get("/items?select=n")).status for _ in range(6)} == {200}
    await world.sql(
        world.ports["faulty"].generation.identity, "ALTER TABLE ns.items ALTER COLUMN n TYPE bigint"
    )
    assert (await api.post("/items", {"n": 5})).status == 201


async def test_busy_connections_are_waited_for_and_then_refused(world: World, api: Client) -> None:  # D10
    pool = world.ports["faulty"].generation.pool
    held = [await pool.acquire() for _ in range(pool.limit)]
    answer = await api.get("/items")
    for connection in held:
        pool.release(connection)
    assert (answer.status, answer.json["code"]) == (503, "PGRST003")
    assert "Retry-After" in answer.headers
    assert (await api.get("/items")).status == 200


async def test_a_role_without_rights_is_no_500(world: World, api: Client) -> None:
    identity = world.ports["faulty"].generation.identity
    await world.sql(identity, f'REVOKE ALL ON ns.items FROM "{identity.namespace}"')
    answer = await api.get("/items")
    await world.sql(identity, f'GRANT SELECT, INSERT, UPDATE, DELETE ON ns.items TO "{identity.namespace}"')
    assert answer.status in (403, 503)
    assert (await api.get("/items")).status == 200


async def test_a_caller_who_leaves_frees_the_connection(
    world: World, api: Client
) -> None:  # docs/faults.md 44
    pool = world.ports["faulty"].generation.pool
    holder = await lock(world)
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0.3):
            await api.get("/items")
    await asyncio.sleep(0.2)
    busy = pool.open - pool.idle
    await holder.execute("ROLLBACK")
    await holder.close()
    assert busy == 0
    assert (await api.get("/items")).status == 200
