"""Writes to ``users`` over the data API: the same limits that hold for admins who manage accounts.

Decides, after the write and inside its transaction, whether it gave a role above the writer's, took over or
removed somebody above them, or left nobody to administer. Called by ``operations`` for that entity alone.
"""

from collections.abc import Awaitable, Callable

from actors.connections import TenantConnection
from actors.features.auth.admin_rules import above, administers, no_admin_left
from actors.features.auth.store import Session
from actors.messages import ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.model import SOFT_DELETE_FIELD
from schemas.compiler.principal import SERVICE_ROLE, Principal
from schemas.compiler.sections.auth import USERS
from schemas.compiler.sql import quote

Write = Callable[[TenantConnection], Awaitable[Result]]
Admins = dict[str, tuple[str, str]]


async def guard(
    generation: Generation, principal: Principal, connection: TenantConnection, write: Write
) -> Result:
    """Run a write and look at what it did to those who administer.

    Args:
        generation: of the tenant.
        principal: who writes.
        connection: inside the write's transaction.
        write: does it.

    Raises:
        ProblemError: auth.forbidden, auth.last_admin; the transaction is undone.
    """
    roles = [name for name in generation.model.roles if administers(generation, name)]
    people = generation.model.entities.get(USERS)
    known = people is not None and {"role", "email"} <= people.fields.keys()
    if SERVICE_ROLE in principal.roles or not known or not roles:
        return await write(connection)
    before = await _admins(generation, connection, roles)
    result = await write(connection)
    after = await _admins(generation, connection, roles)
    if before == after:
        return result
    for key, (role, _) in after.items():
        if before.get(key, ("", ""))[0] != role and above(generation, principal, role):
            raise ProblemError("auth.forbidden", "nobody gives a role above their own")
    for key, (role, _) in before.items():
        if after.get(key) != before[key] and above(generation, principal, role):
            raise ProblemError("auth.forbidden", "this account has a role above yours")
    session = Session(connection, generation.identity.namespace)
    if before.keys() - after.keys() and await no_admin_left(session, generation):
        raise ProblemError("auth.last_admin", "this is the last admin", hint="make somebody else admin first")
    return result


async def _admins(generation: Generation, connection: TenantConnection, roles: list[str]) -> Admins:
    """Return who administers: key to role and address."""
    people = generation.model.entities[USERS]
    alive = f" AND {SOFT_DELETE_FIELD} IS NULL" if people.soft_delete else ""
    rows = await connection.fetch(
        f"SELECT {quote(people.key)}::text AS key, role, coalesce(email, '') AS email "  # noqa: S608 - the model's names
        f"FROM {quote(generation.identity.namespace)}.{quote(USERS)} WHERE role = ANY($1::text[]){alive}",
        roles,
    )
    return {row["key"]: (row["role"], row["email"].lower()) for row in rows}
