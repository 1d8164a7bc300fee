"""What admins may do to whom: nobody gives or touches a role above their own, and one admin always remains.

Decides, never changes anything. Called by the operations on accounts.
"""

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.store import Session
from actors.messages import ProblemError
from actors.tenant.generation import Generation
from schemas.compiler.model import SOFT_DELETE_FIELD
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.access import Caller
from schemas.compiler.sections.auth import USERS
from schemas.compiler.sql import quote


def require_admin(principal: Principal, verb: str) -> None:
    """Refuse everybody but admins of the tenant, and keys whose scopes leave people out.

    Args:
        principal: with every role their roles include.
        verb: read, create, update or delete.

    Raises:
        ProblemError: auth.no_authorization, auth.not_admin.
    """
    if not principal.known and SERVICE_ROLE not in principal.roles:
        raise ProblemError("auth.no_authorization", "This endpoint requires a valid Bearer token")
    scoped_out = not Caller(principal.roles, principal.scopes).reaches(USERS, verb)
    if scoped_out or not principal.roles & {ADMIN_ROLE, SERVICE_ROLE}:
        raise ProblemError("auth.not_admin", "User not allowed")


def may_give(generation: Generation, principal: Principal, role: str) -> None:
    """Refuse to give a role above the giver's.

    Raises:
        ProblemError: auth.forbidden.
    """
    if above(generation, principal, role):
        raise ProblemError("auth.forbidden", "nobody gives a role above their own")


def may_touch(generation: Generation, principal: Principal, account: Account) -> None:
    """Refuse to touch an account whose role is above the caller's.

    Raises:
        ProblemError: auth.forbidden.
    """
    if above(generation, principal, account.role):
        raise ProblemError("auth.forbidden", "this account has a role above yours")


def above(generation: Generation, principal: Principal, role: str) -> bool:
    """Whether a role is an admin's and more; the other ones are what admins are there to give."""
    return administers(generation, role) and not principal.roles & {role, SERVICE_ROLE}


def administers(generation: Generation, role: str) -> bool:
    """Whether a role is an admin's, or more."""
    known = generation.model.roles.get(role)
    return known is not None and ADMIN_ROLE in known.includes


async def keep_an_admin(session: Session, generation: Generation, account: Account) -> None:
    """Refuse to take the last admin away; others who take one away at the same time wait.

    Raises:
        ProblemError: auth.last_admin.
    """
    if not administers(generation, account.role):
        return
    if await no_admin_left(session, generation, but=account.id):
        raise ProblemError("auth.last_admin", "this is the last admin", hint="make somebody else admin first")


async def no_admin_left(session: Session, generation: Generation, *, but: str = "") -> bool:
    """Whether nobody administers, ``but`` one; others who take an admin away at the same time wait."""
    await session.run("LOCK TABLE {ns}._auth_accounts IN SHARE ROW EXCLUSIVE MODE")
    roles = [name for name in generation.model.roles if administers(generation, name)]
    people = accounts.people_of(generation)
    alive = f"AND u.{SOFT_DELETE_FIELD} IS NULL" if people.soft_delete else ""
    key = quote(people.key)
    other = await session.row(
        f"SELECT 1 FROM {{ns}}.users u LEFT JOIN {{ns}}._auth_accounts a ON a.user_id = u.{key}::text "  # noqa: S608
        f"WHERE u.role = ANY($1::text[]) AND u.{key}::text <> $2 {alive} "
        "AND (a.banned_until IS NULL OR a.banned_until < $3) LIMIT 1",
        roles,
        but,
        accounts.realm_of(generation).services.now(),
    )
    return other is None
