"""One tenant's realm: everything that proves who somebody is, and what this process remembers of it.

Decides which of a request's credentials counts. It outlives the tenant's generations: a new version of the
file changes roles and rules, not who is signed in. Held by the tenant actor; operations of ``auth`` reach it
through their generation.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from actors.features.auth.api_keys import KEY_PREFIX
from actors.features.auth.cookies import csrf_matches
from actors.features.auth.principals import Known, by_cookie, by_key, by_token, refusal
from actors.features.auth.signing_keys import KeyRing
from actors.features.auth.store import Store
from actors.messages import Call, Credential, ProblemError, Result, TenantIdentity
from runtime.buckets import Buckets
from schemas.compiler.principal import ANONYMOUS, Principal

if TYPE_CHECKING:
    from actors.features.auth.guard import Guard
    from actors.features.auth.passwords import Hasher
    from actors.features.auth.providers import Providers
    from actors.mail import Mailer
    from actors.tenant.generation import Generation

MAX_KNOWN = 8192
"""Credentials remembered per tenant and process."""


class Services(Struct, frozen=True):
    """What all realms of a process share.

    Attributes:
        url: public address of the installation, without a slash at the end; links in mails begin with it.
        key: 32 secret bytes common to all processes of this database; sub-keys are derived from it.
        now: aware UTC wall clock.
        announce: tells the other processes that what they remember of a tenant (by its id) has changed.
        door: slug to another tenant's way in, for people of the platform who enter it.
        hasher: of passwords; one bounded pool for all tenants.
        guard: counts failed sign-ins.
        mailer: sends mails.
        providers: talks to other issuers.
        dev_key: key of development tokens; None (the default) refuses them all.
    """

    url: str
    key: bytes
    now: Callable[[], datetime]
    announce: Callable[[str], Awaitable[None]]
    door: "Callable[[str], Door | None]"
    hasher: "Hasher"
    guard: "Guard"
    mailer: "Mailer"
    providers: "Providers"
    dev_key: bytes | None = None


class Door(Protocol):
    """Another tenant's way in."""

    async def call(self, call: Call) -> Result:
        """Answer one call.

        Raises:
            ProblemError: a refusal the caller is told about.
        """
        ...


class Realm:
    """See the module's docstring.

    Args:
        identity: the tenant.
        store: its auth tables.
        services: shared with the other realms.
    """

    def __init__(self, identity: TenantIdentity, store: Store, services: Services) -> None:
        self.identity = identity
        self.store = store
        self.services = services
        path = "/api/platform" if identity.slug == "system" else f"/api/tenants/{identity.slug}"
        self.api = services.url + path
        """Public address of the tenant's API root."""
        self.issuer = f"{self.api}/auth/v1"
        self.keys = KeyRing(self)
        self.mails = Buckets()
        """Mails that were asked for, by address."""
        self._known: dict[str, Known] = {}
        self._generation: Generation | None = None
        self._changes = 0

    async def principal(self, credential: Credential, generation: "Generation") -> Principal:
        """Return who asks; roles are not expanded yet.

        Raises:
            ProblemError: auth.invalid_token, auth.csrf.
        """
        bearer = credential.bearer
        if bearer:
            known = self._known.get(bearer)
            if (
                known is not None
                and known.until > time.time()
                and generation is self._generation
                and not credential.apikey
            ):
                return known.principal
        return await self._look(credential, generation)

    def forget(self, user_id: str | None = None) -> None:
        """Look at credentials again that were believed: those of one person, or all."""
        self._changes += 1
        if user_id is None:
            self._known.clear()
            return
        for secret in [secret for secret, known in self._known.items() if known.principal.id == user_id]:
            del self._known[secret]

    async def changed(self, user_id: str | None) -> None:
        """Forget, here and in every other process: a role, an address, a session or an account changed."""
        self.forget(user_id)
        await self.services.announce(self.identity.id)

    async def _look(self, credential: Credential, generation: "Generation") -> Principal:
        bearer, apikey = credential.bearer, credential.apikey
        if apikey and apikey.count(".") == 2:
            # a token in the key's place: clients without a project key of their own repeat it there
            bearer, apikey = bearer or apikey, ""
        if bearer.startswith(KEY_PREFIX) and bearer != apikey:
            if apikey:
                raise refusal("two different API keys")
            bearer, apikey = "", bearer
        if bearer == apikey:
            # a client without a session repeats its project key as bearer
            bearer = ""
        if apikey and not apikey.startswith(KEY_PREFIX):
            raise refusal("the API key is not known")
        project = await self._known_by(apikey, generation) if apikey else None
        if bearer:
            return await self._known_by(bearer, generation)
        if project is not None:
            return project
        if not credential.cookie:
            return ANONYMOUS
        known = await self._known_by(credential.cookie, generation, cookie=True)
        if not credential.safe and not (
            credential.same_origin and csrf_matches(self, credential.cookie, credential.csrf)
        ):
            raise ProblemError(
                "auth.csrf", "a browser's session needs the page's own origin and its X-CSRF-Token"
            )
        return known

    async def _known_by(self, secret: str, generation: "Generation", *, cookie: bool = False) -> Principal:
        if generation is not self._generation:
            # a new version of the file: roles, claims and second factors may mean something else
            self._known.clear()
            self._generation = generation
        name = f"cookie {secret}" if cookie else secret
        known = self._known.get(name)
        if known is None or known.until <= time.time():
            changes = self._changes
            if cookie:
                known = await by_cookie(self, generation, secret)
            elif secret.startswith(KEY_PREFIX):
                known = await by_key(self, secret)
            else:
                known = await by_token(self, generation, secret)
            if changes == self._changes and generation is self._generation:
                if len(self._known) >= MAX_KNOWN:
                    self._known.clear()
                self._known[name] = known
        return known.principal
