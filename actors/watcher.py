"""Watches the directories people edit and reports what changed.

Decides when to look: at once on a file event, again while a file is unfinished, and every two seconds
whatever the events say, since events are lost on overflow, through links and when a folder is replaced. Where
the kernel has none for us, the two seconds are what is left, and operators hear of it. It never reads YAML.
Supervised; what it finds goes to ``on_finding`` of each watch.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from msgspec import Struct
from typing_extensions import override
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from actors.scanner import Finding, Scanner
from runtime.actor import Actor

RESCAN_SECONDS = 2.0
UNSETTLED_SECONDS = 0.02
EVENT_STEP_MS = 10
EVENT_DEBOUNCE_MS = 50
EVENT_WAIT_MS = 500
_LIMITS = "fs.inotify.max_user_instances, fs.inotify.max_user_watches or the limit of open files is too low"

log = structlog.get_logger("watcher")


class Watch(Struct):
    """One directory's scanner, who hears what it finds, and what hinders us now.

    Attributes:
        name: what the directory is for.
        deaf: why there are no file events, "" while there are.
    """

    name: str
    scanner: Scanner
    on_finding: Callable[[Finding], Awaitable[None]]
    deaf: str = ""

    def warnings(self) -> list[str]:
        """Return what operators should mend; all of it is tried again by itself."""
        return [text for text in (self.scanner.trouble, self.deaf) if text]


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
        # awatch would do the same with a second framework of tasks, 1 MB of it
        self._threads = ThreadPoolExecutor(len(watches), thread_name_prefix="watch")

    @override
    async def pre_start(self) -> None:
        """Look at everything once, then keep looking."""
        for watch in self._watches:
            watch.scanner.start_over()  # what the one before us found may have been lost with it
            self.spawn(self._listen(watch), f"listen {watch.name}")
        unsettled = await self._look()
        await self._first_look()
        self.spawn(self._run(UNSETTLED_SECONDS if unsettled else RESCAN_SECONDS), "look")

    @override
    async def post_stop(self) -> None:
        """Let the threads go; they were told to stop."""
        self._threads.shutdown(wait=False)

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
            before = watch.scanner.trouble
            # thousands of files take tens of milliseconds to look at
            findings, again = await asyncio.to_thread(watch.scanner.scan)
            _tell(before, watch.scanner)
            unsettled |= again
            for finding in findings:
                await watch.on_finding(finding)
        return unsettled

    async def _listen(self, watch: Watch) -> None:
        """Turn events into looks; when the folder itself is replaced, listen to the new one."""
        while True:
            pause = RESCAN_SECONDS / 4
            try:
                await self._hear(watch)
            except (FileNotFoundError, PermissionError):
                pass  # the looks find out that the folder is not there, or may not be read
            except (OSError, WatchfilesRustInternalError) as error:
                _note_deaf(watch, _why_deaf(watch.scanner.root, error))
                pause = RESCAN_SECONDS
            await asyncio.sleep(pause)

    async def _hear(self, watch: Watch) -> None:
        """Listen until the folder is another one."""
        root = watch.scanner.root
        identity = _identity(root)
        # dropped, not closed, at the end: a thread that was told to stop still looks at it for a moment
        events, stop = RustNotify([str(root)], False, False, 0, False, False), threading.Event()
        try:
            # nothing else tells of a replaced folder
            while _identity(root) == identity:
                news = await asyncio.get_running_loop().run_in_executor(
                    self._threads, events.watch, EVENT_DEBOUNCE_MS, EVENT_STEP_MS, EVENT_WAIT_MS, stop
                )
                _note_deaf(watch, "")
                if news != "timeout":
                    self._wanted.set()
        finally:
            stop.set()


def events_problem(root: Path) -> str:
    """Return why a server would hear nothing of changes in a directory, "" when it would."""
    try:
        with RustNotify([str(root)], False, False, 0, False, False):
            return ""
    except (OSError, WatchfilesRustInternalError) as error:
        return _why_deaf(root, error)


def _why_deaf(root: Path, error: Exception) -> str:
    reason = str(error).partition(" about [")[0]
    return f"no file events in {root}, changes are seen within {RESCAN_SECONDS:g} s: {reason} ({_LIMITS})"


def _note_deaf(watch: Watch, reason: str) -> None:
    """Remember why there are no events, and log it when that is news."""
    if reason and not watch.deaf:
        log.warning("folder.without_events", folder=watch.name, reason=reason)
    elif watch.deaf and not reason:
        log.info("folder.events_again", folder=watch.name)
    watch.deaf = reason


def _tell(before: str, scanner: Scanner) -> None:
    """Log once that a folder cannot be read, and once that it can be again."""
    if scanner.trouble and scanner.trouble != before:
        log.warning("folder.unreadable", reason=scanner.trouble, effect="what was read before stays in force")
    elif before and not scanner.trouble:
        log.info("folder.readable", folder=str(scanner.root))


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
