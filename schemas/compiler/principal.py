"""Who asks: the identity that rules and expressions see. A value; how it was proven is decided elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ANONYMOUS_ROLE = "public"
"""Every caller has it, signed in or not."""
AUTHENTICATED_ROLE = "authenticated"
"""Every signed-in caller has it."""
ADMIN_ROLE = "admin"
"""The role that may do everything where an entity declares no ``access`` (deny by default for all others)."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller.

    Attributes:
        id: the user's id in text form, None when anonymous.
        email: the user's address, None when unknown.
        roles: effective role names, inherited ones and the built-in ``public`` included.
        claims: further values, by name; text, number, bool, list of text or None.
    """

    id: str | None = None
    email: str | None = None
    roles: frozenset[str] = frozenset({ANONYMOUS_ROLE})
    claims: Mapping[str, object] = field(default_factory=dict, hash=False)

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


def as_text(value: object) -> str | list[str | None] | None:
    """Return a claim in the text form PostgreSQL casts from."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return [item if isinstance(item, str) else str(item) for item in value]
    return str(value)
