"""Who may do what with tenants from outside of them, and the platform's hands for doing it.

Decides between administrators of the platform, the owner of a tenant and everybody else. Used by the modules
of this folder.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from msgspec import Struct

from actors.features.auth.accounts import realm_of
from actors.features.auth.bodies import query_of, read_object
from actors.messages import Call, ProblemError, Result
from actors.tenant.audit import Who
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from schemas.compiler.names import slug_problem
from schemas.compiler.principal import SERVICE_ROLE, Principal

PLATFORM_ADMIN = "platform_admin"

_OWNED = "SELECT 1 FROM {ns}.tenants WHERE slug = $1 AND owner_id::text = $2"


class Request(Struct, frozen=True):
    """What a function of the platform was asked.

    Attributes:
        generation: of the tenant ``system``.
        platform: its hands.
        principal: who asks.
        arguments: by name.
        call: as it came.
    """

    generation: Generation
    platform: Platform
    principal: Principal
    arguments: Mapping[str, Any]
    call: Call

    @property
    def author(self) -> str:
        """How the history names who asks."""
        return self.who.name

    @property
    def who(self) -> Who:
        """Who asks, for the records."""
        return who_of(self.call, self.principal)

    def text(self, name: str, *, required: bool = False, most: int = 300) -> str:
        """Return a text argument, "" when it is left out.

        Raises:
            ProblemError: validation.failed.
        """
        value = self.arguments.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or len(value) > most or (required and not value):
            raise invalid(
                name, f"a text of at most {most} characters" if value is not None else "is required"
            )
        return value

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a yes or no.

        Raises:
            ProblemError: validation.failed.
        """
        value = self.arguments.get(name, default)
        if value in {"true", "false"}:
            return bool(value == "true")
        if not isinstance(value, bool):
            raise invalid(name, "true or false")
        return value


def who_of(call: Call, principal: Principal) -> Who:
    """Return who asks, for the records; the platform's own hand moves for the operator."""
    name = principal.email or principal.id or principal.key or "operator"
    return Who(name, principal.id, principal.key, call.request_id, call.address)


def invalid(name: str, detail: str) -> ProblemError:
    """Return the refusal of one argument."""
    return ProblemError(
        "validation.failed",
        f"'{name}': {detail}",
        errors=({"pointer": f"/{name}", "code": "value", "detail": detail},),
    )


def request_of(generation: Generation, call: Call, principal: Principal) -> Request:
    """Return what is asked of the platform: arguments of a body, or of a query.

    Raises:
        ProblemError: asked of another tenant, or the body is no object.
    """
    arguments: Mapping[str, Any] = query_of(call) if call.method in {"GET", "HEAD"} else read_object(call)
    return Request(generation, hands(generation), principal, arguments, call)


def hands(generation: Generation) -> Platform:
    """Return what only the tenant ``system`` works with.

    Raises:
        ProblemError: another tenant asks.
    """
    if generation.platform is None:
        raise ProblemError("PGRST125", "only the platform knows about other tenants")
    return generation.platform


def administers(principal: Principal) -> bool:
    """Whether somebody runs the installation: a person in full, or the platform's own hand."""
    whole = PLATFORM_ADMIN in principal.roles and principal.scopes is None
    return whole or SERVICE_ROLE in principal.roles


def require_admin(request: Request) -> None:
    """Refuse everybody but administrators of the platform.

    Raises:
        ProblemError: auth.forbidden.
    """
    if not administers(request.principal):
        raise ProblemError("auth.forbidden", "only administrators of the platform may do this")


async def require_owner(request: Request, slug: str) -> bool:
    """Refuse everybody but administrators and the tenant's owner.

    Returns:
        Whether an administrator asks.

    Raises:
        ProblemError: tenant.not_found, for strangers whether there is such a tenant or not.
    """
    if administers(request.principal):
        return True
    person = request.principal
    if person.id is None:
        raise ProblemError("auth.no_authorization", "sign in at the platform first")
    store = realm_of(request.generation).store
    if person.scopes is not None or slug_problem(slug) or await store.row(_OWNED, slug, person.id) is None:
        raise ProblemError("tenant.not_found", "there is no such tenant, or you do not own it")
    return False


def answer(document: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Result:
    """Return a document as JSON."""
    return Result(status, orjson.dumps(document, default=str), headers=headers)
