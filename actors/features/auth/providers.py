"""Other issuers, spoken to: discovery, keys, token exchange; nothing but what OpenID Connect needs.

Decides what counts as an answer of theirs, and how long it is remembered. Where this process may be made to
connect to is ``actors.outbound``'s.
"""

import asyncio
import time
from typing import Any
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct, field

from actors.messages import ProblemError
from actors.outbound import Outbound, OutboundError

KEEP_SECONDS = 600.0
KEYS_AGAIN_SECONDS = 10.0
MAX_ISSUERS = 1000
_REASONS = {
    "scheme": "the provider's addresses begin with https://",
    "refused": "the provider cannot be reached",
    "unreachable": "the provider cannot be reached",
    "slow": "the provider cannot be reached",
    "too_large": "the provider's answer is too long",
}


class Preset(Struct, frozen=True):
    """A provider that is known by name.

    Attributes:
        issuer: "" for one that speaks OAuth 2.0 only.
        authorize, token, user, emails: addresses of one without discovery.
        any_tenant: the issuer in a token has the directory of the person in it (Microsoft).
    """

    issuer: str
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    authorize: str = ""
    token: str = ""
    user: str = ""
    emails: str = ""
    any_tenant: bool = False


PRESETS = {
    "google": Preset("https://accounts.google.com"),
    "microsoft": Preset("https://login.microsoftonline.com/common/v2.0", any_tenant=True),
    "gitlab": Preset("https://gitlab.com"),
    "github": Preset(
        "",
        ("read:user", "user:email"),
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com/user",
        "https://api.github.com/user/emails",
    ),
}


class _Issuer(Struct):
    metadata: dict[str, Any]
    until: float
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys_asked: float = float("-inf")


class Providers:
    """The one client of other issuers in this process.

    Args:
        allow_private: private addresses are good, too: for issuers in one's own network.
    """

    def __init__(self, *, allow_private: bool = False) -> None:
        self._outbound = Outbound(allow_private=allow_private, secure=True)
        self._issuers: dict[str, _Issuer] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        """Close what is open."""
        await self._outbound.close()

    async def discover(self, issuer: str) -> dict[str, Any]:
        """Return an issuer's metadata (OpenID Connect Discovery 1.0, section 4).

        Raises:
            ProblemError: auth.bad_oauth_callback when it cannot be read, or names another issuer.
        """
        known = self._issuers.get(issuer)
        if known is not None and known.until > time.monotonic():
            return known.metadata
        async with self._lock(issuer):
            known = self._issuers.get(issuer)
            if known is not None and known.until > time.monotonic():
                return known.metadata
            metadata = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            named = str(metadata.get("issuer", ""))
            if named.rstrip("/") != issuer.rstrip("/") and not (
                "{tenantid}" in named and named.split("/")[:3] == issuer.split("/")[:3]
            ):
                raise _failed("the provider's configuration names another issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not isinstance(metadata.get(name), str):
                    raise _failed(f"the provider's configuration has no {name}")
            if len(self._issuers) >= MAX_ISSUERS:
                self._issuers.clear()
            self._issuers[issuer] = _Issuer(metadata, time.monotonic() + KEEP_SECONDS)
        return metadata

    async def key(self, issuer: str, kid: str) -> dict[str, Any] | None:
        """Return an issuer's public key as JWK; an unknown one is looked for every ten seconds at most."""
        metadata = await self.discover(issuer)
        known = self._issuers[issuer]
        if kid in known.keys:
            return known.keys[kid]
        async with self._lock(issuer):  # who comes while the keys are on their way waits for them
            if kid not in known.keys and known.keys_asked + KEYS_AGAIN_SECONDS < time.monotonic():
                known.keys_asked = time.monotonic()
                found = (await self._get(metadata["jwks_uri"])).get("keys")
                known.keys = {
                    str(key.get("kid", "")): key
                    for key in (found if isinstance(found, list) else ())
                    if isinstance(key, dict)
                }
        return known.keys.get(kid)

    async def exchange(self, address: str, form: dict[str, str]) -> dict[str, Any]:
        """Exchange a code for tokens (RFC 6749, section 4.1.3).

        Raises:
            ProblemError: auth.bad_oauth_callback.
        """
        answer: dict[str, Any] = await self._ask(
            "POST", address, body=form, headers={"Accept": "application/json"}
        )
        return answer

    async def fetch(self, address: str, token: str) -> Any:  # noqa: ANN401 - any JSON
        """Read a protected document with an access token.

        Raises:
            ProblemError: auth.bad_oauth_callback.
        """
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return await self._ask("GET", address, headers=headers, mapping=False)

    def _lock(self, issuer: str) -> asyncio.Lock:
        # one for each issuer: a slow one keeps nobody else waiting
        return self._locks.setdefault(issuer, asyncio.Lock())

    async def _get(self, address: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._ask("GET", address, headers={"Accept": "application/json"})
        return answer

    async def _ask(self, method: str, address: str, *, mapping: bool = True, **more: Any) -> Any:  # noqa: ANN401
        try:
            answer = await self._outbound.send(method, address, **more)
        except OutboundError as error:
            raise _failed(_REASONS[error.kind]) from None
        if answer.status != 200:
            raise _failed(f"the provider refused ({answer.status})")
        try:
            document = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _failed("the provider's answer is not JSON") from None
        if mapping and not isinstance(document, dict):
            raise _failed("the provider's answer is not an object")
        return document


def _failed(message: str) -> ProblemError:
    return ProblemError("auth.bad_oauth_callback", message)
