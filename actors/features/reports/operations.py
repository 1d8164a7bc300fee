"""What a tenant can be asked about reports: a table from operation to function."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from actors.features.outbox import queue
from actors.features.reports import mailing, words
from actors.features.reports.asking import find, may_ask, reports_of
from actors.features.reports.rendering import TYPES, as_json, render
from actors.features.reports.running import make
from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.access import Caller, sight_of
from schemas.compiler.query.errors import QueryError
from schemas.compiler.report_query import columns_of
from schemas.compiler.sections.reports import Report

_FORMS = {media.partition(";")[0]: form for form, media in TYPES.items()} | {
    "*/*": "json",
    "application/*": "json",
}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


async def list_reports(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the reports that are for the caller, with the rights on what they are about."""
    del call
    now = dt.datetime.now(dt.UTC)
    told = [
        _told(generation, name, report, now)
        for name, report in reports_of(generation).items()
        if may_ask(report, principal) and _reads(generation, report, principal)
    ]
    return Result(200, _ENCODER.encode(told))


async def run_report(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make a report; what follows the dot of its name, or ``Accept``, says as what.

    Raises:
        ProblemError, QueryError: report.not_found, validation.failed, PGRST107, report.too_long, rights.
    """
    name, dot, form = call.entity.partition(".")
    report = find(generation, name, principal)
    if not dot:
        form = _form(call.accept)
    if form not in TYPES:
        raise ProblemError("PGRST125", f"reports are made as {', '.join(TYPES)}")
    made = await make(generation, name, report, call, principal)
    model = generation.model
    if form == "json":
        return Result(200, as_json(made, model, _schedule(generation, report, made.at)))
    body = await render(made, model, form)
    headers = (("Content-Disposition", f'attachment; filename="{name}.{form}"'),)
    return Result(200, body, TYPES[form], headers)


async def mail_report(generation: Generation, call: Call, principal: Principal) -> Result:
    """Mail a report now to whom it is mailed on schedule (admins).

    Raises:
        ProblemError: 42501, report.not_found, report.not_mailed.
    """
    if not principal.roles & {ADMIN_ROLE, SERVICE_ROLE} or principal.scopes is not None:
        raise ProblemError("42501", "only admins send reports")
    report = reports_of(generation).get(call.entity)
    if report is None:
        raise ProblemError("report.not_found", "the file has no such report")
    if not report.mailed:
        raise ProblemError(
            "report.not_mailed",
            "the report is mailed to nobody",
            hint="give it schedule and email, and enable it",
        )
    namespace, task = generation.identity.namespace, mailing.task_of(call.entity)
    await in_transaction(generation.pool, lambda connection: queue.put(connection, namespace, [task]))
    return Result(202, _ENCODER.encode({"report": call.entity}))


def _form(accept: str) -> str:
    """Return the form an Accept header asks for first.

    Raises:
        ProblemError: PGRST107.
    """
    if not accept:
        return "json"
    for part in accept.split(","):
        form = _FORMS.get(part.partition(";")[0].strip().lower())
        if form is not None:
            return form
    raise ProblemError("PGRST107", f"None of these media types are available: {accept[:100]}")


def _reads(generation: Generation, report: Report, principal: Principal) -> bool:
    try:
        sight_of(generation.model.entities[report.entity], Caller(principal.roles, principal.scopes))
    except QueryError:
        return False
    return True


def _schedule(generation: Generation, report: Report, now: dt.datetime) -> dict[str, Any] | None:
    """Return when a report is mailed, if it is; to whom is not told."""
    if not report.mailed or report.schedule is None:
        return None
    zone = report.schedule.zone or generation.model.timezone
    following = mailing.times(report.schedule, generation.model.timezone)(now)
    return {"cron": report.schedule.cron, "zone": zone, "next_at": following}


def _told(generation: Generation, name: str, report: Report, now: dt.datetime) -> dict[str, Any]:
    model = generation.model
    language, entity = words.language_of(model), model.entities[report.entity]
    return {
        "name": name,
        "title": report.title,
        "entity": report.entity,
        "parameters": sorted(report.params),
        "columns": [words.heading(model, entity, column, language) for column in columns_of(model, report)],
        "formats": list(TYPES),
        "schedule": _schedule(generation, report, now),
    }


OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "report.list": list_reports,
    "report.run": run_report,
    "report.mail": mail_report,
}
