"""Sends made data through the tenant's own operations, batch by batch, as the public API would.

Decides what to do with refusals: a refused batch is halved until the row that is at fault stands alone; it is
left out and reported. Rows whose key is there already are passed over, so that seeding twice does no harm.
Called by ``run.py seed``.
"""

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson

from actors.messages import Call, ProblemError, Result
from actors.seed.generate import Batch, generate
from actors.seed.shares import references
from actors.seed.story import Row
from schemas.compiler.model import Entity, TenantModel
from schemas.compiler.principal import ADMIN_ROLE, AUTHENTICATED_ROLE, Principal

Send = Callable[[Call], Awaitable[Result]]
_MOST_REASONS = 5
_IDENTITY = "identity"


@dataclass
class Report:
    """What became of the rows.

    Attributes:
        sent: rows the tenant took, by entity; those that were there already count.
        refused: rows it did not take, by entity.
        reasons: the first different reasons, in words.
    """

    sent: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)


Progress = Callable[[str, int, int], None]
"""Called with the entity, its rows so far, and all rows so far."""


async def seed_tenant(
    call: Send, model: TenantModel, rows: int, seed: int, progress: Progress, *, today: dt.date | None = None
) -> Report:
    """Fill a tenant with believable data.

    Args:
        call: asks the tenant; raises or returns what it refuses.
        model: the tenant's compiled model.
        rows: about how many rows in all.
        seed: another number gives other data; the same one gives the same rows again.
        progress: told after every batch.
        today: the day the data leads up to; now by default.

    Returns:
        How many rows were taken and refused, and why.
    """
    sender = _Sender(call, model)
    day = today or dt.datetime.now(dt.UTC).date()
    for batch in generate(model, rows, seed, today=day):
        if batch.operation == "update":
            await sender.update(batch)
        else:
            await sender.create(batch)
        done = sender.report.sent
        progress(batch.entity, done.get(batch.entity, 0), sum(done.values()))
    return sender.report


class _Sender:
    def __init__(self, call: Send, model: TenantModel) -> None:
        self.call, self.model = call, model
        self.report = Report()
        self.principal = Principal(roles=frozenset({*model.roles, ADMIN_ROLE, AUTHENTICATED_ROLE}))
        self.keys: dict[str, dict[object, object]] = {
            entity.name: {} for entity in model.entities.values() if _counts(entity)
        }
        """Real keys by provisional ones."""

    async def create(self, batch: Batch) -> None:
        entity = self.model.entities[batch.entity]
        waiting = [list(batch.rows)]
        while waiting:
            rows = waiting.pop()
            reason = await self._created(entity, rows)
            if reason is None:
                self._count(self.report.sent, entity, len(rows))
            elif len(rows) == 1:
                self._refuse(entity, reason)
            else:
                middle = len(rows) // 2
                waiting += [rows[middle:], rows[:middle]]

    async def update(self, batch: Batch) -> None:
        entity = self.model.entities[batch.entity]
        for row in batch.rows:
            change = self._real(entity, row)
            key = change.pop(entity.key)
            reason = await self._asked(
                Call(
                    "update",
                    "PATCH",
                    entity.name,
                    query=f"{entity.key}=eq.{quote(str(self.keys.get(entity.name, {}).get(key, key)))}",
                    body=orjson.dumps(change),
                    content_type="application/json",
                    prefer="return=minimal",
                    principal=self.principal,
                )
            )
            if isinstance(reason, str):
                self._refuse(entity, reason)

    async def _created(self, entity: Entity, rows: list[Row]) -> str | None:
        """Create the rows together; return why not, or None."""
        counted = _counts(entity)
        body = [self._real(entity, row) for row in rows]
        for row in body if counted else ():
            del row[entity.key]
        answer = await self._asked(
            Call(
                "create",
                "POST",
                entity.name,
                query=f"select={quote(entity.key)}" if counted else "",
                body=orjson.dumps(body),
                content_type="application/json",
                prefer="return=representation" if counted else "return=minimal,resolution=ignore-duplicates",
                principal=self.principal,
            )
        )
        if isinstance(answer, str):
            return answer
        if counted:
            made = orjson.loads(answer.body)
            self.keys[entity.name] |= {
                row[entity.key]: real[entity.key] for row, real in zip(rows, made, strict=True)
            }
        return None

    async def _asked(self, call: Call) -> Result | str:
        """Return the answer, or the reason of a refusal."""
        try:
            result = await self.call(call)
        except ProblemError as problem:
            told = [f"{error.get('pointer')}: {error.get('detail')}" for error in problem.errors[:3]]
            return " ".join(filter(None, (problem.message, problem.details, *told)))
        return result if result.status < 400 else _reason(result)

    def _real(self, entity: Entity, row: Row) -> Row:
        """Return the row with the real keys of rows whose keys the database counted."""
        real = dict(row)
        for reference, target in references(entity):
            provisional = row.get(reference.name)
            if provisional is not None and target in self.keys:
                real[reference.name] = self.keys[target].get(provisional, provisional)
        return real

    def _refuse(self, entity: Entity, reason: str) -> None:
        self._count(self.report.refused, entity, 1)
        said = f"{entity.name}: {reason}"
        if said not in self.report.reasons and len(self.report.reasons) < _MOST_REASONS:
            self.report.reasons.append(said)

    @staticmethod
    def _count(counts: dict[str, int], entity: Entity, number: int) -> None:
        counts[entity.name] = counts.get(entity.name, 0) + number


def _reason(result: Result) -> str:
    """Return what a problem document says."""
    try:
        problem = orjson.loads(result.body)
        return " ".join(filter(None, (problem["message"], problem.get("details"))))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"status {result.status}"


def _counts(entity: Entity) -> bool:
    return entity.fields[entity.key].generated == _IDENTITY
