"""Every refusal as an RFC 9457 problem.

Decides the members of the document (PostgREST's own included, because its clients read them). It never sees
SQL or an exception's text other than a ``ProblemError``'s. Called by ``gateway.server``.
"""

from typing import Any, TypeAlias

import orjson

from actors.messages import ProblemError, Result
from gateway.problem_table import CLASSES, FAMILIES, PROBLEMS

PROBLEM_TYPE = "application/problem+json"

_INTERNAL = PROBLEMS["http.internal"]
_AUTH = "auth."
_KNOWN_ANYWAY = frozenset(code for code in PROBLEMS if code.startswith(_AUTH) and code != "auth.forbidden")
"""Refusals of what was brought, not of who brought it."""
_RETRY = ("Retry-After", "1")
Dialect: TypeAlias = tuple[str, str]
"""What a client needs beside the document: ``gotrue``, of the ``X-Supabase-Api-Version`` it sent ("" without
one); ``storage``."""


def lookup(code: str, *, signed_in: bool = True) -> tuple[int, str]:
    """Return status and title of a code; an unknown code is our own fault, a 500.

    Args:
        code: as raised.
        signed_in: whether the caller proved who it is; without, a missing right asks for credentials (401).
    """
    found = PROBLEMS.get(code)
    if found is None and len(code) == 5:
        if code.startswith("PT") and code[2:].isdecimal() and 400 <= int(code[2:]) <= 599:
            return int(code[2:]), "Refused"
        found = CLASSES.get(code[:2])
    if found is None:
        found = FAMILIES.get(code.partition(".")[0], _INTERNAL)
    if found[0] == 403 and not signed_in and code not in _KNOWN_ANYWAY:
        return 401, "Sign in first"
    return found


def render(
    error: ProblemError,
    *,
    request_id: str,
    instance: str,
    signed_in: bool = True,
    dialect: Dialect | None = None,
) -> Result:
    """Return the answer that tells a caller about a refusal.

    Args:
        error: what was refused and why.
        request_id: names the request in our logs.
        instance: the resource asked for, without the row's key, so that a row one may not see and a row that
            does not
            exist are answered alike.
        signed_in: see ``lookup``.
        dialect: of the paths of ``auth/v1`` and ``storage/v1``.
    """
    status, title = lookup(error.code, signed_in=signed_in)
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title,
        "status": status,
        "detail": error.message,
        "instance": instance,
        "request_id": request_id,
        "code": error.code,
        "message": error.message,
        "details": error.details or None,
        "hint": error.hint or None,
    }
    if error.errors:
        document["errors"] = list(error.errors)
    what, version = dialect or ("", "")
    if what == "storage":
        document |= {"statusCode": str(status), "error": title}
    document |= error.more
    headers = error.headers
    if what == "gotrue":
        name = error.code.removeprefix(_AUTH)
        # without the header the client expects the older form, whose code is the status
        document |= {"code": name if version else status, "error_code": name, "msg": error.message}
        headers = (*headers, ("x-sb-error-code", name))
        if version:
            headers = (*headers, ("X-Supabase-Api-Version", version))
    names = {name.lower() for name, _ in headers}
    if status in {429, 503} and "retry-after" not in names:
        headers = (*headers, _RETRY)
    if status == 401 and "www-authenticate" not in names:
        headers = (*headers, ("WWW-Authenticate", "Bearer"))
    if status >= 500 or status == 429:
        headers = (*headers, ("Proxy-Status", f"backsaas; error={error.code}"))
    return Result(status, orjson.dumps(document, default=str), PROBLEM_TYPE, headers)


def page(code: str) -> Result | None:
    """Return the page a problem's ``type`` leads to, None when there is no such code."""
    found = PROBLEMS.get(code)
    if found is None:
        return None
    return Result(200, orjson.dumps({"code": code, "status": found[0], "title": found[1]}))
