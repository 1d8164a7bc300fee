"""The pages of a tenant and of the console.

Decides what a page may load (its own files and this origin's API, nothing from elsewhere) and what it knows
before anybody signs in: names, colour and logo. It shows nothing of a tenant's rows. Called by
``gateway.server``.
"""

import html
import secrets
from typing import Any
from urllib.parse import urlsplit

import orjson
from aiohttp.web_request import BaseRequest

from actors.messages import Call, ProblemError, Result
from gateway.admission import is_browser
from gateway.assets import template
from gateway.places import Place
from gateway.ports import TenantPort
from schemas.compiler.compile import SYSTEM_SLUG

_BOOT = b'<script type="application/json" id="boot">{}</script>'
_TITLE = b"<title>BackSaas</title>"
_FOUND_BY = {"console": "admin.html", "ui": "app.html"}
_HEADERS = (
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


async def page(place: Place, port: TenantPort, request: BaseRequest, deadline: float) -> Result:
    """Return the page of the console or of a tenant; which one of its pages, its script reads in the address.

    Args:
        place: of kind console or ui.
        port: of the tenant whose people look.
        request: as received.
        deadline: event-loop time.

    Raises:
        ProblemError: http.not_found for programs, http.not_built; the tenant's own.
    """
    if not is_browser(request):
        raise ProblemError("http.not_found", "here are pages, for browsers (Accept: text/html)")
    built = template(_FOUND_BY[place.match.rule.kind])
    answer = await port.call(Call("branding", base=place.base, deadline=deadline))
    look: dict[str, Any] = orjson.loads(answer.body)
    nonce = secrets.token_urlsafe(18)
    console = place.match.rule.kind == "console"
    titles = look.get("title") or {}
    logo = str(look.get("logo") or "")
    elsewhere = logo if logo.startswith("https://") else ""
    boot = {
        "face": "console" if console else "tenant",
        "slug": place.slug,
        "base": "/api/platform" if place.slug == SYSTEM_SLUG else f"/api/tenants/{place.slug}",
        "home": place.base,
        "title": titles,
        "color": look.get("color") or "",
        "theme": look.get("theme") or "auto",
        "logo": elsewhere,
        "languages": look.get("languages") or [],
        "nonce": nonce,
    }
    # "<" cannot end the script it stands in
    told = orjson.dumps(boot).replace(b"<", b"\\u003c")
    title = html.escape(next(iter(titles.values()), place.slug)).encode()
    body = built.replace(_BOOT, _BOOT.replace(b"{}", told)).replace(_TITLE, b"<title>%s</title>" % title)
    policy = ("Content-Security-Policy", _policy(nonce, elsewhere))
    return Result(200, body, "text/html; charset=utf-8", (policy, *_HEADERS))


def _policy(nonce: str, logo: str) -> str:
    address = urlsplit(logo)
    pictures = f" https://{address.netloc}" if address.netloc else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; font-src 'self'; "
        f"img-src 'self' data: blob:{pictures}; connect-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
