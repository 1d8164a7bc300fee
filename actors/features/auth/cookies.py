"""Names and attributes of the cookies of a realm, and the token that protects them.

Decides which cookie belongs to which tenant: where tenants share an origin, each has a name of its own.
"""

import base64
import hmac
from typing import TYPE_CHECKING

from actors.features.auth.sealing import mac

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

Header = tuple[str, str]


def session_cookie(slug: str, *, secure: bool) -> str:
    """Return the name of a tenant's session cookie; ``__Host-`` ties it to one host where there is TLS."""
    return f"__Host-bs_{slug}" if secure else f"bs_{slug}"


def set_session(slug: str, value: str, *, secure: bool, seconds: int) -> Header:
    """Return the header that gives a browser its session."""
    return _cookie(session_cookie(slug, secure=secure), value, secure=secure, seconds=seconds)


def clear_session(slug: str, *, secure: bool) -> Header:
    """Return the header that takes it away."""
    return _cookie(session_cookie(slug, secure=secure), "", secure=secure, seconds=0)


def csrf_token(realm: "Realm", cookie: str) -> str:
    """Return what a page has to send along with every unsafe request of the session.

    It follows from the cookie, which pages cannot read, so a session that changes changes it too.
    """
    return base64.urlsafe_b64encode(mac(realm, b"csrf", cookie.encode())).rstrip(b"=").decode()


def csrf_matches(realm: "Realm", cookie: str, shown: str) -> bool:
    """Whether a page showed the token of its session."""
    return hmac.compare_digest(csrf_token(realm, cookie).encode(), shown.encode("utf-8", "replace"))


def _cookie(name: str, value: str, *, secure: bool, seconds: int) -> Header:
    tail = "; Secure" if secure else ""
    return "Set-Cookie", f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{tail}"
