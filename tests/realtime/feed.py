"""A reader of server-sent events, as a program would be one."""

import asyncio
import json
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp
from yarl import URL

PATIENCE = 30.0


class Event(NamedTuple):
    id: str
    kind: str
    data: Any


class Feed:
    """One subscription.

    Args:
        session: with its credential.
        url: of a list.
        last: id of the last event there was.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, last: str = "") -> None:
        self.last = last
        self._session, self._url = session, url
        self._answer: aiohttp.ClientResponse | None = None

    async def __aenter__(self) -> Self:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self.last} if self.last else {})
        answer = await self._session.get(
            URL(self._url, encoded=True), headers=headers, timeout=aiohttp.ClientTimeout(total=None)
        )
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        self._answer = answer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._answer is not None:
            self._answer.close()

    async def event(self) -> Event | None:
        """The next event; None at the end of the stream."""
        assert self._answer is not None
        found: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            while line := await self._answer.content.readline():
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    found[name] = value
                    continue
                if "event" in found:
                    self.last = found.get("id", self.last)
                    return Event(self.last, found["event"], json.loads(found["data"]))
                found.clear()
        return None

    async def told(self) -> tuple[str, Any]:
        """Kind and data of the next event."""
        event = await self.event()
        assert event is not None, "the stream ended"
        return event.kind, event.data
