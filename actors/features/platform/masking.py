"""What stands in a copy where a field is ``personal``: something believable that tells nothing about anybody.

Decides by the field's form and name. The same value gives the same mask in every copy of a tenant, so that
what was equal stays equal and what was unique stays unique; with the installation's secret in it, so that
nobody finds out by trying values. Pure: SQL expressions over a column. Called by ``copying``.
"""

import re
from collections.abc import Sequence

from actors.seed.vocabulary import FIRST_NAMES, LAST_NAMES, SENTENCES, STREETS
from schemas.compiler.migrate.literals import text_literal
from schemas.compiler.model import Field

_NUMBERS = frozenset({"integer", "bigint", "numeric", "double"})
_LONGEST = 200


def mask(field: Field, here: str, secret: str) -> str:
    """Return the expression that stands for a column's value.

    Args:
        field: the column's.
        here: the column, quoted.
        secret: hexadecimal; another one gives other masks.
    """
    hashed = f"md5('{secret}' || {here}::text)"
    number = f"('x' || left({hashed}, 7))::bit(28)::integer"
    masked = _text(field, here, hashed, number) if field.kind == "text" else _other(field, hashed, number)
    if not masked:
        masked = f"NULL::{field.pg_type}" if field.nullable else here
    return f"CASE WHEN {here} IS NULL THEN NULL ELSE {masked} END"


def _text(field: Field, here: str, hashed: str, number: str) -> str:
    schema, form = field.schema, field.schema.get("format")
    most = min(int(schema.get("maxLength", _LONGEST)), _LONGEST)
    members = [member for member in schema.get("enum", ()) if isinstance(member, str)]
    if members:
        return "" if field.unique else _pick(members, number)
    if form == "email":
        who = (
            f"{_pick(FIRST_NAMES, number)} || '.' || left({hashed}, 12)"
            if most >= 60
            else f"left({hashed}, 12)"
        )
        return f"lower({who}) || '@masked.invalid'"
    if form == "uri":
        return f"'https://masked.invalid/' || left({hashed}, 12)"
    if form or "const" in schema:
        return ""
    if "pattern" in schema:
        # letters stay letters and digits digits, as patterns mostly ask for
        return (
            ""
            if field.nullable
            else f"translate({here}, '0123456789abcdefghijklmnopqrstuvwxyz', "
            "'7391628405qwertzuiopasdfghjklyxcvbnm')"
        )
    words = _words(field.name, hashed, number)
    if field.unique:
        words = f"{words} || ' ' || left({hashed}, 12)" if most >= 60 else hashed
    words = f"left({words}, {most})"
    least = int(schema.get("minLength", 0))
    return f"rpad({words}, greatest(length({words}), {least}), 'x')" if least > 1 else words


def _words(name: str, hashed: str, number: str) -> str:
    parts = set(re.split(r"[^a-z]+", name.lower()))
    other = f"('x' || right({hashed}, 7))::bit(28)::integer"
    first, last = _pick(FIRST_NAMES, number), _pick(LAST_NAMES, other)
    if parts & {"first", "given", "forename", "firstname"}:
        return first
    if parts & {"last", "family", "surname", "lastname"}:
        return last
    if parts & {"phone", "mobile", "tel", "telephone", "fax", "cell"}:
        return f"'+1 555 ' || lpad(({number} % 10000000)::text, 7, '0')"
    if parts & {"street", "address"}:
        return f"{_pick(STREETS, number)} || ' ' || (1 + {other} % 120)::text"
    if parts & {"name", "fullname", "contact", "person"}:
        return f"{first} || ' ' || {last}"
    return _pick(SENTENCES, number)


def _other(field: Field, hashed: str, number: str) -> str:
    if field.kind in _NUMBERS:
        return _number(field, number)
    plain = {
        "date": f"DATE '1950-01-01' + {number} % 20000",
        "datetime": f"TIMESTAMPTZ '1990-01-01 00:00Z' + make_interval(mins => {number} % 17000000)",
        "boolean": f"{number} % 2 = 0",
        "uuid": f"{hashed}::uuid",
        "json": "" if field.nullable else "'{}'::jsonb",
        "array": "" if field.nullable else f"'{{}}'::{field.pg_type}",
    }
    return "" if field.unique and field.kind != "uuid" else plain.get(field.kind, "")


def _number(field: Field, number: str) -> str:
    schema = field.schema
    least, most = schema.get("minimum", 0), schema.get("maximum")
    simple = isinstance(least, int) and isinstance(most, int | None)
    if not simple or {"enum", "const", "exclusiveMinimum", "exclusiveMaximum"} & schema.keys():
        return ""
    width = 100_000 if most is None else most - least + 1
    if field.unique or width < 1:
        return ""
    return f"({least} + {number} % {min(width, 100_000)})::{field.pg_type}"


def _pick(words: Sequence[str], number: str) -> str:
    listed = ", ".join(text_literal(word) for word in words)
    return f"(ARRAY[{listed}])[1 + {number} % {len(words)}]"
