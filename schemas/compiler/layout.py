"""The compiled model as the catalog its namespace should have: table per entity, column per stored field.

Decides columns, constraints, indexes and their names; never what to change (``migrate``). Called by the
migrator and by whoever maps a constraint's name back to a field.
"""

from collections import Counter
from collections.abc import Iterator

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from schemas.compiler.migrate.catalog import (
    SIMPLE_DEFAULTS,
    Audit,
    Binder,
    Catalog,
    Check,
    Column,
    ForeignKey,
    History,
    Index,
    Recorder,
    Ref,
    Table,
    Template,
    mark,
    object_name,
    render,
    shorten,
)
from schemas.compiler.migrate.checks import field_checks
from schemas.compiler.migrate.derived import derive
from schemas.compiler.migrate.literals import NotConstantError, inline, json_literal
from schemas.compiler.model import MANAGED_FIELDS, SOFT_DELETE_FIELD, Entity, Field, TenantModel
from schemas.compiler.recording import (
    audit_log_of,
    audit_of,
    audited_entities,
    history_of,
    recorded_entities,
    recorder_of,
)
from schemas.compiler.text_search import configuration, search_document, searchable

_MANAGED = {
    "created_at": Column(
        "created_at", "timestamp with time zone", not_null=True, default="now()", default_sql="now()"
    ),
    "updated_at": Column(
        "updated_at", "timestamp with time zone", not_null=True, default="now()", default_sql="now()"
    ),
    "created_by": Column("created_by", "text"),
    "updated_by": Column("updated_by", "text"),
    "row_version": Column("row_version", "bigint", not_null=True, default="1", default_sql="1"),
}
_DELETED_AT = Column(SOFT_DELETE_FIELD, "timestamp with time zone")
_TYPE_NAMES = {
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "double": "double precision",
}
_EMAIL_ENTITY = "users"
_ROW = "t0"


def wanted_catalog(model: TenantModel, trigram: str | None = None) -> Catalog:
    """Return what the namespace of ``model`` should hold.

    Args:
        model: the compiled tenant.
        trigram: schema of pg_trgm's operator classes; None when the server has no such extension.
    """
    recorded, audited = recorded_entities(model), audited_entities(model)
    tables = {
        name: _table(
            model,
            entity,
            trigram,
            recorder_of(entity) if name in recorded else None,
            audit_of(entity) if name in audited else audit_log_of(model, entity),
            history_of(entity),
        )
        for name, entity in model.entities.items()
    }
    return Catalog(_without_collisions(tables))


def column_type(pg_type: str) -> str:
    """Return a type's name as ``format_type`` prints it."""
    base = pg_type.removesuffix("[]")
    return _TYPE_NAMES.get(base, base) + pg_type[len(base) :]


def _binder(stored: list[Field]) -> Binder | None:
    columns = tuple(item.name for item in stored if item.kind == "file")
    return Binder(mark("\0".join(columns)), columns) if columns else None


def _table(
    model: TenantModel,
    entity: Entity,
    trigram: str | None,
    recorder: Recorder | None,
    audit: Audit | None,
    history: History | None,
) -> Table:
    stored = [item for item in entity.fields.values() if not item.virtual]
    columns = {item.name: _column(entity, item) for item in stored}
    if entity.managed:
        columns.update({name: _MANAGED[name] for name in MANAGED_FIELDS})
    if entity.soft_delete:
        columns[SOFT_DELETE_FIELD] = _DELETED_AT
    own = [item for item in stored if item.name not in _system_columns(entity)]
    checks = {check.name: check for item in own for check in _checks(entity, item)}
    keys = {key.name: key for item in own if (key := _foreign_key(model, entity, item)) is not None}
    indexes = {index.name: index for index in _indexes(model, entity, own, trigram)}
    row_trigger = derive(
        entity.name,
        {item.name: item.sequence for item in own if item.sequence},
        {item.name: _constant_sql(item.computed, model, entity) for item in own if item.computed is not None},
        model.timezone,
    )
    return Table(
        entity.name,
        entity.key,
        columns,
        checks,
        keys,
        indexes,
        row_trigger,
        recorder,
        _binder(stored),
        audit,
        history,
        object_name(entity.name, (), "pkey"),
    )


def _system_columns(entity: Entity) -> frozenset[str]:
    managed = frozenset(MANAGED_FIELDS) if entity.managed else frozenset()
    return managed | ({SOFT_DELETE_FIELD} if entity.soft_delete else frozenset())


def _column(entity: Entity, item: Field) -> Column:
    pg_type = column_type(item.pg_type)
    if item.name == entity.key:
        return Column(item.name, pg_type, not_null=True, identity=item.generated == "identity")
    default = _default(item, pg_type)
    return Column(
        item.name,
        pg_type,
        not_null=item.required and not item.nullable,
        default=default if default is None or default in SIMPLE_DEFAULTS else mark(default),
        default_sql=default or "",
    )


