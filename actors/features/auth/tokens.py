"""Access tokens: JSON Web Tokens of one tenant, checked as RFC 8725 asks.

Decides what a token must say to be looked at further. It does not decide who somebody is: the session it
names is asked for that. The algorithm is the key's, the key is found by its exact id, nothing in a header
leads anywhere.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jwt
from msgspec import Struct

from actors.features.auth.account_values import Account
from actors.features.auth.signing_keys import ALGORITHM, SigningKey

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

KIND = "access"
LEEWAY = 30
MAX_TOKEN = 8192
MAX_KID = 64
MAX_LIFE = 400 * 86_400
_HEADER = frozenset({"alg", "kid", "typ"})
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "role", "session_id", "typ", "tid"]


class TokenRefusedError(Exception):
    """The token is not believed; the text never repeats any of it."""


class SessionFacts(Struct, frozen=True):
    """What a token says about the session behind it."""

    id: str
    aal: str
    amr: tuple[dict[str, Any], ...]


def mint(
    realm: "Realm",
    key: SigningKey,
    account: Account,
    session: SessionFacts,
    *,
    lifetime: float,
    claims: Mapping[str, object],
) -> tuple[str, int]:
    """Make a token.

    Args:
        realm: of the tenant.
        key: that signs now.
        account: who it is for.
        session: that it ends with.
        lifetime: in seconds.
        claims: further ones, from the file.

    Returns:
        The token and when it ends, in seconds since the epoch.
    """
    now = int(realm.services.now().timestamp())
    expires = now + int(lifetime)
    body = {
        **claims,
        "iss": realm.issuer,
        "aud": realm.identity.slug,
        "tid": realm.identity.id,
        "sub": account.id,
        "exp": expires,
        "iat": now,
        "typ": KIND,
        "role": account.role or "authenticated",
        "session_id": session.id,
        "aal": session.aal,
        "amr": list(session.amr),
        "email": account.email or "",
        "phone": "",
        "app_metadata": dict(account.app_metadata),
        "user_metadata": dict(account.user_metadata),
        "is_anonymous": account.is_anonymous,
    }
    token = jwt.encode(body, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})
    return token, expires


async def verify(realm: "Realm", token: str) -> dict[str, Any]:
    """Check a token of this tenant; returns what it says.

    Raises:
        TokenRefusedError: in any doubt.
    """
    if len(token) > MAX_TOKEN:
        raise TokenRefusedError("the token is too long")
    header = _header(token)
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM or not set(header) <= _HEADER or header.get("typ", "JWT") != "JWT":
        raise TokenRefusedError("the token's header is not accepted")
    if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID:
        raise TokenRefusedError("the token names no key")
    key = realm.keys.find(kid)
    if key is None:
        await realm.keys.look(again=True)
        key = realm.keys.find(kid)
    if key is None:
        raise TokenRefusedError("the token is signed with another key")
    try:
        body: dict[str, Any] = jwt.decode(
            token,
            key.public,
            algorithms=[ALGORITHM],
            audience=realm.identity.slug,
            issuer=realm.issuer,
            leeway=LEEWAY,
            options={"require": _REQUIRED, "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefusedError("the token has expired") from None
    except jwt.InvalidTokenError:
        raise TokenRefusedError("the token is not accepted") from None
    if not body["iat"] < body["exp"] <= body["iat"] + MAX_LIFE:
        raise TokenRefusedError("the token's times are not accepted")
    if body["typ"] != KIND:
        raise TokenRefusedError("this kind of token gives no access")
    if body["tid"] != realm.identity.id:
        raise TokenRefusedError("the token is for another tenant")
    if not all(isinstance(body[name], str) and "\0" not in body[name] for name in ("sub", "session_id")):
        raise TokenRefusedError("the token names nobody")
    return body


def _header(token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError):
        raise TokenRefusedError("this is no token") from None
    return dict(header)
