"""One tenant's realm: everything that proves who somebody is, and what this process remembers of it.

Decides which of a request's credentials counts. It outlives the tenant's generations: a new version of the
file changes roles and rules, not who is signed in. Held by the tenant actor; operations of ``auth`` reach it
through their generation.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from actors.features.auth.dev_tokens import TokenError, verify
from actors.features.auth.store import Store
from actors.messages import Call, Credential, ProblemError, Result, TenantIdentity
from schemas.compiler.principal import ANONYMOUS, Principal

if TYPE_CHECKING:
    from actors.features.auth.guard import Guard
    from actors.features.auth.mail import Mailer
    from actors.features.auth.passwords import Hasher
    from actors.features.auth.providers import Providers
    from actors.tenant.generation import Generation


@dataclass(frozen=True, slots=True)
class Services:
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
    door: "Callable[[str], Door | None]" = lambda slug: None
    hasher: "Hasher" = None  # type: ignore[assignment]
    guard: "Guard" = None  # type: ignore[assignment]
    mailer: "Mailer" = None  # type: ignore[assignment]
    providers: "Providers" = None  # type: ignore[assignment]
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
        """Public address of the tenant's API root; the issuer is ``/auth/v1`` below it."""

    async def principal(self, credential: Credential, generation: "Generation") -> Principal:
        """Return who asks; roles are not expanded yet.

        Raises:
            ProblemError: auth.invalid_token, auth.csrf.
        """
        del generation
        if credential.bearer and credential.bearer.count(".") == 2 and self.services.dev_key is not None:
            now = self.services.now().timestamp()
            try:
                return verify(self.services.dev_key, credential.bearer, self.identity.slug, now).principal
            except TokenError as error:
                raise ProblemError("auth.invalid_token", str(error)) from None
        return ANONYMOUS

    def forget(self, user_id: str | None = None) -> None:
        """Look at credentials again that were believed: of one user, or all."""

    async def people_changed(self) -> None:
        """Look at every credential again, in every process: somebody's role, address or account changed."""
        self.forget()
        await self.services.announce(self.identity.id)
