"""Other issuers, spoken to: discovery, keys, token exchange; nothing but what OpenID Connect needs.

Decides where a tenant's file may make this process connect to: its addresses are a stranger's words. A name
is resolved, every address it has must be a public one, and the connection goes to exactly those. No
redirects, small answers that are not compressed, five seconds.
"""

import asyncio
import ipaddress
import socket
import time
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from typing_extensions import override
from yarl import URL

from actors.messages import ProblemError

SECONDS = 5.0
MAX_BYTES = 1 << 20
KEEP_SECONDS = 600.0
KEYS_AGAIN_SECONDS = 10.0
MAX_ISSUERS = 1000
_NAT64, _SIX_TO_FOUR = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16")
_SHARED = ipaddress.ip_network("100.64.0.0/10")


@dataclass(frozen=True, slots=True)
class Preset:
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


@dataclass(slots=True)
class _Issuer:
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
        self._allow_private = allow_private
        self._session: aiohttp.ClientSession | None = None
        self._issuers: dict[str, _Issuer] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()
            self._session = None

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
            "POST", address, data=form, headers={"Accept": "application/json"}
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
        if not address.startswith("https://") and not (self._allow_private and address.startswith("http://")):
            raise _failed("the provider's addresses begin with https://")
        self._check_literal(address)
        session = self._open()
        try:
            async with session.request(method, address, allow_redirects=False, **more) as answer:
                body = await answer.content.read(MAX_BYTES + 1)
                while not answer.content.at_eof() and len(body) <= MAX_BYTES:
                    body += await answer.content.read(MAX_BYTES + 1 - len(body))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            raise _failed("the provider cannot be reached") from None
        if len(body) > MAX_BYTES:
            raise _failed("the provider's answer is too long")
        if answer.status != 200:
            raise _failed(f"the provider refused ({answer.status})")
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _failed("the provider's answer is not JSON") from None
        if mapping and not isinstance(document, dict):
            raise _failed("the provider's answer is not an object")
        return document

    def _check_literal(self, address: str) -> None:
        """The connector resolves names only: an address in place of one is looked at here."""
        try:
            host = URL(address).raw_host or ""
        except ValueError:
            raise _failed("the provider cannot be reached") from None
        literal = ":" in host or host.replace(".", "").isdigit()
        if not host or (literal and not self._allow_private and not is_public(host)):
            raise _failed("the provider cannot be reached")

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver: AbstractResolver = ThreadedResolver()
            if not self._allow_private:
                resolver = PublicResolver(resolver)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, limit=20, use_dns_cache=False),
                timeout=aiohttp.ClientTimeout(total=SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,  # a small answer stays small
                headers={"Accept-Encoding": "identity"},
            )
        return self._session


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead anywhere but to the public internet.

    The connector connects to what this returns, so a name that changes its mind afterwards gains nothing.
    """

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            OSError: one of them is not public.
        """
        found = await self._inner.resolve(host, port, family)
        if not found or not all(is_public(entry["host"]) for entry in found):
            msg = "the name leads to an address that is not public"
            raise OSError(msg)
        return found

    @override
    async def close(self) -> None:
        await self._inner.close()


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet; forms that hide another one are not."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        hidden = parsed.ipv4_mapped or parsed.sixtofour or parsed.teredo
        if hidden is not None or parsed in _NAT64 or parsed in _SIX_TO_FOUR:
            return False
    elif parsed in _SHARED:
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _failed(message: str) -> ProblemError:
    return ProblemError("auth.bad_oauth_callback", message)
