"""The paths of what happens in the background: tasks, imports, reports, jobs. Found by ``routes``."""

from gateway.route import Route

WORK_ROUTES: tuple[Route, ...] = (
    Route("tasks/v1", {"GET": "tasks.list"}, "what runs in the background (admins)"),
    Route("tasks/v1/replay", {"POST": "tasks.replay"}, "run dead tasks of a kind or name again (admins)"),
    Route("tasks/v1/{id}", {"GET": "tasks.get", "DELETE": "tasks.drop"}, "one task (admins)"),
    Route("tasks/v1/{id}/replay", {"POST": "tasks.replay"}, "run a dead task again (admins)"),
    Route("imports/v1", {"GET": "imports.list"}, "imports of mine; of all (admins)"),
    Route(
        "imports/v1/{id}",
        {"GET": "imports.get", "DELETE": "imports.cancel"},
        "how far an import is, also as `text/event-stream`; stop or forget it",
    ),
    Route(
        "imports/v1/{id}/run", {"POST": "imports.run"}, "run an import that was looked at, tried or failed"
    ),
    Route("imports/v1/{id}/rejected", {"GET": "imports.rejected"}, "rows that were not acceptable, and why"),
    Route("reports/v1", {"GET": "report.list"}, "reports that are for me"),
    Route(
        "reports/v1/{report}",
        {"GET": "report.run"},
        "a report with its parameters; `.csv`, `.xlsx` and `.pdf` behind its name make files",
    ),
    Route("reports/v1/{report}/mail", {"POST": "report.mail"}, "mail a scheduled report now (admins)"),
    Route("jobs/v1", {"GET": "jobs.list"}, "jobs: next and last runs (admins)"),
    Route("webhooks/v1", {"GET": "webhooks.list"}, "webhooks: what waits, the last attempt (admins)"),
    Route(
        "webhooks/v1/deliveries/{id}/replay", {"POST": "webhooks.replay"}, "send a delivery again (admins)"
    ),
    Route(
        "trials/v1", {"POST": "functions.try"}, "run a function with an input, and undo what it did (admins)"
    ),
    Route("jobs/v1/{name}/run", {"POST": "jobs.run"}, "run a job now (admins)"),
)
