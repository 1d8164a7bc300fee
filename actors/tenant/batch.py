r"""``POST {base}/batch``: several operations in one transaction, later ones using what earlier ones answered.

    {"operations": [
      {"id": "c", "method": "POST",  "path": "customers", "body": {"name": "Acme"}},
      {"id": "i", "method": "POST",  "path": "invoices",  "body": {"customer_id": "$ref:c.id", "net": 5}},
      {"method": "PATCH", "path": "customers/{{c.id}}", "body": {"name": "Acme Ltd"}}]}

In a body, a text ``$ref:NAME.path`` becomes the value found there, of whatever type (``$$ref:`` stands for a
text that begins with ``$ref:``); in a path, ``{{NAME.path}}`` becomes its percent-encoded text. A path goes
into objects by key and into lists by number; a list with one row may be entered without the number. Writes
answer with their rows unless their own ``Prefer`` says otherwise. If one operation is refused, none has
happened.

Decides the form of a batch and of its references. Running an operation is ``operations``'s business, its
caller.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

import msgspec
import orjson
from msgspec import Struct

from actors.messages import Call, ProblemError, Result

MAX_OPERATIONS = 50
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", re.ASCII)
_MARK = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_-]{0,63}(?:\.[A-Za-z0-9_]{1,63})+)\}\}", re.ASCII)
_REFERENCE = "$ref:"
_METHODS = {
    "GET": ("list", "get"),
    "POST": ("create", ""),
    "PATCH": ("update", "update"),
    "PUT": ("replace", "replace"),
    "DELETE": ("delete", "delete"),
}
_HEADERS = {"prefer": "prefer", "if-match": "if_match", "accept": "accept", "range": "range"}
_KEYS = frozenset({"id", "method", "path", "body", "headers"})
_ROWS = "return=representation"


class Operation(Struct, frozen=True):
    """One operation as written."""

    name: str
    method: str
    path: str
    body: Any
    headers: Mapping[str, str]


def parse_batch(call: Call, most: int) -> list[Operation]:
    """Read a batch.

    Args:
        call: with the batch as its body.
        most: operations it may have.

    Raises:
        ProblemError: batch.invalid, batch.too_many.
    """
    try:
        document = msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProblemError("batch.invalid", "the body is not JSON") from None
    listed = document.get("operations") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not listed or not set(document) <= {"operations"}:
        raise ProblemError("batch.invalid", "a batch is an object with a list of operations")
    if len(listed) > most:
        raise ProblemError("batch.too_many", f"a batch has at most {most} operations")
    names: set[str] = set()
    return [_operation(item, number, names) for number, item in enumerate(listed)]


def to_call(operation: Operation, batch: Call, results: Mapping[str, Any]) -> Call:
    """Return the call an operation stands for, references replaced.

    Args:
        operation: as written.
        batch: the call it came with; gives caller, base and deadline.
        results: bodies of earlier operations, by name.

    Raises:
        ProblemError: batch.reference, batch.invalid.
    """
    path = _MARK.sub(lambda mark: quote(_as_text(_find(mark[1], results)), safe=""), operation.path)
    target, _, query = path.partition("?")
    entity, _, key = target.strip("/").removeprefix("rest/v1/").partition("/")
    key, _, action = key.partition("/transitions/")
    if not entity or "/" in key or "/" in action or "\0" in path or "%00" in path:
        raise ProblemError(
            "batch.invalid", f"the path '{operation.path[:100]}' is not entity, entity/id or a transition"
        )
    many, one = _METHODS[operation.method]
    name = ("transition" if operation.method == "POST" else "") if action else one if key else many
    if not name:
        raise ProblemError(
            "batch.invalid", "POST creates rows, or moves one: entity, or entity/id/transitions/name"
        )
    body = b"" if operation.body is None else orjson.dumps(resolve(operation.body, results), default=str)
    headers = {_HEADERS[header]: value for header, value in operation.headers.items()}
    prefer = headers.get("prefer", "")
    if operation.method != "GET" and "return=" not in prefer:
        prefer = f"{prefer},{_ROWS}" if prefer else _ROWS
    return Call(
        name,
        operation.method,
        entity,
        unquote(key) if key else None,
        query,
        body,
        "application/json" if body else "",
        accept=headers.get("accept", ""),
        prefer=prefer,
        range=headers.get("range", ""),
        if_match=headers.get("if_match", ""),
        principal=batch.principal,
        base=batch.base,
        request_id=batch.request_id,
        deadline=batch.deadline,
        address=batch.address,
        action=unquote(action),
    )


def resolve(value: Any, results: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return a body with its references replaced.

    Raises:
        ProblemError: batch.reference.
    """
    if isinstance(value, str):
        if value.startswith(_REFERENCE):
            return _find(value.removeprefix(_REFERENCE), results)
        return value[1:] if value.startswith("$" + _REFERENCE) else value
    if isinstance(value, list):
        return [resolve(item, results) for item in value]
    if isinstance(value, dict):
        return {name: resolve(item, results) for name, item in value.items()}
    return value


