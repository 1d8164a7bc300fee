"""``GET /api/platform/runtime``: actors with live figures, event loop, connections, errors, slow statements.

Decides what administrators of the platform see, and that nobody else does. It reads what is in memory and
changes nothing. Operations of the tenant ``system``.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from actors.features.auth.bodies import query_of
from actors.features.platform.rights import Request, answer, hands, invalid, require_admin
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from config.recent import LEVELS, LINES, RECENT
from config.version import VERSION
from runtime.ref import ActorRef
from runtime.snapshot import ActorInfo
from runtime.watchdog import Watchdog
from schemas.compiler.principal import Principal

_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


class View(Protocol):
    """What is seen of the process; ``gateway.vitals`` is the real one."""

    watchdog: Watchdog
    routes: Mapping[str, ActorRef]

    def unready(self) -> str:
        """Return why requests cannot be served, "" when they can."""
        ...

    def warnings(self) -> list[str]:
        """Return what operators should mend although requests are served."""
        ...

    def actors(self) -> ActorInfo | None:
        """Describe every actor; None before there are any."""
        ...

    def last_error(self, path: str) -> str:
        """Return why an actor failed last, "" when it never did."""
        ...


def _asked(generation: Generation, call: Call, principal: Principal) -> Request:
    request = Request(generation, hands(generation), principal, query_of(call), call)
    require_admin(request)
    return request


async def show_runtime(generation: Generation, call: Call, principal: Principal) -> Result:
    """Show the process as it is now."""
    platform = _asked(generation, call, principal).platform
    view = platform.view
    if view is None:
        raise ProblemError("http.not_built", "this process serves nobody")
    root = view.actors()
    budget, watchdog = platform.database.budget, view.watchdog
    lags = zip(_SHARES, watchdog.percentiles(tuple(_SHARES.values())), strict=True)
    document = {
        "version": VERSION,
        "postgresql": platform.database.facts.version,
        "uptime": round(time.time() - platform.started_at, 1),
        "ready": not view.unready(),
        "reason": view.unready() or None,
        "warnings": view.warnings(),
        "loop": {
            "lag_ms": {name: round(seconds * 1000, 2) for name, seconds in lags},
            "stalls": watchdog.stalls,
            "last_stall_ms": round(watchdog.last_stall_seconds * 1000, 1),
        },
        "connections": {
            name: getattr(budget, name)
            for name in ("limit", "open", "available", "waiting", "timeouts", "stolen")
        },
        "slow_statements": platform.database.slow.total,
        "actors": None if root is None else _actor(view, root),
    }
    return answer(document)


def _actor(view: View, actor: ActorInfo) -> dict[str, Any]:
    return {
        "name": actor.name,
        "state": actor.status.name.lower(),
        "mailbox": actor.signals + actor.messages,
        "in_flight": actor.in_flight,
        "processed": actor.handled + actor.served,
        "restarts": actor.restarts,
        "uptime": round(actor.uptime, 1),
        "busy": actor.busy or None,
        "last_error": actor.reason or view.last_error(actor.path) or None,
        "retry_after": actor.retry_after,
        "children": [_actor(view, child) for child in actor.children],
    }


async def show_errors(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the latest errors of this process; ``tenant`` for those of one."""
    return answer(RECENT.newest(_asked(generation, call, principal).text("tenant")))


async def show_slow(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the latest slow statements of this process, without their values; ``tenant`` for those of one."""
    request = _asked(generation, call, principal)
    return answer(request.platform.database.slow.newest(request.text("tenant")))


async def show_lag(generation: Generation, call: Call, principal: Principal) -> Result:
    """Show how late the event loop was in the last hour, every ten seconds, in milliseconds."""
    view = _asked(generation, call, principal).platform.view
    return answer(
        [
            {
                "at": datetime.fromtimestamp(at, UTC),
                "mean_ms": round(mean * 1000, 2),
                "max_ms": round(most * 1000, 2),
            }
            for at, mean, most in (() if view is None else view.watchdog.course())
        ]
    )


async def show_reloads(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the latest reloads by phase; ``tenant`` for those of one."""
    request = _asked(generation, call, principal)
    return answer(request.platform.book.past_reloads(request.text("tenant")))


async def show_log(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the latest lines of the log; ``after`` (a line's number), ``level`` and ``tenant`` for fewer."""
    request = _asked(generation, call, principal)
    after, level = request.text("after") or "0", request.text("level") or LEVELS[0]
    if not (after.isascii() and after.isdecimal() and len(after) < 18):
        raise invalid("after", "the number of a line")
    if level not in LEVELS:
        raise invalid("level", f"one of {', '.join(LEVELS)}")
    return answer(LINES.newest(int(after), level, request.text("tenant")))


OPERATIONS: Mapping[str, Any] = {
    "monitoring.runtime": show_runtime,
    "monitoring.errors": show_errors,
    "monitoring.slow": show_slow,
    "monitoring.lag": show_lag,
    "monitoring.reloads": show_reloads,
    "monitoring.log": show_log,
}
