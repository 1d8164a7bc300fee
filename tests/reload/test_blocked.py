"""A table somebody else holds: what people see meanwhile, and what they may still do; docs/faults.md 27."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.live import Live
from tests.reload.conftest import tenant


@pytest.fixture
async def held(
    tmp_path_factory: pytest.TempPathFactory, database_url: str
) -> AsyncIterator[tuple[Live, asyncpg.Connection]]:
    """A server on a database of ours, and a connection that reads the tenant's table in an open transaction."""
    live = Live(tmp_path_factory.mktemp("held"), BACKSAAS_DATABASE_URL=database_url)
    live.write("held", tenant("held"))
    await live.start()
    await live.until("held", state="serving")
    connection = await asyncpg.connect(database_url)
    namespace = await connection.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = 'held'")
    await connection.execute(f'BEGIN; SELECT FROM "{namespace}".items')
    yield live, connection
    await connection.close()
    began = time.monotonic()
    assert await live.stop() == 0, live.output()[-3000:]
    assert time.monotonic() - began < 10


async def waiting(live: Live, pid: int) -> None:
    deadline = time.monotonic() + 5
    while f"waiting on pid {pid}" not in (await live.status("held"))["reason"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_people_see_who_is_waited_for_and_removing_the_file_counts(
    held: tuple[Live, asyncpg.Connection],
) -> None:
    live, holder = held
    live.write("held", tenant("held", "a: { type: string }"))
    await waiting(live, holder.get_server_pid())
    async with live.session("held") as session, session.get(f"{live.base('held')}/items") as answer:
        assert answer.status == 200
    (live.schemas / "held.yaml").unlink()
    await live.until("held", state="paused")
    live.write("held", tenant("held", "b: { type: string }"))
    await waiting(live, holder.get_server_pid())
    await holder.execute("ROLLBACK")
    status = await live.until("held", timeout=15, version=3)
    assert (status["state"], status["reason"]) == ("serving", "")


async def test_killed_while_it_waits_it_is_ready_at_once_with_the_version_before(
    held: tuple[Live, asyncpg.Connection],
) -> None:
    live, holder = held
    before = (await live.status("held"))["version"]
    namespace = await holder.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = 'held'")
    await holder.execute(f'''ROLLBACK; INSERT INTO "{namespace}".items (id, name)
        SELECT gen_random_uuid(), repeat('x', 60) || n FROM generate_series(1, 9000) n;
        ANALYZE "{namespace}".items; BEGIN; SELECT FROM "{namespace}".items''')
    text = tenant("held", "z: { type: string }", "    indexes: [ { fields: [name] } ]\n")
    live.write("held", text)
    await waiting(live, holder.get_server_pid())
    assert live.process is not None
    live.process.kill()
    live.process.wait()
    live.write("free", tenant("free"))
    began = time.monotonic()
    await live.start()
    status = await live.status("held")
    print(f"ready after {time.monotonic() - began:.1f} s: {status['reason']}")
    assert (status["state"], status["version"]) == ("serving", before)
    for slug in ("held", "free"):
        async with live.session(slug) as session, session.get(f"{live.base(slug)}/items?limit=1") as answer:
            assert answer.status == 200
    await holder.execute("ROLLBACK")
    await live.until("held", timeout=40, digest=hashlib.sha256(text.encode()).hexdigest(), reason="")


async def test_it_stops_while_it_waits(held: tuple[Live, asyncpg.Connection]) -> None:
    live, holder = held
    live.write("held", tenant("held", "a: { type: string }"))
    await waiting(live, holder.get_server_pid())