def _default(item: Field, pg_type: str) -> str | None:
    """SQL of a default any row may get, also old ones; those over the caller are set by the statement."""
    if item.computed is not None or item.sequence:
        return None
    if item.has_default and item.default_value is not None:
        try:
            return json_literal(item.default_value, pg_type)
        except NotConstantError:
            return None
    text = item.default.text.strip() if item.default is not None else ""
    if text in ("now", "now()") and pg_type == "timestamp with time zone":
        return "now()"
    return "CURRENT_DATE" if text == "today()" and pg_type == "date" else None


def _checks(entity: Entity, item: Field) -> Iterator[Check]:
    for kind, template in field_checks(item):
        name = object_name(entity.name, (item.name,), kind)
        yield Check(name, (item.name,), mark(render(template)), template=template)


def _foreign_key(model: TenantModel, entity: Entity, item: Field) -> ForeignKey | None:
    reference = item.references
    if (
        reference is None
        or column_type(item.pg_type).endswith("[]")
        or reference.entity not in model.entities
    ):
        return None
    name = object_name(entity.name, (item.name,), "fkey")
    return ForeignKey(name, item.name, reference.entity, reference.field, reference.on_delete)


def _indexes(model: TenantModel, entity: Entity, own: list[Field], trigram: str | None) -> Iterator[Index]:
    leading = {entity.key}
    for item in own:
        if item.name == entity.key:
            continue
        if item.unique or (entity.name == _EMAIL_ENTITY and item.name == "email"):
            name = object_name(entity.name, (item.name,), "key")
            if _is_email(entity, item):
                yield _marked(name, ("(lower(", Ref(item.name), "))"), unique=True)
            else:
                yield Index(name, (item.name,), unique=True)
                leading.add(item.name)
    for fields in entity.unique:
        yield Index(object_name(entity.name, fields, "key"), fields, unique=True)
        leading.add(fields[0])
    for index in entity.indexes:
        yield _declared(
            model, entity, index.fields, unique=index.unique, where=index.where, method=index.method
        )
        if index.where is None and index.method == "btree":
            leading.add(index.fields[0])
    for item in own:
        if item.references is not None and item.name not in leading:
            yield Index(object_name(entity.name, (item.name,), "idx"), (item.name,), method=_method(item))
    if document := search_document(entity, configuration(model)):
        yield _marked(object_name(entity.name, ("search",), "idx"), ("(", *document, ")"), method="gin")
        if trigram is not None:
            yield _trigram(entity, trigram)


def _trigram(entity: Entity, schema: str) -> Index:
    parts: list[str | Ref] = ["("]
    for item in searchable(entity):
        parts += [", " if len(parts) > 1 else "", Ref(item.name), f' "{schema}".gin_trgm_ops']
    return _marked(object_name(entity.name, ("contains",), "idx"), (*parts, ")"), method="gin")


def _method(item: Field) -> str:
    return "gin" if item.pg_type.endswith("[]") or item.pg_type == "jsonb" else "btree"


def _declared(
    model: TenantModel,
    entity: Entity,
    fields: tuple[str, ...],
    *,
    unique: bool,
    where: Expression | None,
    method: str,
) -> Index:
    name = object_name(entity.name, fields, "key" if unique else "idx")
    if where is None:
        return Index(name, fields, unique=unique, method=method)
    condition = _constant_sql(where, model, entity)
    parts: list[str | Ref] = ["("]
    for number, column in enumerate(fields):
        parts += [", " if number else "", Ref(column)]
    template = (*parts, ") WHERE ", *condition)
    name = shorten(object_name(entity.name, fields, "where"), salt=where.text)
    return _marked(name, template, unique=unique, method=method)


def _marked(name: str, template: Template, *, unique: bool = False, method: str = "btree") -> Index:
    return Index(name, (), unique=unique, method=method, mark=mark(render(template)), template=template)


def _is_email(entity: Entity, item: Field) -> bool:
    email = item.kind == "email" or item.schema.get("format") == "email"
    return column_type(item.pg_type) == "text" and (
        email or (entity.name == _EMAIL_ENTITY and item.name == "email")
    )


def _constant_sql(expression: Expression, model: TenantModel, entity: Entity) -> Template:
    context = SqlContext(alias=_ROW, namespace="", model=model)
    return inline(to_sql(expression, context), _ROW)


def _without_collisions(tables: dict[str, Table]) -> dict[str, Table]:
    """Give indexes that would share a name (``a`` + ``b_c``, ``a_b`` + ``c``) a hash of where they belong."""
    uses = Counter(name for table in tables.values() for name in (table.name, table.key_name, *table.indexes))
    if all(count == 1 for count in uses.values()):
        return tables
    return {name: _renamed(table, uses) for name, table in tables.items()}


def _renamed(table: Table, uses: Counter[str]) -> Table:
    def unique_name(name: str) -> str:
        return name if uses[name] == 1 else shorten(name, salt=table.name)

    indexes = {
        unique_name(index.name): Index(
            unique_name(index.name),
            index.columns,
            index.unique,
            index.method,
            index.mark,
            index.valid,
            index.template,
        )
        for index in table.indexes.values()
    }
    return Table(
        table.name, table.key, table.columns, table.checks, table.foreign_keys, indexes, table.derive,
        table.recorder, table.binder, table.audit, table.history, unique_name(table.key_name),
    )  # fmt: skip
