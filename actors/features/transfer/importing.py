"""``POST {entity}.csv``, ``.ndjson``, ``.xlsx``, and ``imports/v1``: rows from files, as somebody meets them.

Decides what is told of an import, and to whom: who began it, and admins. Called by
``actors.tenant.operations``.
"""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import orjson
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.files import records as file_records
from actors.features.transfer import asked, asker, beginning, records
from actors.features.transfer.records import Import
from actors.features.transfer.runs import REJECTED
from actors.messages import Call, ProblemError, Result, Stream
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal

ERRORS = 100
"""Rows whose errors an answer lists."""
_PAGE, _LISTED = 1000, 100
_EVENTS = "text/event-stream"
_LOOK_SECONDS, _BEAT_SECONDS = 0.3, 15.0
_ENDED = frozenset({"draft", "done", "failed", "cancelled"})


async def begin(generation: Generation, call: Call, principal: Principal) -> Result:
    """Import a file, or look at it first; answers when it is done, or soon."""
    if call.idempotency_key and principal.known:
        key = beginning.key_of(call, principal)
        known = await in_transaction(
            generation.pool, lambda own: records.find(own, generation, key), reads=True
        )
        if known is not None:
            return await _answer(generation, call, key, asked.SECONDS)
    task, wanted = await beginning.begin(generation, call, principal)
    if wanted.preview:
        return await _told(generation, call, task, 201)
    await beginning.start(generation, task)
    return await _answer(generation, call, task.id, wanted.seconds)


async def run(generation: Generation, call: Call, principal: Principal) -> Result:
    """Run an import that was looked at, tried, or has failed; the body may say otherwise than before."""
    task = await _find(generation, call, principal)
    wanted = asked.read(call, {}, task.options)
    if task.file is None:
        raise ProblemError("import.busy", "the import is done; its file is not kept")
    fresh = beginning.understood(generation, principal, task, wanted.options, preview=False)
    if task.state == "failed" and not fresh.options.whole and task.position and fresh.options != task.options:
        raise ProblemError("import.busy", "rows of it are written already: it goes on as it began")
    who = asker.kept(call, principal) if beginning.owner_of(principal) == task.owner else task.who
    go_on = task.state == "failed" and not task.options.whole
    await beginning.start(generation, replace(fresh, who=who), go_on=go_on)
    return await _answer(generation, call, task.id, wanted.seconds)


async def show(generation: Generation, call: Call, principal: Principal) -> Result:
    """Tell how far an import is; with ``Accept: text/event-stream`` until it ends."""
    task = await _find(generation, call, principal)
    if _EVENTS in call.accept and call.method == "GET":
        events = Stream(_follow(generation, call, task.id), endless=True)
        headers = (("X-Accel-Buffering", "no"),)
        return Result(200, content_type=f"{_EVENTS}; charset=utf-8", headers=headers, stream=events)
    return await _told(generation, call, task, 200)


async def list_imports(generation: Generation, call: Call, principal: Principal) -> Result:
    """List imports, newest first: one's own, or all for admins."""
    if not principal.known:
        raise ProblemError("auth.required", "sign in to see imports")
    owner = None if _sees_all(principal) else beginning.owner_of(principal)
    found = await in_transaction(
        generation.pool, lambda own: records.recent(own, generation, owner, _LISTED), reads=True
    )
    return Result(200, orjson.dumps([_document(call, task) for task in found], default=str))


async def cancel(generation: Generation, call: Call, principal: Principal) -> Result:
    """Stop an import that is under way, what is written stays; or forget one that is not."""
    task = await _find(generation, call, principal)

    async def work(connection: TenantConnection) -> None:
        stopped = await records.change(
            connection, generation, task.id, *records.OPEN, state="cancelled", finished_at=True, file=None
        )
        if not stopped:
            await records.forget(connection, generation, task.id)
        await file_records.forget(connection, generation, [task.file])

    await in_transaction(generation.pool, work)
    return Result(204)


