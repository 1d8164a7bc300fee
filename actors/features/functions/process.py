"""One process of one tenant's version: calls go in, what functions ask for is answered, results come out.

Decides what a function's end means: a refusal, a failure with its line, an overrun that costs the process.
One call is under way at a time, with those it sets off; each is read to its end before anything else is.
Called by ``workers``.
"""

import asyncio
import struct
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from actors.features.functions.asks import answer
from actors.features.functions.calls import DataPort, Invocation, Outcome, RunError, rejected
from actors.features.functions.launcher import Child, Launcher, LaunchError
from actors.features.functions.services import Services
from actors.messages import ProblemError
from actors.tenant.generation import Generation
from actors.tenant.refusals import CONFLICTS, LOST, StaleGenerationError
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json

MAX_FRAME = 16 << 20
LOAD_SECONDS = 5.0
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_CODES = {
    "memory": ("function.memory", "took too much memory"),
    "forbidden": ("function.forbidden", "tried something that functions may not"),
    "failed": ("function.failed", "failed"),
}

log = structlog.get_logger("functions")


class LoadError(Exception):
    """The code cannot be loaded.

    Attributes:
        line: in the Python file, 0 when it is not known.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Code(Struct, frozen=True):
    """A version of a tenant's Python file."""

    tenant: str
    version: int
    file: str
    text: str


class Process:
    """See the module's docstring; made by ``start``."""

    def __init__(self, child: Child, services: Services, code: Code) -> None:
        self._child = child
        self._services = services
        self.code = code
        self._number = 0
        self._ports: dict[int, tuple[Generation, Invocation, DataPort]] = {}
        self._done: dict[int, Mapping[str, Any]] = {}
        self._refusals: dict[int, Exception] = {}

    @classmethod
    async def start(cls, launcher: Launcher, services: Services, code: Code) -> "Process":
        """Start a process and load the code.

        Raises:
            LoadError: the code cannot be loaded.
            ProblemError: function.busy when no process can be started.
        """
        try:
            child = await launcher.launch()
        except LaunchError as error:
            log.error("function.no_process", reason=str(error))  # noqa: TRY400 - one line is enough
            raise ProblemError("function.busy", "functions cannot be run at the moment") from error
        process = cls(child, services, code)
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                process._send({"t": "load", "file": code.file, "code": code.text})
                frame = await process._read()
        except (TimeoutError, ProblemError, asyncio.CancelledError) as error:
            child.kill()
            if isinstance(error, asyncio.CancelledError):
                raise
            raise LoadError(f"{code.file} takes too long or too much to load", 0) from None
        if frame["t"] != "loaded":
            child.kill()
            raise LoadError(str(frame.get("error", "")), frame.get("line") or 0)
        return process

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._child.alive

    def kill(self) -> None:
        """End it at once."""
        self._child.kill()

    async def run(self, generation: Generation, call: Invocation, data: DataPort) -> Outcome:
        """Run one function to its end.

        Raises:
            ProblemError: see ``FunctionHost.run``.
        """
        self._number += 1
        number = self._number
        nested = replace(data.origin, lane=self, depth=call.depth)
        self._ports[number] = (generation, call, data.nested(nested))
        began = time.perf_counter()
        try:
            async with asyncio.timeout(call.timeout):
                self._send(_call_frame(number, generation, call))
                frame = await self._until(number)
        except TimeoutError:
            self.kill()
            raise RunError("timeout", "function.timeout", f"'{_name(call)}' took too long") from None
        except asyncio.CancelledError:
            self.kill()
            raise
        finally:
            self._ports.pop(number, None)
        return self._outcome(call, frame, time.perf_counter() - began)

    def _outcome(self, call: Invocation, frame: Mapping[str, Any], seconds: float) -> Outcome:
        lines = tuple(str(line) for line in frame.get("log", ()))
        match frame["t"]:
            case "done":
                return Outcome(frame["value"], seconds, lines)
            case "rejected":
                errors = [(str(message), str(field)) for message, field in frame["errors"]]
                refusal = rejected("; ".join(message for message, _ in errors))
                refusal.errors = tuple(
                    error for message, field in errors for error in rejected(message, (field,)).errors
                )
                raise RunError.of(refusal, lines, outcome="rejected")
            case "refused" if (cause := self._refusals.pop(int(frame["ask"]), None)) is not None:
                if isinstance(cause, ProblemError):
                    raise RunError.of(cause, lines, line=frame.get("line"), outcome="rejected")
                raise cause
            case _:
                code, words = _CODES.get(str(frame.get("kind")), _CODES["failed"])
                if code == "function.memory":
                    self.kill()
                raise RunError(
                    "failed",
                    code,
                    f"'{_name(call)}' {words}",
                    str(frame.get("trace", "")),
                    lines,
                    frame.get("line"),
                )

    async def _until(self, number: int) -> Mapping[str, Any]:
        """Read until a call is done, answering what functions ask for meanwhile."""
        while number not in self._done:
            frame = await self._read()
            if frame["t"] == "ask":
                await self._answer(frame)
            elif frame.get("id") in self._ports:
                self._done[frame["id"]] = frame
        return self._done.pop(number)

    async def _answer(self, frame: Mapping[str, Any]) -> None:
        number = int(frame["id"])
        try:
            generation, call, port = self._ports[frame["call"]]
            value = await answer(self._services, generation, call, port, str(frame["op"]), frame["words"])
            self._send({"t": "answer", "id": number, "value": value})
        except (*CONFLICTS, *LOST, StaleGenerationError):
            # the transaction is gone, whatever the function would make of it
            self.kill()
            raise
        except QueryError as error:
            self._refuse(
                number, ProblemError(error.code, error.message, details=error.details, hint=error.hint)
            )
        except (KeyError, TypeError, ValueError) as error:
            self._refuse(number, ProblemError("function.failed", f"not understood: {error}"))
        except ProblemError as error:
            if not self.alive:
                raise
            self._refuse(number, error)

    def _refuse(self, number: int, error: ProblemError) -> None:
        self._refusals[number] = error
        self._send(
            {
                "t": "answer",
                "id": number,
                "code": error.code,
                "message": error.message,
                "errors": list(error.errors),
            }
        )

    def _send(self, frame: Mapping[str, Any]) -> None:
        data = _ENCODER.encode(frame)
        self._child.writer.write(struct.pack("!I", len(data)) + data)

    async def _read(self) -> dict[str, Any]:
        reader = self._child.reader
        try:
            size = min(struct.unpack("!I", await reader.readexactly(4))[0], MAX_FRAME + 1)
            frame: dict[str, Any] = decode_json(await reader.readexactly(size))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.kill()
            raise RunError("failed", "function.failed", "the function's process ended") from None
        except (ValueError, QueryError):
            self.kill()
            raise RunError("failed", "function.failed", "the function's result is no JSON we take") from None
        return frame


def _call_frame(number: int, generation: Generation, call: Invocation) -> dict[str, Any]:
    user = call.principal
    model = generation.model
    return {
        "t": "call",
        "id": number,
        "name": call.name,
        "record": call.record,
        "args": call.args,
        "ctx": {
            "user": {
                "id": user.id, "email": user.email, "roles": sorted(user.roles), "claims": dict(user.claims),
            },
            "tenant": {"slug": model.slug, "title": next(iter(model.title.values()), model.slug)},
            "request_id": call.request_id,
            "entity": call.entity,
            "operation": call.origin,
            "old": call.old,
            "config": call.config,
            "secrets": dict(generation.secrets),
        },
    }  # fmt: skip


def _name(call: Invocation) -> str:
    return call.label or call.name
