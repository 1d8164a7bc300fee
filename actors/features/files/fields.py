"""Files of rows: uploaded ahead or in their place, handed out to who may read the field, or by links.

Decides who may: to write a file is to write its field, to read one is to read its field of that row, by the
rules of every other request. A ``protected`` file is handed out by links alone. Called by
``actors.tenant.operations``.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import orjson
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.files import answer, records
from actors.features.files.answer import Shown
from actors.features.files.intake import Wanted, discard, take
from actors.features.files.keeper import TenantFiles
from actors.features.files.records import File
from actors.messages import Call, Part, ProblemError, Result
from actors.tenant import rows
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.model import Entity, Field
from schemas.compiler.principal import Principal
from schemas.compiler.query.access import Caller, entries_for, writable
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.storage import OBJECTS

LINK_SECONDS = 300
"""How long a link is good for when nobody says."""


async def upload(generation: Generation, call: Call, principal: Principal) -> Result:
    """Take a file for a field, ahead of the row that will name it: the body is the file, or a form with it.

    Raises:
        ProblemError: not allowed, or refused.
    """
    entity, field = field_of(generation, call.entity, call.action)
    require_write(entity, field, principal, ("create", "update"))
    files = files_in(generation)
    async for part in parts_of(call):
        if part.filename is None and part.name:
            raise ProblemError("http.bad_body", "this form has one file and nothing else")
        file = await keep(generation, part, entity, field, principal.id or principal.key)
        document = document_of(files, file)
        return Result(201, orjson.dumps(document))
    raise ProblemError("http.bad_body", "the request has no file in its body")


async def put(generation: Generation, call: Call, principal: Principal) -> Result:
    """Take a file as the value of a row's field, in place of the one there.

    Raises:
        ProblemError, QueryError: not allowed, or refused; ``If-Match`` is obeyed as by every write.
    """
    entity, field = field_of(generation, call.entity, call.action)
    require_write(entity, field, principal, ("update",))
    async for part in parts_of(call):
        file = await keep(generation, part, entity, field, principal.id or principal.key)
        values = {field.name: file.id}
        change = replace(
            call, operation="update", method="PATCH", query="", body=orjson.dumps(values),
            content_type="application/json", range="", action="", sending=None,
        )  # fmt: skip
        try:
            result = await rows.write(generation, change, principal, None)
        except (ProblemError, QueryError):
            await let_go(generation, [file.id])
            raise
        return replace(result, status=200, body=orjson.dumps(document_of(files_in(generation), file)))
    raise ProblemError("http.bad_body", "the request has no file in its body")


async def download(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with a row's file.

    Raises:
        ProblemError, QueryError: not allowed, not there, file.protected.
    """
    _, field = field_of(generation, call.entity, call.action)
    file = await _read(generation, call, principal, field)
    if field.options.get("protected"):
        raise ProblemError(
            "file.protected", f"'{field.name}' is handed out by links",
            hint=f"POST to {call.base}/{call.entity}/{{id}}/{field.name}/sign for one",
        )  # fmt: skip
    return await answer.answer(files_in(generation), call, file, _shown(call, field))


