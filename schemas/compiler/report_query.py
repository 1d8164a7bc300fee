"""A report and the values of its parameters as queries of the public grammar.

Decides which columns a report has, what each is called, and that a value can never be more than a value in
the filter it is put into. Rules of access are the query compiler's: what comes out of here is asked like any
client's query. Pure; called by ``actors.features.reports``.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from msgspec import Struct, field

from schemas.compiler.expressions.shapes import relation_name
from schemas.compiler.grammar.queries import PLACEHOLDER, split
from schemas.compiler.model import Entity, Field, TenantModel
from schemas.compiler.query.parse_select import MAX_NAME
from schemas.compiler.sections.reports import Report, places, sort_words

COUNT = "count()"
_WORDS = frozenset({"and", "or"})


class Column(Struct, frozen=True):
    """One column of a report.

    Attributes:
        of: as the file has it: ``customer.name``, ``net.sum()``.
        name: in the answer's rows.
        path: of the field, () for ``count()``.
        aggregate: "" for what makes a group.
        field: what it is made of, None for ``count()``.
    """

    of: str
    name: str
    path: tuple[str, ...]
    aggregate: str
    field: Field | None

    @property
    def kind(self) -> str:
        """The kind of its values, as fields have kinds."""
        if self.aggregate == "count" or self.field is None:
            return "bigint"
        if self.aggregate == "avg" or (self.aggregate == "sum" and self.field.kind != "double"):
            return "numeric"
        return self.field.kind


class Queries(Struct, frozen=True):
    """What a report asks.

    Attributes:
        filter: with the values in it.
        rows: the groups, without their number.
        total: figures of all rows, "" when there are none.
        subtotals: figures by the first column, "" unless several make a group.
    """

    filter: str
    rows: str
    total: str = ""
    subtotals: str = ""


class _Level(Struct):
    """What is selected of an entity, and of those it leads to, by the column that leads there."""

    items: list[str] = field(default_factory=list)
    below: "dict[str, _Level]" = field(default_factory=dict)
    inner: bool = False


def columns_of(model: TenantModel, report: Report) -> tuple[Column, ...]:
    """Return a report's columns: what makes a group first, unless the file orders them; a count at least."""
    listed = [name for name in report.group_by if name not in report.columns] + list(report.columns)
    if report.group_by and not any(name.endswith("()") for name in listed):
        listed.append(COUNT)
    entity = model.entities[report.entity]
    return tuple(_column(model, entity, text, number) for number, text in enumerate(dict.fromkeys(listed)))


