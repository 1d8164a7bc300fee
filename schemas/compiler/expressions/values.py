"""Values of expressions in Python: text forms, and reading them from JSON rows.

Total: what does not fit is None. The same text forms are accepted by the SQL back end, so that both agree on
what is absent.
"""

import datetime as dt
import ipaddress
import re
from decimal import Decimal, InvalidOperation

from schemas.compiler.expressions.celtypes import CelType
from schemas.compiler.expressions.syntax import Value

UTC = dt.UTC
UUID_TEXT = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
INT_TEXT = r"[+-]?[0-9]{1,18}"
NUMBER_TEXT = r"[+-]?[0-9]{1,30}([.][0-9]{1,30})?([eE][+-]?[0-9]{1,2})?"
DATE_TEXT = r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
TIMESTAMP_TEXT = (
    DATE_TEXT + r"[Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?"
    r"([Zz]|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)
_UUID = re.compile(UUID_TEXT, re.ASCII)
_INT = re.compile(INT_TEXT, re.ASCII)
_NUMBER = re.compile(NUMBER_TEXT, re.ASCII)
_DATE = re.compile(DATE_TEXT, re.ASCII)
_TIMESTAMP = re.compile(TIMESTAMP_TEXT, re.ASCII)
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?", re.ASCII)
_DURATION = re.compile(r"([+-]?)((?:[0-9]{1,10}(?:[.][0-9]{1,6})?(?:h|ms|us|m|s|d))+)", re.ASCII)
_DURATION_PART = re.compile(r"([0-9]+(?:[.][0-9]+)?)(h|ms|us|m|s|d)", re.ASCII)
_UNIT_MICROSECONDS = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
JSON_NUMBER_LIMIT = Decimal("1e100")
"""A JSON number beyond it is absent, so that no bounded arithmetic overflows."""
MAX_DURATION = dt.timedelta(days=36_525)


def canonical_text(value: str, pg_type: str) -> str | None:
    """Return a text in the form PostgreSQL prints for ``pg_type``, None when it is not one."""
    match pg_type:
        case "uuid":
            lowered = value.lower()
            return lowered if _UUID.fullmatch(lowered) else None
        case "inet":
            try:
                return str(ipaddress.ip_address(value))
            except ValueError:
                return None
        case _:
            return None if "\x00" in value else value


def parse_text(value: str, kind: CelType) -> Value:
    """Read a text as a scalar of a type; None when it is not one."""
    match kind.kind:
        case "string" | "any":
            return value
        case "bool":
            return {"true": True, "false": False}.get(value)
        case "int":
            return int(value) if _INT.fullmatch(value) else None
        case "decimal":
            return Decimal(value) if _NUMBER.fullmatch(value) else None
        case "double":
            return float(value) if _NUMBER.fullmatch(value) else None
        case "date":
            return parse_date(value)
        case "timestamp":
            return parse_timestamp(value)
        case "time":
            return dt.time.fromisoformat(value) if _TIME.fullmatch(value) else None
        case "duration":
            return parse_duration(value)
        case _:
            return None


def parse_date(value: str) -> dt.date | None:
    """Read ``YYYY-MM-DD``."""
    if not _DATE.fullmatch(value):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def parse_timestamp(value: str) -> dt.datetime | None:
    """Read an RFC 3339 time with an offset."""
    if not _TIMESTAMP.fullmatch(value):
        return None
    try:
        return dt.datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_duration(value: str) -> dt.timedelta | None:
    """Read ``1h30m``, ``500ms``, ``3d``; at most a hundred years."""
    found = _DURATION.fullmatch(value)
    if found is None:
        return None
    total = sum(
        Decimal(number) * _UNIT_MICROSECONDS[unit] for number, unit in _DURATION_PART.findall(found[2])
    )
    if total > MAX_DURATION // dt.timedelta(microseconds=1):
        return None
    duration = dt.timedelta(microseconds=int(total))
    return -duration if found[1] == "-" else duration


def text_of(value: object) -> str:
    """Return the text form PostgreSQL casts a value from."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format(value, "f")
        case dt.timedelta():
            return format(seconds(value), "f")
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case float():
            return repr(value)
        case _:
            return str(value)


def seconds(value: dt.timedelta) -> Decimal:
    """Return a duration in seconds, exactly."""
    return Decimal(value // dt.timedelta(microseconds=1)).scaleb(-6)


def decimal_of(value: object) -> Decimal | None:
    """Return a number as a decimal; a double by 15 significant digits, as PostgreSQL casts it."""
    match value:
        case bool():
            return None
        case int():
            return Decimal(value)
        case Decimal():
            return value
        case float():
            return Decimal(format(value, ".15g"))
        case _:
            return None


def from_row(value: object, kind: CelType, pg_type: str) -> object:
    """Read a column's value from a row decoded from JSON, or from a driver's row.

    Args:
        value: text, number, bool, list or None; dates, uuids and numerics may be texts or the Python types.
        kind: the column's type in expressions.
        pg_type: the column's PostgreSQL type.
    """
    if value is None:
        return None
    match kind.kind:
        case "string":
            text = value if isinstance(value, str) else str(value)
            return text if pg_type in {"text", "citext"} else canonical_text(text, pg_type)
        case "bool":
            return value if isinstance(value, bool) else None
        case "int" | "decimal" | "double":
            return _number(value, kind)
        case "timestamp":
            return _timestamp(value)
        case "date" | "time":
            return parse_text(value, kind) if isinstance(value, str) else value
        case "list" if kind.stored != "json" and kind.element is not None:
            element = kind.element
            items = value if isinstance(value, list | tuple) else []
            return [from_row(item, element, pg_type.removesuffix("[]")) for item in items]
        case _:
            return value


def _number(value: object, kind: CelType) -> object:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
    if not isinstance(value, int | float | Decimal):
        return None
    match kind.kind:
        case "double":
            return float(value)
        case "int":
            return int(value) if value == int(value) else None
        case _:
            return Decimal(repr(value)) if isinstance(value, float) else decimal_of(value)


def _timestamp(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if not isinstance(value, str):
        return None
    try:
        parsed = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def from_json(value: object, kind: CelType) -> object:
    """Read a JSON value as a scalar; None when it is of another JSON type."""
    match kind.kind:
        case "string":
            return value if isinstance(value, str) else None
        case "bool":
            return value if isinstance(value, bool) else None
        case "int":
            number = _json_number(value)
            return int(number) if number is not None and number == number.to_integral_value() else None
        case _:
            return _json_number(value)


def _json_number(value: object) -> Decimal | None:
    number = Decimal(repr(value)) if isinstance(value, float) else decimal_of(value)
    return number if number is not None and abs(number) < JSON_NUMBER_LIMIT else None
