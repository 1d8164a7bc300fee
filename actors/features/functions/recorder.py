"""What functions did, kept as rows of ``function_executions``, written together some time after.

Decides what is kept: every run of a Python function, every failure, and every run outside of a write; a
built-in function that did its part of a write is seen in the row. Rows wait in memory for a moment, so that
no request waits for them; a process that is killed loses that moment. Filled by ``host``, emptied by
``FunctionsActor``.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from actors.features.functions.calls import Invocation, Outcome, RunError
from actors.messages import ProblemError
from actors.pool import TenantPool
from actors.tenant.executor import fetch_one
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from actors.tenant.refusals import StaleGenerationError
from schemas.compiler.sql import quote

ENTITY = "function_executions"
WAITING = 10_000
PAUSE = 0.25
KEPT_DAYS = 30
_TYPES = {
    "id": "uuid", "function": "text", "name": "text", "trigger": "text", "entity": "text", "key": "text",
    "outcome": "text", "error": "text", "line": "integer", "log": "text[]",
    "milliseconds": "double precision", "version": "bigint", "user_id": "text", "request_id": "text",
    "started_at": "timestamptz",
}  # fmt: skip
_ENCODER = msgspec.json.Encoder(decimal_format="number")

log = structlog.get_logger("functions")


class _Place(Struct, frozen=True):
    pool: TenantPool
    namespace: str


class Recorder:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._rows: dict[_Place, deque[dict[str, Any]]] = {}
        self._wanted = asyncio.Event()
        self._tidied: dict[str, datetime] = {}

    def keep(
        self, generation: Generation, call: Invocation, seconds: float, end: Outcome | ProblemError
    ) -> None:
        """Note how a run came out."""
        python = call.name in generation.model.python
        if ENTITY not in generation.model.entities:
            return
        if isinstance(end, Outcome) and not python and call.origin.startswith("before_"):
            return
        place = _Place(generation.pool, generation.identity.namespace)
        rows = self._rows.setdefault(place, deque(maxlen=WAITING))
        rows.append(_row(generation, call, seconds, end))
        self._wanted.set()

    async def run(self) -> None:
        """Write what waits, for ever."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(PAUSE)
            self._wanted.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write what waits; rows that cannot be written are lost, and that logged."""
        waiting, self._rows = self._rows, {}
        for place, rows in waiting.items():
            try:
                await fetch_one(place.pool, self._statement(place.namespace), [_encoded(rows)], reads=False)
            except (ProblemError, StaleGenerationError) as error:
                log.warning("function.not_recorded", runs=len(rows), reason=str(error))

    def _statement(self, namespace: str) -> str:
        table = f"{quote(namespace)}.{quote(ENTITY)}"
        columns = ", ".join(map(quote, _TYPES))
        types = ", ".join(f"{quote(name)} {pg_type}" for name, pg_type in _TYPES.items())
        now = datetime.now(UTC)
        old = "false"
        if now - self._tidied.get(namespace, datetime.min.replace(tzinfo=UTC)) > timedelta(hours=1):
            self._tidied[namespace] = now
            old = f"started_at < now() - interval '{KEPT_DAYS} days'"
        return (
            f"WITH gone AS (DELETE FROM {table} WHERE {old}), made AS (INSERT INTO {table} ({columns}) "  # noqa: S608
            f"SELECT {columns} FROM jsonb_to_recordset($1::text::jsonb) AS e({types}) RETURNING 1) "
            "SELECT count(*) FROM made"
        )


def _encoded(rows: deque[dict[str, Any]]) -> str:
    return _ENCODER.encode(list(rows)).decode().replace("\\u0000", "\ufffd")


def _row(
    generation: Generation, call: Invocation, seconds: float, end: Outcome | ProblemError
) -> dict[str, Any]:
    entity = generation.model.entities.get(call.entity)
    key = (call.record or {}).get(entity.key) if entity is not None else None
    row: dict[str, Any] = {
        "id": new_key(),
        "function": call.name,
        "name": call.label or None,
        "trigger": call.origin,
        "entity": call.entity or None,
        "key": None if key is None else str(key),
        "outcome": "ok",
        "milliseconds": round(seconds * 1000, 3),
        "version": generation.version,
        "user_id": call.principal.id,
        "request_id": call.request_id or None,
        "started_at": (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(),
    }
    if isinstance(end, Outcome):
        return row | {"log": list(end.log) or None}
    if isinstance(end, RunError):
        return row | {
            "outcome": end.outcome, "error": (end.trace or end.message)[:8000], "line": end.line,
            "log": list(end.log) or None,
        }  # fmt: skip
    outcome = {"function.timeout": "timeout", "function.failed": "failed", "function.upstream": "failed"}
    return row | {"outcome": outcome.get(end.code, "rejected"), "error": f"{end.message} [{end.code}]"[:8000]}
