"""What the public port has done so far, as plain numbers; the metrics page shows them.

Decides which tenant and route a request is counted for; what is counted per tenant goes to the book of usage.
"""

from dataclasses import dataclass, field

import structlog
from aiohttp import web
from aiohttp.web_request import BaseRequest

from actors.messages import Result
from actors.tenant.usage import Counted, UsageBook
from gateway.places import Place
from gateway.streaming import Sent

log = structlog.get_logger("gateway")

_METHODS = {name: name for name in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")}


@dataclass(slots=True)
class Counters:
    """Requests in flight and answered.

    Attributes:
        usage: where requests to tenants are counted; None: nowhere.
        elsewhere: requests that led to no tenant.
    """

    in_flight: int = 0
    usage: UsageBook | None = None
    elsewhere: Counted = field(default_factory=Counted)

    def count(
        self, place: Place | Result | None, method: str, result: Result | web.StreamResponse, seconds: float
    ) -> None:
        """Add one answer, made in so many seconds; ``place`` is where the request led, if anywhere."""
        counted, route = self.elsewhere, ""
        if isinstance(place, Place):
            route = place.route
            tenant = None if self.usage is None else self.usage.known(place.slug)
            if tenant is not None:
                counted = tenant.counted
        size = (
            len(result.body)
            if isinstance(result, Result)
            else (result.sent if isinstance(result, Sent) else 0)
        )
        counted.count(_METHODS.get(method, "OTHER"), route, result.status, seconds, size)


def log_access(
    place: Place | Result | None,
    request: BaseRequest,
    status: int,
    seconds: float,
    request_id: str,
    path: str,
    address: str,
) -> None:
    """Write the line of one request; ``path`` is without a row's key, and without the query."""
    log.info(
        "request", request_id=request_id, method=request.method, path=path, status=status,
        ms=round(seconds * 1000, 2), tenant=getattr(place, "slug", ""), address=address,
    )  # fmt: skip
