"""When the jobs of a file are due.

Decides how a job's schedule reads as times. Making and running their tasks is the outbox's. Pure.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from actors.features.outbox.schedules import Schedule
from schemas.compiler.grammar import cron
from schemas.compiler.model import TenantModel
from schemas.compiler.sections.jobs import Job

KIND = "job"


def schedules_of(model: TenantModel) -> list[Schedule]:
    """Return the jobs that are enabled as what the outbox's clock follows."""
    jobs: dict[str, Job] = model.sections.get("jobs") or {}
    return [
        Schedule(
            KIND, name, definition(job, model.timezone), times(job, model.timezone), job.missed, job.overlap
        )
        for name, job in jobs.items()
        if job.enabled
    ]


def definition(job: Job, timezone: str) -> str:
    """Return what a job's times are made of; when it changes, they are worked out anew."""
    if job.schedule is None:
        return f"every {job.every:g} s"
    return f"{job.schedule.cron} {job.schedule.zone or timezone}"


def times(job: Job, timezone: str) -> Callable[[datetime], datetime | None]:
    """Return the function from a moment to the next time after it."""
    if job.schedule is None:
        return partial(_every, timedelta(seconds=job.every or 60.0))
    return partial(_cron, job.schedule.cron, ZoneInfo(job.schedule.zone or timezone))


def _every(pause: timedelta, moment: datetime) -> datetime:
    return moment + pause


def _cron(line: str, zone: ZoneInfo, moment: datetime) -> datetime | None:
    found = cron.after(line, moment.astimezone(zone))
    return None if found is None else found.astimezone(UTC)
