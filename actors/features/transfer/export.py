"""``GET {entity}.csv``, ``.ndjson``, ``.json``, ``.xlsx``: everything a query finds, however much that is.

Decides how rows are fetched: in pages by cursor, each a statement of its own, so that an export of a million
rows holds neither memory nor a transaction, and no edit of the file waits for it. What may be read is decided
where every read is. Called by ``actors.tenant.operations``.
"""

import csv
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from msgspec import Struct
from msgspec.structs import replace

from actors.features.transfer.sheet import sheet
from actors.messages import Call, ProblemError, Result, Stream
from actors.tenant import rows
from actors.tenant.generation import Generation
from actors.workbook import MEDIA
from schemas.compiler.principal import Principal
from schemas.compiler.query.errors import QueryError

PAGE = 1000
TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xlsx": MEDIA,
}
_ACCEPT = {"csv": "text/csv", "ndjson": "application/x-ndjson"}
_ORDERED_ELSEWHERE = "query.bad_cursor"


class _Wanted(Struct, frozen=True):
    """What is exported: the query's parts without its page, and the most rows to answer."""

    parts: tuple[str, ...]
    most: int | None

    def page(self, size: int, place: str) -> str:
        """Return the query of one page."""
        return "&".join((*self.parts, f"limit={size}", place))


async def export(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with every row that a query finds, as a file.

    Args:
        generation: what to run on, also when a newer one comes meanwhile.
        call: ``entity`` and, as ``key``, the format; the query is a list's, its ``limit`` the most rows.
        principal: with every role its roles include.

    Raises:
        ProblemError, QueryError: refused, before a byte was sent.
    """
    kind = call.key or ""
    if kind not in TYPES:
        raise ProblemError("PGRST125", f"rows are exported as {', '.join(TYPES)}")
    reading = replace(call, operation="list", method="GET", key=None, range="", prefer="")
    reading.accept = _ACCEPT.get(kind, "application/json")
    wanted = _wanted(call.query)
    pages = _pages(generation, reading, principal, wanted)
    first = await anext(pages, b"")
    header = b""
    if kind in {"csv", "xlsx"}:
        empty = replace(reading, query="&".join((*wanted.parts, "limit=0")), accept="text/csv")
        header = (await rows.read(generation, empty, principal, None)).body
    whole = _again(first, pages)
    match kind:
        case "csv":
            body = _csv(header, whole)
        case "json":
            body = _json(whole)
        case "xlsx":
            entity = generation.queries.entity(call.entity, datetime.now(UTC).date())
            columns = {name: entity.fields.get(name) for name in next(csv.reader([header.decode()]), [])}
            body = sheet({name: field.kind if field else "" for name, field in columns.items()}, whole)
        case _:
            body = whole
    headers = (("Content-Disposition", f'attachment; filename="{call.entity}.{kind}"'),)
    return Result(200, content_type=TYPES[kind], headers=headers, stream=Stream(body))


def _wanted(query: str) -> _Wanted:
    parts, most = [], None
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name in {"offset", "after"}:
            raise ProblemError("PGRST100", f"an export has no '{name}': it begins at the first row")
        if name == "limit":
            text = unquote_plus(value)
            if not (text.isascii() and text.isdecimal() and len(text) < 16):
                raise ProblemError("PGRST100", "limit is a whole number")
            most = int(text)
        else:
            parts.append(part)
    return _Wanted(tuple(parts), most)


async def _pages(
    generation: Generation, call: Call, principal: Principal, wanted: _Wanted
) -> AsyncGenerator[bytes, None]:
    """Yield the pages' bodies, none of them empty; by cursor, or by offset what has no cursor."""
    place, found, by_cursor = "after=", 0, True
    while wanted.most is None or found < wanted.most:
        size = PAGE if wanted.most is None else min(PAGE, wanted.most - found)
        try:
            page = await rows.read(generation, replace(call, query=wanted.page(size, place)), principal, None)
        except QueryError as error:
            if error.code != _ORDERED_ELSEWHERE or found:
                raise
            # groups, and lists ordered by a related row's field
            place, by_cursor = "offset=0", False
            continue
        told = dict(page.headers)
        count = _count(told["Content-Range"])
        if not count:
            return
        found += count
        yield page.body
        if by_cursor and "Next-Cursor" not in told:
            return
        place = f"after={told['Next-Cursor']}" if by_cursor else f"offset={found}"


def _count(content_range: str) -> int:
    first, _, last = content_range.partition("/")[0].partition("-")
    return int(last) - int(first) + 1 if last else 0


async def _again(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        if first:
            yield first
        async for page in rest:
            yield page


async def _csv(header: bytes, pages: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the header once; every page brings its own."""
    async with aclosing(pages):
        yield header
        async for page in pages:
            yield page.removeprefix(header)


async def _json(pages: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield one list of the pages' lists."""
    before = b"["
    async with aclosing(pages):
        async for page in pages:
            yield before + page.strip()[1:-1]
            before = b",\n "
    yield b"[]" if before == b"[" else b"]"
