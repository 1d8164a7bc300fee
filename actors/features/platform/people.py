"""People of the platform and the tenants they belong to: signing in once, entering several.

Decides who may enter which tenant and as what; the tenant itself keeps the account and the session, so that a
session of the platform is worth nothing there. ``auth.tenants`` and ``auth.switch`` are the tenant
``system``'s; ``auth.enter`` and ``auth.member`` any tenant's, called by the platform alone.
"""

from typing import Any

import orjson
from msgspec.structs import replace

from actors.features.auth import accounts, sessions
from actors.features.auth.audit import record
from actors.features.auth.bodies import read_object, text
from actors.features.auth.store import Session
from actors.features.platform.events import note
from actors.features.platform.inviting import accept
from actors.features.platform.rights import PLATFORM_ADMIN, Request
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.names import slug_problem
from schemas.compiler.principal import ADMIN_ROLE, SERVICE, SERVICE_ROLE, Principal

ISSUER = "platform"
"""Issuer of the identities that people of the platform have in tenants."""

_MINE = """
SELECT t.slug, coalesce(t.name, '') AS name, m.role FROM {ns}.memberships m
JOIN {ns}.tenants t ON t.id = m.tenant_id WHERE m.user_id::text = $1 ORDER BY t.slug
"""
ROLE = """
SELECT m.role FROM {ns}.memberships m JOIN {ns}.tenants t ON t.id = m.tenant_id
WHERE m.user_id::text = $1 AND t.slug = $2
"""
ENTERED = """
INSERT INTO {ns}._auth_entered (user_id, slug, role) VALUES ($1, $2, $3)
ON CONFLICT (user_id, slug) DO UPDATE SET role = excluded.role
"""
STANDS_IN = "(stands in)"
"""What a session of the platform is where its owner stands in for somebody; no role is called so."""

_END_IMPERSONATIONS = """
UPDATE {ns}._auth_sessions SET revoked_at = $1
WHERE revoked_at IS NULL AND (amr -> 0 ->> 'by' = $2 OR amr -> 0 ->> 'session' = $2)
"""


