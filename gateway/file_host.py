"""A host of its own for files that links open: what a file does in a browser is far from a tenant's pages.

Decides which requests are sent there, and that nothing else is served there. On for installations that set
``files.url``. Called by ``places``; the answers themselves are ``actors.features.files``'s.
"""

from urllib.parse import quote, urlsplit

from actors.features.files.answer import BY_LINK
from actors.messages import ProblemError, Result
from gateway import routes
from gateway.tenancy import Target

_READS = frozenset({"GET", "HEAD"})


class FileHost:
    """The host of files.

    Args:
        url: address of it; "" where there is none.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self.name = urlsplit(url).hostname
        """Host name, None where there is none."""

    def takes(self, found: routes.Found | None) -> bool:
        """Whether reads of a place belong there: of files that their address alone gives out."""
        if self.name is None or found is None:
            return False
        return found.route.operations.get("GET") in BY_LINK

    def check(self, found: routes.Found | None, method: str) -> None:
        """Refuse what is not served there.

        Raises:
            ProblemError: http.not_found.
        """
        if not self.takes(found) or method not in {*_READS, "OPTIONS"}:
            raise ProblemError("http.not_found", "there is nothing at this address")

    def send_on(self, slug: str, base: str, target: Target, method: str) -> Result | None:
        """Return the answer that sends a reader there; None when the request is no read."""
        if method not in _READS:
            return None
        path = quote(f"/api/tenants/{slug}{target.path.removeprefix(base)}", safe="/")
        query = f"?{target.query}" if target.query else ""
        # the address is the whole permission, so that any page may follow; it may end before a cache does
        headers = (("Location", f"{self._url}{path}{query}"), ("Cache-Control", "no-store"))
        return Result(307, headers=headers)
