"""Which column of a file is which field: as somebody says, or by the names and titles of fields.

Decides what is guessed and what is refused: a column that means nothing is a mistake until somebody says to
leave it out. Pure; called when an import begins.
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from actors.messages import ProblemError
from schemas.compiler.model import Entity, Field, TenantModel

COLUMNS = "import.columns"
_OTHERS = re.compile(r"[\W_]+")


class Column(Struct, frozen=True):
    """A column of the file.

    Attributes:
        name: in the header.
        field: it is, "" for none.
        by: the field of the related entity that its values are looked up by, "" for values of the field.
        why: it is left out, "" when it is not: ``asked``, ``read_only`` or ``no_name``; ``unknown`` while
            nobody has said.
    """

    name: str
    field: str = ""
    by: str = ""
    why: str = ""

    def told(self) -> dict[str, Any]:
        """Return it as JSON."""
        about = {"by": self.by} if self.by else {"ignored": self.why} if self.why else {}
        return {"column": self.name, "field": self.field or None, **about}


def map_columns(
    model: TenantModel, entity: Entity, header: Sequence[str], said: Mapping[str, Any]
) -> tuple[list[Column], list[dict[str, Any]]]:
    """Return every column's meaning, and what is wrong with the mapping.

    Args:
        model: of the tenant.
        entity: whose rows they are.
        header: the columns' names.
        said: column -> field, ``{"field": ..., "by": ...}`` or None to leave it out.
    """
    wrong: list[dict[str, Any]] = []
    known = _names(entity)
    columns: list[Column] = []
    for name in header:
        if not name.strip():  # what spreadsheets write behind the last column
            columns.append(Column(name, why="no_name"))
            continue
        if name in said:
            column, problem = _explicit(model, entity, name, said[name])
        else:
            column = _guess(model, entity, name, known)
            problem = _unknown(name, known) if column.why == "unknown" else ""
        if problem:
            wrong.append({"column": name, "code": "column", "detail": problem})
        columns.append(column)
    wrong += [_finding(name, "the file has no such column") for name in said if name not in header]
    for names, what in (
        ([one.field for one in columns if one.field], "is given by"),
        (header, "is the name of"),
    ):
        twice = sorted({name for name in names if name.strip() and names.count(name) > 1})
        wrong += [_finding(name, f"'{name}' {what} more than one column") for name in twice]
    return columns, wrong


def refusal(wrong: Iterable[dict[str, Any]]) -> ProblemError:
    """Return the refusal of a mapping."""
    found = list(wrong)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return ProblemError(
        COLUMNS,
        f"{found[0]['column']}: {found[0]['detail']}{more}",
        hint='map={"COLUMN": "field"}; null instead of a field leaves a column out',
        errors=tuple({"pointer": f"/map/{_escaped(one['column'])}", **one} for one in found[:100]),
    )


def _escaped(name: str) -> str:
    return name[:200].replace("~", "~0").replace("/", "~1")


def target_of(entity: Entity, column: Column) -> tuple[str, str]:
    """Return entity and key field that a column's look-up leads to."""
    reference = entity.fields[column.field].references
    if reference is None:
        raise ProblemError(COLUMNS, f"'{column.field}' refers to nothing any more")
    return reference.entity, reference.field


def _finding(name: str, detail: str) -> dict[str, Any]:
    return {"column": name, "code": "column", "detail": detail}


def _explicit(model: TenantModel, entity: Entity, name: str, said: Any) -> tuple[Column, str]:  # noqa: ANN401 - JSON
    if said is None:
        return Column(name, why="asked"), ""
    wanted, by = (said.get("field"), said.get("by") or "") if isinstance(said, dict) else (said, "")
    if not isinstance(wanted, str) or not isinstance(by, str):
        return Column(name), "a column is mapped to a field, to {field, by}, or to null"
    if not by and "." in wanted:
        column = _related(model, entity, name, wanted)
        return (column, "") if column else (Column(name), f"'{wanted}' is no relation with such a field")
    field = entity.fields.get(wanted)
    if field is None:
        near = difflib.get_close_matches(wanted, entity.fields, 1)
        return Column(name), f"there is no field '{wanted[:60]}'" + (
            f"; do you mean '{near[0]}'?" if near else ""
        )
    if not _writable(field):
        return Column(name), f"'{wanted}' is set by the server"
    if by:
        target = _target(model, field)
        if target is None or by not in target.fields:
            return Column(name), f"'{wanted}' refers to nothing that has a field '{by[:60]}'"
    return Column(name, wanted, by), ""


def _guess(model: TenantModel, entity: Entity, name: str, known: Mapping[str, Field]) -> Column:
    field = known.get(_plain(name))
    if field is None:
        return (
            _related(model, entity, name, name)
            or _by_label(model, entity, name)
            or Column(name, why="unknown")
        )
    if not _writable(field):
        return Column(name, why="read_only")
    target = _target(model, field)
    if target is not None and target.label in target.fields and _plain(name) != _plain(field.name):
        return Column(name, field.name, target.label or "")
    return Column(name, field.name)


def _related(model: TenantModel, entity: Entity, name: str, path: str) -> Column | None:
    """Return what ``company.name`` means: the field that refers to companies, by their name."""
    first, dot, by = path.partition(".")
    found = [
        field
        for field in entity.fields.values()
        if dot and _writable(field) and (target := _target(model, field)) is not None
        and by in target.fields and _plain(first) in {*_called(field), _plain(target.name)}
    ]  # fmt: skip
    return Column(name, found[0].name, by) if len(found) == 1 else None


def _by_label(model: TenantModel, entity: Entity, name: str) -> Column | None:
    """Return what ``company`` means: the field that refers to companies, by what they are called."""
    for field in entity.fields.values():
        target = _target(model, field)
        if (
            target is not None
            and _writable(field)
            and target.label in target.fields
            and _plain(name) in _called(field)
        ):
            return Column(name, field.name, target.label or "")
    return None


def _called(field: Field) -> set[str]:
    return {_plain(field.name), _plain(field.name.removesuffix("_id"))}


def _target(model: TenantModel, field: Field) -> Entity | None:
    return None if field.references is None else model.entities.get(field.references.entity)


def _writable(field: Field) -> bool:
    return not (
        field.read_only or field.virtual or field.computed is not None or field.sequence is not None
        or field.generated in {"managed", "identity", "sequence"}
    )  # fmt: skip


def _names(entity: Entity) -> dict[str, Field]:
    """Return the fields by every name somebody may call them; their own name wins."""
    named = {_plain(title): field for field in entity.fields.values() for title in field.title.values()}
    named |= {_plain(old): field for field in entity.fields.values() for old in field.renamed_from}
    return named | {_plain(field.name): field for field in entity.fields.values()}


def _plain(name: str) -> str:
    return _OTHERS.sub("_", name.casefold()).strip("_")


def _unknown(name: str, known: Mapping[str, Field]) -> str:
    near = difflib.get_close_matches(_plain(name), known, 1)
    return "no field is called like that" + (f"; do you mean '{known[near[0]].name}'?" if near else "")
