"""What PostgreSQL's refusals and the driver's errors mean to a caller: the one place that reads SQLSTATEs.

Decides codes and words. Nothing of PostgreSQL's own text goes through. Called by ``executor``.
"""

import json
import re
from collections.abc import Callable

import asyncpg

from actors.messages import ProblemError

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    OSError,
)
CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_STALE = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.OutdatedSchemaCacheError,
)
_DETAIL_COLUMNS = re.compile(r"Key \((?P<columns>.*?)\)=\(")
_LOWERED = re.compile(r"lower\(([^()]*?)(?:::text)?\)")
_DETAIL_TABLE = re.compile(r'table "(?P<table>[^"]*)"\.$')
_STILL_REFERENCED = "is still referenced"


class StaleGenerationError(Exception):
    """The tables are not what this generation was compiled for; nothing was changed. Run the call again."""


def problem(error: Exception, *, reads: bool) -> Exception:
    """Return what a caller is told about an error of the driver or of PostgreSQL.

    Args:
        error: as raised.
        reads: nothing can have been changed, so a lost connection leaves no doubt.
    """
    if isinstance(error, _STALE):
        return StaleGenerationError()
    if isinstance(error, asyncpg.FeatureNotSupportedError) and "cached plan" in str(error):
        return StaleGenerationError()
    if isinstance(error, LOST):
        return (
            ProblemError("database.unavailable", "the database cannot be reached")
            if reads
            else outcome_unknown()
        )
    if isinstance(error, TimeoutError):
        if reads:
            return ProblemError("query_timeout", "the query took too long and was stopped")
        return outcome_unknown()
    if isinstance(error, asyncpg.PostgresError):
        return _refusal(error)
    if isinstance(error, asyncpg.DataError | ValueError | UnicodeError):
        return ProblemError("22P02", "a value cannot be stored as text")
    return error


def outcome_unknown() -> ProblemError:
    """Return the refusal for a change of which nobody knows whether it was kept."""
    return ProblemError(
        "outcome_unknown",
        "the connection to the database was lost before it confirmed the change",
        hint="repeat the request with the same Idempotency-Key to learn what happened",
    )


def _refusal(error: asyncpg.PostgresError) -> ProblemError:
    state = str(error.sqlstate or "")
    make = _BY_STATE.get(state)
    if make is not None:
        return make(error)
    if state[:2] == "BS":
        return _refused_by_rule(state, str(error.detail or ""))
    code, message = _BY_CLASS.get(state[:2], ("http.internal", "the database could not answer"))
    return ProblemError(code or state, message)


def _refused_by_rule(state: str, detail: str) -> ProblemError:
    if state == "BS429":
        return ProblemError(
            "PGRST124",
            "Query result exceeds max-affected preference constraint",
            details=f"The query affects {detail} rows",
        )
    if state == "BS423":
        return _held(detail)
    if state == "BS424":
        text = "no uploaded file that waits for this field has this id"
        errors = _field_errors([detail], "no_such_file", text)
        return ProblemError("file.unknown", f"{detail}: {text}", errors=errors)
    if state == "BS410":
        text = f"what rows of {detail} were at that moment is not kept"
        hint = "keeping began later, was off, or the file's 'history: keep' is shorter"
        return ProblemError("history.not_kept", text, hint=hint)
    code, message = _BY_REFUSAL.get(state, ("P0001", "the request was refused"))
    return ProblemError(code, detail or message)


def _held(detail: str) -> ProblemError:
    """Return the refusal of a write against a workflow; the statement says which fields, in which state."""
    found = json.loads(detail)
    if "first" in found[0]:
        name, first = found[0]["field"], found[0]["first"]
        text = f"rows begin as '{first}'"
        return ProblemError("workflow.state", text, errors=_field_errors([name], "state", text))
    held = {one["field"]: one["state"] for one in found if one["field"] != one["of"]}
    if len(held) < len({one["field"] for one in found}):
        text = f"'{found[0]['of']}' changes by transitions only"
        return ProblemError(
            "workflow.state", text, hint="POST to .../{id}/transitions/{name}",
            errors=_field_errors([found[0]["of"]], "state", text),
        )  # fmt: skip
    errors = tuple(
        {"pointer": f"/{name}", "code": "locked", "detail": f"locked while '{state}'"}
        for name, state in held.items()
    )
    return ProblemError("workflow.locked", f"locked in this state: {', '.join(held)}", errors=errors)


