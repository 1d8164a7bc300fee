"""Who runs the installation sees a tenant as one of its users does, for some minutes and on the record.

Decides whom nobody may stand in for: administrators of the platform. The session is marked, in its row and in
its token; it cannot be renewed, and ``auth`` lets it change nothing about the account. ``impersonate`` is a
function of the platform, ``auth.impersonate`` any tenant's, called by the platform alone.
"""

import secrets
from datetime import timedelta
from typing import Any

import orjson
from msgspec.structs import replace

from actors.features.auth import accounts
from actors.features.auth.audit import record
from actors.features.auth.bodies import read_object, text
from actors.features.auth.claims import claims_of
from actors.features.auth.cookies import csrf_token, set_session
from actors.features.auth.sealing import digest
from actors.features.auth.store import Session
from actors.features.auth.tokens import SessionFacts, mint
from actors.features.platform.events import note
from actors.features.platform.people import ENTERED, ISSUER, ROLE, STANDS_IN, require_platform
from actors.features.platform.rights import PLATFORM_ADMIN, Request, invalid, require_admin
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.names import slug_problem
from schemas.compiler.principal import ADMIN_ROLE, SERVICE, Principal

MINUTES, MOST_MINUTES = 15, 60
METHOD = "impersonation"
"""In the session's and the token's ``amr``."""

_NO_STORE = ("Cache-Control", "no-store")
_ADMINISTRATORS = "SELECT id::text AS id, lower(email) AS email FROM {ns}.users WHERE role = ANY($1::text[])"
_SUBJECTS = "SELECT subject FROM {ns}._auth_identities WHERE issuer = $1 AND user_id = $2"
_ENDS = "SELECT expires_at FROM {ns}._auth_sessions WHERE id::text = $1"
_OPEN = """
INSERT INTO {ns}._auth_sessions
  (id, user_id, aal, amr, agent, address, created_at, used_at, expires_at, cookie_hash)
VALUES ($1::text::uuid, $2, $3, $4::text::jsonb, $5, $6, $7, $7, $8, $9)
"""


async def impersonate(request: Request) -> Result:
    """Open a short session in a tenant as one of its users, named by id or address, for a stated reason.

    With ``cookie`` it is a browser's: the tenant's pages are seen as that user sees them. It ends with the
    session of who asks at the latest.
    """
    require_admin(request)
    slug, reason = request.text("slug", required=True), request.text("reason", required=True)
    user_id, email = request.text("user_id"), request.text("email")
    if bool(user_id) == bool(email):
        raise invalid("user_id", "name the user by 'user_id' or by 'email'")
    minutes = request.arguments.get("minutes", MINUTES)
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 < minutes <= MOST_MINUTES:
        raise invalid("minutes", f"a whole number from 1 to {MOST_MINUTES}")
    realm = accounts.realm_of(request.generation)
    if slug == SYSTEM_SLUG:
        raise ProblemError("auth.forbidden", "nobody stands in for people of the platform")
    door = None if slug_problem(slug) else realm.services.door(slug)
    if door is None:
        raise ProblemError("tenant.not_found", "there is no such tenant")
    administer = [
        name for name, role in request.generation.model.roles.items() if PLATFORM_ADMIN in role.includes
    ]
    protected = await realm.store.rows(_ADMINISTRATORS, administer)
    body = {
        "user_id": user_id,
        "email": email,
        "reason": reason,
        "seconds": min(minutes * 60, await _left(request)),
        "session": request.principal.session,
        "by": request.principal.id or request.author,
        "by_name": request.author,
        "cookie": request.arguments.get("cookie") is True,
        "aal": request.principal.aal,
        "protected": [row["id"] for row in protected],
        "protected_emails": [row["email"] for row in protected],
    }
    asked = replace(
        request.call,
        operation="auth.impersonate",
        method="POST",
        entity="",
        query="",
        body=orjson.dumps(body),
        content_type="application/json",
        principal=SERVICE,
        credential=None,
        base=f"/api/tenants/{slug}",
    )
    if request.principal.id is not None:
        # whoever administers no more is told to every tenant they entered: that ends these sessions, too
        member = await realm.store.row(ROLE, request.principal.id, slug)
        await realm.store.run(ENTERED, request.principal.id, slug, member["role"] if member else ADMIN_ROLE)
    # before: should this process end now, the next one knows; after: the session may have ended meanwhile
    await _note_session(request, slug)
    result = await door.call(asked)
    await _note_session(request, slug)
    told = {"user_id": orjson.loads(result.body)["user"]["id"], "minutes": minutes, "reason": reason}
    await note(request.generation, "tenant.impersonated", slug, request.who, **told)
    return result


