"""``{base}/docs``: pages to read and try a tenant's API, from this process alone.

Decides what the page may load: its own files and the tenant's API, nothing from elsewhere, no script or style
written into the page. It shows what ``{base}/openapi.json`` answers to the reader. Called by
``gateway.server``.
"""

import gzip
import html
from functools import lru_cache
from pathlib import Path

from actors.messages import ProblemError, Result

_ASSETS = Path(__file__).resolve().parent / "docs_assets"
_TYPES = {
    "docs.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/docs/swagger-ui.css">
<link rel="stylesheet" href="{base}/docs/docs.css">
<main data-base="{base}"><noscript>This page needs JavaScript; {base}/openapi.json does not.</noscript></main>
<script src="{base}/docs/swagger-ui-bundle.js"></script>
<script src="{base}/docs/docs.js"></script>
</html>
"""


def show(base: str, file: str) -> Result:
    """Return the page, or one of the files it is made of.

    Args:
        base: path of the tenant's API as the client addressed it.
        file: name of the file, "" for the page.

    Raises:
        ProblemError: PGRST125 when there is no such file.
    """
    if not file:
        page = _PAGE.format(base=html.escape(base, quote=True))
        return Result(200, page.encode(), "text/html; charset=utf-8", _HEADERS)
    kind = _TYPES.get(file)
    if kind is None:
        raise ProblemError("PGRST125", "there is nothing at this path")
    # every browser that runs these scripts reads gzip; who says nothing about encodings takes any (RFC 9110)
    headers = (("Content-Encoding", "gzip"), ("Cache-Control", "public, max-age=86400"))
    return Result(200, _packed(file), kind, headers)


@lru_cache(maxsize=len(_TYPES))
def _packed(file: str) -> bytes:
    stored = _ASSETS / f"{file}.gz"
    return stored.read_bytes() if stored.exists() else gzip.compress((_ASSETS / file).read_bytes())
