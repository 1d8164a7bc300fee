"""Bodies of auth requests: one JSON object (or an HTML form), with texts of bounded length.

Decides what is malformed before anybody looks at what it means. Called by the operations of this folder.
"""

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from actors.messages import Call, ProblemError

MAX_TEXT = 1024
MAX_FIELDS = 30
MAX_METADATA = 16_384


def read_object(call: Call) -> dict[str, Any]:
    """Return the body as an object; an empty body is an empty object.

    Raises:
        ProblemError: auth.bad_json.
    """
    if not call.body:
        return {}
    if call.content_type == "application/x-www-form-urlencoded":
        try:
            pairs = parse_qsl(call.body.decode("utf-8"), keep_blank_values=True, max_num_fields=50)
        except ValueError:
            raise ProblemError("auth.bad_json", "the form cannot be read") from None
        return dict(pairs)
    try:
        value = msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProblemError("auth.bad_json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise ProblemError("auth.bad_json", "the body must be a JSON object")
    return value


def query_of(call: Call) -> dict[str, str]:
    """Return the query's parameters; of one that is there twice the last counts.

    Raises:
        ProblemError: auth.validation_failed when there are too many.
    """
    try:
        return dict(parse_qsl(call.query, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise invalid("", f"a query has at most {MAX_FIELDS} parameters") from None


def text(body: dict[str, Any], name: str, *, most: int = MAX_TEXT, required: bool = False) -> str:
    """Return a text member without surrounding blanks; "" when it is absent or null.

    Raises:
        ProblemError: auth.validation_failed.
    """
    value = body.get(name)
    if value is None or value == "":
        if required:
            raise invalid(name, f"'{name}' is missing")
        return ""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise invalid(name, f"'{name}' is a text of at most {most} characters")
    return value.strip()


def mapping(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object member; empty when it is absent or null.

    Raises:
        ProblemError: auth.validation_failed.
    """
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid(name, f"'{name}' is an object")
    return value


def invalid(name: str, message: str) -> ProblemError:
    """Return the refusal of one member."""
    return ProblemError(
        "auth.validation_failed",
        message,
        errors=({"pointer": f"/{name}", "code": "invalid", "detail": message},),
    )


def only(body: dict[str, Any], names: frozenset[str]) -> None:
    """Refuse members nobody reads: whoever sends ``role`` or ``confirmed`` must not believe it counted.

    Raises:
        ProblemError: auth.validation_failed.
    """
    for name in body:
        if name not in names:
            raise invalid(name[:60], f"'{name[:60]}' is not a member of this request")


def wants_cookie(call: Call, body: dict[str, Any]) -> bool:
    """Whether a page asks for a browser's session (``"cookie": true``) instead of tokens.

    Raises:
        ProblemError: auth.csrf when the page is not ours: nobody is signed in by a foreign one.
    """
    if body.get("cookie") is not True:
        return False
    if call.web is None or not call.web.same_origin:
        raise ProblemError("auth.csrf", "a browser's session begins on a page of this very origin")
    return True


def secret(body: dict[str, Any], name: str = "password") -> str:
    """Return a password exactly as it was typed; "" when it is absent or null.

    Raises:
        ProblemError: auth.validation_failed.
    """
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(name, f"'{name}' is a text")
    return value


def metadata(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object to be kept with an account; empty when it is absent or null.

    Raises:
        ProblemError: auth.validation_failed.
    """
    value = mapping(body, name)
    try:
        size = len(msgspec.json.encode(value))
    except (UnicodeEncodeError, msgspec.MsgspecError):
        raise invalid(name, f"'{name}' holds a text that cannot be stored") from None
    if size > MAX_METADATA or b"\\u0000" in msgspec.json.encode(value):
        raise invalid(name, f"'{name}' has at most {MAX_METADATA} bytes and no NUL")
    return value
