"""From a statement's one row to the answer, as PostgREST gives it: status, ranges, media types, headers.

Decides everything a caller sees of a read or a write that was done. Pure; called by ``operations``.
"""

import csv
import io
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import asyncpg
import msgspec

from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.model import Entity
from schemas.compiler.query.preferences import Preferences
from schemas.compiler.query.requests import Prepared

JSON = "application/json; charset=utf-8"
_TYPES = {
    "json": JSON,
    "object": "application/vnd.pgrst.object+json; charset=utf-8",
    "array": "application/vnd.pgrst.array+json; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson; charset=utf-8",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")
_RAW_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
# numbers keep the digits PostgreSQL gave them
_ROWS = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal)
_NO_HEADERS: tuple[tuple[str, str], ...] = ()

Headers = tuple[tuple[str, str], ...]


def read_reply(
    generation: Generation, call: Call, prepared: Prepared, preferences: Preferences, row: asyncpg.Record
) -> Result:
    """Return the answer of a read of a collection.

    Raises:
        ProblemError: PGRST116 unless there is exactly one row where one was asked for; PGRST103 beyond the
        end.
    """
    count, total = row["page_count"], row["total"]
    if prepared.singular and count != 1:
        raise not_single(count)
    headers = extra_headers(generation, prepared, preferences)
    offset = prepared.offset
    if total is None:
        status, known = 200, "*"
    else:
        known = str(total)
        if offset > total:
            raise ProblemError(
                "PGRST103",
                "Requested range not satisfiable",
                details=f"An offset of {offset} was requested, but there are only {total} rows.",
                headers=(("Content-Range", f"*/{total}"), *headers),
            )
        status = 206 if count < total else 200
    if prepared.cursor_scope:
        headers = (*headers, *_next_page(generation, call, prepared, row["cursor"]))
    span = f"{offset}-{offset + count - 1}/{known}" if count else f"*/{known}"
    body = row["body"]
    return Result(
        status,
        render(body.encode() if body is not None else b"", prepared),
        media_type(prepared),
        (("Content-Range", span), *headers),
    )


def _next_page(generation: Generation, call: Call, prepared: Prepared, last: str | None) -> Headers:
    """Return where the page after this one is, for a read that pages by cursor; nothing on the last page."""
    cursor = generation.queries.next_cursor(prepared, last)
    if cursor is None:
        return _NO_HEADERS
    others = "".join(f"&{part}" for part in call.query.split("&") if part and not part.startswith("after="))
    return next_page(f"{call.base}/{call.entity}?after={cursor}{others}", cursor)


def next_page(url: str, cursor: str) -> Headers:
    """Return the headers that lead to the page after this one (RFC 8288)."""
    return (("Link", f'<{url}>; rel="next"'), ("Next-Cursor", cursor))


def row_reply(
    generation: Generation, call: Call, prepared: Prepared, preferences: Preferences, row: asyncpg.Record
) -> Result:
    """Return the answer of a read of one row by its key.

    Raises:
        ProblemError: row.not_found.
    """
    if row["page_count"] != 1:
        raise not_found()
    tag = etag(row["version"])
    headers = extra_headers(generation, prepared, preferences)
    if tag:
        headers = (("ETag", tag), *headers)
        if call.if_none_match and matches(call.if_none_match, tag, weak=True):
            return Result(304, headers=headers)
    body = row["body"].encode()
    if prepared.media in {"csv", "ndjson"}:
        body = b"[" + body + b"]"
    return Result(200, render(body, prepared), media_type(prepared), headers)


def write_reply(
    generation: Generation,
    call: Call,
    entity: Entity,
    prepared: Prepared,
    preferences: Preferences,
    row: asyncpg.Record,
) -> Result:
    """Return the answer of a write that was done."""
    method, count = call.method, row["page_count"]
    headers = extra_headers(generation, prepared, preferences)
    if call.key is None:
        last = count - 1
        span = f"0-{last}" if method == "PATCH" and count else "*"
        headers = (("Content-Range", f"{span}/{count if preferences.count else '*'}"), *headers)
    version, key = row["version"], row["key"]
    if count == 1 and version is not None and method != "DELETE":
        headers = (("ETag", etag(version)), *headers)
    # a row that an upsert found and changed was not created
    inserted = row.get("inserted")
    created = method == "POST" if inserted is None else inserted > 0
    if created and count == 1 and key is not None:
        headers = (("Location", f"{call.base}/{entity.name}?{entity.key}=eq.{quote(key, safe='')}"), *headers)
    if preferences.returning == "representation":
        body = row["body"]
        status = 201 if created else 200
        if body is None:
            # written, and not to be seen by the one who wrote it
            return Result(status, b"null" if prepared.singular else b"[]", JSON, headers)
        data = body.encode()
        if prepared.singular and prepared.media in {"csv", "ndjson"}:
            data = b"[" + data + b"]"
        return Result(status, render(data, prepared), media_type(prepared), headers)
    return Result(201 if created else 200 if method == "POST" else 204, headers=headers)


def extra_headers(generation: Generation, prepared: Prepared, preferences: Preferences) -> Headers:
    """Return what every answer says about preferences and old names."""
    headers = _NO_HEADERS
    if preferences.applied:
        headers = (("Preference-Applied", ", ".join(preferences.applied)),)
    if prepared.deprecated:
        old = "; ".join(f"'{name}' is now '{new}'" for name, new in prepared.deprecated)
        since = int(generation.born.timestamp())
        headers = (*headers, ("Deprecation", f"@{since}"), ("Warning", f'299 - "{old}"'))
    return headers


def media_type(prepared: Prepared) -> str:
    """Return the Content-Type of an answer."""
    found = _TYPES[prepared.media]
    return found.replace(";", ";nulls=stripped;", 1) if prepared.strip_nulls else found


def render(body: bytes, prepared: Prepared) -> bytes:
    """Return a JSON array in the media type that was asked for."""
    if prepared.media == "csv":
        return to_csv(body, prepared.columns)
    if prepared.media == "ndjson":
        return b"".join(bytes(item) + b"\n" for item in _RAW_ROWS.decode(body))
    return body


def to_csv(body: bytes, columns: tuple[str, ...]) -> bytes:
    """Return rows as CSV (RFC 4180); a text that a spreadsheet would run is marked as text."""
    rows = _ROWS.decode(body) if body else []
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return out.getvalue().encode()


def etag(version: str | None) -> str:
    """Return a row version as an entity tag, ``""`` for rows without one."""
    return f'"{version}"' if version is not None else ""


def matches(header: str, tag: str, *, weak: bool) -> bool:
    """Whether a list of entity tags has this one."""
    if header.strip() == "*":
        return True
    tags = [part.strip() for part in header.split(",")]
    return tag in ([part.removeprefix("W/") for part in tags] if weak else tags)


def not_single(count: int) -> ProblemError:
    """Return PostgREST's refusal when not exactly one row would be answered."""
    return ProblemError(
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
        details=f"The result contains {count} rows",
    )


def not_found() -> ProblemError:
    """Return the refusal for a row that is not there, or not for this caller."""
    return ProblemError("row.not_found", "there is no such row")


def _cell(value: Any) -> Any:  # noqa: ANN401 - JSON
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return msgspec.json.Encoder(decimal_format="number").encode(value).decode()
    return value
