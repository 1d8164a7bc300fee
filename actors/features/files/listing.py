"""Lists of a bucket's objects: folder by folder, or page by page.

Decides what counts as a folder: what comes before a ``/`` in a path; there is no other. Every object in a
list is one the caller may read.
"""

from typing import Any
from urllib.parse import quote_plus

import msgspec

from actors.features.files import objects
from actors.features.files.buckets import find_bucket
from actors.features.files.objects import Object, described
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.values import decode_json

PAGE = 500
MOST_READ = 10_000
"""Objects one list looks at."""
MOST_SHOWN = 1000
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ORDERS = ("name", "created_at", "updated_at", "last_accessed_at", "id")


async def list_objects(generation: Generation, call: Call, principal: Principal) -> Result:
    """List one folder: its objects, and the folders in it, which have no id."""
    body = _body(call)
    folder = _text(body, "prefix").strip("/")
    prefix = f"{folder}/" if folder else ""
    search = _text(body, "search").lower()
    by = body.get("sortBy") or {}
    column = by.get("column") or "name" if isinstance(by, dict) else "name"
    if column not in _ORDERS:
        raise ProblemError("PGRST102", f"lists are sorted by {', '.join(_ORDERS)}")
    found, folders = await _folder(generation, principal, call.entity, prefix)
    entries = [{**described(one), "name": one["path"][len(prefix) :]} for one in found]
    entries += [
        {
            "name": name,
            "id": None,
            "created_at": None,
            "updated_at": None,
            "last_accessed_at": None,
            "metadata": None,
        }
        for name in folders
    ]
    entries = [one for one in entries if search in str(one["name"]).lower()]
    last = isinstance(by, dict) and by.get("order") == "desc"
    entries.sort(key=lambda one: (str(one[column] or ""), str(one["name"])), reverse=last)
    first = _number(body, "offset", 0)
    return _answer(entries[first : first + min(_number(body, "limit", 100), MOST_SHOWN)])


async def list_page(generation: Generation, call: Call, principal: Principal) -> Result:
    """List objects below a prefix, page by page; with ``with_delimiter``, what is in folders as folders."""
    body = _body(call)
    prefix, after = _text(body, "prefix"), _text(body, "cursor")
    limit = max(1, min(_number(body, "limit", MOST_SHOWN), MOST_SHOWN))
    await find_bucket(generation, call.entity)
    folders: list[str] = []
    if body.get("with_delimiter") is True:
        found, names = await _folder(generation, principal, call.entity, prefix)
        folders = [f"{prefix}{name}/" for name in names]
        everything = sorted([*(one["path"] for one in found), *folders])
    else:
        found = await _below(generation, principal, call.entity, prefix)
        everything = sorted(one["path"] for one in found)
    page = [name for name in everything if name > after][:limit]
    shown = set(page)
    more = bool(page) and page[-1] != everything[-1]
    document = {
        "hasNext": more,
        "nextCursor": page[-1] if more else None,
        "folders": [
            {"name": name.rstrip("/").rpartition("/")[2], "key": name} for name in folders if name in shown
        ],
        "objects": [
            {**described(one), "name": one["path"].rpartition("/")[2], "key": one["path"]}
            for one in sorted(found, key=lambda one: str(one["path"]))
            if one["path"] in shown
        ],
    }
    return _answer(document)


async def _folder(
    generation: Generation, principal: Principal, bucket: str, prefix: str
) -> tuple[list[Object], list[str]]:
    """Return the objects right in a folder, and the names of folders in it."""
    await find_bucket(generation, bucket)
    found = await _below(generation, principal, bucket, prefix)
    here = [one for one in found if "/" not in one["path"][len(prefix) :]]
    inner = {
        one["path"][len(prefix) :].partition("/")[0] for one in found if "/" in one["path"][len(prefix) :]
    }
    return here, sorted(inner)


async def _below(generation: Generation, principal: Principal, bucket: str, prefix: str) -> list[Object]:
    # what LIKE has for more than itself stands for any one character; the comparison below decides
    pattern = "".join("_" if char in "%_*\\" else char for char in prefix)
    query = f"bucket_id=eq.{quote_plus(bucket)}&order=path,id"
    if prefix:
        query += f"&path=like.{quote_plus(pattern)}*"
    found: list[Object] = []
    while len(found) < MOST_READ:
        page = await objects.listed(generation, principal, f"{query}&limit={PAGE}&offset={len(found)}")
        found += page
        if len(page) < PAGE:
            break
    return [one for one in found if one["path"].startswith(prefix)]


def _body(call: Call) -> dict[str, Any]:
    body = decode_json(call.body) if call.body else {}
    if not isinstance(body, dict):
        raise ProblemError("PGRST102", "the body is an object")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > 2048:
        raise ProblemError("PGRST102", f"{name} is a text")
    return value


def _number(body: dict[str, Any], name: str, default: int) -> int:
    value = body.get(name, default)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise ProblemError("PGRST102", f"{name} is a whole number")
    return value


def _answer(document: object) -> Result:
    return Result(200, _ENCODER.encode(document))
