"""BackSaas as it would be if nothing were metered, to compare with; no installation runs so."""

import importlib
import sys

from actors.metering_actor import MeteringActor
from actors.tenant.usage import TenantUsage
from gateway.counters import Counters


async def nothing(*_: object) -> None:
    """Do nothing instead."""


def main() -> int:
    """Serve without counting requests and people, and without writing what was counted."""
    Counters.count = TenantUsage.seen = lambda *_: None  # type: ignore[assignment, method-assign]
    MeteringActor._flush = MeteringActor._measure = nothing  # type: ignore[assignment, method-assign]
    return int(importlib.import_module("run").main(["serve"]))


if __name__ == "__main__":
    sys.exit(main())
