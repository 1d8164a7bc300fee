"""One write, phase by phase: read the body, validate, fill in, prepare, run with its rules, answer.

Decides what happens to a row between the request and the statement. Rights and checks of the row are in the
statement itself; which connection runs it, and in which transaction, is the caller's, ``operations``'s,
choice.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import unquote_plus

from msgspec import Struct
from msgspec.structs import replace

from actors.features.functions.calls import BY_REQUEST, Origin
from actors.messages import Call, ProblemError
from actors.tenant.attribution import who
from actors.tenant.bodies import Body, Row, decode_body
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from actors.tenant.validation import findings, refusal, validate
from schemas.compiler.model import Entity
from schemas.compiler.principal import SERVICE_ROLE, Principal
from schemas.compiler.query.columns import present_name
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.parse import column_names
from schemas.compiler.query.preferences import Preferences
from schemas.compiler.query.requests import Prepared, WriteRequest
from schemas.compiler.sections.functions import Function

_MISSING = "required"
_MOVE = "transition"
_NO_FIELDS: frozenset[str] = frozenset()
_TAG = '"'


class Move(Struct, frozen=True):
    """A transition that a write of one row is: the state it sets, beside what the body says."""

    name: str
    field: str
    target: str


class Write(Struct, frozen=True):
    """A write ready to run.

    Attributes:
        rows: how many rows the body has, 0 for a delete.
        version: the row version it is based on, or None.
        request: what it was compiled from.
        many: whether the body was a list.
        functions: those that run before it, in declared order; see ``before``.
        findings: what is wrong with the values, when functions are to be heard before it is told.
        missing: what nobody gave, unless a function does.
    """

    entity: Entity
    prepared: Prepared
    preferences: Preferences
    rows: tuple[Row, ...]
    version: str | None
    request: WriteRequest
    many: bool = False
    functions: tuple[Function, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    missing: tuple[dict[str, Any], ...] = ()


def prepare_write(
    generation: Generation,
    call: Call,
    principal: Principal,
    preferences: Preferences,
    today: date,
    origin: Origin = BY_REQUEST,
    move: Move | None = None,
) -> Write:
    """Turn a call into a write; ``origin`` says which functions led to it, ``move`` makes it a transition.

    Raises:
        ProblemError: the body, a value or a precondition is refused.
        QueryError: the query, or the caller's rights.
    """
    entity = generation.queries.entity(call.entity, today)
    version = expected_version(call.if_match) if call.if_match else None
    query = call.query
    body = Body([], many=False)
    found: list[dict[str, Any]] = []
    functions: tuple[Function, ...] = ()
    if "functions" in entity.sections:
        functions = functions_before(entity, call.method if move is None else _MOVE)
    if call.method != "DELETE":
        trusted = SERVICE_ROLE in principal.roles
        body, found = _body(
            generation, call, entity, preferences, today, hooked=bool(functions), trusted=trusted
        )
        if call.method in {"POST", "PUT"}:
            query = _with_key_column(query, entity)
    rows = tuple(body.rows)
    if move is not None:
        rows = ({**rows[0], move.field: move.target},)
    if call.method == "PUT":
        query = _put_target(call, entity, rows)
    request = WriteRequest(
        call.entity,
        rows or _nobody(call, entity),
        call.key,
        query,
        preferences,
        call.accept,
        version,
        today,
        who(call, principal, origin, move.name if move else "")
        if entity.name in generation.queries.attributed
        else None,
        hooked=_NO_FIELDS if move is None else frozenset({move.field}),
        moves=move is not None,
    )
    try:
        prepared = generation.queries.write(VERBS[call.method], request, principal)
    except QueryError as error:
        if error.code != "42501" and (bad := [one for one in found if one["code"] != _MISSING]):
            raise refusal(bad) from error
        raise
    if body.renamed:
        used = ((f"{entity.name}.{old}", new) for old, new in body.renamed.items())
        prepared = replace(prepared, deprecated=(*prepared.deprecated, *used))
    missing = tuple(one for one in found if one["code"] == _MISSING)
    wrong = tuple(one for one in found if one["code"] != _MISSING)
    return Write(entity, prepared, preferences, rows, version, request, body.many, functions, wrong, missing)


def _nobody(call: Call, entity: Entity) -> tuple[Row, ...]:
    """Return what stands for an empty list, so that the right to create is asked for all the same."""
    return ({entity.key: None},) if call.method == "POST" else ()


def functions_before(entity: Entity, method: str) -> tuple[Function, ...]:
    """Return the functions that run before a write of an entity, in declared order."""
    wanted = _TRIGGERS[method]
    functions: Mapping[str, Function] = entity.sections["functions"]
    return tuple(one for one in functions.values() if not wanted.isdisjoint(one.triggers))


_TRIGGERS = {
    "POST": frozenset({"before_create", "before_update"}),
    "PUT": frozenset({"before_create", "before_update"}),
    "PATCH": frozenset({"before_update"}),
    _MOVE: frozenset({"before_update", "before_transition"}),
    "DELETE": frozenset({"before_delete"}),
}
VERBS = {"POST": "insert", "PATCH": "update", "PUT": "replace", "DELETE": "delete"}


def expected_version(if_match: str) -> str | None:
    """Return the row version an If-Match names; None without one, or for ``*``.

    Raises:
        ProblemError: row.version_mismatch for a tag that cannot be any row's.
    """
    tag = if_match.strip()
    if not tag or tag == "*":
        return None
    number = tag[1:-1]
    if not (tag[0] == tag[-1] == _TAG and number.isascii() and number.isdecimal() and len(number) < 19):
        raise ProblemError("row.version_mismatch", "the row has another version", hint="read its ETag again")
    return number


def _body(
    generation: Generation,
    call: Call,
    entity: Entity,
    preferences: Preferences,
    today: date,
    *,
    hooked: bool,
    trusted: bool,
) -> tuple[Body, list[dict[str, Any]]]:
    """Return the rows, and what is wrong with them when functions come first: those may fill in the rest."""
    body = decode_body(call, entity, today)
    columns = column_names(call.query) if "columns=" in call.query else None
    if columns is not None:
        columns = tuple(present_name(entity, name, today) or name for name in columns)
        rows = [{name: row[name] for name in columns if name in row} for row in body.rows]
        body = replace(body, rows=rows)
    if call.method in {"PATCH", "PUT"} and (body.many and len(body.rows) != 1):
        raise ProblemError("PGRST102", f"the body of a {call.method} is one object")
    verb = "update" if call.method == "PATCH" else "create"
    key = entity.fields[entity.key]
    if call.method == "PUT" and call.key is not None:
        row = body.rows[0]
        if str(row.setdefault(entity.key, _typed(call.key, key.kind))) != call.key:
            raise ProblemError("PGRST115", "the key in the body and the key in the path differ")
    star = "*" if trusted else ""
    found: list[dict[str, Any]] = []
    if hooked:
        found = findings(generation, entity, verb + star, body)
    else:
        validate(generation, entity, verb + star, body)
    if verb == "create":
        if key.generated == "uuid":
            for row in body.rows:
                if entity.key not in row:
                    row[entity.key] = new_key()
        if len(body.rows) > 1 or columns is not None:
            _level(entity, body.rows, columns or (), defaults=preferences.missing == "default")
    return body, found


def _level(entity: Entity, rows: list[Row], columns: tuple[str, ...], *, defaults: bool) -> None:
    """Give every row the same fields: what one misses is its default where asked for, else null."""
    names = dict.fromkeys(name for row in rows for name in row)
    # those of ``columns=`` that are not the caller's to write are refused later: nobody fills them here
    names |= dict.fromkeys(
        name for name in columns if name in entity.fields and not entity.fields[name].read_only
    )
    for row in rows:
        if len(row) == len(names):
            continue
        for name in names:
            if name not in row:
                field = entity.fields.get(name)
                fill = field is not None and field.has_default and (defaults or not field.nullable)
                row[name] = field.default_value if field is not None and fill else None


def _with_key_column(query: str, entity: Entity) -> str:
    """Let ``columns=`` keep the key that the server gives."""
    if "columns=" not in query or entity.fields[entity.key].generated != "uuid":
        return query
    parts = query.split("&")
    return "&".join(f'{part},"{entity.key}"' if part.startswith("columns=") else part for part in parts)


def _put_target(call: Call, entity: Entity, rows: tuple[Row, ...]) -> str:
    """Return the query of a PUT without its filter, which must be the key of the row in the body.

    Raises:
        ProblemError: PGRST105, PGRST114, PGRST115.
    """
    others: list[str] = []
    named = call.key
    for part in filter(None, call.query.split("&")):
        word, _, value = part.partition("=")
        if word in {"limit", "offset"}:
            raise ProblemError("PGRST114", "a PUT has no limit and no offset")
        if word in {"select", "columns", "on_conflict"} or "." in word:  # what has a dot is about an embed
            others.append(part)
        elif word == entity.key and value.startswith("eq.") and named is None:
            named = unquote_plus(value.removeprefix("eq."))
        else:
            raise ProblemError("PGRST105", "a PUT filters by the key, with eq, and by nothing else")
    if named is None:
        raise ProblemError("PGRST105", "a PUT names its row: filter by the key, with eq")
    if str(rows[0].get(entity.key)) != named:
        raise ProblemError("PGRST115", "the key in the body and the key in the URL differ")
    return "&".join(others)


def _typed(text: str, kind: str) -> Any:  # noqa: ANN401 - a key of any type
    return (
        int(text)
        if kind in {"integer", "bigint"} and text.lstrip("-").isdecimal() and text.isascii()
        else text
    )
