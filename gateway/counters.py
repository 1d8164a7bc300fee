"""What the public port has done so far, as plain numbers; the metrics page shows them.

Decides which tenant and route a request is counted for; what is counted per tenant goes to the book of usage.
"""

from dataclasses import dataclass, field

from aiohttp import web

from actors.messages import Result
from actors.tenant.usage import UsageBook
from gateway.places import Place
from gateway.streaming import Sent

_METHODS = {name: name for name in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")}


@dataclass(slots=True)
class Counters:
    """Requests in flight, answers by status, seconds spent on them.

    Attributes:
        usage: where requests to tenants are counted; None: nowhere.
    """

    in_flight: int = 0
    seconds: float = 0.0
    by_status: dict[int, int] = field(default_factory=dict)
    usage: UsageBook | None = None

    def count(
        self, place: Place | Result | None, method: str, result: Result | web.StreamResponse, seconds: float
    ) -> None:
        """Add one answer, made in so many seconds; ``place`` is where the request led, if anywhere."""
        status = result.status
        self.by_status[status] = self.by_status.get(status, 0) + 1
        self.seconds += seconds
        if self.usage is not None and isinstance(place, Place):
            tenant = self.usage.known(place.slug)
            if tenant is not None:
                size = (
                    len(result.body)
                    if isinstance(result, Result)
                    else (result.sent if isinstance(result, Sent) else 0)
                )
                tenant.count(_METHODS.get(method, "OTHER"), place.route, status, seconds, size)
