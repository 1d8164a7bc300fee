"""Development tokens: HS256 JSON Web Tokens that exist only where the process was started with ``--dev``.

Decides what a development token must say to be believed. It never reads the key (its caller hands over the
bytes) and never falls back: a token that is not exactly right is refused. Called by ``gateway.credentials``
and the token command.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson
from msgspec import Struct

from schemas.compiler.principal import ANONYMOUS_ROLE, AUTHENTICATED_ROLE, Principal

TOKEN_TYPE = "dev"  # noqa: S105 - the value of a claim
KEY_BYTES = 32
MAX_TOKEN = 8192
LEEWAY = 30.0
MAX_LIFE = 400 * 86400
_RESERVED = frozenset(
    {"iss", "aud", "tid", "sub", "role", "roles", "email", "exp", "iat", "nbf", "typ", "jti"}
)
_ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class TokenError(Exception):
    """The token is not believed; the text never repeats any of it."""


class Verified(Struct, frozen=True):
    """What a good token says, and until when (seconds since the epoch)."""

    principal: Principal
    expires: float


def mint(
    key: bytes,
    slug: str,
    *,
    now: float,
    role: str = "admin",
    subject: str | None = None,
    claims: Mapping[str, Any] | None = None,
    lifetime: float = 86400.0,
) -> str:
    """Make a token.

    Args:
        key: 32 random bytes of this installation.
        slug: the one tenant it is for.
        now: seconds since the epoch.
        role: of the tenant's file.
        subject: the user's id; a made-up one when None.
        claims: further claims, ``email`` among them.
        lifetime: seconds.
    """
    body = {
        **{name: value for name, value in (claims or {}).items() if name not in _RESERVED or name == "email"},
        "iss": slug,
        "aud": slug,
        "tid": slug,
        "sub": subject or "00000000-0000-7000-8000-000000000001",
        "role": role,
        "iat": int(now),
        "exp": int(now + lifetime),
        "typ": TOKEN_TYPE,
    }
    signed = _encode(orjson.dumps({"alg": "HS256", "typ": "JWT"})) + b"." + _encode(orjson.dumps(body))
    return (signed + b"." + _encode(_sign(key, signed))).decode("ascii")


def verify(key: bytes, token: str, slug: str, now: float) -> Verified:
    """Check a token for one tenant.

    Raises:
        TokenError: in any doubt.
    """
    if len(key) < KEY_BYTES:
        raise TokenError("no usable key")
    if len(token) > MAX_TOKEN:
        raise TokenError("the token is too long")
    parts = token.split(".")
    if len(parts) != 3 or not all(_SEGMENT.fullmatch(part) for part in parts):
        raise TokenError("this is no token")
    header = _json(parts[0])
    # the algorithm is ours to choose; a header that tells where to find keys, or demands extensions, is an
    # attack
    if header.get("alg") != "HS256" or not set(header) <= {"alg", "typ"} or header.get("typ", "JWT") != "JWT":
        raise TokenError("the token's header is not accepted")
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    if not hmac.compare_digest(_sign(key, signed), _decode(parts[2])):
        raise TokenError("the signature is wrong")
    return _claims(_json(parts[1]), slug, now)


def _claims(body: dict[str, Any], slug: str, now: float) -> Verified:
    if body.get("typ") != TOKEN_TYPE:
        raise TokenError("this kind of token gives no access")
    # one exact audience: a list, even of one, could name another tenant too
    if not (body.get("iss") == body.get("aud") == body.get("tid") == slug):
        raise TokenError("the token is for another tenant")
    expires, issued = _number(body, "exp"), _number(body, "iat")
    if expires <= now - LEEWAY:
        raise TokenError("the token has expired")
    if issued > now + LEEWAY or expires > issued + MAX_LIFE:
        raise TokenError("the token's times are not accepted")
    if "nbf" in body and _number(body, "nbf") > now + LEEWAY:
        raise TokenError("the token is not valid yet")
    subject, role, email = body.get("sub"), body.get("role"), body.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
        raise TokenError("the token names no subject")
    if not isinstance(role, str) or not _ROLE.fullmatch(role):
        raise TokenError("the token names no role")
    if not isinstance(email, str | None):
        raise TokenError("the token's email is not accepted")
    claims = {name: value for name, value in body.items() if name not in _RESERVED and _plain(value)}
    roles = frozenset({role, ANONYMOUS_ROLE, AUTHENTICATED_ROLE})
    return Verified(Principal(subject, email, roles, claims), expires + LEEWAY)


def _plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(item, str) and "\0" not in item for item in value)
    return isinstance(value, bool | int | float | None) or (isinstance(value, str) and "\0" not in value)


def _number(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"the token has no usable {name}")
    return float(value)


def _sign(key: bytes, signed: bytes) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise TokenError("this is no token") from None


def _json(segment: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(_decode(segment))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise TokenError("this is no token") from None
    if not isinstance(value, dict):
        raise TokenError("this is no token")
    return value
