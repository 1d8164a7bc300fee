"""Watches the directories people edit and reports what changed.

Decides when to look: at once on a file event, again while a file is unfinished, and every two seconds
whatever the events say, since events are lost on overflow, through links and when a folder is replaced. It
never reads YAML. Supervised; what it finds goes to ``on_finding`` of each watch.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from msgspec import Struct
from typing_extensions import override
from watchfiles import awatch

from actors.scanner import Finding, Scanner
from runtime.actor import Actor

RESCAN_SECONDS = 2.0
UNSETTLED_SECONDS = 0.02
EVENT_STEP_MS = 10
EVENT_DEBOUNCE_MS = 50


class Watch(Struct, frozen=True):
    """One directory's scanner and who hears what it finds."""

    scanner: Scanner
    on_finding: Callable[[Finding], Awaitable[None]]


class Watcher(Actor):
    """Owns the tasks that turn file events into looks, and the one that looks.

    Args:
        watches: directories, looked at in this order.
        first_look: awaited after the first look at everything; the watcher runs when it returns.
    """

    def __init__(self, watches: Sequence[Watch], first_look: Callable[[], Awaitable[None]]) -> None:
        self._watches = watches
        self._first_look = first_look
        self._wanted = asyncio.Event()

    @override
    async def pre_start(self) -> None:
        """Look at everything once, then keep looking."""
        for watch in self._watches:
            watch.scanner.start_over()  # what the one before us found may have been lost with it
            self.spawn(self._listen(watch.scanner.root), f"listen {watch.scanner.root.name}")
        unsettled = await self._look()
        await self._first_look()
        self.spawn(self._run(UNSETTLED_SECONDS if unsettled else RESCAN_SECONDS), "look")

    async def _run(self, delay: float) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._wanted.wait()
            self._wanted.clear()
            delay = UNSETTLED_SECONDS if await self._look() else RESCAN_SECONDS

    async def _look(self) -> bool:
        """Look at every directory; returns whether a file is unfinished."""
        unsettled = False
        for watch in self._watches:
            # thousands of files take tens of milliseconds to look at
            findings, again = await asyncio.to_thread(watch.scanner.scan)
            unsettled |= again
            for finding in findings:
                await watch.on_finding(finding)
        return unsettled

    async def _listen(self, root: Path) -> None:
        """Turn events into looks; when the folder itself is replaced, listen to the new one."""
        while True:
            identity = _identity(root)
            if identity is not None:
                stop = asyncio.Event()
                self.spawn(_stop_when_replaced(root, identity, stop), f"guard {root.name}")
                async for _ in awatch(
                    root,
                    step=EVENT_STEP_MS,
                    debounce=EVENT_DEBOUNCE_MS,
                    recursive=False,
                    stop_event=stop,
                    rust_timeout=500,
                ):
                    self._wanted.set()
            await asyncio.sleep(RESCAN_SECONDS / 4)


async def _stop_when_replaced(root: Path, identity: tuple[int, int], stop: asyncio.Event) -> None:
    while _identity(root) == identity:  # noqa: ASYNC110 - nothing else tells of a replaced folder
        await asyncio.sleep(RESCAN_SECONDS / 4)
    stop.set()


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