async def rejected(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with the rows that were not acceptable, as CSV to mend and import again, or as JSON."""
    task = await _find(generation, call, principal)
    if "json" in call.accept:
        query = dict(parse_qsl(call.query))
        after = query.get("after", "0")
        if not (after.isascii() and after.isdecimal() and len(after) < 16):
            raise ProblemError("PGRST100", "after is the number of a row")
        page = await _rejects(generation, task.id, int(after), _PAGE)
        told = [{"row": one.row, "cells": one.cells, "errors": one.errors} for one in page]
        return Result(200, records.encode(told).encode())
    name = f'attachment; filename="{task.entity}-rejected.csv"'
    body = Stream(_rejected_csv(generation, task))
    return Result(
        200, content_type="text/csv; charset=utf-8", headers=(("Content-Disposition", name),), stream=body
    )


# -- what is told -----------------------------------------------------------------------------------------


async def _answer(generation: Generation, call: Call, key: str, seconds: float) -> Result:
    """Wait a while for the end; a client that wants to know more asks again."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    if call.deadline:
        until = min(until, call.deadline - 1.0)
    pause = 0.03
    while True:
        task = await _look(generation, key)
        if task.state in _ENDED or clock() >= until:
            break
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    if task.state == "failed":
        await _refuse(generation, call, task)
    return await _told(generation, call, task, 200 if task.state in _ENDED else 202)


async def _refuse(generation: Generation, call: Call, task: Import) -> None:
    problem = task.problem or {}
    found = await _rejects(generation, task.id, 0, ERRORS)
    errors = tuple(
        {"pointer": f"/{error['row']}/{error['field'] or ''}", **error}
        for one in found
        for error in one.told()
    )
    hint = problem.get("hint") or f"GET {_place(call, task)}/rejected has the rows and their errors"
    raise ProblemError(
        problem.get("code", REJECTED), problem.get("message", "the import failed"), hint=hint,
        errors=errors, headers=(("Location", _place(call, task)),), more={"import": _document(call, task)},
    )  # fmt: skip


async def _told(generation: Generation, call: Call, task: Import, status: int) -> Result:
    document = _document(call, task)
    document["preview"] = {"header": task.header, "rows": task.sample}
    found = await _rejects(generation, task.id, 0, ERRORS) if task.rejected else []
    document["errors"] = [error for one in found for error in one.told()]
    headers = () if status == 200 else (("Location", _place(call, task)),)
    return Result(status, orjson.dumps(document, default=str), headers=headers)


def _document(call: Call, task: Import) -> dict[str, Any]:
    options = task.options
    share = 1.0 if task.state == "done" else min(1.0, task.at / task.size) if task.size else 0.0
    return {
        "id": task.id, "url": _place(call, task), "state": task.state, "entity": task.entity,
        "format": task.format, "file": {"name": task.name, "size": task.size},
        "mode": options.mode, "dry_run": options.dry_run, "on_conflict": options.on_conflict or None,
        "columns": [column.told() for column in task.columns], "progress": round(share, 4),
        "rows": {"read": task.read, "written": task.written, "rejected": task.rejected},
        "problem": task.problem, "created_at": task.created_at, "started_at": task.started_at,
        "finished_at": task.finished_at,
    }  # fmt: skip


def _place(call: Call, task: Import) -> str:
    return f"{call.base}/imports/v1/{task.id}"


async def _follow(generation: Generation, call: Call, key: str) -> AsyncGenerator[bytes, None]:
    """Yield the import whenever it changed, until it ends."""
    told, quiet = b"", 0.0
    while True:
        try:
            task = await _look(generation, key)
        except ProblemError:
            return
        document = orjson.dumps(_document(call, task), default=str)
        if document != told:
            told, quiet = document, 0.0
            yield b"event: progress\ndata: " + document + b"\n\n"
        elif quiet >= _BEAT_SECONDS:
            quiet = 0.0
            yield b": still here\n\n"
        if task.state in _ENDED:
            return
        await asyncio.sleep(_LOOK_SECONDS)
        quiet += _LOOK_SECONDS


async def _rejected_csv(generation: Generation, task: Import) -> AsyncGenerator[bytes, None]:
    """Yield the rows as they came, with their number and errors behind."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*task.header, "_row", "_errors"])
    after = 0
    while True:
        page = await _rejects(generation, task.id, after, _PAGE)
        for one in page:
            cells = one.cells if isinstance(one.cells, list) else _of_object(task.header, one.cells)
            cells = ["" if cell is None else cell for cell in cells]
            cells += [""] * (len(task.header) - len(cells))
            errors = "; ".join(f"{error['column'] or 'row'}: {error['detail']}" for error in one.errors)
            writer.writerow([*cells, one.row, errors])
        yield b"\xef\xbb\xbf" * (not after) + out.getvalue().encode()
        out.seek(0)
        out.truncate()
        if len(page) < _PAGE:
            return
        after = page[-1].row


def _of_object(header: list[str], text: Any) -> list[Any]:  # noqa: ANN401 - JSON
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return [text]
    return [value.get(name) for name in header] if isinstance(value, dict) else [text]


# -- which import -----------------------------------------------------------------------------------------


async def _find(generation: Generation, call: Call, principal: Principal) -> Import:
    if not principal.known:
        raise ProblemError("auth.required", "sign in to see imports")
    try:
        key = str(UUID(call.entity))
    except ValueError:
        raise _nothing() from None
    task = await _look(generation, key)
    if task.owner != beginning.owner_of(principal) and not _sees_all(principal):
        raise _nothing()
    return task


async def _look(generation: Generation, key: str) -> Import:
    task = await in_transaction(generation.pool, lambda own: records.find(own, generation, key), reads=True)
    if task is None:
        raise _nothing()
    return task


async def _rejects(generation: Generation, key: str, after: int, most: int) -> list[records.Rejected]:
    return await in_transaction(
        generation.pool, lambda own: records.rejects(own, generation, key, after, most), reads=True
    )


def _sees_all(principal: Principal) -> bool:
    return principal.scopes is None and not principal.roles.isdisjoint({ADMIN_ROLE, SERVICE_ROLE})


def _nothing() -> ProblemError:
    return ProblemError("row.not_found", "there is no such import")
