"""Where a thread or a suspended task is, as text for people.

Decides nothing. Used when a handler is stuck (cell) and when the loop stands still (watchdog).
"""

import asyncio
import sys
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

FRAMES = 30
"""Innermost frames shown."""


def of_task(task: asyncio.Task[Any]) -> str:
    """Return the chain of awaits a suspended task waits in; asyncio itself shows only the outermost."""
    frames = [(frame, frame.f_lineno) for frame in _awaiting(task.get_coro())]
    return "".join(traceback.StackSummary.extract(iter(frames[-FRAMES:])).format())


def of_thread(ident: int) -> str:
    """Return what a thread is doing now, or "" when it has ended."""
    frame = sys._current_frames().get(ident)  # noqa: SLF001 - the one way to see it
    return "" if frame is None else "".join(traceback.format_stack(frame, limit=FRAMES))


def _awaiting(waiting: object) -> Iterator[FrameType]:
    while waiting is not None:
        frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
        if frame is not None:
            yield frame
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