async def _left(request: Request) -> int:
    """Return how many seconds the session of who asks lasts at most."""
    realm = accounts.realm_of(request.generation)
    row = await realm.store.row(_ENDS, request.principal.session)
    if row is None:
        return MOST_MINUTES * 60
    return max(1, int((row["expires_at"] - realm.services.now()).total_seconds()))


async def _note_session(request: Request, slug: str) -> None:
    """Have the tenant told when the session of who asks is over: standing in is, too."""
    if request.principal.session is not None:
        store = accounts.realm_of(request.generation).store
        await store.run(ENTERED, request.principal.session, slug, STANDS_IN)


async def open_impersonated(generation: Generation, call: Call, principal: Principal) -> Result:
    """Open the session; refused for administrators of the platform, whoever they are here."""
    require_platform(principal)
    body = read_object(call)
    realm = accounts.realm_of(generation)
    secret = secrets.token_urlsafe(32) if body.get("cookie") is True else ""

    async def work(session: Session) -> tuple[accounts.Account, SessionFacts, dict[str, Any]]:
        account = await _find(session, generation, body)
        now = realm.services.now()
        if account.banned_until is not None and account.banned_until > now:
            raise ProblemError("auth.user_banned", "User is banned")
        by = text(body, "by", required=True)
        who = text(body, "by_name")
        amr = [{"method": METHOD, "timestamp": int(now.timestamp()), "by": by, "who": who or by}]
        if body.get("session"):
            amr[0]["session"] = text(body, "session")
        facts = SessionFacts(new_key(), "aal2" if body.get("aal") == "aal2" else "aal1", tuple(amr))
        await session.run(
            _OPEN,
            facts.id,
            account.id,
            facts.aal,
            orjson.dumps(amr).decode(),
            call.web.agent if call.web else "",
            call.address,
            now,
            now + timedelta(seconds=body["seconds"]),
            digest(secret) if secret else None,
        )
        said = {"reason": text(body, "reason"), "session_id": facts.id, "who": who}
        await record(
            session,
            "platform.impersonated",
            user_id=account.id,
            actor=by,
            address=call.address,
            request_id=call.request_id,
            **said,
        )
        return account, facts, await claims_of(session, generation, account)

    account, facts, claims = await realm.store.transaction(work)
    user = {"id": account.id, "email": account.email, "role": account.role}
    if secret:
        ends = int(realm.services.now().timestamp()) + body["seconds"]
        told = {"csrf_token": csrf_token(realm, secret), "expires_at": ends, "user": user}
        secure = realm.services.url.startswith("https:")
        cookie = set_session(realm.identity.slug, secret, secure=secure, seconds=body["seconds"])
        return Result(200, orjson.dumps(told), headers=(_NO_STORE, cookie))
    marked = {**claims, "impersonated_by": text(body, "by_name")}
    token, ends = mint(
        realm, await realm.keys.at_hand(), account, facts, lifetime=body["seconds"], claims=marked
    )
    answer = {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": body["seconds"],
        "expires_at": ends,
        "impersonated_by": marked["impersonated_by"],
        "user": user,
    }
    return Result(200, orjson.dumps(answer), headers=(_NO_STORE,))


async def _find(session: Session, generation: Generation, body: dict[str, Any]) -> accounts.Account:
    user_id = text(body, "user_id")
    if user_id:
        account = await accounts.find(session, generation, user_id)
    else:
        account = await accounts.find_by_email(session, generation, text(body, "email", required=True))
    if account is None:
        raise ProblemError("auth.user_not_found", "the tenant has no such user")
    subjects = {str(row["subject"]) for row in await session.rows(_SUBJECTS, ISSUER, account.id)}
    if subjects & set(body["protected"]) or account.email.lower() in body["protected_emails"]:
        raise ProblemError("auth.forbidden", "nobody stands in for an administrator of the platform")
    return account
