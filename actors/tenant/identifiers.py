"""Keys the server gives to rows: UUID version 7, as RFC 9562 lays it out.

Decides nothing but the next key. Called by the write pipeline.
"""

import os
import time

_COUNTER_BITS = 12
_SEED_BITS = 11
"""The counter starts in the lower half, so that a millisecond has room for 2,048 keys at least."""
_POOL_BYTES = 4096


class KeySource:
    """Makes keys that ascend within the process, even when the clock steps back."""

    def __init__(self) -> None:
        self._milliseconds = 0
        self._counter = 0
        self._random = b""
        self._used = 0

    def next(self) -> str:
        """Return a fresh key in the canonical text form."""
        now = time.time_ns() // 1_000_000
        if now > self._milliseconds:
            self._milliseconds = now
            self._counter = self._draw() >> (64 - _SEED_BITS)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._milliseconds += 1
                self._counter = self._draw() >> (64 - _SEED_BITS)
        high = (self._milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | self._counter
        low = 0x8000_0000_0000_0000 | self._draw() >> 2
        text = f"{high:016x}{low:016x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _draw(self) -> int:
        """Return 64 random bits; the system is asked for many at once: asking costs more than a key."""
        if self._used >= len(self._random):
            self._random = os.urandom(_POOL_BYTES)
            self._used = 0
        start = self._used
        self._used = start + 8
        return int.from_bytes(self._random[start : start + 8])


new_key = KeySource().next
