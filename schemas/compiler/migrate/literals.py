"""Values as SQL literals, for DDL alone: PostgreSQL takes no parameters there. Requests never come here."""

import json
import re
from decimal import Decimal

from schemas.compiler.migrate.catalog import Ref, Template
from schemas.compiler.sql import Const, Fragment, Slot

_TYPE = re.compile(r"[a-z][a-z0-9 ]*(\(\d+(,\d+)?\))?( with(out)? time zone)?(\[\])?")


class NotConstantError(Exception):
    """An expression depends on the caller or the time, so it can't be part of the table's definition."""


def text_literal(value: str) -> str:
    """Return ``value`` as a string literal that means the same whatever the server's settings."""
    if "\0" in value:
        raise NotConstantError("PostgreSQL stores no NUL character")
    quoted = value.replace("'", "''")
    if "\\" in quoted:
        return " E'" + quoted.replace("\\", "\\\\") + "'"
    return f"'{quoted}'"


def literal(value: str | None, pg_type: str) -> str:
    """Return a value in text form as a literal of ``pg_type``."""
    if not _TYPE.fullmatch(pg_type):
        raise NotConstantError(f"{pg_type!r} is no type of a tenant file")
    return f"{'NULL' if value is None else text_literal(value)}::{pg_type}"


def json_literal(value: object, pg_type: str) -> str:
    """Return a value of a YAML file (a default, an enum member) as a literal of ``pg_type``."""
    if pg_type.endswith("[]") and isinstance(value, list | tuple):
        items = ", ".join(json_literal(item, pg_type[:-2]) for item in value)
        return f"ARRAY[{items}]::{pg_type}"
    if value is None:
        return literal(None, pg_type)
    if pg_type == "jsonb":
        return literal(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str), pg_type)
    if isinstance(value, bool):
        return literal("true" if value else "false", pg_type)
    if isinstance(value, Decimal):
        return literal(format(value, "f"), pg_type)
    return literal(str(value), pg_type)


def inline(fragment: Fragment, alias: str) -> Template:
    """Return a fragment with its constants written out and ``alias."column"`` turned into column references.

    Raises:
        NotConstantError: it reads the caller or the clock.
    """
    reference = re.compile(re.escape(alias) + r'\."((?:[^"]|"")+)"')
    parts: list[str | Ref] = []
    for part in fragment.parts:
        if isinstance(part, Const):
            parts.append(_const(part))
        elif isinstance(part, str):
            start = 0
            for found in reference.finditer(part):
                parts.extend((part[start : found.start()], Ref(found.group(1).replace('""', '"'))))
                start = found.end()
            parts.append(part[start:])
        else:
            what = "a request's value" if isinstance(part, Slot) else "the caller or the time"
            raise NotConstantError(f"it reads {what}")
    return tuple(part for part in parts if part != "")


def _const(constant: Const) -> str:
    if isinstance(constant.value, tuple):
        element = constant.pg_type.removesuffix("[]")
        items = ", ".join(literal(item, element) for item in constant.value)
        return f"ARRAY[{items}]::{element}[]"
    return literal(constant.value, constant.pg_type)
