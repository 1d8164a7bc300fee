"""What a websocket of channels sends: replies, events, and how it ends.

Decides that who does not read is cut off, and that nothing follows a refusal. The base of ``channels``.
"""

import asyncio
from collections import deque
from typing import Any

import orjson

from actors.features.realtime import phoenix
from actors.features.realtime.phoenix import Frame

MOST_BUFFERED = 1 << 20
"""Bytes that wait for a client that does not read."""
TOO_MUCH, POLICY, REFUSED, FORBIDDEN = 1013, 1008, 4401, 4403
_AT_ONCE = frozenset({TOO_MUCH, POLICY, REFUSED, FORBIDDEN})


class Outgoing:
    """See the module's docstring.

    Args:
        version: of the serializer.
    """

    def __init__(self, version: str) -> None:
        self.code, self.reason = 0, ""
        self.version = version
        self._waiting: deque[str | bytes] = deque()
        self._size = 0
        self._some = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether nothing more will be sent."""
        return bool(self.code) and (self.code in _AT_ONCE or not self._waiting)

    async def piece(self, seconds: float) -> str | bytes | None:
        """Return the next message; None when there was none for so long, or the end came."""
        if not self._waiting and not self.code:
            self._some.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._some.wait()
            except TimeoutError:
                return None
        if not self._waiting:
            return None
        found = self._waiting.popleft()
        self._size -= len(found)
        return found

    def end(self, code: int, reason: str) -> None:
        """End the connection."""
        if not self.code:
            self.code, self.reason = code, reason[:120]
            self._some.set()

    def reply(self, frame: Frame, response: dict[str, Any], status: str = "ok") -> None:
        """Answer a message."""
        payload = orjson.dumps({"status": status, "response": response})
        self.send(frame.topic, "phx_reply", payload, (frame.join_ref, frame.ref))

    def refuse(self, frame: Frame, reason: str) -> None:
        """Answer a message with no."""
        self.reply(frame, {"reason": reason}, "error")

    def send(self, topic: str, event: str, payload: bytes, refs: tuple[str | None, str | None]) -> None:
        """Send a message; ``payload`` is JSON, ``refs`` are join_ref and ref."""
        self.queue(phoenix.write(self.version, topic, event, payload, refs))

    def queue(self, piece: str | bytes) -> None:
        """Send what is written already."""
        if self._size > MOST_BUFFERED:
            self._waiting.clear()
            self._size = 0
            self.end(TOO_MUCH, "the client does not read its messages")
        if not self.code:
            self._waiting.append(piece)
            self._size += len(piece)
            self._some.set()
