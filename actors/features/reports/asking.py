"""Which report somebody asks for, and with which values of its parameters.

Decides who may ask for one (its ``roles``), what a value must meet, and what stands in for one that nobody
gives. Called by ``operations`` and ``mailing``.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

from actors.messages import ProblemError
from actors.tenant import validation
from actors.tenant.generation import Generation
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.principal import SERVICE_ROLE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.reports import Report

_REMARKS = frozenset({"title", "default", "references", "examples", "description", "deprecated", "$comment"})
_WRITTEN = frozenset({"integer", "number", "boolean"})
_MOST = 200
"""Parameters in one address, and items of a list."""

Finding = dict[str, Any]


def reports_of(generation: Generation) -> Mapping[str, Report]:
    """Return the file's reports by name."""
    reports: Mapping[str, Report] = generation.model.sections.get("reports") or {}
    return reports


def may_ask(report: Report, principal: Principal) -> bool:
    """Whether a report is for somebody; which rows are in it, access decides."""
    return not report.roles or not principal.roles.isdisjoint({SERVICE_ROLE, *report.roles})


def find(generation: Generation, name: str, principal: Principal) -> Report:
    """Return a report.

    Raises:
        ProblemError: report.not_found, also for one that is not for the caller.
    """
    report = reports_of(generation).get(name)
    if report is None or not may_ask(report, principal):
        raise ProblemError(
            "report.not_found",
            f"there is no report '{name[:80]}' for you",
            hint="reports/v1 lists those there are",
        )
    return report


def values_of(
    generation: Generation, name: str, report: Report, query: str, principal: Principal, now: dt.datetime
) -> dict[str, Any]:
    """Return the value of each parameter, None for none.

    Args:
        generation: keeps the validators.
        name: of the report.
        report: whose parameters they are.
        query: raw query string; an empty value is none, also where there is a default.
        principal: for defaults.
        now: for defaults.

    Raises:
        ProblemError: validation.failed, with a pointer per parameter; PGRST100 for what is no query.
    """
    given = _given(query)
    errors = [
        _finding(key, "unknown_field", "the report has no such parameter")
        for key in given
        if key not in report.params
    ]
    values: dict[str, Any] = {}
    for key, schema in report.params.items():
        texts = given.get(key)
        if texts is None:
            values[key] = _default(generation, schema, principal, now)
            if values[key] is None and isinstance(schema.get("default"), Expression):
                errors.append(_finding(key, "required", "a value is required: its default has none"))
            continue
        if len(texts) > 1 and _type(schema) != "array":
            errors.append(_finding(key, "repeated", "it is given twice"))
            continue
        values[key] = _typed(texts, schema)
        check = _validator(generation, name, key, schema)
        if values[key] is not None:
            errors += [
                _finding(
                    key, str(error.schema_path[-1]) if error.schema_path else "invalid", error.message[:300]
                )
                for error in check.iter_errors(values[key])
            ]
    if errors:
        raise validation.refusal(errors)
    return values


def _given(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except ValueError:
        raise ProblemError("PGRST100", "the query string cannot be read") from None
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        if "\0" in value:
            raise ProblemError("PGRST100", "the query string holds the character U+0000")
        given.setdefault(key, []).append(value)
    return given


def _type(schema: Mapping[str, Any]) -> str:
    declared = schema.get("type", "string")
    return (
        declared if isinstance(declared, str) else next((one for one in declared if one != "null"), "string")
    )


def _typed(texts: list[str], schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return what stands in an address as the schema wants it; None for nothing."""
    if _type(schema) == "array":
        items = [item for text in texts for item in text.split(",") if item]
        inner = schema.get("items") or {}
        return [_one(item, _type(inner)) for item in items[:_MOST]] or None
    return _one(texts[0], _type(schema)) if texts[0] else None


def _one(text: str, kind: str) -> Any:  # noqa: ANN401 - JSON
    if kind not in _WRITTEN:
        return text
    try:
        return decode_json(text.encode())
    except QueryError:
        return text


def _default(
    generation: Generation, schema: Mapping[str, Any], principal: Principal, now: dt.datetime
) -> Any:  # noqa: ANN401 - JSON
    default = schema.get("default")
    if not isinstance(default, Expression):
        return default
    model = generation.model
    env = Env(user=principal, tenant={"slug": model.slug}, now=now, timezone=model.timezone)
    value = to_python(default)(env)
    return value.isoformat() if isinstance(value, dt.datetime | dt.date | dt.time) else value


def _validator(
    generation: Generation, name: str, key: str, schema: Mapping[str, Any]
) -> jsonschema_rs.Validator:
    place = f"report:{name}:{key}"
    check = generation.arguments.get(place)
    if check is None:
        wanted = {word: value for word, value in schema.items() if word not in _REMARKS}
        check = generation.arguments[place] = jsonschema_rs.validator_for(
            wanted, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    return check


def _finding(key: str, code: str, detail: str) -> Finding:
    pointer = key[:200].replace("~", "~0").replace("/", "~1")
    return {"pointer": f"/{pointer}", "code": code, "detail": detail}
