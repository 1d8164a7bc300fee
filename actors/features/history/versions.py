"""``GET {entity}/{id}/history``: a row's versions, newest first, each with what it changed.

Decides what is told of a version, and how far one answer goes. What the caller may see is in the statement.
Called by ``operations``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.messages import Call, ProblemError, Result
from actors.tenant import rows
from actors.tenant.executor import fetch_on, fetch_one
from actors.tenant.generation import Generation
from actors.tenant.replies import JSON, next_page, not_found
from schemas.compiler.principal import Principal
from schemas.compiler.query.parse import split_pairs, whole_number

PAGE, MOST = 50, 200
"""Versions in one answer: unless asked otherwise, and at most."""
_BOOKKEEPING = frozenset({"created_at", "created_by", "updated_at", "updated_by", "row_version"})
"""Fields of which a version itself tells more."""
# numbers keep the digits PostgreSQL gave them
_DECODER = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)
ENCODER = msgspec.json.Encoder(decimal_format="number")

Version = dict[str, Any]


async def list_versions(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with versions and the fields each changed; ``limit`` and ``after`` page.

    Raises:
        ProblemError: row.not_found.
        QueryError: history.none, a rule of access.
    """
    newest, size = None, PAGE
    for name, value in split_pairs(call.query):
        if name == "limit":
            size = min(whole_number(value, name), MOST)
        elif name == "after":
            newest = whole_number(value, name) - 1
        else:
            raise ProblemError("PGRST100", f"versions are paged by limit and after, not by {name[:60]}")
    # two more: what there was before the last one, though that may be that there was nothing
    found = await read_versions(generation, call, principal, newest, size + 2)
    page = [_told(found, place) for place in range(min(size, len(found)))]
    headers: tuple[tuple[str, str], ...] = ()
    if page and len(found) > size:
        cursor = str(page[-1]["version"])
        url = f"{call.base}/{call.entity}/{call.key}/history?after={cursor}&limit={size}"
        headers = next_page(url, cursor)
    return Result(200, ENCODER.encode(page), JSON, headers)


async def show_version(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with one version, the whole row as it was.

    Raises:
        ProblemError: row.not_found, history.no_version.
        QueryError: history.none, a rule of access.
    """
    number = version_number(call)
    found = await read_versions(generation, call, principal, number, 3)
    if not found or found[0]["version"] != number:
        raise no_version(number)
    return Result(200, ENCODER.encode(_told(found, 0) | {"data": found[0]["data"]}), JSON)


async def read_versions(
    generation: Generation,
    call: Call,
    principal: Principal,
    newest: int | None,
    most: int,
    connection: TenantConnection | None = None,
) -> list[Version]:
    """Return versions of a row as the caller may see them, newest first.

    Args:
        generation: of the tenant.
        call: names the row.
        principal: with every role its roles include.
        newest: number of the first one, None for the newest there is.
        most: how many.
        connection: to use, inside a transaction; None for one of the pool's.

    Raises:
        ProblemError: row.not_found.
        QueryError: history.none, a rule of access.
    """
    now = datetime.now(UTC)
    if call.entity in generation.queries.screened:
        # a function narrows what is read, and can be asked about rows that are there only
        look = replace(call, method="GET", query="", accept="", prefer="", if_none_match="", body=b"")
        await rows.read(generation, look, principal, connection)
    compiled = generation.queries.versions(call.entity, principal, now.date())
    slots = [call.key, None if newest is None else str(newest), str(most)]
    arguments = compiled.arguments(slots, principal, now.isoformat())
    row = (
        await fetch_one(generation.pool, compiled.text, arguments, reads=True)
        if connection is None
        else await fetch_on(connection, compiled.text, arguments)
    )
    if not row["readable"]:
        raise not_found()
    return _DECODER.decode(row["versions"])


def version_number(call: Call) -> int:
    """Return the version a path names.

    Raises:
        ProblemError: history.no_version.
    """
    if not (call.action.isascii() and call.action.isdecimal() and len(call.action) < 10):
        raise no_version(call.action[:20])
    return int(call.action)


def no_version(number: int | str) -> ProblemError:
    """Return the refusal for a version that is not there."""
    return ProblemError(
        "history.no_version", f"the row has no version {number}", hint="its history lists those there are"
    )


def _told(found: list[Version], place: int) -> Version:
    version = found[place]
    before = next((one["data"] for one in found[place + 1 :] if one["data"] is not None), None)
    told = {name: value for name, value in version.items() if name not in {"known", "deleted", "data"}}
    return told | {"changes": _changes(version, before)}


def _changes(version: Version, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the fields a version gave another value, those the caller sees in both."""
    data = version["data"]
    if data is None or version["operation"] == "kept":
        return {}
    if before is None:
        before = dict.fromkeys(data) if version["operation"] == "create" else data
    return {
        name: {"old": before[name], "new": value}
        for name, value in data.items()
        if name in before and before[name] != value and name not in _BOOKKEEPING
    }
