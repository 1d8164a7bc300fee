"""What the public port has done so far, as plain numbers; the metrics page shows them.

Decides which tenant and route a request is counted for; what is counted per tenant goes to the book of usage.
"""

import structlog
from aiohttp import web
from msgspec import Struct, field

from actors.messages import Result
from actors.tenant.usage import Counted, UsageBook
from gateway.places import Place
from gateway.streaming import Sent

log = structlog.get_logger("gateway")

_METHODS = {name: name for name in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS")}


class Counters(Struct):
    """Requests in flight and answered.

    Attributes:
        usage: where requests to tenants are counted; None: nowhere.
        log_access: write a line for each request.
        elsewhere: requests that led to no tenant.
    """

    in_flight: int = 0
    usage: UsageBook | None = None
    log_access: bool = False
    elsewhere: Counted = field(default_factory=Counted)

    def count(
        self,
        place: Place | Result | None,
        method: str,
        result: Result | web.StreamResponse,
        seconds: float,
        request_id: str,
        path: str,
        address: str,
    ) -> None:
        """Add one answer.

        Args:
            place: where the request led, if anywhere.
            method: of the request.
            result: the answer.
            seconds: until it was ready.
            request_id: for the log.
            path: for the log, without a row's key and without the query.
            address: of the client, for the log.
        """
        counted, route, slug = self.elsewhere, "", ""
        if isinstance(place, Place):
            route, slug = place.route, place.slug
            tenant = None if self.usage is None else self.usage.known(slug)
            if tenant is not None:
                counted = tenant.counted
        size = 0
        if isinstance(result, Sent):
            size = result.sent
        elif isinstance(result, Result) and method != "HEAD":
            size = len(result.body)
        counted.count(_METHODS.get(method, "OTHER"), route, result.status, seconds, size)
        if self.log_access:
            log.info(
                "request", request_id=request_id, method=method, path=path, status=result.status,
                ms=round(seconds * 1000, 2), tenant=slug, address=address,
            )  # fmt: skip
