"""Keys the server gives to rows: UUID version 7, as RFC 9562 lays it out.

Decides nothing but the next key. Called by the write pipeline.
"""

import os
import time

_COUNTER_BITS = 12
_SEED_BITS = 11
"""The counter starts in the lower half, so that a millisecond has room for 2,048 keys at least."""
_POOL_BYTES = 4096
_DIGITS = 16
"""Random hexadecimal digits per key; the first two bits of them give way to the variant."""
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class KeySource:
    """Makes keys that ascend within the process, even when the clock steps back."""

    def __init__(self) -> None:
        self._milliseconds = 0
        self._time = ""
        self._counter = 0
        self._random = ""
        self._used = 0

    def next(self) -> str:
        """Return a fresh key in the canonical text form."""
        now = time.time_ns() // 1_000_000
        if now > self._milliseconds:
            self._begin(now)
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._begin(self._milliseconds + 1)
        drawn = self._draw()
        return f"{self._time}-7{self._counter:03x}-{_VARIANT[drawn[0]]}{drawn[1:4]}-{drawn[4:]}"

    def _begin(self, milliseconds: int) -> None:
        """Take a millisecond that no key has yet, and a fresh place in it to count from."""
        self._milliseconds = milliseconds
        text = f"{milliseconds & 0xFFFF_FFFF_FFFF:012x}"
        self._time = f"{text[:8]}-{text[8:]}"
        self._counter = int(self._draw(), 16) >> (4 * _DIGITS - _SEED_BITS)

    def _draw(self) -> str:
        """Return random digits; the system is asked for many at once: asking costs more than a key."""
        if self._used >= len(self._random):
            self._random = os.urandom(_POOL_BYTES).hex()
            self._used = 0
        start = self._used
        self._used = start + _DIGITS
        return self._random[start : self._used]


new_key = KeySource().next
