"""How slow the machine is at this moment, and how much to try on it.

Bars are written for a quiet machine, and tests seldom have it to themselves.
"""

import os
import time

QUIET_SECONDS = 0.011
"""What the loop takes on a core of the machine the bars were set on."""


def slowness() -> float:
    """How many times longer than on a quiet machine plain Python takes right now; never below 1."""
    return max(1.0, sorted(_loop() for _ in range(9))[4] / QUIET_SECONDS)


def _loop() -> float:
    began, total = time.perf_counter(), 0
    for number in range(200_000):
        total += number % 7
    return time.perf_counter() - began


def examples(number: int) -> int:
    """How many random examples to try; ``TEST_EXAMPLES=3`` tries three times as many, as one does at night."""
    return int(number * float(os.environ.get("TEST_EXAMPLES", "1")))