async def sign(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with a link to a row's file; the body may say ``expiresIn`` (seconds) and ``download``.

    Raises:
        ProblemError, QueryError: not allowed, or not there.
    """
    _, field = field_of(generation, call.entity, call.action)
    body: Any = decode_json(call.body) if call.body else {}
    seconds = body.get("expiresIn", LINK_SECONDS) if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise ProblemError("PGRST102", "the body is an object; expiresIn is a whole number of seconds")
    file = await _read(generation, call, principal, field)
    token = files_in(generation).links.make("read", file.id, seconds)
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    return Result(
        200, orjson.dumps({"url": f"{call.base}/files/v1/signed/{token}", "expires_at": until.isoformat()})
    )


async def signed(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with the file of a link; whoever has it may.

    Raises:
        ProblemError: file.bad_link, file.not_found.
    """
    del principal
    files = files_in(generation)
    link = files.links.read(call.key or "", "read")
    file = await records.find(generation, "id = $1", link.target)
    if file is None:
        raise answer.not_found()
    return await answer.answer(files, call, file, Shown(f"private, max-age={LINK_SECONDS}", asked_name(call)))


def field_of(generation: Generation, entity_name: str, field_name: str) -> tuple[Entity, Field]:
    """Return an entity's field that holds files.

    Raises:
        ProblemError: PGRST125 for what is none.
    """
    try:
        entity = generation.queries.entity(entity_name, datetime.now(UTC).date())
    except QueryError as error:
        raise nothing_here() from error
    field = entity.fields.get(field_name)
    if field is None or field.kind != "file":
        raise nothing_here()
    return entity, field


def nothing_here() -> ProblemError:
    """Return the refusal of a path that leads to no file."""
    return ProblemError("PGRST125", "there is nothing at this path")


def require_write(entity: Entity, field: Field, principal: Principal, verbs: tuple[str, ...]) -> None:
    """Refuse who may not write a field, before any of its bytes is taken; the write itself knows the rest.

    Raises:
        QueryError: 42501.
        ProblemError: validation.read_only, storage.api.
    """
    if entity.name == OBJECTS:
        raise ProblemError("storage.api", "objects of buckets change by storage/v1 alone")
    require_rights(entity, field, principal, verbs)
    if field.read_only:
        raise ProblemError("validation.read_only", f"'{field.name}' cannot be written")


def refuse_objects(call: Call) -> None:
    """Refuse to write the rows behind objects of buckets: they would not be what their bytes are.

    Raises:
        ProblemError: storage.api.
    """
    if call.entity == OBJECTS:
        raise ProblemError("storage.api", "objects of buckets change by storage/v1 alone")


def require_rights(entity: Entity, field: Field, principal: Principal, verbs: tuple[str, ...]) -> None:
    """Refuse who may write no row's field.

    Raises:
        QueryError: 42501.
    """
    caller, refusal = Caller(principal.roles, principal.scopes), None
    for verb in verbs:
        try:
            if field.name in writable(entity, entries_for(entity, verb, caller)):
                break
        except QueryError as error:
            refusal = error
    else:
        raise refusal or QueryError("42501", f"permission denied for field {field.name} of {entity.name}")


async def keep(generation: Generation, part: Part, entity: Entity, field: Field, owner: str | None) -> File:
    """Take a file in and note it, named by no row yet.

    Raises:
        ProblemError: refused.
    """
    files = files_in(generation)
    wanted = Wanted(
        min(field.options.get("maxSize", files.shared.settings.max_bytes), files.shared.settings.max_bytes),
        field.options.get("accept", ()), f"'{field.name}'", f"/{field.name}",
    )  # fmt: skip
    taken = await take(files, part, wanted)
    file = replace(taken, entity=entity.name, field=field.name, owner=owner)

    async def note(connection: TenantConnection) -> None:
        await records.add(connection, generation, file)

    try:
        await in_transaction(generation.pool, note)
    except ProblemError as error:
        if error.code != "outcome_unknown":
            await discard(files, file.id)
        raise
    return file


async def let_go(generation: Generation, ids: list[str | None]) -> None:
    """Remove files that were taken in for a write that was refused."""
    if ids:
        await in_transaction(generation.pool, lambda own: records.forget(own, generation, ids))


async def parts_of(call: Call) -> AsyncIterator[Part]:
    """Yield the parts of a call's body."""
    if call.sending is not None and call.sending.parts is not None:
        async for part in call.sending.parts:
            yield part


def document_of(files: TenantFiles, file: File) -> dict[str, Any]:
    """Return what a client is told about a file it uploaded."""
    hours = files.shared.settings.unused_hours
    return {
        "id": file.id, "name": file.name, "size": file.size, "type": file.media_type, "sha256": file.sha256,
        "unused_until": (datetime.now(UTC) + timedelta(hours=hours)).isoformat(),
    }  # fmt: skip


def files_in(generation: Generation) -> TenantFiles:
    """Return the tenant's files.

    Raises:
        ProblemError: http.not_built where nobody keeps files.
    """
    if generation.files is None:
        raise ProblemError("http.not_built", "files are not part of this installation")
    return generation.files


async def _read(generation: Generation, call: Call, principal: Principal, field: Field) -> File:
    """Return the file of a row, by the caller's own right to read the field."""
    asked = Call(
        "get", "GET", call.entity, call.key, f"select={field.name}",
        accept="application/json", request_id=call.request_id, deadline=call.deadline,
    )  # fmt: skip
    try:
        result = await rows.read(generation, asked, principal, None)
    except QueryError as error:
        if error.code != "PGRST204":
            raise
        raise nothing_here() from error  # a field the caller may not read is none
    name = decode_json(result.body).get(field.name)
    file = await records.find(generation, "id = $1", name) if name is not None else None
    if file is None:
        raise answer.not_found()
    return file


def _shown(call: Call, field: Field) -> Shown:
    return Shown(download=asked_name(call), name=field.name)


def asked_name(call: Call) -> str | None:
    """Return the name a download is asked for under: "" for its own, None where no download is asked for."""
    for name, value in parse_qsl(call.query, keep_blank_values=True):
        if name == "download":
            return "".join(char for char in value[:200] if char.isprintable())
    return None