def answer(operations: list[Operation], results: list[Result]) -> Result:
    """Return the batch's answer: one result per operation, in order."""
    parts: list[bytes] = []
    for operation, result in zip(operations, results, strict=True):
        body = result.body if result.content_type.startswith("application/") and result.body else b"null"
        if not result.content_type.startswith("application/") and result.body:
            body = orjson.dumps(result.body.decode("utf-8", "replace"))
        head = {"id": operation.name or None, "status": result.status, "headers": dict(result.headers)}
        parts.append(orjson.dumps(head)[:-1] + b',"body":' + body + b"}")
    return Result(200, b'{"results":[' + b",".join(parts) + b"]}")


def at_operation(error: ProblemError, number: int) -> ProblemError:
    """Return a refusal that says which operation was refused."""
    place = f"/operations/{number}"
    inner = tuple({**item, "pointer": f"{place}/body{item.get('pointer', '')}"} for item in error.errors)
    own = {"pointer": place, "code": error.code, "detail": error.message}
    return ProblemError(
        error.code,
        error.message,
        details=error.details or f"operation {number} was refused; none has happened",
        hint=error.hint,
        errors=inner or (own,),
        headers=error.headers,
    )


def _operation(item: Any, number: int, names: set[str]) -> Operation:  # noqa: ANN401 - JSON
    def bad(text: str) -> ProblemError:
        return ProblemError(
            "batch.invalid",
            text,
            errors=({"pointer": f"/operations/{number}", "code": "invalid", "detail": text},),
        )

    if not isinstance(item, dict) or not set(item) <= _KEYS:
        raise bad("an operation has method and path, and if wanted id, body and headers")
    name, method, path = item.get("id", ""), item.get("method"), item.get("path")
    if not isinstance(name, str) or (name and not _ID.fullmatch(name)) or (name and name in names):
        raise bad("an id is a word that no other operation has")
    if not isinstance(method, str) or method not in _METHODS:
        raise bad(f"a method is one of {', '.join(_METHODS)}")
    if not isinstance(path, str) or len(path) > 8192:
        raise bad("a path is a text")
    headers = item.get("headers") or {}
    if not isinstance(headers, dict) or not all(
        isinstance(value, str) and header.lower() in _HEADERS for header, value in headers.items()
    ):
        raise bad("headers may be Prefer, If-Match, Accept and Range")
    if name:
        names.add(name)
    return Operation(
        name, method, path, item.get("body"), {header.lower(): value for header, value in headers.items()}
    )


def _find(reference: str, results: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    name, *steps = reference.split(".")
    if name not in results:
        raise ProblemError("batch.reference", f"no earlier operation has the id '{name[:64]}'")
    value = results[name]
    for step in steps:
        if isinstance(value, list):
            if step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
                continue
            if len(value) == 1:
                value = value[0]
        if not isinstance(value, dict) or step not in value:
            raise ProblemError(
                "batch.reference", f"the answer of '{name}' has nothing at '{reference[:200]}'"
            )
        value = value[step]
    return value


def _as_text(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict) or value is None:
        raise ProblemError("batch.reference", "only a text or a number can stand in a path")
    return orjson.dumps(value).decode()


def body_of(result: Result) -> Any:  # noqa: ANN401 - JSON
    """Return the body of an earlier operation for later ones to refer to."""
    return msgspec.json.decode(result.body) if result.content_type.startswith("application/") else None
