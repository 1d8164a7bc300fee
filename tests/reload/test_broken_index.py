"""An index that is built beside the traffic and does not come to an end; docs/faults.md 28."""

import asyncio
import hashlib
import secrets
import time
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from actors.tenant.migrator import LOCK_CLASS
from tests.live import Live
from tests.reload.conftest import tenant

WITH_INDEX = "    indexes: [ { fields: [name] } ]\n"


class Build:
    """A tenant with enough rows that its indexes are built beside the traffic, and a transaction that is in their way."""

    def __init__(self, live: Live, slug: str, holder: asyncpg.Connection, eyes: asyncpg.Connection) -> None:
        self.live, self.slug, self.holder, self.eyes = live, slug, holder, eyes
        self.namespace = ""

    async def prepare(self) -> None:
        self.live.write(self.slug, tenant(self.slug))
        await self.live.until(self.slug, state="serving")
        self.namespace = await self.eyes.fetchval(
            "SELECT namespace FROM backsaas.tenants WHERE slug = $1", self.slug
        )
        await self.eyes.execute(f'''INSERT INTO "{self.namespace}".items (id, name)
            SELECT gen_random_uuid(), repeat('x', 60) || n FROM generate_series(1, 9000) n;
            ANALYZE "{self.namespace}".items''')

    async def begin(self) -> tuple[int, int]:
        """Save a file with one index more; returns how many were valid before, and who waits to build it.

        Whoever builds an index waits for every transaction that began before: for one that reads another table.
        """
        valid = (await self.indexes())[0]
        await self.holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM elsewhere")
        self.live.write(self.slug, tenant(self.slug, "z: { type: string }", WITH_INDEX))
        return valid, await self.waits()

    async def waits(self, *, besides: int = 0) -> int:
        """Wait until somebody's building waits for the transaction; returns who: a backend's pid."""
        deadline = time.monotonic() + 30
        while not (
            pid := await self.eyes.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE%INDEX CONCURRENTLY%' "
                "AND position($1 in query) > 0 AND wait_event = 'virtualxid' AND pid <> $2",
                self.namespace, besides,
            )
        ):  # fmt: skip
            assert time.monotonic() < deadline, self.live.output()[-3000:]
            await asyncio.sleep(0.02)
        return int(pid)

    async def gone(self, builder: int) -> None:
        """Wait until a backend has ended."""
        deadline = time.monotonic() + 30
        while await self.eyes.fetchval("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", builder):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def indexes(self) -> tuple[int, int]:
        """How many are valid, and how many are not, besides the key's."""
        rows = await self.eyes.fetch(
            "SELECT indisvalid FROM pg_index WHERE NOT indisprimary AND indrelid = $1::text::regclass",
            f'"{self.namespace}".items',
        )
        return sum(row[0] for row in rows), sum(not row[0] for row in rows)

    async def until_indexes(self, valid: int, invalid: int) -> None:
        deadline = time.monotonic() + 60
        while await self.indexes() != (valid, invalid):
            assert time.monotonic() < deadline, (await self.indexes(), self.live.output()[-3000:])
            await asyncio.sleep(0.05)

    async def works(self, name: str) -> None:
        """Reads and writes are answered."""
        items = f"{self.live.base(self.slug)}/items"
        async with self.live.session(self.slug) as session:
            async with session.post(items, json={"name": name}) as answer:
                assert answer.status == 201, await answer.text()
            async with session.get(f"{items}?name=eq.{name}&select=name") as answer:
                assert answer.status == 200, await answer.text()


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Live]:
    live = Live(tmp_path_factory.mktemp("index"), BACKSAAS_DATABASE_URL=database_url)
    await live.start()
    yield live
    assert await live.stop() == 0, live.output()[-3000:]
    assert "Traceback" not in live.output()


@pytest.fixture
async def build(live: Live, database_url: str) -> AsyncIterator[Build]:
    holder, eyes = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    await eyes.execute("CREATE TABLE IF NOT EXISTS elsewhere (id integer)")
    build = Build(live, f"t{secrets.token_hex(4)}", holder, eyes)
    await build.prepare()
    yield build
    await holder.close()
    await eyes.close()


async def test_what_a_broken_off_build_leaves_is_dropped_and_built_again(build: Build) -> None:
    live, slug = build.live, build.slug
    base, builder = await build.begin()
    await build.works("meanwhile")
    await build.eyes.execute("SELECT pg_terminate_backend($1)", builder)
    await build.until_indexes(base, 1)
    await build.works("broken")
    await build.waits(besides=builder)
    await build.works("again")
    await build.holder.execute("ROLLBACK")
    await build.until_indexes(base + 1, 0)
    text = tenant(slug, "z: { type: string }", WITH_INDEX)
    await live.until(slug, digest=hashlib.sha256(text.encode()).hexdigest(), reason="", rejection=None)


async def test_killed_while_it_builds_the_next_start_serves_and_finishes_it(build: Build) -> None:
    live, slug = build.live, build.slug
    base, builder = await build.begin()
    assert live.process is not None
    live.process.kill()
    live.process.wait()
    await build.gone(builder)  # PostgreSQL notices that nobody waits for it any more
    # as long as another process is at work on the tenant, what is in force is served
    key = uuid.UUID(hex=build.namespace.removeprefix("t_")).int & 0x7FFFFFFF
    await build.eyes.execute(f"SELECT pg_advisory_lock({LOCK_CLASS}, {key})")
    await live.start()
    await build.works("after the kill")
    await build.eyes.execute(f"SELECT pg_advisory_unlock({LOCK_CLASS}, {key})")
    assert (await build.indexes())[1] == 1
    await build.holder.execute("ROLLBACK")
    await build.until_indexes(base + 1, 0)
    await live.until(slug, state="serving", reason="", rejection=None)
    await build.works("at the end")


async def test_rows_that_forbid_an_index_keep_the_version_and_leave_nothing(build: Build) -> None:
    live, slug = build.live, build.slug
    before, base = await live.status(slug), (await build.indexes())[0]
    unique = tenant(slug).replace("name: { type: string,", "name: { unique: true, type: string,")
    # nobody sees these rows yet: the plan finds nothing against the index, and its building waits for them
    await build.holder.execute(f'''BEGIN; INSERT INTO "{build.namespace}".items (id, name)
        SELECT gen_random_uuid(), 'twice' FROM generate_series(1, 2)''')
    live.write(slug, unique)
    await build.waits()
    await build.holder.execute("COMMIT")
    deadline = time.monotonic() + 60
    while not (status := await live.status(slug))["rejection"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    assert (status["version"], status["state"]) == (before["version"], "serving")
    await build.until_indexes(base, 0)
    await build.works("thrice")
