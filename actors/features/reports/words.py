"""What people read in a report on paper: headings, values, and what it was made with.

Decides how numbers and days are written in a language; English where we do not know it. Pure.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from actors.features.reports.running import Made
from schemas.compiler.expressions.shapes import relation_name
from schemas.compiler.model import Entity, TenantModel
from schemas.compiler.report_query import Column

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "count": "{}", "sum": "{}", "avg": "{} (average)", "min": "{} (lowest)", "max": "{} (highest)",
        "total": "Total", "rows": "rows", "cut": "there are more; only the first are shown",
        "none": "without", "true": "yes", "false": "no", "mail": "The report is attached.",
    },
    "de": {
        "count": "{}", "sum": "{}", "avg": "{} (Durchschnitt)", "min": "{} (kleinster Wert)",
        "max": "{} (größter Wert)", "total": "Summe", "rows": "Zeilen",
        "cut": "es gibt mehr; nur die ersten sind zu sehen", "none": "ohne", "true": "ja", "false": "nein",
        "mail": "Der Bericht hängt an.",
    },
}  # fmt: skip
_NUMBERS = frozenset({"bigint", "integer", "numeric", "double"})


def language_of(model: TenantModel) -> str:
    """Return the language of the tenant's papers: its first."""
    return model.languages[0] if model.languages else "en"


def word(name: str, language: str) -> str:
    """Return one of our own words."""
    return _WORDS.get(language, _WORDS["en"])[name]


def title_of(titles: Mapping[str, str], name: str, language: str) -> str:
    """Return a title in a language, else any, else the name in words."""
    plain = name.replace("_", " ").replace("-", " ").strip()
    return titles.get(language) or next(iter(titles.values()), "") or plain[:1].upper() + plain[1:]


def heading(model: TenantModel, entity: Entity, column: Column, language: str) -> str:
    """Return what a column is called."""
    if column.field is None:
        named = title_of(entity.title, entity.name, language)
    else:
        named = title_of(column.field.title, column.field.name, language)
        if len(column.path) > 1:
            named = _along(model, entity, column, named, language)
    told = _WORDS.get(language, _WORDS["en"])[column.aggregate].format(named) if column.aggregate else named
    currency = column.field.options.get("currency") if column.field and column.aggregate != "count" else None
    return f"{told} {currency}" if currency else told


def _along(model: TenantModel, entity: Entity, column: Column, named: str, language: str) -> str:
    """Return the heading of another entity's field: the relation's name when it is what rows are called."""
    holder = ""
    for step in column.path[:-1]:
        key = next(
            one
            for one in entity.fields.values()
            if one.references is not None and step in {relation_name(one.name), one.name}
        )
        holder = title_of(key.title, relation_name(key.name), language)
        if key.references is not None:
            entity = model.entities[key.references.entity]
    return holder if entity.label == column.path[-1] else f"{holder}: {named}"


def digits_of(column: Column) -> int | None:
    """Return the decimals a column's numbers are shown with, None for as many as there are."""
    if column.kind in {"bigint", "integer"}:
        return 0
    field = column.field
    if field is None or column.kind not in _NUMBERS:
        return None
    step = Decimal(str(field.schema.get("multipleOf", 0)))
    exponent = step.normalize().as_tuple().exponent
    if step and isinstance(exponent, int):
        return max(0, -exponent)
    return 2 if field.options.get("currency") or column.aggregate == "avg" else None


def is_number(column: Column) -> bool:
    """Whether a column's values stand at the right."""
    return column.kind in _NUMBERS


def shown(value: Any, column: Column, model: TenantModel, language: str) -> str:  # noqa: ANN401 - JSON
    """Return a value as people read it."""
    if value is None:
        return "" if column.aggregate else word("none", language)
    if isinstance(value, bool):
        return word("true" if value else "false", language)
    if isinstance(value, int | Decimal):
        return number(value, digits_of(column), language)
    if isinstance(value, str) and column.kind in {"date", "datetime"}:
        return _day(value, column.kind, model.timezone, language)
    return str(value)


def number(value: int | Decimal, digits: int | None, language: str) -> str:
    """Return a number with its thousands apart."""
    text = f"{value:,f}" if digits is None else f"{value:,.{digits}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text


def _day(text: str, kind: str, zone: str, language: str) -> str:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text
    form = "%d.%m.%Y" if language == "de" else "%Y-%m-%d"
    if kind == "date":
        return moment.strftime(form)
    return moment.astimezone(ZoneInfo(zone)).strftime(f"{form} %H:%M")


def made_with(made: Made, model: TenantModel, language: str) -> list[str]:
    """Return lines about how a report was made: the values of its parameters, and when."""
    told = [
        f"{title_of(_titles(made.report.params[name]), name, language)}: {_said(value, language)}"
        for name, value in made.values.items()
        if value is not None
    ]
    at = _day(made.at.isoformat(), "datetime", model.timezone, language)
    count = f"{number(len(made.rows), 0, language)} {word('rows', language)}"
    cut = [] if made.complete else [word("cut", language)]
    return [*told, ", ".join((at, count, *cut))]


def _titles(schema: Mapping[str, Any]) -> Mapping[str, str]:
    titles = schema.get("title")
    return titles if isinstance(titles, Mapping) else {}


def _said(value: Any, language: str) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, list | tuple):
        return ", ".join(_said(one, language) for one in value)
    if isinstance(value, bool):
        return word("true" if value else "false", language)
    return number(value, None, language) if isinstance(value, Decimal) else str(value)
