"""The pool and its budget against a real server: lending, waiting, stealing, healing."""

import asyncio
import time

import asyncpg
import pytest

from actors.connections import ConnectError
from actors.database import Database
from actors.pool import PoolClosedError, PoolTimeoutError, TenantPool
from tests.isolation.world import Tenants
from tests.speed import slowness


async def test_logs_in_as_the_tenants_role_with_fixed_session_settings(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    connection = await pool.acquire()
    row = await connection.fetchrow(
        "SELECT current_user::text, session_user::text, current_setting('search_path'), current_setting('timezone'),"
        " current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'),"
        " current_setting('application_name')"
    )
    assert tuple(row) == (
        identity.namespace,
        identity.namespace,
        "pg_catalog, pg_temp",
        "UTC",
        "5s",
        "15s",
        "backsaas",
    )
    pool.release(connection)


async def test_take_is_empty_until_something_came_back_then_lifo(tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    assert pool.take() is None
    first, second = await pool.acquire(), await pool.acquire()
    assert first is not second
    pool.release(first)
    pool.release(second)
    assert pool.take() is second
    assert pool.take() is first
    assert pool.take() is None
    pool.release(first)
    pool.release(second)
    assert (pool.open, pool.idle) == (2, 2)


async def test_closed_and_in_transaction_connections_are_never_lent_again(tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    connection = await pool.acquire()
    await connection.execute("BEGIN")
    pool.release(connection)
    assert (pool.open, pool.idle) == (0, 0)
    other = await pool.acquire()
    assert other is not connection
    await other.close()
    pool.release(other)
    third = await pool.acquire()
    pool.discard(third)
    assert (pool.open, pool.idle, tenants.budget.open) == (0, 0, 0)


async def test_a_changed_search_path_is_never_lent(tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    connection = await pool.acquire()
    await connection.execute("SET search_path = public")
    pool.release(connection)
    other = await pool.acquire()
    assert other is not connection
    assert await other.fetchval("SHOW search_path") == "pg_catalog, pg_temp"
    pool.release(other)


async def test_all_busy_is_a_timeout_and_then_fair(tenants: Tenants) -> None:
    pool, _ = await tenants.make(limit=1)
    held = await pool.acquire()
    began = time.monotonic()
    with pytest.raises(PoolTimeoutError):
        await pool.acquire(0.1)
    assert time.monotonic() - began < 0.5
    order: list[int] = []

    async def one(number: int) -> None:
        connection = await pool.acquire()
        order.append(number)
        await asyncio.sleep(0)
        pool.release(connection)

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(one(number))
        await asyncio.sleep(0.01)
        pool.release(held)
    assert order == list(range(20))
    assert (pool.open, pool.idle, pool.waiting) == (1, 1, 0)


async def test_steals_from_the_idlest_under_pressure(tenants: Tenants) -> None:
    tenants.budget.limit = 2
    first, _ = await tenants.make()
    second, _ = await tenants.make()
    third, _ = await tenants.make()
    for pool in (first, second):
        pool.release(await pool.acquire())
        await asyncio.sleep(0.01)
    assert tenants.budget.open == 2
    pool_connection = await third.acquire()
    assert (first.open, second.open, third.open, tenants.budget.open) == (0, 1, 1, 2)
    third.release(pool_connection)


async def test_a_waiting_tenant_gets_the_slot_of_a_returning_connection(tenants: Tenants) -> None:
    tenants.budget.limit = 2
    greedy, _ = await tenants.make()
    modest, _ = await tenants.make()
    held = [await greedy.acquire(), await greedy.acquire()]
    waiter = asyncio.get_running_loop().create_task(modest.acquire())
    own = asyncio.get_running_loop().create_task(greedy.acquire())
    await asyncio.sleep(0.05)
    assert not waiter.done()
    greedy.release(
        held[0]
    )  # greedy has two and modest none: modest's turn although greedy's own caller waits too
    connection = await waiter
    assert (greedy.open, modest.open) == (1, 1)
    greedy.release(held[1])
    greedy.release(await own)
    modest.release(connection)
    assert tenants.budget.open == 2
    assert not tenants.budget.hungry


async def test_one_busy_tenant_cannot_starve_another(tenants: Tenants) -> None:
    tenants.budget.limit = 1
    busy, _ = await tenants.make()
    quiet, _ = await tenants.make()
    stop = False

    async def work() -> None:
        while not stop:
            connection = await busy.acquire(5)
            await connection.fetchval("SELECT 1")
            busy.release(connection)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(work())
        await asyncio.sleep(0.05)
        began = time.monotonic()
        connection = await quiet.acquire(2)
        waited = time.monotonic() - began
        quiet.release(connection)
        stop = True
    assert waited < 1


async def test_cancelled_waiters_lose_nothing(tenants: Tenants) -> None:
    pool, _ = await tenants.make(limit=2)
    held = [await pool.acquire(), await pool.acquire()]
    tasks = [asyncio.get_running_loop().create_task(pool.acquire()) for _ in range(10)]
    await asyncio.sleep(0.01)
    for connection in held:
        pool.release(connection)  # handed to the first two, who are cancelled before they run
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (pool.open, pool.idle, pool.waiting, tenants.budget.open) == (2, 2, 0, 2)


async def test_cancelled_opening_gives_its_slot_back(tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    task = asyncio.get_running_loop().create_task(pool.acquire())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (pool.open, tenants.budget.open) == (0, 0)


async def test_idle_pools_shrink_to_nothing(tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    held = await pool.acquire()
    pool.release(await pool.acquire())
    assert tenants.budget.shrink(60) == 0
    assert tenants.budget.shrink(0) == 1
    pool.release(held)
    assert tenants.budget.shrink(0) == 1
    assert (pool.open, tenants.budget.open) == (0, 0)


async def test_expire_forgets_statements_and_keeps_the_connection(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    await tenants.owner.execute(
        f"CREATE TABLE {identity.namespace}.a (x text); INSERT INTO {identity.namespace}.a VALUES ('1')"
    )
    sql = f"SELECT * FROM {identity.namespace}.a"
    connection = await pool.acquire()
    await connection.fetch(sql)
    pool.release(connection)
    await tenants.owner.execute(
        f"ALTER TABLE {identity.namespace}.a ADD y text; ALTER TABLE {identity.namespace}.a ALTER x TYPE int USING x::int"
    )
    pool.expire()
    assert pool.take() is None
    again = await pool.acquire()
    assert again is connection
    async with again.transaction():
        assert [tuple(row) for row in await again.fetch(sql)] == [(1, None)]
    pool.release(again)


async def test_reset_closes_idle_now_and_busy_ones_when_they_return(tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    busy = await pool.acquire()
    pool.release(await pool.acquire())
    pool.reset()
    assert (pool.open, pool.idle) == (1, 0)
    pool.release(busy)
    assert pool.open == 0


async def test_closing_ends_waiters_and_lends_nothing(tenants: Tenants) -> None:
    pool, _ = await tenants.make(limit=1)
    held = await pool.acquire()
    waiter = asyncio.get_running_loop().create_task(pool.acquire())
    await asyncio.sleep(0.01)
    pool.close()
    with pytest.raises(PoolClosedError):
        await waiter
    with pytest.raises(PoolClosedError):
        await pool.acquire()
    pool.release(held)
    assert (pool.open, tenants.budget.open) == (0, 0)


async def test_terminated_idle_connections_are_replaced_without_an_error(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    held = [await pool.acquire() for _ in range(4)]
    for connection in held:
        pool.release(connection)
    await tenants.owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", identity.namespace
    )
    await asyncio.sleep(0.05)
    for _ in range(4):
        connection = await pool.acquire()
        assert await connection.fetchval("SELECT 1") == 1
        pool.release(connection)
    assert tenants.budget.open == pool.open == 1


async def test_a_role_that_cannot_log_in_says_why_at_once(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    await tenants.owner.execute(f"ALTER ROLE {identity.namespace} PASSWORD 'other'")
    with pytest.raises(ConnectError, match="password authentication failed") as caught:
        await pool.acquire()
    assert caught.value.permanent
    await tenants.provision(identity)
    await tenants.owner.execute(f"ALTER ROLE {identity.namespace} NOLOGIN")
    with pytest.raises(ConnectError, match="not permitted to log in"):
        await pool.acquire()
    assert (pool.open, tenants.budget.open) == (0, 0)


async def test_a_full_server_is_waited_for_and_then_named(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    await tenants.owner.execute(f"ALTER ROLE {identity.namespace} CONNECTION LIMIT 0")
    with pytest.raises(ConnectError, match="too many connections") as caught:
        await pool.acquire(0.2)
    assert not caught.value.permanent
    await tenants.owner.execute(f"ALTER ROLE {identity.namespace} CONNECTION LIMIT 5")
    pool.release(await pool.acquire())


async def test_a_role_that_becomes_another_at_login_is_refused(tenants: Tenants) -> None:
    pool, identity = await tenants.make()
    _, other_identity = await tenants.make()
    await tenants.owner.execute(f"GRANT {other_identity.namespace} TO {identity.namespace}")
    await tenants.owner.execute(f"ALTER ROLE {identity.namespace} SET role = '{other_identity.namespace}'")
    with pytest.raises(ConnectError, match="altered by hand"):
        await pool.acquire()
    await tenants.owner.execute(f"ALTER ROLE {identity.namespace} RESET role")
    await tenants.provision(identity)  # takes the membership away again
    connection = await pool.acquire()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(f"SET ROLE {other_identity.namespace}")
    pool.release(connection)


async def test_slow_statements_are_cancelled_by_the_server(database: Database, tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    connection = await pool.acquire()
    await connection.execute("SET statement_timeout = '50ms'")
    with pytest.raises(asyncpg.QueryCanceledError):
        await connection.fetchval("SELECT count(*) FROM generate_series(1, 1000000000)")
    pool.discard(connection)


async def test_lending_costs_less_than_a_microsecond(tenants: Tenants) -> None:
    pool, _ = await tenants.make()
    pool.release(await pool.acquire())
    best = min(_round(pool) for _ in range(5))
    print(f"take and release: {best * 1e9:.0f} ns")
    assert best < 3e-6 * slowness()  # a third of the target, for slow and shared machines


def _round(pool: TenantPool) -> float:
    began = time.perf_counter()
    for _ in range(20_000):
        connection = pool.take()
        assert connection is not None
        pool.release(connection)
    return (time.perf_counter() - began) / 20_000
