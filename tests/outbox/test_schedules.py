"""When jobs are due, and what becomes of runs that meet or were missed."""

from datetime import UTC, datetime, timedelta

import pytest

from actors.features.jobs.timetable import schedules_of
from actors.features.outbox import schedules
from actors.features.outbox.tasks import Retries
from actors.tenant.executor import in_transaction
from schemas.compiler.compile import compile_source
from schemas.compiler.sections.jobs import Job
from tests.api.harness import World, slug

FILE = """
version: 1
locale: { timezone: Europe/Berlin }
jobs: { j: { schedule: "%s", function: publish_event, config: { event: x }, missed: %s, overlap: %s } }
"""


def following(cron: str, moment: str, count: int) -> list[str]:
    model = compile_source(FILE % (cron, "once", "skip"), "acme")
    [one] = schedules_of(model)
    found, at = [], datetime.fromisoformat(moment)
    for _ in range(count):
        due = one.after(at)
        assert due is not None
        at = due
        found.append(at.strftime("%m-%d %H:%M"))
    return found


def test_a_day_begins_where_the_tenant_is_and_clocks_change() -> None:
    assert following("0 6 * * *", "2026-03-27T12:00+00:00", 2) == ["03-28 05:00", "03-29 04:00"]
    assert following("30 2 * * *", "2026-03-28T12:00+00:00", 2) == ["03-29 01:00", "03-30 00:30"]
    assert following("30 2 * * *", "2026-10-24T12:00+00:00", 2) == ["10-25 00:30", "10-26 01:30"]
    assert following("@monthly", "2026-01-15T00:00+00:00", 2) == ["01-31 23:00", "02-28 23:00"]


@pytest.mark.parametrize(
    ("missed", "overlap", "made"),
    [("once", "skip", 1), ("skip", "skip", 0), ("all", "queue", 5), ("all", "allow", 5)],
)
async def test_missed_runs(world: World, missed: str, overlap: str, made: int) -> None:
    generation = await world.tenant(slug(), FILE % ("* * * * *", missed, overlap))
    identity = generation.identity
    jobs = [schedules.Schedule("job", "j", "d", lambda moment: moment + timedelta(hours=1), missed, overlap)]

    async def turn() -> None:
        await in_transaction(
            generation.pool, lambda connection: schedules.make_due(connection, identity.namespace, jobs)
        )

    past = datetime.now(UTC) - timedelta(hours=4, minutes=30)
    await in_transaction(
        generation.pool,
        lambda connection: schedules.sync(connection, identity.namespace, jobs, past - timedelta(hours=1)),
    )
    await turn()
    await turn()  # another process sees nothing left to make
    tasks = await world.sql(identity, "SELECT state, error, ordering_key FROM ns._tasks WHERE kind = 'job'")
    ready = [task for task in tasks if task["state"] == "ready"]
    assert len(ready) == made
    assert all(task["ordering_key"] == ("" if overlap == "allow" else "job:j") for task in ready)
    assert len(tasks) == max(made, 1), "what was left out is seen, too"


async def test_a_run_is_left_out_while_the_last_goes_on(world: World) -> None:
    generation = await world.tenant(slug(), FILE % ("* * * * *", "once", "skip"))
    identity = generation.identity
    jobs = [schedules.Schedule("job", "j", "d", lambda moment: moment + timedelta(seconds=30))]
    early = datetime.now(UTC) - timedelta(seconds=40)
    await generation.pool.furnish("_schedules")
    for _ in range(2):
        await world.sql(identity, "DELETE FROM ns._schedules")
        await in_transaction(generation.pool, lambda c: schedules.sync(c, identity.namespace, jobs, early))
        await in_transaction(generation.pool, lambda c: schedules.make_due(c, identity.namespace, jobs))
    tasks = await world.sql(identity, "SELECT state, error FROM ns._tasks WHERE kind = 'job' ORDER BY seq")
    assert [task["state"] for task in tasks] == ["ready", "done"]
    assert "still went on" in tasks[1]["error"]


def test_retries_spread_and_grow_and_those_of_webhooks_take_a_day() -> None:
    retries = Retries(10, 5.0, 4.0, 6 * 3600.0)
    pauses = [[retries.delay(attempt) for _ in range(50)] for attempt in range(1, 11)]
    assert all(min(few) < max(few) for few in pauses)
    assert sum(min(few) for few in pauses) > 18 * 3600
    assert sum(max(few) for few in pauses) < 34 * 3600
    assert Job("f").missed == "once"
