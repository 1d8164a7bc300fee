"""Who asks: the identity that rules and expressions see. A value; how it was proven is decided elsewhere."""

from collections.abc import Mapping

from msgspec import Struct, field
from typing_extensions import override

ANONYMOUS_ROLE = "public"
"""Every caller has it, signed in or not."""
AUTHENTICATED_ROLE = "authenticated"
"""Every signed-in caller has it."""
ADMIN_ROLE = "admin"
"""The role that may do everything where an entity declares no ``access`` (deny by default for all others)."""
SERVICE_ROLE = "*"
"""The platform itself, acting inside a tenant; no file can name such a role and no credential proves it."""


class Principal(Struct, frozen=True):
    """A caller.

    Attributes:
        id: the user's id in text form, None when anonymous.
        email: the user's address, None when unknown.
        roles: effective role names, inherited ones and the built-in ``public`` included.
        claims: further values, by name; text, number, bool, list of text or None.
        session: id of the session the caller signed in with, None without one.
        key: id of the API key the caller used, None without one.
        aal: how surely the caller is who they say: ``aal1``, or ``aal2`` with a second factor (NIST 800-63B).
        scopes: ``entity:verb`` pairs an API key is limited to; None is no limit.
        rate: requests and seconds an API key is limited to; None is no limit.
        impersonator: address of the administrator of the platform who stands in for the user, None without.
    """

    id: str | None = None
    email: str | None = None
    roles: frozenset[str] = frozenset({ANONYMOUS_ROLE})
    claims: Mapping[str, object] = field(default_factory=dict)
    session: str | None = None
    key: str | None = None
    aal: str = "aal1"
    scopes: frozenset[str] | None = None
    rate: tuple[int, float] | None = None
    impersonator: str | None = None

    @override
    def __hash__(self) -> int:
        """Hash what differs between callers; claims are no more hashable than the dict they are in."""
        return hash((self.id, self.roles, self.session, self.key))

    @property
    def known(self) -> bool:
        """Whether a credential was proven."""
        return self.id is not None or self.key is not None

    def lookup(self, path: tuple[str, ...]) -> str | list[str | None] | None:
        """Return the value at ``path`` as text, or a list of texts; None when there is none."""
        match path:
            case ("id",):
                return self.id
            case ("email",):
                return self.email
            case ("roles",):
                return [*sorted(self.roles)]
            case ("claims", name):
                return as_text(self.claims.get(name))
            case _:
                return None


ANONYMOUS = Principal()
SERVICE = Principal(roles=frozenset({SERVICE_ROLE, ANONYMOUS_ROLE}))
"""The platform's own hand: reads and writes every row and field; validation still applies."""


def as_text(value: object) -> str | list[str | None] | None:
    """Return a claim in the text form PostgreSQL casts from."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return [item if isinstance(item, str) else str(item) for item in value]
    return str(value)
