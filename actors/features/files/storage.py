"""``storage/v1/object``: reading, moving, copying and removing objects, as Supabase's clients speak it.

Decides what each request does to which object; who may is decided by the rules of the bucket, in the write
or read itself (``objects``). A link made here is for a place; it ends when nothing is there.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.files import answer, fields, objects, records
from actors.features.files.answer import Shown
from actors.features.files.buckets import find_bucket
from actors.features.files.intake import discard, trouble
from actors.features.files.pictures import size_of
from actors.features.files.places import checked_path, no_object, place_of, problem, query_of
from actors.features.files.records import File
from actors.features.files.store import new_name
from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.principal import SERVICE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json

MAX_REMOVED = 1000


async def download(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with an object, to who may read it."""
    path = checked_path(call.key or "")
    await find_bucket(generation, call.entity)
    found = await objects.find(generation, principal, call.entity, path)
    return await _show(generation, call, found, answer.PRIVATE)


async def download_public(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with an object of a public bucket, to everybody."""
    del principal
    path = checked_path(call.key or "")
    bucket = await find_bucket(generation, call.entity)
    if not bucket.public:
        raise problem("storage.no_bucket", "Bucket not found", 404, "Bucket not found")
    found = await objects.find(generation, SERVICE, call.entity, path)
    return await _show(generation, call, found, f"public, max-age={found['max_age'] or objects.DEFAULT_AGE}")


async def download_signed(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with the object of a link."""
    del principal
    path = checked_path(call.key or "")
    link = fields.files_in(generation).links.read(query_of(call).get("token", ""), "open")
    if link.target != f"{call.entity}/{path}":
        raise answer.not_found()
    found = await objects.find(generation, SERVICE, call.entity, path)
    if link.more:  # the size the link is for
        call = replace(call, query=urlencode(link.more))
    return await _show(generation, call, found, f"private, max-age={fields.LINK_SECONDS}")


async def sign(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with a link to an object, or to each of several that the caller may read."""
    body = _body(call)
    seconds = body.get("expiresIn")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal() and len(seconds) < 10:
        seconds = int(seconds)  # as the Python client writes it
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ProblemError("PGRST102", "expiresIn is a whole number of seconds")
    await find_bucket(generation, call.entity)
    if call.key:
        found = await objects.find(generation, principal, call.entity, checked_path(call.key))
        size = body.get("transform") or {}
        if not isinstance(size, dict):
            raise ProblemError("PGRST102", "transform is an object")
        more = {name: str(value) for name, value in size.items() if name != "format"}
        size_of(urlencode(more))
        return Result(200, orjson.dumps({"signedURL": _link(generation, found, seconds, more)}))
    paths = _paths(body, "paths")
    links = []
    for path in paths:
        try:
            found = await objects.find(generation, principal, call.entity, path)
        except ProblemError:
            text = "Either the object does not exist or you do not have access to it"
            links.append({"error": text, "path": path, "signedURL": None})
        else:
            links.append({"error": None, "path": path, "signedURL": _link(generation, found, seconds)})
    return Result(200, orjson.dumps(links))


async def info(generation: Generation, call: Call, principal: Principal) -> Result:
    """Tell about an object."""
    found = await objects.find(generation, principal, call.entity, checked_path(call.key or ""))
    shown = objects.described(found)
    metadata = shown["metadata"]
    document = {
        "id": shown["id"], "name": shown["name"], "version": shown["version"],
        "bucket_id": shown["bucket_id"], "size": metadata["size"], "content_type": metadata["mimetype"],
        "cache_control": metadata["cacheControl"], "etag": metadata["eTag"], "metadata": found["metadata"],
        "last_modified": shown["updated_at"],
        "created_at": shown["created_at"], "updated_at": shown["updated_at"],
    }  # fmt: skip
    return Result(200, orjson.dumps(document))


async def remove(generation: Generation, call: Call, principal: Principal) -> Result:
    """Remove objects: the one of the path, or those of ``prefixes``."""
    await find_bucket(generation, call.entity)
    paths = [checked_path(call.key)] if call.key else _paths(_body(call), "prefixes")
    found = await objects.remove(generation, principal, call.entity, paths) if paths else []
    if call.key:
        if not found:
            raise no_object()
        return Result(200, orjson.dumps({"message": "Successfully deleted"}))
    return Result(200, orjson.dumps([objects.described(one) for one in found]))


async def move(generation: Generation, call: Call, principal: Principal) -> Result:
    """Give an object another place."""
    bucket, source, target, path = await _ends(generation, call)
    values = {"bucket_id": target, "path": path}
    if not await objects.change(generation, principal, bucket, source, values):
        raise no_object()
    return Result(200, orjson.dumps({"message": "Successfully moved"}))


async def copy(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make another object of the same bytes."""
    bucket, source, target, path = await _ends(generation, call)
    found = await objects.find(generation, principal, bucket, source)
    file, files = await objects.file_of(generation, found), fields.files_in(generation)
    copied = replace(file, id=new_name(), owner=principal.id or principal.key)
    try:
        await files.shared.store.copy(files.key(file.id), files.key(copied.id))
    except OSError as error:
        raise trouble(error) from error
    await _note(generation, copied)
    values = {
        name: found[name] for name in ("size", "media_type", "max_age", "metadata") if found[name] is not None
    }
    key = new_key()
    values |= {"id": key, "bucket_id": target, "path": path, "file": copied.id, "owner_id": copied.owner}
    try:
        await objects.create(generation, principal, values)
    except (ProblemError, QueryError):
        await fields.let_go(generation, [copied.id])
        raise
    return Result(200, orjson.dumps({"Id": key, "Key": f"{target}/{path}"}))


async def _note(generation: Generation, file: File) -> None:
    async def add(own: TenantConnection) -> None:
        await records.add(own, generation, file)

    try:
        await in_transaction(generation.pool, add)
    except ProblemError:
        await discard(fields.files_in(generation), file.id)
        raise


async def _show(generation: Generation, call: Call, found: objects.Object, caching: str) -> Result:
    file = await objects.file_of(generation, found)
    shown = Shown(caching, fields.asked_name(call), found["path"].rpartition("/")[2])
    return await answer.answer(fields.files_in(generation), call, replace(file, name=""), shown)


async def _ends(generation: Generation, call: Call) -> tuple[str, str, str, str]:
    body = _body(call)
    bucket, target = body.get("bucketId"), body.get("destinationBucket") or body.get("bucketId")
    source, path = body.get("sourceKey"), body.get("destinationKey")
    if not (
        isinstance(bucket, str)
        and isinstance(target, str)
        and isinstance(source, str)
        and isinstance(path, str)
    ):
        raise ProblemError("PGRST102", "the body has bucketId, sourceKey and destinationKey")
    for name in dict.fromkeys((bucket, target)):
        await find_bucket(generation, name)
    return bucket, checked_path(source), target, checked_path(path)


def _link(
    generation: Generation, found: objects.Object, seconds: int, more: Mapping[str, str] | None = None
) -> str:
    bucket, path = found["bucket_id"], found["path"]
    token = fields.files_in(generation).links.make("open", f"{bucket}/{path}", seconds, **(more or {}))
    return f"/{'render/image' if more else 'object'}/sign/{place_of(bucket, path)}?token={token}"


def _body(call: Call) -> dict[str, Any]:
    body = decode_json(call.body) if call.body else {}
    if not isinstance(body, dict):
        raise ProblemError("PGRST102", "the body is an object")
    return body


def _paths(body: dict[str, Any], name: str) -> list[str]:
    paths = body.get(name)
    if (
        not isinstance(paths, list)
        or not all(isinstance(path, str) for path in paths)
        or len(paths) > MAX_REMOVED
    ):
        raise ProblemError("PGRST102", f"{name} is a list of at most {MAX_REMOVED} paths")
    return [checked_path(path) for path in paths]
