"""What a tenant's namespace holds, or should hold, as comparable values.

Decides when two of them are the same. PostgreSQL rewrites expressions when it stores them, so objects with an
expression compare by a *mark*: a hash of the text they were made from, kept in the object's comment. Names of
columns inside an expression are ``Ref`` parts, so that a rename can be followed without rebuilding anything.
It never reads a database: ``actors.tenant.introspect`` makes the real catalog, ``layout`` the wanted one;
``diff`` compares them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from msgspec import Struct

from schemas.compiler.sql import quote

ARCHIVE_PREFIX = "_arch_"
SHADOW_PREFIX = "_arch_~"
"""Of a column that is being filled with another's values; no field's name begins like this."""
COUNTERS = "_counters"
DERIVE_TRIGGER = "_derive"
RECORD_TRIGGER = "_record"
BIND_TRIGGER = "_bind"
AUDIT_TRIGGER = "_audit"
HISTORY_TRIGGER = "_history"
SEAL_TRIGGER = "_seal"
AUDIT_LOG = "audit_log"
ACCOUNTS_LOG = "_auth_audit"
"""What happens to accounts; made with the first of them."""
REQUIRED_SUFFIX = "required"
REQUIRED_MARK = "bs:required"
"""Of the CHECK that holds new rows to a required field while old rows have no value yet."""
SIMPLE_DEFAULTS = ("now()", "1")
"""Defaults PostgreSQL prints back as written; every other one carries a mark."""


class Ref(Struct, frozen=True):
    """A column's name inside an expression."""

    column: str


Template: TypeAlias = tuple[str | Ref, ...]


def render(template: Template, names: Mapping[str, str] | None = None, prefix: str = "") -> str:
    """Return the SQL of a template; ``names`` says what a column is called at that moment."""
    renamed = names or {}
    return "".join(
        part if isinstance(part, str) else prefix + quote(renamed.get(part.column, part.column))
        for part in template
    )


def mark(text: str) -> str:
    """Return the mark of an object made from ``text``."""
    return "bs:" + hashlib.sha256(text.encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``default`` is its mark (or a simple default's text), made from ``default_sql``."""

    name: str
    pg_type: str
    not_null: bool = False
    identity: bool = False
    default: str | None = None
    default_sql: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint. ``valid`` is False while old rows are not known to obey it."""

    name: str
    columns: tuple[str, ...]
    mark: str
    valid: bool = True
    template: Template = field(default=(), compare=False)


class ForeignKey(Struct, frozen=True):
    """A foreign key to the key of ``target``."""

    name: str
    column: str
    target: str
    target_column: str
    on_delete: str
    valid: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    """An index: plain ones compare by columns, those with an expression, class or predicate by mark."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False
    method: str = "btree"
    mark: str = ""
    valid: bool = True
    template: Template = field(default=(), compare=False)  # what follows USING method

    def uses(self) -> frozenset[str]:
        """Names of the columns it is built on, where that is known (always for wanted indexes)."""
        return frozenset(self.columns) | {part.column for part in self.template if isinstance(part, Ref)}


@dataclass(frozen=True, slots=True)
class Derive:
    """The row trigger that fills stored computed fields and sequence numbers."""

    mark: str
    columns: tuple[str, ...] = field(default=(), compare=False)
    body: Template = field(default=(), compare=False)
    declarations: str = field(default="", compare=False)
    counters: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Recorder:
    """The row trigger that keeps changes in ``_outbox``; ``hidden`` columns stay out of it."""

    mark: str
    key: str = field(default="", compare=False)
    hidden: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Binder:
    """The row trigger that ties files to the row that names them, and lets them go with it."""

    mark: str
    columns: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Audit:
    """The trigger that keeps changes in the audit log; that of the log itself refuses them.

    Attributes:
        key: the primary key's column; "" for the log itself.
        soft: the column that marks a row deleted, "" without one.
        hidden: columns that stay out of the log.
        accounts: of the log: what happens to accounts is kept, too.
    """

    mark: str
    key: str = field(default="", compare=False)
    soft: str = field(default="", compare=False)
    hidden: tuple[str, ...] = field(default=(), compare=False)
    accounts: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class History:
    """The trigger that keeps what a row was before each change, in a table of its own.

    Attributes:
        table: where.
        key: the primary key's column.
        soft: the column that marks a row deleted, "" without one.
        by: the column with who wrote the row last, "" without one.
        hidden: columns that stay out of it.
    """

    mark: str
    table: str = field(default="", compare=False)
    key: str = field(default="", compare=False)
    soft: str = field(default="", compare=False)
    by: str = field(default="", compare=False)
    hidden: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        key: the primary key's column.
        archived: columns of removed fields, name to type.
        digest: hash of all PostgreSQL says about the table; changes when somebody else alters it.
    """

    name: str
    key: str
    columns: Mapping[str, Column]
    checks: Mapping[str, Check] = field(default_factory=dict)
    foreign_keys: Mapping[str, ForeignKey] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    derive: Derive | None = None
    recorder: Recorder | None = None
    binder: Binder | None = None
    audit: Audit | None = None
    history: History | None = None
    key_name: str = field(default="", compare=False)
    archived: Mapping[str, str] = field(default_factory=dict, compare=False)
    digest: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tables of a namespace by name. ``sizes`` are the bytes of their heaps, where that is known."""

    tables: Mapping[str, Table]
    sizes: Mapping[str, int] = field(default_factory=dict, compare=False)


class Target(Struct, frozen=True):
    """Where a catalog lives: the tenant's names in PostgreSQL."""

    namespace: str
    archive: str
    role: str


def object_name(table: str, columns: tuple[str, ...], suffix: str) -> str:
    """Return the name of a constraint or index, at most 63 bytes, the same every time."""
    return shorten("_".join((table, *columns, suffix)))


def shorten(name: str, salt: str = "") -> str:
    """Return ``name``, or its beginning and a hash when it is over 63 bytes or ``salt`` is given."""
    raw = name.encode()
    if len(raw) <= 63 and not salt:
        return name
    digest = hashlib.sha256(raw + salt.encode()).hexdigest()[:8]
    return raw[:54].decode(errors="ignore") + "_" + digest
