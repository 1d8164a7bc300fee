"""People asked to join a tenant: a row of ``invitations``, a mail with a link, a membership when they come.

Decides that whoever enters a tenant with a proven address accepts what it was invited to, and for how long
that is possible. Who asks learns nothing about whether the address had an account. ``invite_member`` is a
function of the platform; ``people.switch`` calls ``accept``.
"""

import asyncio
from typing import Any

from actors.features.auth import accounts, links
from actors.features.auth.store import Session
from actors.features.platform.events import note
from actors.features.platform.rights import Request, invalid, require_owner
from actors.messages import ProblemError
from actors.tenant import registry
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.compile import SYSTEM_SLUG, compile_source
from schemas.compiler.principal import ADMIN_ROLE

ENTITY = "invitations"

_INVITE = """
INSERT INTO {ns}.invitations (id, tenant_id, user_id, email, role, invited_by)
SELECT $1::text::uuid, t.id, $2::text::uuid, $3, $4, $5 FROM {ns}.tenants t WHERE t.slug = $6
  AND NOT EXISTS (SELECT FROM {ns}.memberships m WHERE m.tenant_id = t.id AND m.user_id = $2::text::uuid)
ON CONFLICT (tenant_id, email) DO UPDATE
SET role = excluded.role, invited_by = excluded.invited_by, user_id = excluded.user_id, created_at = now()
"""
_ACCEPT = """
WITH asked AS (
  DELETE FROM {ns}.invitations i USING {ns}.tenants t
  WHERE t.slug = $2 AND i.tenant_id = t.id AND i.user_id::text = $1
    AND i.created_at > now() - interval '30 days'
  RETURNING i.tenant_id, i.role)
INSERT INTO {ns}.memberships (id, user_id, tenant_id, role)
SELECT $3::text::uuid, $1::text::uuid, tenant_id, role FROM asked
ON CONFLICT (user_id, tenant_id) DO UPDATE SET role = memberships.role RETURNING role
"""


async def invite_member(request: Request) -> dict[str, Any]:
    """Ask somebody to join a tenant, for administrators and its owner: ``{slug, email, role}``."""
    slug = request.text("slug", required=True)
    await require_owner(request, slug)
    if slug == SYSTEM_SLUG:
        raise ProblemError("auth.forbidden", "people of the platform are invited at auth/v1/invite")
    email = accounts.canonical_email(request.text("email", required=True, most=200))
    role = request.text("role", required=True, most=63)
    await _check_role(request, slug, role)
    generation = request.generation
    realm = accounts.realm_of(generation)
    links.count_mail(realm, email)

    async def work(session: Session) -> accounts.Account:
        account = await accounts.find_by_email(session, generation, email)
        if account is None:
            default = accounts.settings_of(generation).default_role or ""
            account = await accounts.create(session, generation, email=email, role=default, invited=True)
        made = await session.run(_INVITE, new_key(), account.id, email, role, request.author, slug)
        if not made:
            raise ProblemError("23505", "this person belongs to the tenant already: change the membership")
        return account

    account = await realm.store.transaction(work)
    kind = "invite" if account.confirmed_at is None else "magiclink"
    await links.send_link(
        generation, request.call, account, kind=kind, target=links.Target(f"/app/{slug}/", "")
    )
    await note(generation, "member.invited", slug, request.who, email=email, role=role)
    return {"slug": slug, "email": email, "role": role}


async def accept(generation: Generation, user: str, slug: str) -> str:
    """Make a proven person's invitation a membership; returns the role, "" without one."""
    if ENTITY not in generation.model.entities:
        return ""
    row = await accounts.realm_of(generation).store.row(_ACCEPT, user, slug, new_key())
    return "" if row is None else str(row["role"])


async def _check_role(request: Request, slug: str, role: str) -> None:
    async with request.platform.database.owner() as connection:
        identity = await registry.find_tenant(connection, slug)
        if identity is None:
            raise ProblemError("tenant.not_found", "there is no such tenant")
        deployed = await registry.current(connection, identity)
        version = await registry.version(connection, identity, deployed.version)
    model = await asyncio.to_thread(compile_source, version.text, slug) if version is not None else None
    if role != ADMIN_ROLE and (model is None or role not in model.roles):
        raise invalid("role", f"the file of '{slug}' has no such role")
