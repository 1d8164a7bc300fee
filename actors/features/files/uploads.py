"""Objects on their way into buckets, by who may, or by links that who may made.

Decides what a client's form and headers say about an object: how long it may be kept, metadata of its own.
Rights are the bucket's rules, obeyed by the write itself.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import orjson
from msgspec import Struct
from msgspec.structs import replace

from actors.features.files import answer, fields, objects
from actors.features.files.buckets import find_bucket
from actors.features.files.intake import text_of
from actors.features.files.places import checked_path, no_object, place_of, query_of
from actors.features.files.records import File
from actors.messages import Call, Part, ProblemError, Result
from actors.tenant import rows
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.principal import SERVICE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.storage import OBJECTS, Bucket

UPLOAD_SECONDS = 7200
"""How long a link for an upload is good."""
_MAX_TEXT = 64 * 1024
_AGE = re.compile(r"(?:max-age=)?([0-9]{1,9})", re.ASCII)
_ABOUT = frozenset({"cacheControl", "metadata"})
"""Fields of a form that say something about its object."""


class Target(Struct, frozen=True):
    """Where an object is put.

    Attributes:
        owner: id of who uploads it.
        upsert: it may take the place of another.
        replaces: it only ever takes the place of another.
    """

    bucket: Bucket
    path: str
    owner: str | None
    upsert: bool = False
    replaces: bool = False


async def upload(generation: Generation, call: Call, principal: Principal) -> Result:
    """Take an object in; ``x-upsert: true``, or PUT, puts it in place of the one there."""
    path = checked_path(call.key or "")
    bucket = await find_bucket(generation, call.entity)
    entity, field = fields.field_of(generation, OBJECTS, "file")
    replaces = call.method == "PUT"
    verbs = ("update",) if replaces else ("create",)
    fields.require_rights(entity, field, principal, verbs)
    upsert = _headers(call).get("x-upsert", "").lower() == "true"
    target = Target(bucket, path, principal.id or principal.key, upsert, replaces)
    return await _take(generation, call, principal, target)


async def upload_signed(generation: Generation, call: Call, principal: Principal) -> Result:
    """Take in an object by a link: the rights were looked at when the link was made."""
    del principal
    path = checked_path(call.key or "")
    link = fields.files_in(generation).links.read(query_of(call).get("token", ""), "write")
    if link.target != f"{call.entity}/{path}":
        raise answer.not_found()
    bucket = await find_bucket(generation, call.entity)
    target = Target(bucket, path, link.more.get("owner"), "upsert" in link.more)
    return await _take(generation, call, SERVICE, target)


async def sign_upload(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with a link for one upload; who may not upload gets none."""
    path = checked_path(call.key or "")
    await find_bucket(generation, call.entity)
    owner = principal.id or principal.key
    upsert = _headers(call).get("x-upsert", "").lower() == "true"
    values = {"id": new_key(), "bucket_id": call.entity, "path": path, "owner_id": owner}
    try:
        await objects.create(generation, principal, values, ",tx=rollback")
    except ProblemError as error:
        if error.code != "storage.duplicate" or not upsert:
            raise
        if not await _may_change(generation, principal, call.entity, path):
            raise
    more = {"owner": owner} if owner else {}
    if upsert:
        more["upsert"] = "true"
    token = fields.files_in(generation).links.make("write", f"{call.entity}/{path}", UPLOAD_SECONDS, **more)
    url = f"/object/upload/sign/{place_of(call.entity, path)}?token={token}"
    return Result(200, orjson.dumps({"url": url, "token": token}))


async def _take(generation: Generation, call: Call, principal: Principal, target: Target) -> Result:
    file, said = await _keep(generation, call, target)
    key, place = new_key(), {"bucket_id": target.bucket.name, "path": target.path}
    values = {
        "file": file.id, "size": file.size, "media_type": file.media_type, "max_age": said.get("max_age"),
        "metadata": said.get("metadata"), "owner_id": target.owner,
    }  # fmt: skip
    try:
        if not await _replaced(generation, principal, target, values):
            await objects.create(generation, principal, {"id": key, **place, **values})
    except (ProblemError, QueryError) as error:
        if error.code != "outcome_unknown":
            await fields.let_go(generation, [file.id])
        raise
    return Result(200, orjson.dumps({"Id": key, "Key": f"{target.bucket.name}/{target.path}"}))


async def _replaced(
    generation: Generation, principal: Principal, target: Target, values: Mapping[str, Any]
) -> bool:
    """Put an object in the place of another, where that is wanted and there is one."""
    if not (target.upsert or target.replaces):
        return False
    try:
        done = await objects.change(generation, principal, target.bucket.name, target.path, values)
    except QueryError as error:
        if target.replaces or error.code != "42501":
            raise
        return False  # who may only create may create
    if target.replaces and not done:
        raise no_object()
    return done


async def _keep(generation: Generation, call: Call, target: Target) -> tuple[File, dict[str, Any]]:
    """Take in the one file of a body, and what the form or the headers say about it."""
    headers = _headers(call)
    said: dict[str, Any] = {"max_age": _age(headers.get("cache-control", ""))}
    if "x-metadata" in headers:
        try:
            said["metadata"] = _metadata(base64.b64decode(headers["x-metadata"], validate=True))
        except binascii.Error:
            raise ProblemError("http.bad_header", "x-metadata is JSON in base64") from None
    file: File | None = None
    try:
        async for part in fields.parts_of(call):
            if part.filename is None and part.name in _ABOUT:
                said |= _said(part.name, await text_of(part.pieces, _MAX_TEXT))
            elif file is None:
                file = await _one(generation, part, target)
    except ProblemError:
        if file is not None:
            await fields.let_go(generation, [file.id])
        raise
    if file is None:
        raise ProblemError("http.bad_body", "the request has no file in its body")
    return file, said


async def _one(generation: Generation, part: Part, target: Target) -> File:
    entity, field = fields.field_of(generation, OBJECTS, "file")
    size = target.bucket.max_size
    options = {"accept": target.bucket.accept} | ({"maxSize": size} if size else {})
    return await fields.keep(generation, part, entity, replace(field, options=options), target.owner)


def _said(name: str, text: str) -> dict[str, Any]:
    return {"max_age": _age(text)} if name == "cacheControl" else {"metadata": _metadata(text.encode())}


async def _may_change(generation: Generation, principal: Principal, bucket: str, path: str) -> bool:
    """Whether the caller may put another object in the place of the one there."""
    call = Call(
        "update", "PATCH", OBJECTS, None, objects.at(bucket, path), orjson.dumps({"path": path}),
        "application/json", prefer="return=minimal,count=exact,tx=rollback",
    )  # fmt: skip
    result = await rows.write(generation, call, principal, None)
    return objects.one_changed(result)


def _headers(call: Call) -> Mapping[str, str]:
    return {} if call.sending is None else call.sending.headers


def _age(text: str) -> int | None:
    found = _AGE.search(text)
    return int(found[1]) if found else None


def _metadata(text: bytes) -> dict[str, Any]:
    found = decode_json(text)
    if not isinstance(found, dict):
        raise ProblemError("PGRST102", "metadata is an object")
    return found
