"""A plan while it is being made: what is known, and the steps and hazards so far."""

from collections.abc import Mapping

from msgspec import Struct, field

from schemas.compiler.migrate.catalog import ARCHIVE_PREFIX, Catalog, Table
from schemas.compiler.migrate.causes import cause, table_of
from schemas.compiler.migrate.changes import (
    AddColumn,
    Change,
    ChangeType,
    RestoreColumn,
    RestoreTable,
)
from schemas.compiler.migrate.ddl import Names
from schemas.compiler.migrate.hazards import Finding, Hazard, Key
from schemas.compiler.migrate.steps import (
    BACKFILL,
    BATCHED,
    CONCURRENT,
    CONTRACT,
    EXPAND,
    INSTANT,
    SWITCH,
    VALIDATE,
    Batches,
    Record,
    Step,
)

ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"


class Facts(Struct, frozen=True):
    """What the database said about the rows; tables by their present names.

    Attributes:
        empty: tables without a row.
        small: tables so small that a scan under a lock takes milliseconds.
        findings: answers to the probes.
    """

    empty: frozenset[str] = frozenset()
    small: frozenset[str] = frozenset()
    findings: Mapping[Key, Finding] = field(default_factory=dict)


class Draft:
    """Collects steps in the order they must run.

    Attributes:
        current: present tables by wanted name (tables that are new or restored are missing).
        wanted: the catalog to reach.
        before, after: names before and after the switch.
        renamed: whether the switch renames anything; then nothing under new names may run before it.
    """

    def __init__(
        self,
        current: Mapping[str, Table],
        wanted: Catalog,
        names: tuple[Names, Names],
        facts: Facts,
        version: int,
    ) -> None:
        self.current = current
        self.wanted = wanted
        self.before, self.after = names
        self.version = version
        self.hazards: list[Hazard] = []
        self.record = Record()
        self._facts = facts
        self._expand: list[Step] = []
        self._backfill: list[Step] = []
        self._switch: list[tuple[int, Step]] = []
        self._contract: list[tuple[int, Step]] = []
        self._arriving: set[tuple[str, str]] = set()
        self._retyped: set[tuple[str, str]] = set()
        self._restored: set[str] = set()

    def expect(self, changes: list[Change]) -> None:
        """Note which columns do not exist yet, or not with their type."""
        for change in changes:
            if isinstance(change, RestoreTable):
                self._restored.add(change.table)
            elif isinstance(change, AddColumn | RestoreColumn):
                self._arriving.add((change.table, change.column.name))
            elif isinstance(change, ChangeType):
                self._retyped.add((change.table, change.column.name))

    def arriving(self, table: str, column: str) -> bool:
        """Whether the column is new or comes back from the archive."""
        return (table, column) in self._arriving

    def retyped(self, table: str, column: str) -> bool:
        """Whether the column gets another type."""
        return (table, column) in self._retyped

    def restored(self, table: str) -> bool:
        """Whether the table comes back with rows nobody asked about."""
        return table in self._restored

    def exists(self, table: str) -> bool:
        """Whether requests can reach the table now."""
        return table in self.current

    def empty(self, table: str) -> bool:
        """Whether the table has no row (a new one has none)."""
        return not self.exists(table) or self.current[table].name in self._facts.empty

    def fast(self, table: str) -> bool:
        """Whether everything may happen at once, under a lock of milliseconds."""
        return self.empty(table) or self.current[table].name in self._facts.small

    def finding(self, kind: str, table: str, name: str) -> Finding:
        """Return the answer to a probe; no question asked means no row concerned."""
        return self._facts.findings.get((kind, table, name), Finding())

    def archive_name(self, name: str) -> str:
        """Return what a removed column or table is called from now on."""
        return f"{ARCHIVE_PREFIX}{name}_{self.version}"

    def locks(self, *tables: str) -> tuple[tuple[str, str], ...]:
        """Return the locks of an instant step before or in the switch."""
        return tuple((self.before.table(table), ACCESS_EXCLUSIVE) for table in tables if self.exists(table))

    def expand(
        self, change: Change, summary: str, sql: list[str], reverse: list[str], *, level: int = 0
    ) -> None:
        """Prepare something old code does not notice."""
        table = table_of(change)
        self._expand.append(
            Step(
                EXPAND,
                INSTANT,
                level,
                summary,
                cause(change),
                tuple(sql),
                tuple(reverse),
                locks=self.locks(table),
            )
        )

    def fill(self, change: Change, summary: str, batches: Batches, *, contract: bool = False) -> None:
        """Fill a column in batches, before the switch or (what is left) after it."""
        phase = CONTRACT if contract else BACKFILL
        step = Step(
            phase,
            BATCHED,
            1,
            summary,
            cause(change),
            lock="ROW EXCLUSIVE",
            batches=batches,
            optional=contract,
        )
        if contract:
            self._contract.append((1, step))
        else:
            self._backfill.append(step)

    def build(
        self, change: Change, summary: str, index: str, sql: list[str], *, contract: bool, level: int = 1
    ) -> None:
        """Build an index beside the traffic."""
        phase = CONTRACT if contract else BACKFILL
        names = self.after if contract else self.before
        reverse = (f"DROP INDEX IF EXISTS {names.object(index)}",)
        step = Step(
            phase, CONCURRENT, level, summary, cause(change), tuple(sql), reverse,
            lock="SHARE UPDATE EXCLUSIVE", index=names.object(index),
        )  # fmt: skip
        if contract:
            self._contract.append((4, step))
        else:
            self._backfill.append(step)

    def switch(
        self,
        order: int,
        change: Change,
        summary: str,
        sql: list[str],
        *,
        tables: tuple[str, ...] = (),
        level: int = 0,
    ) -> None:
        """Do something in the transaction that makes the version current."""
        step = Step(SWITCH, INSTANT, level, summary, cause(change), tuple(sql), locks=self.locks(*tables))
        self._switch.append((order, step))

    def also_lock(self, table: str, mode: str) -> None:
        """Take a further lock with the latest step of the switch."""
        if self.exists(table):
            order, step = self._switch[-1]
            locks = (*step.locks, (self.before.table(table), mode))
            self._switch[-1] = (order, _with(step, locks))

    def validate(self, change: Change, summary: str, sql: list[str]) -> None:
        """Prove a condition after the switch."""
        step = Step(
            CONTRACT,
            VALIDATE,
            1,
            summary,
            cause(change),
            tuple(sql),
            lock="SHARE UPDATE EXCLUSIVE",
            optional=True,
        )
        self._contract.append((2, step))

    def contract(
        self,
        order: int,
        change: Change,
        summary: str,
        sql: list[str],
        table: str,
        *,
        level: int = 0,
        optional: bool = False,
    ) -> None:
        """Do something short once no old code runs."""
        locks = ((self.after.table(table), ACCESS_EXCLUSIVE),)
        step = Step(
            CONTRACT, INSTANT, level, summary, cause(change), tuple(sql), locks=locks, optional=optional
        )
        self._contract.append((order, step))

    def hazard(
        self, level: int, code: str, change: Change, message: str, hint: str, finding: Finding | None = None
    ) -> None:
        """Note what somebody has to know."""
        found = finding or Finding()
        self.hazards.append(Hazard(level, code, message, cause(change), hint, found.count, found.sample))

    def steps(self) -> tuple[Step, ...]:
        """Return all steps in order."""
        ordered = [step for _, step in sorted(self._switch, key=lambda entry: entry[0])]
        last = [step for _, step in sorted(self._contract, key=lambda entry: entry[0])]
        return (*self._expand, *self._backfill, *ordered, *last)


def _with(step: Step, locks: tuple[tuple[str, str], ...]) -> Step:
    return Step(
        step.phase, step.mode, step.level, step.summary, step.cause, step.sql, step.reverse, step.lock, locks,
        step.index, step.batches, step.optional,
    )  # fmt: skip
