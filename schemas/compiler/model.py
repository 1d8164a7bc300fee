"""The compiled tenant: what a YAML file means, resolved and checked, as frozen values.

Made by ``resolve``; read by layout, migrate, query, emit and the actors. It holds no behaviour beyond
look-ups, so it can be sent between processes and shared by concurrent requests.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from schemas.compiler.expressions.syntax import Expression

MANAGED_FIELDS = ("created_at", "updated_at", "created_by", "updated_by", "row_version")
SOFT_DELETE_FIELD = "deleted_at"


class Reference(Struct, frozen=True):
    """A foreign key from a field to another entity's key."""

    entity: str
    on_delete: str = "restrict"  # restrict | cascade | set_null
    field: str = "id"


class Field(Struct, frozen=True):
    """One field of an entity and the column that holds it (same name).

    Attributes:
        kind: name in ``fieldtypes.FIELD_TYPES`` (text, uuid, integer, bigint, numeric, double, boolean, date,
            time, datetime, json, array, ...).
        pg_type: the column's type as PostgreSQL's ``format_type`` prints it, e.g. ``numeric(12,2)``,
            ``text[]``.
        schema: the field's own JSON Schema, normalised (our sibling keys removed).
        default: compiled default: an expression over user/tenant/now, or None. Literal texts, numbers and
            booleans become (constant) ``Expression`` too.
        default_value: the literal default as JSON; None when the default is an expression.
        has_default: whether there is a default of either kind.
        generated: how the server fills it: "" | "uuid" | "identity" | "sequence" | "managed".
        computed: expression of a computed field; it has no column when virtual.
        virtual: True for computed fields evaluated in the statement.
        sequence: pattern of a ``sequence`` field, e.g. ``INV-{year}-{n:05}``.
        renamed_from: former names.
        alias_until: ISO date until which the former names keep answering, or None.
    """

    name: str
    kind: str
    pg_type: str
    schema: Mapping[str, Any]
    title: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    required: bool = False
    nullable: bool = True
    unique: bool = False
    read_only: bool = False
    write_only: bool = False
    searchable: bool = False
    personal: bool = False
    default: Expression | None = None
    default_value: Any = None
    has_default: bool = False
    generated: str = ""
    computed: Expression | None = None
    virtual: bool = False
    sequence: str | None = None
    references: Reference | None = None
    renamed_from: tuple[str, ...] = ()
    alias_until: str | None = None
    restore_from: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)  # accept, maxSize, protected, currency, ...


class Index(Struct, frozen=True):
    """An index; ``where`` is a compiled predicate over the row."""

    name: str
    fields: tuple[str, ...]
    unique: bool = False
    where: Expression | None = None
    method: str = "btree"


class Rule(Struct, frozen=True):
    """A validation rule (Kubernetes' keys). ``uses_old`` rules are skipped on create."""

    rule: Expression
    message: Mapping[str, str] = field(default_factory=dict)
    message_expression: Expression | None = None
    reason: str = "FieldValueInvalid"
    field_path: str = ""
    uses_old: bool = False


class AccessEntry(Struct, frozen=True):
    """One ``access`` entry. Entries of a verb add up (OR).

    Attributes:
        role: who it is for.
        rule: predicate on the row before the change, or None for every row.
        check: predicate on the row after the change, or None.
        set: values forced on write, by field.
        fields: fields it is limited to (None: all); readable on read, writable on write.
        hide: fields it does not show.
        limit: most rows a page may have, or None.
        aggregate: whether aggregate functions are allowed.
    """

    role: str
    rule: Expression | None = None
    check: Expression | None = None
    set: Mapping[str, Expression] = field(default_factory=dict)
    fields: tuple[str, ...] | None = None
    hide: tuple[str, ...] = ()
    limit: int | None = None
    aggregate: bool = False


class Access(Struct, frozen=True):
    """Who may do what with an entity's rows; ``declared`` is False when the file has no ``access`` for it."""

    read: tuple[AccessEntry, ...] = ()
    create: tuple[AccessEntry, ...] = ()
    update: tuple[AccessEntry, ...] = ()
    delete: tuple[AccessEntry, ...] = ()
    declared: bool = False


class Entity(Struct, frozen=True):
    """One entity: its table has the same name.

    ``fields`` holds every field in order, key first, managed ones last. ``sections`` holds the checked values
    of workflow, functions, views, history, tests, ... by section name (frozen dataclasses of those section
    modules). ``added`` ones are kept by the platform because the file uses a section (``sections.added``).
    """

    name: str
    key: str
    fields: Mapping[str, Field]
    title: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    label: str | None = None
    managed: bool = True
    soft_delete: bool = False
    indexes: tuple[Index, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    rules: tuple[Rule, ...] = ()
    access: Access = field(default_factory=Access)
    renamed_from: tuple[str, ...] = ()
    alias_until: str | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)
    added: bool = False


class Role(Struct, frozen=True):
    """A role; ``includes`` is the closure over ``inherits``, itself included."""

    name: str
    inherits: tuple[str, ...] = ()
    includes: frozenset[str] = frozenset()


class TenantModel(Struct, frozen=True):
    """A whole tenant file; ``sections`` holds its checked top-level ones by name (branding, auth, ...)."""

    slug: str
    title: Mapping[str, str]
    version: int
    entities: Mapping[str, Entity]
    roles: Mapping[str, Role]
    languages: tuple[str, ...] = ("en",)
    timezone: str = "UTC"
    currency: str | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()  # names used as ${NAME}
    python: frozenset[str] = frozenset()  # functions of the Python file beside it
