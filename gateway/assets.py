"""The files that pages are made of: ``web/dist`` under ``/_ui/``, on every host.

Decides how browsers keep them: for ever, since their names follow from what is in them. They hold nothing of
any tenant. Called by ``gateway.places`` and ``gateway.pages``.
"""

import gzip
from functools import cache, lru_cache
from pathlib import Path

from aiohttp.web_request import BaseRequest

from actors.messages import ProblemError, Result

ASSETS = "_ui"
"""First part of the path of every file; no tenant's page has this name."""
DIST = Path(__file__).resolve().parent.parent / "web" / "dist"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_PACKED = frozenset({".js", ".css", ".svg"})
_KEPT = (
    ("Cache-Control", "public, max-age=31536000, immutable"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
# every browser that runs these scripts reads gzip; who says nothing about encodings takes any (RFC 9110)
_GZIP = (("Content-Encoding", "gzip"),)


def asset(segments: tuple[str, ...]) -> Result | None:
    """Return a file that pages are made of, by the parts of its path; None where there is none."""
    name = segments[-1]
    suffix = Path(name).suffix
    if len(segments) != 2 or suffix not in _TYPES or name not in _names():
        return None
    packing = _GZIP if suffix in _PACKED else ()
    return Result(200, _body(name), _TYPES[suffix], (*_KEPT, *packing))


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(path.name for path in DIST.glob("*"))


@cache
def _body(name: str) -> bytes:
    """Return a file as it is sent; packed at most once, when somebody first asks."""
    body = (DIST / name).read_bytes()
    return gzip.compress(body, 7, mtime=0) if Path(name).suffix in _PACKED else body


@lru_cache(maxsize=4)
def template(name: str) -> bytes:
    """Return a page as it was built.

    Raises:
        ProblemError: http.not_built.
    """
    file = DIST / name
    if not file.exists():
        raise ProblemError("http.not_built", "this installation has no pages", hint="docs/web.md builds them")
    return file.read_bytes()


def only_read(page: Result | None, request: BaseRequest) -> Result:
    """Return a page as it is; None stands for one that is not there.

    Raises:
        ProblemError: http.not_found, http.method_not_allowed.
    """
    if page is None:
        raise ProblemError("http.not_found", "there is nothing at this address")
    if request.method not in {"GET", "HEAD"}:
        raise ProblemError(
            "http.method_not_allowed", "this page is read only", headers=(("Allow", "GET, HEAD"),)
        )
    return page