def groups_of(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the columns that make a group."""
    return tuple(column for column in columns if not column.aggregate)


def queries_of(
    model: TenantModel, report: Report, columns: tuple[Column, ...], values: Mapping[str, Any]
) -> Queries:
    """Return what a report asks with these values; a condition on a parameter without one is left out.

    Args:
        model: the tenant.
        report: of it.
        columns: its own.
        values: by parameter; None for none.
    """
    entity = model.entities[report.entity]
    parts = [part for part in split(report.filter, "&") if part and _has_values(part, values)]
    paths = [_condition_path(part) for part in parts]
    conditions = [
        _condition(model, entity, part, path, values) for part, path in zip(parts, paths, strict=True)
    ]

    def query(chosen: Iterable[Column]) -> str:
        top = _Level()
        for column in chosen:
            level = _enter(model, entity, top, column.path[:-1])
            last = (*column.path[-1:], f"{column.aggregate}()") if column.aggregate else column.path[-1:]
            level.items.append(f'"{column.name}":{".".join(last)}')
        for path in paths:
            _enter(model, entity, top, path[:-1], inner=True)
        return "&".join((f"select={quote(_select(top), safe='')}", *conditions))

    groups, figures = groups_of(columns), [column for column in columns if column.aggregate]
    keys = _order(model, entity, report, columns, grouped=bool(figures))
    rows = query(columns) + (f"&order={quote(','.join(keys), safe='')}" if keys else "")
    if not figures or not groups:
        return Queries("&".join(conditions), rows)
    subtotals = ""
    if len(groups) > 1:
        first = quote(f'"{groups[0].name}"', safe="")
        subtotals = f"{query((groups[0], *figures))}&order={first}"
    return Queries("&".join(conditions), rows, query(figures), subtotals)


def _column(model: TenantModel, entity: Entity, text: str, number: int) -> Column:
    path, aggregate = text, ""
    if text.endswith("()"):
        path, _, aggregate = text.removesuffix("()").rpartition(".")
    name = text.removesuffix("()")
    if len(name.encode()) > MAX_NAME:
        name = f"column_{number + 1}"
    steps = tuple(path.split(".")) if path else ()
    return Column(text, name, steps, aggregate, _field(model, entity, steps))


def _field(model: TenantModel, entity: Entity, path: tuple[str, ...]) -> Field | None:
    if not path:
        return None
    for step in path[:-1]:
        entity = model.entities[_along(entity, step).entity]
    return entity.fields[path[-1]]


class _Way(Struct, frozen=True):
    """From an entity along its foreign key ``column`` to ``entity``."""

    column: str
    entity: str


def _along(entity: Entity, relation: str) -> _Way:
    return next(
        _Way(one.name, one.references.entity)
        for one in entity.fields.values()
        if one.references is not None and relation in {relation_name(one.name), one.name}
    )


def _enter(
    model: TenantModel, entity: Entity, level: _Level, path: tuple[str, ...], *, inner: bool = False
) -> _Level:
    for step in path:
        way = _along(entity, step)
        level = level.below.setdefault(way.column, _Level())
        level.inner = level.inner or inner
        entity = model.entities[way.entity]
    return level


def _select(level: _Level) -> str:
    below = (f"...{key}{'!inner' if one.inner else ''}({_select(one)})" for key, one in level.below.items())
    return ",".join((*level.items, *below))


def _order(
    model: TenantModel, entity: Entity, report: Report, columns: tuple[Column, ...], *, grouped: bool
) -> list[str]:
    """Return the sort keys: as the file says, then by what makes a group, so that the order is one."""
    named = {column.of: column.name for column in columns}
    keys: list[str] = []
    seen: set[str] = set()
    for text in (*report.sort, *((column.of for column in groups_of(columns)) if grouped else ())):
        of, *words = sort_words(text)
        if of in seen:
            continue
        seen.add(of)
        suffix = "".join(f".{word}" for word in words)
        if grouped:
            keys.append(f'"{named[of]}"{suffix}')
        elif "." in of:
            relation, _, last = of.partition(".")
            keys.append(f"{_along(entity, relation).column}({last}){suffix}")
        else:
            keys.append(of + suffix)
    return keys


def _has_values(part: str, values: Mapping[str, Any]) -> bool:
    return all(values.get(name) is not None for name in PLACEHOLDER.findall(part))


def _condition_path(part: str) -> tuple[str, ...]:
    """Return the path a condition names, () for one that may name several."""
    name = part.partition("=")[0].removeprefix("not.").partition("->")[0]
    return () if name in _WORDS else tuple(name.split("."))


def _condition(
    model: TenantModel, entity: Entity, part: str, path: tuple[str, ...], values: Mapping[str, Any]
) -> str:
    name, _, text = part.partition("=")
    columns: list[str] = []
    for step in path[:-1]:
        way = _along(entity, step)
        columns.append(way.column)
        entity = model.entities[way.entity]
    if columns:  # the grammar's names of relations we enter are those of their columns
        name = ".".join((*columns, name[len(".".join(path[:-1])) + 1 :]))
    return f"{name}={_filled(text, values)}"


def _filled(text: str, values: Mapping[str, Any]) -> str:
    """Return a condition's text with values in it, each as its place needs it, percent-encoded."""
    out, at = "", 0
    for place in places(text):
        value = _put(values[place.name], inside=place.inside, quoted=place.quoted)
        out += text[at : place.start] + quote(value, safe="")
        at = place.end
    return out + text[at:]


def _put(value: Any, *, inside: bool, quoted: bool) -> str:  # noqa: ANN401 - JSON
    words = [as_text(one) for one in value] if isinstance(value, list | tuple) else [as_text(value)]
    if not inside and not quoted:
        return ",".join(words)
    escaped = [word.replace("\\", "\\\\").replace('"', '\\"') for word in words]
    return ",".join(escaped) if quoted else ",".join(f'"{word}"' for word in escaped)


def as_text(value: object) -> str:
    """Return a parameter's value as a filter has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