async def list_tenants(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the tenants the caller belongs to, with the role in each."""
    del call
    user = _person(generation, principal)
    rows = await accounts.realm_of(generation).store.rows(_MINE, user)
    return Result(200, orjson.dumps([dict(row) for row in rows]))


async def switch(generation: Generation, call: Call, principal: Principal) -> Result:
    """Open a session in a tenant for somebody who belongs to it; an administrator belongs to all.

    The body may say ``{"cookie": true}`` for a browser's session instead of tokens.
    """
    user = _person(generation, principal)
    slug = call.entity
    realm = accounts.realm_of(generation)
    member = await realm.store.row(ROLE, user, slug)
    person = await realm.store.transaction(
        lambda session: accounts.find(session, generation, user), reads=True
    )
    role = member["role"] if member else ADMIN_ROLE if PLATFORM_ADMIN in principal.roles else ""
    if not role and person is not None and person.confirmed_at is not None:
        role = await accept(generation, user, slug)
    door = realm.services.door(slug) if role and not slug_problem(slug) else None
    if door is None:
        raise ProblemError("tenant.not_found", "there is no such tenant, or you do not belong to it")
    if person is None or not person.email:
        raise ProblemError("auth.user_not_found", "the account is gone")
    if person.confirmed_at is None:
        # the tenant joins accounts by address: one nobody has proven could be another person's there
        raise ProblemError("auth.email_not_confirmed", "Email not confirmed")
    body = {
        "user_id": user,
        "email": person.email,
        "role": role,
        "name": person.row.get("name"),
        "aal": principal.aal,
        "cookie": read_object(call).get("cookie") is True,
    }
    entered = replace(
        call,
        operation="auth.enter",
        entity="",
        body=orjson.dumps(body),
        content_type="application/json",
        principal=SERVICE,
        credential=None,
        base=f"/api/tenants/{slug}",
    )
    # before: should this process end now, the next one knows; after: a change may have overtaken us
    await realm.store.run(ENTERED, user, slug, role)
    result = await door.call(entered)
    await realm.store.run(ENTERED, user, slug, role)
    return result


async def enter(generation: Generation, call: Call, principal: Principal) -> Result:
    """Open a session for a person of the platform, making the account at the first time."""
    require_platform(principal)
    body = read_object(call)
    user_id, email, role = (text(body, name, required=True) for name in ("user_id", "email", "role"))
    if role not in generation.model.roles and role != ADMIN_ROLE:
        raise ProblemError("auth.forbidden", f"the tenant's file has no role '{role}'")

    async def work(session: Session) -> accounts.Account:
        account = await _account(session, generation, user_id, email, role, body)
        await record(
            session,
            "platform.entered",
            user_id=account.id,
            actor=user_id,
            address=call.address,
            request_id=call.request_id,
        )
        return account

    realm = accounts.realm_of(generation)
    account = await realm.store.transaction(work)
    realm.forget(account.id)
    opened = await sessions.open_session(
        generation,
        None,
        account,
        call,
        method="platform",
        aal="aal2" if body.get("aal") == "aal2" else "aal1",
        cookie=body.get("cookie") is True,
    )
    return await sessions.session_answer(generation, opened, account)


async def change_member(generation: Generation, call: Call, principal: Principal) -> Result:
    """Give a person of the platform another role here; none ends their sessions.

    ``user_id`` may be a session of the platform that is over: nobody stands in for anybody by it any more.
    """
    require_platform(principal)
    body = read_object(call)
    subject, role = text(body, "user_id", required=True), text(body, "role")
    if role not in generation.model.roles:
        # a role the file does not have gives nothing, and must not keep the old one alive
        role = ""
    realm = accounts.realm_of(generation)
    if await realm.store.run(_END_IMPERSONATIONS, realm.services.now(), subject):
        await realm.changed(None)
    found = await realm.store.row(
        "SELECT user_id FROM {ns}._auth_identities WHERE issuer = $1 AND subject = $2", ISSUER, subject
    )
    if found is not None:
        user_id = str(found["user_id"])

        async def work(session: Session) -> None:
            account = await accounts.find(session, generation, user_id)
            if account is not None and account.role != role:
                await accounts.update(session, generation, account, role=role)
                await record(session, "platform.role", user_id=user_id, actor=subject, role=role)

        await realm.store.transaction(work)
        if not role:
            await sessions.end_sessions(realm, user_id)
        realm.forget(user_id)
        await realm.services.announce(generation.identity.id)
    return Result(204)


async def _account(
    session: Session, generation: Generation, subject: str, email: str, role: str, body: dict[str, Any]
) -> accounts.Account:
    known = await session.row(
        "SELECT user_id FROM {ns}._auth_identities WHERE issuer = $1 AND subject = $2 FOR UPDATE",
        ISSUER,
        subject,
    )
    account = await accounts.find(session, generation, str(known["user_id"])) if known else None
    if account is None:
        account = await accounts.find_by_email(session, generation, email)
        if account is None:
            name = {"name": body["name"]} if isinstance(body.get("name"), str) else {}
            account = await accounts.create(
                session, generation, email=email, role=role, user_metadata=name, confirmed=True, trusted=True
            )
        else:
            # whoever signed up with this address before may never have proved it: what they left behind goes
            account = await accounts.confirm(session, account, keep_password=False)
        await session.run(
            "INSERT INTO {ns}._auth_identities "
            "(id, issuer, subject, provider, user_id, email, email_verified) "
            "VALUES ($1::text::uuid, $2, $3, $2, $4, $5, true) "
            "ON CONFLICT (issuer, subject) DO UPDATE SET user_id = excluded.user_id",
            new_key(),
            ISSUER,
            subject,
            account.id,
            email,
        )
    if account.role != role:
        account = await accounts.update(session, generation, account, role=role)
    return account


def _person(generation: Generation, principal: Principal) -> str:
    if generation.model.slug != SYSTEM_SLUG:
        raise ProblemError("PGRST125", "only the platform knows about other tenants")
    if principal.id is None:
        raise ProblemError("auth.no_authorization", "sign in at the platform first")
    return principal.id


def require_platform(principal: Principal) -> None:
    """Refuse everybody but the platform itself.

    Raises:
        ProblemError: PGRST125, as if there were nothing.
    """
    if SERVICE_ROLE not in principal.roles:
        raise ProblemError("PGRST125", "there is nothing at this path")


async def explain_access(request: Request) -> Result:
    """Ask a tenant why a person or a role of it may do something, or may not; for administrators.

    On record, as what it tells of a row.
    """
    principal = request.principal
    if PLATFORM_ADMIN not in principal.roles or principal.scopes is not None:
        raise ProblemError("auth.forbidden", "only administrators of the platform may ask why")
    slug = request.text("tenant", required=True)
    door = None if slug_problem(slug) else accounts.realm_of(request.generation).services.door(slug)
    if door is None:
        raise ProblemError("tenant.not_found", "there is no such tenant")
    asked = {name: request.text(name) for name in ("user_id", "role", "entity", "key")}
    asked = {name: value for name, value in asked.items() if value}
    question = replace(
        request.call,
        operation="explain",
        method="POST",
        entity="",
        query="",
        body=orjson.dumps(asked | {"claims": request.arguments.get("claims")}),
        content_type="application/json",
        principal=SERVICE,
        credential=None,
        base=f"/api/tenants/{slug}",
    )
    result = await door.call(question)
    await note(request.generation, "access.explained", slug, request.who, **asked)
    return result
