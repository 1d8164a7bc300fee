"""From request headers to a ``Credential``: what a request brought, and whether a browser's own page sent it.

Decides which headers count and which are malformed. It believes nothing: that is the tenant's realm's. Called
by ``gateway.server`` for every request to a tenant.
"""

import re
from http.cookies import CookieError, SimpleCookie

from aiohttp.web_request import BaseRequest
from multidict import istr

from actors.features.auth.api_keys import SECRET
from actors.features.auth.cookies import session_cookie
from actors.messages import Credential, ProblemError, Web

_AUTHORIZATION, _APIKEY, _COOKIE = istr("Authorization"), istr("apikey"), istr("Cookie")
_ORIGIN, _SITE, _CSRF = istr("Origin"), istr("Sec-Fetch-Site"), istr("X-CSRF-Token")
_AGENT, _VERSION, _ACCEPT = istr("User-Agent"), istr("X-Supabase-Api-Version"), istr("Accept")
MAX_CREDENTIAL = 8192
MAX_COOKIES = 8192
MAX_AGENT = 200
_KEY_IN_URL = re.compile(rf"{SECRET}[0-9A-Za-z]{{16}}", re.ASCII)
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_NOTHING = Credential()


def read_credential(request: BaseRequest, slug: str, *, secure: bool) -> Credential:
    """Return what the request brought.

    Args:
        request: as received.
        slug: of the tenant; its session cookie is the only one that counts.
        secure: the client reached us by TLS.

    Raises:
        ProblemError: auth.invalid_token for a scheme that is not used here; auth.key_in_url.
    """
    get = request.headers.get
    authorization, apikey, cookies = get(_AUTHORIZATION), get(_APIKEY), get(_COOKIE)
    if authorization is None and apikey is None and cookies is None:
        return _NOTHING
    bearer = ""
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        bearer = token.strip()
        if scheme.lower() != "bearer" or not bearer:
            raise _refusal("only 'Authorization: Bearer' is accepted")
    if len(bearer) > MAX_CREDENTIAL or len(apikey or "") > MAX_CREDENTIAL:
        raise _refusal("the credential is too long")
    cookie = _cookies(cookies).get(session_cookie(slug, secure=secure), "") if cookies is not None else ""
    if not cookie:
        return Credential(bearer, apikey or "")
    return Credential(
        bearer, apikey or "", cookie, get(_CSRF, ""), is_same_origin(request, secure), request.method in _SAFE
    )


def refuse_key_in_url(target: str) -> None:
    """Refuse a secret key in a request target: addresses are logged and kept by everybody on the way.

    Raises:
        ProblemError: auth.key_in_url, which does not repeat it.
    """
    if SECRET in target and _KEY_IN_URL.search(target):
        raise ProblemError(
            "auth.key_in_url",
            "a key does not belong into an address",
            hint="send it as the header 'apikey', and rotate this one: it may have been seen",
        )


def read_web(request: BaseRequest, *, secure: bool) -> Web:
    """Return what signing in needs to know of a request."""
    get = request.headers.get
    accept = get(_ACCEPT, "")
    return Web(
        "".join(char for char in get(_AGENT, "")[:MAX_AGENT] if char.isprintable()),
        secure,
        prefers_html(accept),
        get(_VERSION, "")[:20],
        _cookies(get(_COOKIE, "")),
        get(istr("Host"), "").lower(),
        is_same_origin(request, secure),
    )


def prefers_html(accept: str) -> bool:
    """Whether a browser wants to show a page: it names HTML, and before JSON."""
    html, json = accept.find("text/html"), accept.find("application/json")
    return html >= 0 and (json < 0 or html < json)


def is_same_origin(request: BaseRequest, secure: bool) -> bool:  # noqa: FBT001 - as in Web
    """Whether the browser says that a page of this very origin sent the request.

    Browsers send ``Sec-Fetch-Site`` and, with unsafe methods, ``Origin``; a page cannot forge either (Fetch
    standard). What sends neither is no browser a page could abuse, but a cookie alone does not prove that.
    """
    get = request.headers.get
    site, origin = get(_SITE), get(_ORIGIN)
    if site is not None and site not in {"same-origin", "none"}:
        return False
    if origin is None:
        return site is not None
    if origin == "null":
        # a page that tells nobody where it is (Referrer-Policy) hides its origin from itself, too
        return site == "same-origin"
    host = get(istr("Host"), "").lower()
    # without TLS of our own, a proxy in front may have had it
    return origin == f"https://{host}" or (not secure and origin == f"http://{host}")


def _cookies(header: str) -> dict[str, str]:
    if not header or len(header) > MAX_COOKIES:
        return {}
    jar = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def _refusal(message: str) -> ProblemError:
    challenge = ("WWW-Authenticate", 'Bearer error="invalid_token"')
    return ProblemError("auth.invalid_token", message, headers=(challenge,))
