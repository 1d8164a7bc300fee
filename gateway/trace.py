"""Names of requests: our own ids and W3C trace context.

Decides what of a client's names is taken over. Called by ``gateway.server``.
"""

import itertools
import re
import secrets

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
