"""Answers calls inside a confined process: loads one tenant's code, runs its functions, reports.

Frames are a 4-byte length and JSON. Decides how an exception becomes a report: its line in the tenant's file,
and whether it was a refusal. Called by ``zygote``.
"""

import asyncio
import contextvars
import datetime as dt
import inspect
import json
import linecache
import logging
import re
import selectors
import socket
import struct
import sys
import traceback
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from actors.features.functions.worker.confine import NotAvailableError
from actors.features.functions.worker.ctx import Ctx, RefusedError, RejectError

MAX_LINES, MAX_LINE = 200, 500
MAX_TRACE = 8000
MAX_RESULT = 8 << 20
_NUMBER = re.compile(r'"\\u0000d([-+0-9.E]+)"')

_lines: contextvars.ContextVar[list[str]] = contextvars.ContextVar("lines")


class Report(Exception):  # noqa: N818 - the outcome of a failed load
    """The code cannot be loaded."""


class _Output:
    """``print`` ends up in the record of the run."""

    def __init__(self) -> None:
        self._part = ""

    def write(self, text: str) -> int:
        """Note whole lines."""
        *lines, self._part = (self._part + text).split("\n")
        for line in lines:
            note(line)
        if len(self._part) > MAX_LINE:
            note(self._part)
            self._part = ""
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:  # type: ignore[explicit-override]
        note(f"{record.levelname}: {record.getMessage()}")


def note(line: str) -> None:
    """Keep a line for the run at hand; what is said outside of one is lost."""
    lines = _lines.get(None)
    if lines is not None and len(lines) < MAX_LINES:
        lines.append(line[:MAX_LINE].replace("\0", ""))


def loads(text: str | bytes) -> Any:
    """Read JSON; numbers with a fraction are exact."""
    return json.loads(text, parse_float=Decimal)


def dumps(value: Any) -> bytes:
    """Write JSON."""
    text = json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))
    return (_NUMBER.sub(r"\1", text) if "\\u0000d" in text else text).encode()


def _plain(value: object) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return f"\0d{value}"
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be a result")


class Server:
    """One tenant's functions behind one socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._loop = asyncio.SelectorEventLoop(selectors.PollSelector())
        # everything that opens or changes a descriptor happens here, before the process is shut in
        self._reader, self._writer = self._loop.run_until_complete(asyncio.open_connection(sock=connection))
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._module: dict[str, Any] = {}
        self._file = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> None:
        """Serve until the other side goes away."""
        sys.stdout = sys.stderr = _Output()
        logging.basicConfig(handlers=[_Handler()], level=logging.INFO, force=True)
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        reader = self._reader
        while True:
            try:
                size = struct.unpack("!I", await reader.readexactly(4))[0]
                frame = loads(await reader.readexactly(size))
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            match frame["t"]:
                case "load":
                    self._send(self._load(frame["file"], frame["code"]))
                case "call":
                    task = self._loop.create_task(self._call(frame))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                case "answer":
                    future = self._asked.pop(frame["id"], None)
                    if future is not None and not future.done():
                        self._settle(future, frame)
                case _:
                    return

    @staticmethod
    def _settle(future: "asyncio.Future[Any]", frame: Mapping[str, Any]) -> None:
        if "code" in frame:
            error = RefusedError(frame["id"], frame["code"], frame["message"], frame["errors"])
            future.set_exception(error)
        else:
            future.set_result(frame["value"])

    def _send(self, frame: Mapping[str, Any]) -> None:
        self._write(dumps(frame))

    def _write(self, data: bytes) -> None:
        self._writer.writelines((struct.pack("!I", len(data)), data))

    def _load(self, file: str, code: str) -> dict[str, Any]:
        self._file = file
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
        module: dict[str, Any] = {"__name__": "functions", "__file__": file, "__builtins__": __builtins__}
        lines: list[str] = []
        _lines.set(lines)
        try:
            exec(compile(code, file, "exec", dont_inherit=True), module)
        except BaseException as error:  # whatever the code does, the report must get out
            return {"t": "failed", "id": 0, "log": lines, **self._failure(error)}
        self._module = module
        names = [name for name, value in module.items() if inspect.isfunction(value) and name[0] != "_"]
        return {"t": "loaded", "names": names}

    async def _call(self, frame: Mapping[str, Any]) -> None:
        lines: list[str] = []
        _lines.set(lines)
        report: dict[str, Any]
        try:
            value = await self._run(frame)
            data = dumps({"t": "done", "value": value, "id": frame["id"], "log": lines})
            if len(data) > MAX_RESULT:
                raise ValueError("the result is too large")
            del value
        except RejectError as error:
            report = {"t": "rejected", "errors": error.errors}
        except RefusedError as error:
            report = {"t": "refused", "ask": error.ask, **self._failure(error)}
        except BaseException as error:  # whatever the code does, the report must get out
            report = {"t": "failed", **self._failure(error)}
        else:
            self._write(data)
            return
        self._send({**report, "id": frame["id"], "log": lines})

    async def _run(self, frame: Mapping[str, Any]) -> Any:
        function = self._module.get(frame["name"])
        if not callable(function):
            raise LookupError(f"there is no function '{frame['name']}' in {self._file}")
        record = frame["record"]
        subject = record if record is not None else frame["args"]
        ctx = Ctx(frame["ctx"], self._ask(frame["id"]), loads, note)
        ctx._record = record or {}
        value = function(subject, ctx)
        if inspect.isawaitable(value):
            value = await value
        ctx.settle()
        # who changes the row in place may forget to return it
        return record if value is None and record is not None else value

    def _ask(self, call: int) -> Any:
        async def ask(operation: str, words: Mapping[str, Any]) -> Any:
            self._number += 1
            number = self._number
            future: asyncio.Future[Any] = self._loop.create_future()
            self._asked[number] = future
            self._send({"t": "ask", "id": number, "call": call, "op": operation, "words": words})
            return await future

        return ask

    def _failure(self, error: BaseException) -> dict[str, Any]:
        """Return what went wrong, with the place in the tenant's file."""
        frames = [
            entry for entry in traceback.extract_tb(error.__traceback__) if entry.filename == self._file
        ]
        line = frames[-1].lineno if frames else getattr(error, "lineno", None)
        kind = "failed"
        if isinstance(error, MemoryError):
            kind = "memory"
        elif isinstance(error, NotAvailableError | PermissionError):
            kind = "forbidden"
        shown = "".join(traceback.format_list(frames)) if frames else ""
        said = "".join(traceback.format_exception_only(type(error), error)).strip()
        return {"kind": kind, "error": said[:2000], "line": line, "trace": f"{shown}{said}"[-MAX_TRACE:]}
