"""Objects of buckets as rows: read and written with the caller's rights, like every row.

Decides how an object is found and what a caller may see of it. Called by ``storage`` and ``listing``.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

import msgspec

from actors.features.files import records
from actors.features.files.places import no_object, problem
from actors.features.files.records import File
from actors.messages import Call, ProblemError, Result
from actors.tenant import rows
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.storage import OBJECTS

SHOWN = "id,bucket_id,path,file,size,media_type,owner_id,max_age,metadata,created_at,updated_at"
DEFAULT_AGE = 3600
_ENCODER = msgspec.json.Encoder(decimal_format="number")
Object = dict[str, Any]


async def find(generation: Generation, principal: Principal, bucket: str, path: str) -> Object:
    """Return an object.

    Raises:
        ProblemError: file.not_found, also for one the caller may not read.
        QueryError: the caller may read none at all.
    """
    found = await listed(generation, principal, f"{at(bucket, path)}&limit=1")
    if not found:
        raise no_object()
    return found[0]


async def listed(generation: Generation, principal: Principal, query: str) -> list[Object]:
    """Return the objects a query of ours finds, as far as the caller may read them."""
    call = Call("list", "GET", OBJECTS, None, f"select={SHOWN}&{query}", accept="application/json")
    result = await rows.read(generation, call, principal, None)
    found: list[Object] = decode_json(result.body)
    return found


async def file_of(generation: Generation, found: Object) -> File:
    """Return the file of an object.

    Raises:
        ProblemError: file.not_found.
    """
    file = await records.find(generation, "id = $1", found["file"]) if found["file"] else None
    if file is None:
        raise no_object()
    return file


async def create(
    generation: Generation, principal: Principal, values: Mapping[str, Any], prefer: str = ""
) -> None:
    """Make an object.

    Raises:
        ProblemError: storage.duplicate, or as every write.
        QueryError: the caller's rights.
    """
    try:
        await _write(generation, principal, "POST", "", values, f"return=minimal{prefer}")
    except ProblemError as error:
        if error.code == "23505":
            raise duplicate() from error
        raise


async def change(
    generation: Generation, principal: Principal, bucket: str, path: str, values: Mapping[str, Any]
) -> bool:
    """Change an object; False when there is none the caller may change.

    Raises:
        ProblemError: storage.duplicate, or as every write.
    """
    prefer = "return=minimal,count=exact"
    try:
        result = await _write(generation, principal, "PATCH", at(bucket, path), values, prefer)
    except ProblemError as error:
        if error.code == "23505":
            raise duplicate() from error
        raise
    return one_changed(result)


def one_changed(result: Result) -> bool:
    """Whether a write that counts says that it changed its row."""
    return dict(result.headers).get("Content-Range", "").endswith("/1")


async def remove(
    generation: Generation, principal: Principal, bucket: str, paths: Sequence[str]
) -> list[Object]:
    """Remove objects; returns those that were there for this caller."""
    listing = ",".join('"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"' for path in paths)
    query = f"bucket_id=eq.{quote_plus(bucket)}&path=in.{quote_plus(f'({listing})')}"
    result = await _write(
        generation, principal, "DELETE", f"select={SHOWN}&{query}", None, "return=representation"
    )
    found: list[Object] = decode_json(result.body)
    return found


def at(bucket: str, path: str) -> str:
    """Return the filter for one place."""
    return f"bucket_id=eq.{quote_plus(bucket)}&path=eq.{quote_plus(path)}"


def duplicate() -> ProblemError:
    """Return the refusal of a second object at one place."""
    return problem("storage.duplicate", "The resource already exists", 409, "Duplicate")


def described(found: Object) -> Object:
    """Return an object as lists of Supabase's clients have it."""
    return {
        "id": found["id"], "name": found["path"], "bucket_id": found["bucket_id"],
        "owner": found["owner_id"] or "", "owner_id": found["owner_id"], "version": found["file"],
        "created_at": found["created_at"],
        "updated_at": found["updated_at"], "last_accessed_at": found["updated_at"],
        "metadata": {
            "eTag": f'"{found["file"]}"', "size": found["size"], "mimetype": found["media_type"],
            "cacheControl": f"max-age={found['max_age'] or DEFAULT_AGE}", "lastModified": found["updated_at"],
            "contentLength": found["size"], "httpStatusCode": 200,
        },
        "user_metadata": found["metadata"],
    }  # fmt: skip


async def _write(
    generation: Generation,
    principal: Principal,
    method: str,
    query: str,
    values: Mapping[str, Any] | None,
    prefer: str,
) -> Result:
    body = b"" if values is None else _ENCODER.encode(values)
    call = Call("write", method, OBJECTS, None, query, body, "application/json", "application/json", prefer)
    return await rows.write(generation, call, principal, None)
