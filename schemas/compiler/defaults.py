"""A field's ``default``: a literal that fits the field, or an expression over caller, tenant and time.

Decides which of the two a text is: for a text field it is a literal unless it begins like an expression
(``user.``, ``tenant.``, ``now``, ``today()``); for any other field it is a literal if it reads as one. Called
by ``resolve``.
"""

import datetime as dt
import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal

import jsonschema_rs
from msgspec.structs import replace

from schemas.compiler.expressions.celtypes import type_of_column
from schemas.compiler.expressions.check import literal_expression
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import did_you_mean
from schemas.compiler.formulas import Use
from schemas.compiler.model import Field
from schemas.compiler.nodes import Node, Scalar, plain
from schemas.compiler.scope import Scope

EXPRESSION = re.compile(
    r"\s*\(*\s*((user|tenant|request|self|old|oldSelf)\s*\.|now\b|today\s*\(|timestamp\s*\(|duration\s*\()",
    re.ASCII,
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_USE_SAYS = "a default"


def default_of(field: Field, node: Node, scope: Scope) -> Field:
    """Return the field with its default: both the literal and its expression, or the expression alone."""
    value = plain(node)
    if isinstance(value, str) and isinstance(node, Scalar) and _is_expression(field, value):
        return replace(field, default=_computed_default(field, node, scope))
    problem = _problem(field, value)
    if problem:
        words = [word for word in field.schema.get("enum", ()) if isinstance(word, str)]
        hint = did_you_mean(str(value), words) if words else ""
        scope.findings.error(
            "field.default", f"the default of '{field.name}' does not fit it: {problem}", node, hint
        )
        return field
    if isinstance(value, str | int | float) and field.kind not in {"json", "array"}:
        exact = value if isinstance(value, str | bool | int) else _decimal(node)
        kind = type_of_column(field.pg_type, field.schema)
        if kind.kind in {"string", "int", "decimal", "double", "bool"}:
            return replace(field, default=literal_expression(exact, kind), default_value=value)
    return replace(field, default_value=value)


def _is_expression(field: Field, text: str) -> bool:
    if text in field.schema.get("enum", ()):
        return False
    if field.kind in {"text", "file", "password"} or "enum" in field.schema:
        return EXPRESSION.match(text) is not None
    reads = _LITERALS.get(field.kind)
    return reads is None or not _reads_as(reads, text)


def _reads_as(read: Callable[[str], object], text: str) -> bool:
    try:
        return bool(read(text))
    except ValueError:
        return False


_LITERALS: dict[str, Callable[[str], object]] = {
    "uuid": _UUID.fullmatch,
    "date": dt.date.fromisoformat,
    "time": lambda text: dt.time.fromisoformat(text) is not None,
    "datetime": dt.datetime.fromisoformat,
    "inet": ipaddress.ip_address,
    "range": lambda text: text[:1] in {"[", "("} or text == "empty",
}


def _computed_default(field: Field, node: Scalar, scope: Scope) -> Expression | None:
    expression = scope.expression(node, Use(_USE_SAYS, field, "either", row=True))
    if expression is not None and field.name in expression.names:
        scope.findings.error(
            "field.default", f"the default of '{field.name}' reads '{field.name}' itself", node
        )
    return expression


def _problem(field: Field, value: object) -> str:
    validator = jsonschema_rs.Draft202012Validator(
        dict(field.schema), validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
    )
    return "; ".join(error.message for error in validator.iter_errors(value))


def _decimal(node: Node) -> Decimal:
    return Decimal(node.text if isinstance(node, Scalar) else "0")
