"""Names of a request to SQL: which column, JSON path or computed value, if the caller sees it.

Pure; called by ``conditions``, ``read_sql`` and ``write_sql``.
"""

from datetime import date

from msgspec import Struct, field

from schemas.compiler.expressions.to_sql import SqlContext, to_sql, to_value_sql
from schemas.compiler.model import AccessEntry, Entity, Field, TenantModel
from schemas.compiler.query.access import Sight
from schemas.compiler.query.errors import QueryError, unknown_field
from schemas.compiler.query.past_sql import past_rows
from schemas.compiler.query.syntax import Path
from schemas.compiler.sql import Const, Fragment, join, quote, sql

CASTS = frozenset(
    {"text", "integer", "int", "int4", "int8", "bigint", "smallint", "numeric", "float4", "float8", "real",
     "boolean", "bool",
     "date", "time", "timestamp", "timestamptz", "uuid", "json", "jsonb", "varchar", "interval"}
)  # fmt: skip


_TEXTS = frozenset({"text", "varchar"})
_FAMILIES = (
    frozenset({"integer", "int", "int4", "int8", "bigint", "smallint", "numeric", "float4", "float8", "real",
               "double precision"}),
    frozenset({"date", "timestamp", "timestamptz", "timestamp with time zone"}),
    frozenset({"boolean", "bool", "integer", "int", "int4"}),
)  # fmt: skip


class Frame(Struct):
    """What a whole statement shares.

    Attributes:
        deprecated: old names the request used.
        joins: embeds so far, bounded.
        attributed: entities whose writes say who asked.
        trigram: namespace of pg_trgm; "" where the server has none.
        as_of: slot of the moment whose rows are read; -1 for now.
    """

    model: TenantModel
    namespace: str
    today: date
    deprecated: dict[str, str] = field(default_factory=dict)
    embeds: int = 0
    aliases: int = 0
    attributed: frozenset[str] = frozenset()
    trigram: str = ""
    as_of: int = -1

    def alias(self) -> str:
        """Return a table alias nobody has."""
        self.aliases += 1
        return f"t{self.aliases - 1}"

    def table(self, entity: str) -> str:
        """Return the qualified table."""
        return f"{quote(self.namespace)}.{quote(entity)}"

    def source(self, entity: Entity, alias: str, tie: tuple[str, Fragment] | None = None) -> Fragment:
        """Return the FROM item with the rows of an entity, as they were where a past is asked for.

        ``tie``: a column and its value in all rows that are looked for, where that is known.
        """
        if self.as_of < 0:
            return sql(f"{self.table(entity.name)} {alias}")
        return past_rows(self, entity, alias, self.as_of, tie)


class Rows(Struct, frozen=True):
    """One use of an entity in a statement: its alias and what the caller sees of it."""

    frame: Frame
    entity: Entity
    alias: str
    sight: Sight

    @property
    def context(self) -> SqlContext:
        """Where expressions of this entity stand."""
        return SqlContext(self.alias, self.frame.namespace, self.frame.model)

    def find(self, name: str) -> Field:
        """Return a field the caller may read, by its name or a name it still answers to.

        Raises:
            QueryError: PGRST204; a hidden field looks like one that does not exist.
        """
        known = self.sight.fields
        if name in known:
            return self.entity.fields[name]
        present = present_name(self.entity, name, self.frame.today)
        if present in known:
            self.frame.deprecated[f"{self.entity.name}.{name}"] = present
            return self.entity.fields[present]
        raise unknown_field(self.entity.name, name, known)

    def visible(self, entries: tuple[AccessEntry, ...]) -> Fragment:
        """Return the predicate under which one of the entries applies."""
        parts = [to_sql(entry.rule, self.context) for entry in entries if entry.rule is not None]
        return sql("(", join(" OR ", parts), ")") if len(parts) == len(entries) else sql("true")

    def predicate(self, *, deleted: bool = False) -> list[Fragment]:
        """Return what every row of the entity must meet to be seen; ``deleted`` ones may be deleted."""
        parts: list[Fragment] = []
        if self.entity.soft_delete and not deleted:
            parts.append(sql(f'{self.alias}."deleted_at" IS NULL'))
        if all(entry.rule is not None for entry in self.sight.entries):
            parts.append(self.visible(self.sight.entries))
        return parts

    def raw(self, found: Field) -> Fragment:
        """Return a field's value."""
        if found.virtual and found.computed is not None:
            return to_value_sql(found.computed, self.context)
        return sql(f"{self.alias}.{quote(found.name)}")

    def value(self, path: Path) -> tuple[Fragment, str, Field]:
        """Return a column's or JSON path's value, its type and the field it is of."""
        found = self.find(path.column)
        fragment, pg_type = self.raw(found), base_type(found.pg_type)
        if self.sight.masked(found.name):
            fragment = sql(
                "CASE WHEN ", self.visible(self.sight.fields[found.name]), " THEN ", fragment, " END"
            )
        if path.steps:
            if found.kind not in {"json", "array"}:
                raise QueryError(
                    "42883",
                    f"column {self.entity.name}.{found.name} is not JSON",
                    hint="-> and ->> go into JSON only",
                )
            fragment, pg_type = (
                _descend(fragment, found, path),
                "text" if path.steps[-1][0] == "->>" else "jsonb",
            )
        return fragment, pg_type, found


def present_name(entity: Entity, name: str, today: date) -> str | None:
    """Return what the field that still answers to an old name is called now, or None."""
    for field_ in entity.fields.values():
        if name in field_.renamed_from and answers(field_.alias_until, today):
            return field_.name
    return None


def answers(until: str | None, today: date) -> bool:
    """Whether an old name still answers."""
    return until is not None and date.fromisoformat(until) >= today


def _descend(fragment: Fragment, found: Field, path: Path) -> Fragment:
    base = sql("to_jsonb(", fragment, ")") if found.kind == "array" else fragment
    last_arrow = path.steps[-1][0]
    operator = "#>>" if last_arrow == "->>" else "#>"
    keys = Const(tuple(key for _, key in path.steps), "text[]")
    return sql("(", base, f" {operator} ", keys, ")")


def base_type(pg_type: str) -> str:
    """Return a type without its precision: literals keep all their digits when they are compared."""
    head, paren, tail = pg_type.partition("(")
    return head + tail.partition(")")[2] if paren else pg_type


def cast(fragment: Fragment, name: str, pg_type: str = "numeric") -> Fragment:
    """Cast a value of a type to one a client may name.

    Raises:
        QueryError: 42704 for any other type.
    """
    if not name:
        return fragment
    if name not in CASTS:
        raise QueryError("42704", f'type "{name[:60]}" does not exist')
    family = next((family for family in _FAMILIES if base_type(pg_type) in family), frozenset())
    if name in family or name in _TEXTS:
        return sql("(", fragment, f")::{name}")
    # every type can be read from text, not every type cast to every other
    return sql("(", fragment, f")::text::{name}")


def body_columns(
    frame: Frame, entity: Entity, names: tuple[str, ...], known: frozenset[str]
) -> dict[str, str]:
    """Return the fields a body names: as written -> present name; a hint names only ``known`` ones.

    Raises:
        QueryError: PGRST204 for a name that is no field.
    """
    found: dict[str, str] = {}
    for name in names:
        if name in entity.fields:
            found[name] = name
            continue
        present = present_name(entity, name, frame.today)
        if present is None:
            raise unknown_field(entity.name, name, known)
        frame.deprecated[f"{entity.name}.{name}"] = present
        found[name] = present
    return found
