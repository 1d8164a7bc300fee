"""Notices when the event loop stands still, and says where.

A thread looks at a heartbeat that the loop writes. It decides what counts as a stall; it never interrupts the
loop. ``run.py`` starts one; readiness and metrics read it.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Sequence

from runtime.histogram import Histogram
from runtime.observe import LoopRecovered, LoopStalled, Observer
from runtime.stacks import of_thread

BEAT = 0.05
"""Seconds between heartbeats."""
KEPT = 1200
"""Heartbeats that percentiles are of: a minute's."""
SLICE = 10.0
"""Seconds that one moment of the course stands for."""
COURSE = 360
"""Moments kept: an hour's."""
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Bounds of the classes of lag, in seconds."""


class Watchdog:
    """Watches the loop it is started on.

    Args:
        observer: hears ``LoopStalled`` (from the watchdog's thread, while the loop stands) and
            ``LoopRecovered``.
        threshold: seconds a callback may hold the loop.

    Attributes:
        lag: how late heartbeats came since the start.
    """

    def __init__(self, observer: Observer, *, threshold: float = 0.1) -> None:
        self._observer = observer
        self.lag = Histogram(LAGS)
        self._threshold = threshold
        self._recent: deque[float] = deque(maxlen=KEPT)
        self._course: deque[tuple[float, float, float]] = deque(maxlen=COURSE)
        self._slice: list[float] = []
        self._slice_ends = 0.0
        self._beaten_at = 0.0
        self._last_end = 0.0
        self._last_seconds = 0.0
        self._stalls = 0
        self._stalled = False
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._timer: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    @property
    def stalls(self) -> int:
        """How many stalls there have been."""
        return self._stalls

    @property
    def last_stall_seconds(self) -> float:
        """How long the last stall lasted; 0 when there has been none."""
        return self._last_seconds

    @property
    def last_stall_age(self) -> float | None:
        """Seconds since the last stall ended, 0 while one lasts, None when there has been none."""
        if self._stalled:
            return 0.0
        return time.monotonic() - self._last_end if self._stalls else None

    def percentiles(self, shares: Sequence[float]) -> tuple[float, ...]:
        """Return the lags in seconds that shares (0 to 1) of the last minute's heartbeats stayed under."""
        known = sorted(self._recent) or [0.0]
        return tuple(known[min(int(len(known) * share), len(known) - 1)] for share in shares)

    def course(self) -> list[tuple[float, float, float]]:
        """Return the last hour: seconds since the epoch, mean and largest lag in seconds, every ``SLICE``."""
        return list(self._course)

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._beaten_at = time.monotonic()
        self._slice_ends = self._beaten_at + SLICE
        self._timer = self._loop.call_later(BEAT, self._beat)
        self._thread.start()

    def stop(self) -> None:
        """End the watch, if it began; call it on the loop."""
        self._stop.set()
        if self._timer is not None:
            self._timer.cancel()
            self._thread.join(timeout=1.0)

    def _beat(self) -> None:
        now = time.monotonic()
        stood = now - self._beaten_at - BEAT
        self._beaten_at = now
        late = max(stood, 0.0)
        self.lag.add(late)
        self._recent.append(late)
        self._slice.append(late)
        if now >= self._slice_ends:
            self._slice_ends = now + SLICE
            self._course.append((time.time(), sum(self._slice) / len(self._slice), max(self._slice)))
            self._slice.clear()
        if stood > self._threshold:
            self._stalls += 1
            self._last_end = now
            self._last_seconds = stood
            self._stalled = False
            self._observer(LoopRecovered(stood))
        if self._loop is not None and not self._stop.is_set():
            self._timer = self._loop.call_later(BEAT, self._beat)

    def _watch(self) -> None:
        reported = 0.0
        while not self._stop.wait(self._threshold / 4):
            beaten_at = self._beaten_at
            stood = time.monotonic() - beaten_at - BEAT
            if stood > self._threshold and beaten_at != reported:
                reported = beaten_at
                self._stalled = True
                self._observer(LoopStalled(stood, of_thread(self._loop_thread)))
