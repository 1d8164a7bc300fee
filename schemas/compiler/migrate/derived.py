"""The row trigger of an entity: stored computed fields and numbered fields such as ``INV-{year}-{n:05}``.

A counter row per field and period is locked until the insert commits, so numbers have no gaps. Counters live
in the namespace's ``_counters`` table under ``entity.field:period``.
"""

import re

from schemas.compiler.migrate.catalog import COUNTERS, Derive, Ref, Template, mark, render
from schemas.compiler.migrate.literals import text_literal

_PLACEHOLDER = re.compile(r"\{(year|month|day|n)(?::0(\d{1,2}))?\}")
_DATE_PARTS = {"year": "YYYY", "month": "MM", "day": "DD"}
NAMESPACE = "\x00namespace\x00"
"""Stands for the namespace in a body until the printer knows it; no SQL text contains it."""


def derive(
    entity: str, sequences: dict[str, str], computed: dict[str, Template], timezone: str
) -> Derive | None:
    """Return the row trigger of an entity, or None when it needs none.

    Args:
        entity: the table.
        sequences: pattern by field.
        computed: SQL over the row by field; column references are of the new row.
        timezone: where ``{year}`` begins.
    """
    if not sequences and not computed:
        return None
    body: list[str | Ref] = []
    for name, pattern in sequences.items():
        column = Ref(name)
        value, period = _numbered(pattern, timezone)
        body += [
            "  IF NEW.", column, " IS NULL THEN\n",
            f"    INSERT INTO {NAMESPACE}.{COUNTERS} AS c (scope, n) VALUES (",
            f"{text_literal(f'{entity}.{name}:')} || {period}, 1)\n",
            "      ON CONFLICT (scope) DO UPDATE SET n = c.n + 1 RETURNING c.n INTO counter;\n",
            "    NEW.", column, f" := {value};\n  END IF;\n",
        ]  # fmt: skip
    for name, template in computed.items():
        body += ["  NEW.", Ref(name), " := "]
        for part in template:
            body += ["NEW.", part] if isinstance(part, Ref) else [part]
        body.append(";\n")
    declarations = "  counter bigint;\n" if sequences else ""
    columns = (*sequences, *computed)
    return Derive(
        mark(entity + declarations + render(tuple(body))),
        columns,
        tuple(body),
        declarations,
        tuple(sequences),
    )


def _numbered(pattern: str, timezone: str) -> tuple[str, str]:
    """Return the SQL of a number's text and of the period its counter belongs to."""
    moment = f"(now() AT TIME ZONE {text_literal(timezone)})"
    parts: list[str] = []
    periods: list[str] = []
    start = 0
    for found in _PLACEHOLDER.finditer(pattern):
        if pattern[start : found.start()]:
            parts.append(text_literal(pattern[start : found.start()]))
        kind, width = found.group(1), found.group(2)
        if kind == "n":
            parts.append(f"lpad(counter::text, greatest({int(width or 1)}, length(counter::text)), '0')")
        else:
            periods.append(f"to_char({moment}, '{_DATE_PARTS[kind]}')")
            parts.append(periods[-1])
        start = found.end()
    if pattern[start:]:
        parts.append(text_literal(pattern[start:]))
    return " || ".join(parts), " || '-' || ".join(periods) or "''"
