"""Reports that are mailed on schedule, once for all processes.

Decides as whom a report is made when nobody asks for it: as somebody who has the report's ``roles`` and what
they include, and is no user: rules about ``user.id`` find nothing. Without ``roles`` that is what everybody
may read, signed in or not. Called by ``work``.
"""

import datetime as dt
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from zoneinfo import ZoneInfo

from actors.features.outbox.schedules import Schedule as Clocked
from actors.features.outbox.tasks import NewTask, Retries, Task, TaskFailedError, TaskRefusedError
from actors.features.reports import words
from actors.features.reports.asking import reports_of
from actors.features.reports.rendering import TYPES, as_json, render
from actors.features.reports.running import Made, make
from actors.messages import Call, ProblemError
from actors.tenant.generation import Generation
from schemas.compiler.grammar import cron
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import ANONYMOUS_ROLE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.roles import with_included
from schemas.compiler.sections.reports import Report, Schedule

KIND = "report"
MOST_BYTES = 10 * 1024 * 1024
"""Of an attachment; larger mails are refused by many servers."""
MAX_SUBJECT = 200
_NEVER = frozenset({"42501", "validation.failed", "report.too_long"})
"""Refusals that the next try would meet again."""


def schedules_of(model: TenantModel) -> list[Clocked]:
    """Return the reports that are mailed as what the outbox's clock follows."""
    reports: dict[str, Report] = model.sections.get("reports") or {}
    return [
        Clocked(
            KIND,
            f"{KIND}:{name}",
            f"{report.schedule.cron} {report.schedule.zone or model.timezone}",
            times(report.schedule, model.timezone),
        )
        for name, report in reports.items()
        if report.mailed and report.schedule is not None
    ]


def times(schedule: Schedule, timezone: str) -> Callable[[dt.datetime], dt.datetime | None]:
    """Return the function from a moment to the next time after it."""
    return partial(_next, schedule.cron, ZoneInfo(schedule.zone or timezone))


def task_of(name: str) -> NewTask:
    """Return the task that mails a report now; after the one that goes on."""
    return NewTask(KIND, f"{KIND}:{name}", {"scheduled_at": None}, f"{KIND}:{name}")


def principal_of(model: TenantModel, report: Report) -> Principal:
    """Return as whom a report is made when nobody asks for it."""
    return Principal(roles=with_included(model.roles, {ANONYMOUS_ROLE, *report.roles}))


async def run(generation: Generation, task: Task) -> None:
    """Make a report and mail it to each of its addresses.

    Raises:
        TaskFailedError, TaskRefusedError: it is not done.
    """
    name = task.name.removeprefix(f"{KIND}:")
    report = reports_of(generation).get(name)
    if report is None or not report.mailed:
        raise TaskRefusedError(f"the file mails no report '{name}' any more")
    if generation.realm is None:
        raise TaskRefusedError("mails are not sent here")
    call = Call("report.run", entity=name, request_id=f"task-{task.id}")
    model = generation.model
    try:
        made = await make(generation, name, report, call, principal_of(model, report))
        body = (
            as_json(made, model, None)
            if report.format == "json"
            else await render(made, model, report.format)
        )
    except (ProblemError, QueryError) as error:
        reason = f"{error.code}: {error.message}"
        if error.code in _NEVER:
            raise TaskRefusedError(reason) from error
        raise TaskFailedError(reason, Retries()) from error
    if len(body) > MOST_BYTES:
        raise TaskRefusedError(
            f"the attachment has more than {MOST_BYTES >> 20} MiB: give the report a limit"
        )
    for address in report.email:
        await generation.realm.services.mailer.send(compose(made, model, address, body))


def compose(made: Made, model: TenantModel, address: str, body: bytes) -> EmailMessage:
    """Return the mail with a report for one address."""
    language = words.language_of(model)
    title = words.title_of(made.report.title, made.name, language)
    whose = words.title_of(model.title, model.slug, language)
    message = EmailMessage()
    message["To"] = address
    message["Subject"] = " ".join(f"{title} - {whose}".split())[:MAX_SUBJECT]
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain="backsaas.invalid")
    message["Auto-Submitted"] = "auto-generated"
    told = "\n".join(words.made_with(made, model, language))
    message.set_content(f"{title}\n\n{told}\n\n{words.word('mail', language)}\n")
    main, _, kind = TYPES[made.report.format].partition(";")[0].partition("/")
    day = made.at.astimezone(ZoneInfo(model.timezone)).date().isoformat()
    message.add_attachment(
        body, maintype=main, subtype=kind, filename=f"{made.name}-{day}.{made.report.format}"
    )
    return message


def _next(line: str, zone: ZoneInfo, moment: dt.datetime) -> dt.datetime | None:
    found = cron.after(line, moment.astimezone(zone))
    return None if found is None else found.astimezone(dt.UTC)
