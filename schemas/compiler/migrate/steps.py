"""A migration as values: executable steps, what they may cost, and the record a later rollback reads."""

import hashlib
from typing import Any

from msgspec import Struct, field

from schemas.compiler.migrate.hazards import Hazard

EXPAND, BACKFILL, SWITCH, CONTRACT = "expand", "backfill", "switch", "contract"
INSTANT, VALIDATE, CONCURRENT, BATCHED = "instant", "validate", "concurrent", "batched"


class Batches(Struct, frozen=True):
    """Rows changed a batch at a time, in the order of their key.

    Attributes:
        table: the qualified table.
        key, key_type: its primary key, quoted, and that column's type.
        assignment: what follows SET.
        where: rows that still need it.
    """

    table: str
    key: str
    key_type: str
    assignment: str
    where: str


class Step(Struct, frozen=True):
    """One executable step.

    Attributes:
        phase: expand, backfill (before any new code runs), switch (makes the version current), contract
            (after the old code is gone).
        mode: instant (part of one short transaction with its neighbours), validate (its own transaction),
            concurrent (outside a transaction), batched.
        level: 0 instant, 1 online, 2 confirmed.
        summary: what it does, in words.
        cause: the path in the tenant file that asks for it.
        sql: the statements; a concurrent step's may run again after a crash.
        reverse: what undoes it, for steps before the switch.
        lock: the strongest lock it takes.
        locks: (qualified table, mode) to take before an instant step.
        index: the qualified index a concurrent step makes.
        batches: the work of a batched step.
        optional: a failure by the rows leaves the version in force (old rows may break a new condition).
    """

    phase: str
    mode: str
    level: int
    summary: str
    cause: str
    sql: tuple[str, ...] = ()
    reverse: tuple[str, ...] = ()
    lock: str = "ACCESS EXCLUSIVE"
    locks: tuple[tuple[str, str], ...] = ()
    index: str = ""
    batches: Batches | None = None
    optional: bool = False


class Record(Struct, frozen=True):
    """What a migration did to names, so that a rollback can find everything again.

    Keys are names after the migration; a column's key is ``table.column``. Values are the names before it, or
    in the archive.
    """

    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    archived_tables: dict[str, str] = field(default_factory=dict)
    archived_columns: dict[str, str] = field(default_factory=dict)
    restored_tables: dict[str, str] = field(default_factory=dict)
    restored_columns: dict[str, str] = field(default_factory=dict)
    retyped: dict[str, str] = field(default_factory=dict)


class Migration(Struct, frozen=True):
    """The ordered steps from one version to the next, and everything somebody should know before they run.

    Attributes:
        plan_id: names exactly these steps; a confirmation is for it and nothing else.
        version: the version it leads to.
        base: the deployed version it starts from, 0 for a new tenant.
        level: 0 instant, 1 online, 2 needs confirmation, 3 refused.
        touched: tables it changes, by the names before and after.
    """

    plan_id: str
    version: int
    base: int
    level: int
    steps: tuple[Step, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    record: Record = field(default_factory=Record)
    touched: tuple[str, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        """Whether the tables stay as they are."""
        return not self.steps


def plan_id(steps: tuple[Step, ...], base: int, digest: str) -> str:
    """Return the name of a plan: the same steps from the same version to the same file are the same plan."""
    text = repr((base, digest, [(step.phase, step.sql, step.batches) for step in steps]))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def steps_to_json(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """Return steps as JSON values, for the journal."""
    return [
        {name: getattr(step, name) for name in Step.__struct_fields__ if name != "batches"}
        | {
            "batches": None
            if step.batches is None
            else {name: getattr(step.batches, name) for name in Batches.__struct_fields__}
        }
        for step in steps
    ]


def steps_from_json(values: list[dict[str, Any]]) -> tuple[Step, ...]:
    """Return the steps a journal holds."""
    steps = []
    for value in values:
        batches = value["batches"]
        lists = {name: tuple(value[name]) for name in ("sql", "reverse")}
        locks = tuple((table, mode) for table, mode in value["locks"])
        steps.append(
            Step(**{**value, **lists, "locks": locks, "batches": Batches(**batches) if batches else None})
        )
    return tuple(steps)