def _columns(error: asyncpg.PostgresError) -> list[str]:
    found = _DETAIL_COLUMNS.match(str(error.detail or ""))
    names = _LOWERED.sub(r"\1", found["columns"]).split(", ") if found else []
    return [name.strip('"') for name in names if name.replace("_", "").strip('"').isalnum()]


def _field_errors(names: list[str], code: str, text: str) -> tuple[dict[str, str], ...]:
    return tuple({"pointer": f"/{name}", "code": code, "detail": text} for name in names)


def _taken(error: asyncpg.PostgresError) -> ProblemError:
    names = _columns(error)
    what = ", ".join(names) or "these values"
    return ProblemError(
        "23505",
        f"duplicate key value: another row has the same {what}",
        errors=_field_errors(names, "taken", "another row has this value"),
    )


def _no_parent(error: asyncpg.PostgresError) -> ProblemError:
    detail = str(error.detail or "")
    names, table = _columns(error), _DETAIL_TABLE.search(detail)
    where = f" of {table['table']}" if table else ""
    if _STILL_REFERENCED in detail:
        return ProblemError("23503", f"rows{where} still refer to this row")
    return ProblemError(
        "23503",
        f"{', '.join(names) or 'a reference'} names no row{where}",
        errors=_field_errors(names, "no_such_row", "there is no such row"),
    )


def _missing(error: asyncpg.PostgresError) -> ProblemError:
    name = str(error.column_name or "")
    names = [name] if name else []
    return ProblemError(
        "23502",
        f"{name or 'a field'} needs a value",
        errors=_field_errors(names, "required", "a value is required"),
    )


def _unfit(error: asyncpg.PostgresError) -> ProblemError:
    return ProblemError("23514", f"a value breaks the constraint {error.constraint_name or ''}".rstrip())


_BY_STATE: dict[str, Callable[[asyncpg.PostgresError], ProblemError]] = {
    "23505": _taken,
    "23503": _no_parent,
    "23001": _no_parent,
    "23502": _missing,
    "23514": _unfit,
    "57014": lambda _: ProblemError("query_timeout", "the query took too long and was stopped"),
    "55P03": lambda _: ProblemError("database.busy", "a lock was not free in time"),
    "40P01": lambda _: ProblemError("database.conflict", "other changes kept getting in the way"),
    "40001": lambda _: ProblemError("database.conflict", "other changes kept getting in the way"),
    "53100": lambda _: ProblemError("storage_full", "the database has no space left"),
    "25006": lambda _: ProblemError("database.unavailable", "the database accepts no changes at the moment"),
    "42501": lambda _: ProblemError("42501", "this is not allowed"),
    "54001": lambda _: ProblemError("54001", "the query is too complex"),
}
_BY_CLASS: dict[str, tuple[str, str]] = {
    "21": ("", "the body names the same row twice"),
    "22": ("", "a value does not fit the type it is compared with or stored in"),
    "23": ("", "a constraint is not met"),
    "08": ("database.unavailable", "the database cannot be reached"),
    "25": ("database.unavailable", "the database accepts no changes at the moment"),
    "28": ("database.unavailable", "the database cannot be reached"),
    "40": ("database.conflict", "other changes kept getting in the way"),
    "42": ("", "the operator or function does not go with the type of its value"),
    "53": ("database.unavailable", "the database is out of resources"),
    "54": ("", "the query is too large"),
    "55": ("database.busy", "the database is busy with this object"),
    "57": ("database.unavailable", "the database is stopping"),
    "58": ("database.unavailable", "the database has a problem of its own"),
    "0A": ("22023", "the database cannot do this with these values"),
    "XX": ("database.unavailable", "the database has a problem of its own"),
}
_BY_REFUSAL: dict[str, tuple[str, str]] = {
    "BS400": ("write.refused", "the request was refused"),
    "BS403": ("42501", "new row is outside what the caller may write"),
    "BS404": ("row.not_found", "there is no such row"),
    "BS409": ("database.conflict", "the row was changed by somebody else"),
    "BS412": ("row.version_mismatch", "the row was changed by somebody else"),
    "BS422": ("rule.violated", "a rule is not met"),
}
