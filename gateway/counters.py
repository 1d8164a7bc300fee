"""What the public port has done so far, as plain numbers; the metrics page shows them."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Requests in flight, answers by status, seconds spent on them."""

    in_flight: int = 0
    seconds: float = 0.0
    by_status: dict[int, int] = field(default_factory=dict)

    def count(self, status: int, seconds: float) -> None:
        """Add one answer."""
        self.by_status[status] = self.by_status.get(status, 0) + 1
        self.seconds += seconds
