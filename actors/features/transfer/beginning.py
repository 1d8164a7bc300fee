"""The beginning of an import: its file is taken, its columns are understood, its run is set up.

Decides that nothing is begun that could not be written by its caller: the right to create, and to write each
mapped field, is asked for first. Called by ``importing``.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.files import fields
from actors.features.files import records as file_records
from actors.features.files.intake import Wanted, discard, take, text_of
from actors.features.files.records import File
from actors.features.outbox import queue
from actors.features.outbox.tasks import NewTask
from actors.features.transfer import asked, asker, mapping, records, running, source
from actors.features.transfer.mapping import Column
from actors.features.transfer.records import Import, Options
from actors.features.transfer.writing import masked, query_of
from actors.messages import Call, Part, ProblemError
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from actors.tenant.rows import preferences_of
from schemas.compiler.model import Entity
from schemas.compiler.principal import Principal
from schemas.compiler.query.requests import WriteRequest

FORMATS = ("csv", "ndjson", "xlsx")
FILE_ENTITY, FILE_FIELD = "_imports", "source"
SAMPLE = 20
KEPT_HOURS = 168.0
_TENANTS = "tenants"
_MOST_FIELD = 1 << 20


def entity_of(generation: Generation, principal: Principal, name: str) -> Entity:
    """Return the entity whose rows are imported, to who may make some.

    Raises:
        ProblemError, QueryError: there is none, or it is not for this caller.
    """
    entity = generation.queries.entity(name, datetime.now(UTC).date())
    fields.refuse_objects(Call("create", "POST", entity.name))
    if generation.platform is not None and entity.name == _TENANTS:
        raise ProblemError("tenant.one_at_a_time", "tenants are made one at a time")
    check_rights(generation, principal, entity, Options(), [])
    if not principal.known:
        raise ProblemError("auth.required", "sign in to import rows")
    return entity


def check_rights(
    generation: Generation, principal: Principal, entity: Entity, options: Options, columns: Sequence[Column]
) -> None:
    """Refuse who may not write such rows.

    Raises:
        QueryError: 42501, and what else is wrong with ``on_conflict``.
    """
    prefer = ""
    if options.on_conflict:
        prefer = f"resolution={'ignore' if options.ignore else 'merge'}-duplicates"
    names = [column.field for column in columns if column.field] or [entity.key]
    today = datetime.now(UTC).date()
    request = WriteRequest(
        entity.name, (dict.fromkeys(names),), None, query_of(options.on_conflict), preferences_of(prefer),
        "", None, today, None,
    )  # fmt: skip
    generation.queries.write("insert", request, principal)


def key_of(call: Call, principal: Principal) -> str:
    """Return the id an import gets: the same for the same ``Idempotency-Key`` of the same caller."""
    if not call.idempotency_key:
        return new_key()
    return str(uuid5(NAMESPACE_URL, f"import {owner_of(principal)} {call.idempotency_key}"))


async def begin(generation: Generation, call: Call, principal: Principal) -> tuple[Import, asked.Asked]:
    """Take a file and set up its import.

    Raises:
        ProblemError, QueryError: refused; then nothing stays.
    """
    kind = call.key or ""
    if kind not in FORMATS:
        raise ProblemError("PGRST125", f"rows are imported as {', '.join(FORMATS)}")
    entity = entity_of(generation, principal, call.entity)
    asked.read(replace(call, body=b""), {})  # what is wrong with the query is told before the file comes
    await tidy(generation)
    file, form = await _take(generation, call, entity, principal)
    try:
        wanted = asked.read(replace(call, body=b""), form)
        header, sample = await _look(generation, file, kind, wanted.options)
        made = Import(
            key_of(call, principal), entity.name, kind, file.id, file.name, file.size, owner_of(principal),
            asker.kept(call, principal), header, sample, wanted.options, [], "draft",
            0, 0, 0, 0, 0, None, datetime.now(UTC),
        )  # fmt: skip
        made = understood(generation, principal, made, wanted.options, preview=wanted.preview)

        async def note(connection: TenantConnection) -> None:
            await records.add(connection, generation, made)

        await in_transaction(generation.pool, note)
    except BaseException:
        await asyncio.shield(fields.let_go(generation, [file.id]))
        raise
    return made, wanted


def understood(
    generation: Generation, principal: Principal, task: Import, options: Options, *, preview: bool
) -> Import:
    """Return an import with its columns mapped.

    Raises:
        ProblemError: import.columns, unless it is only looked at.
        QueryError: a field may not be written.
    """
    entity = generation.queries.entity(task.entity, datetime.now(UTC).date())
    columns, wrong = mapping.map_columns(generation.model, entity, task.header, options.map)
    if not wrong and not any(column.field for column in columns):
        wrong = [{"column": task.header[0], "code": "column", "detail": "no column of the file is a field"}]
    if wrong and not preview:
        raise mapping.refusal(wrong)
    if not wrong:
        check_rights(generation, principal, entity, options, columns)
    problem = {"code": mapping.COLUMNS, "errors": wrong} if wrong else None
    sample = [[number, masked(entity, columns, cells)] for number, cells in task.sample]
    return replace(task, options=options, columns=columns, sample=sample, problem=problem)


async def tidy(generation: Generation) -> None:
    """Forget imports, and files of imports, that nobody touched for a week."""
    await in_transaction(generation.pool, lambda own: _forget_old(own, generation))


async def _forget_old(connection: TenantConnection, generation: Generation) -> None:
    gone = await records.old(connection, generation, KEPT_HOURS)
    await file_records.forget(connection, generation, [*gone])


def owner_of(principal: Principal) -> str:
    """Return by whom an import is found again."""
    return principal.id or principal.key or ""


async def _take(
    generation: Generation, call: Call, entity: Entity, principal: Principal
) -> tuple[File, dict[str, str]]:
    """Take the file of a request: its body, or the one file of a form."""
    kept: list[File] = []
    try:
        form = await _receive(generation, call, entity, kept)
        file = replace(kept[0], entity=FILE_ENTITY, field=FILE_FIELD, owner=owner_of(principal))
        await in_transaction(generation.pool, lambda own: file_records.add(own, generation, file))
    except BaseException:
        for one in kept:
            await asyncio.shield(discard(fields.files_in(generation), one.id))
        raise
    return file, form


async def _receive(generation: Generation, call: Call, entity: Entity, kept: list[File]) -> dict[str, str]:
    """Put the file into ``kept`` as soon as it is in the store; returns what else a form says."""
    files = fields.files_in(generation)
    wanted = Wanted(files.shared.settings.import_bytes, what="a file of rows")
    form: dict[str, str] = {}
    async for part in fields.parts_of(call):
        if part.filename is None and part.name:
            form[part.name] = await text_of(part.pieces, _MOST_FIELD)
            continue
        if kept:
            raise ProblemError("http.bad_body", "an import has one file")
        name = part.filename or f"{entity.name}.{call.key}"
        kept.append(await take(files, Part(part.name, name, "", part.pieces), wanted))
    if not kept or not kept[0].size:
        raise ProblemError("http.bad_body", "the request has no file in its body")
    return form


async def _look(
    generation: Generation, file: File, kind: str, options: Options
) -> tuple[list[str], list[list[Any]]]:
    """Return a file's header and its first rows, each with its number first."""
    files = fields.files_in(generation)
    pieces = await files.shared.store.open(files.key(file.id), 0, file.size)
    async with (
        source.spooled(pieces) as spool,
        source.opened(spool, kind, options.reading) as reading,
        aclosing(reading.batches) as batches,
    ):
        sample: list[list[Any]] = []
        async for first in batches:
            rows = first.rows[:SAMPLE]
            sample += [[row.number, records.shortened(row.cells or row.wrong)] for row in rows]
            break
        return reading.header, sample


async def start(generation: Generation, task: Import, *, go_on: bool = False) -> None:
    """Have an import run: from its beginning, or with ``go_on`` from where it was left.

    Raises:
        ProblemError: import.busy.
    """
    fresh = {} if go_on else dict.fromkeys(("position", "at", "read", "written", "rejected"), 0)

    async def work(connection: TenantConnection) -> None:
        changed = await records.change(
            connection, generation, task.id, "draft", "done", "failed", state="waiting", problem=None,
            finished_at=False, options=task.options, columns=task.columns, who=task.who, **fresh,
        )  # fmt: skip
        if fresh:
            await records.accept_all(connection, generation, task.id)
        if not changed:
            raise ProblemError("import.busy", "the import is under way, or was cancelled")
        new = NewTask(running.KIND, task.entity, {"import": task.id}, running.KIND)
        await queue.put(connection, generation.identity.namespace, [new])  # one of a tenant at a time

    if generation.begin_work is not None:
        await generation.begin_work()
    if generation.outbox is None:
        raise ProblemError("http.not_built", "nothing happens later in this installation")
    await in_transaction(generation.pool, work)
    generation.outbox.committed()
