"""Names of requests: our own ids and W3C trace context; and what traces them, where something does.

Decides what of a client's names is taken over. Called by ``gateway.server``.
"""

import itertools
import re
import secrets
from collections.abc import Mapping
from typing import Protocol

from actors.messages import Result
from config.settings import TracingSettings
from gateway.places import Place

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_TRACE = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)


class RequestIds:
    """Makes ids that are unique across processes and cost almost nothing."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def new(self) -> str:
        """Return a fresh id."""
        return f"{self._prefix}{next(self._numbers):08x}"

    def take(self, given: str | None) -> str:
        """Return the client's id when it is a harmless word, else a fresh one."""
        return given if given is not None and _ID.fullmatch(given) else self.new()


def continue_trace(given: str | None) -> str:
    """Return the header line that continues a client's trace, ``""`` without one."""
    if given is None or not _TRACE.fullmatch(given):
        return ""
    return f"traceparent: {given[:36]}{secrets.token_hex(8)}{given[52:]}\r\n"


class Span(Protocol):
    """One request as a trace has it.

    Attributes:
        line: the header that names it, for the answer and for servers behind us.
    """

    line: str

    def end(self, place: Place | Result | None, method: str, status: int, request_id: str) -> None:
        """Say how the request came out."""
        ...


class Tracer(Protocol):
    """What traces requests; ``gateway.tracing`` is the real one."""

    def begin(self, headers: Mapping[str, str]) -> Span:
        """Begin a request's span, in the trace its caller names, if it does."""
        ...

    async def close(self) -> None:
        """Send what is left."""
        ...


def tracer_of(settings: TracingSettings) -> Tracer | None:
    """Return what traces requests, None where nothing does; its library is loaded only here.

    Raises:
        StartError: the library is not installed.
    """
    if not settings.endpoint:
        return None
    from gateway.tracing import Tracing  # noqa: PLC0415 - sixteen megabytes

    return Tracing(settings)
