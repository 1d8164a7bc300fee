"""What people do with their sessions: refresh, list, end; and the keys by which others check their tokens.

Decides which sessions a sign-out ends. Everything about how a session works is ``sessions``'s.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from msgspec.structs import replace

from actors.features.auth import accounts, sessions
from actors.features.auth.bodies import query_of, read_object, text
from actors.features.auth.cookies import clear_session
from actors.features.auth.guard import device_cookie
from actors.features.auth.refresh import MAX_REFRESH, refresh
from actors.features.auth.signing_keys import ALGORITHM
from actors.features.auth.store import Session
from actors.messages import Call, Credential, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import ADMIN_ROLE, Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_SCOPES = ("global", "local", "others")
_LIST = """
SELECT id::text, aal, amr::text, agent, address, created_at, used_at, expires_at,
  cookie_hash IS NOT NULL AS browser
FROM {ns}._auth_sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > $2 ORDER BY used_at DESC
LIMIT 200
"""


async def grant_refresh(generation: Generation, call: Call, body: dict[str, Any]) -> Result:
    """Exchange a refresh token for a new access token and its successor."""
    opened = await refresh(generation, text(body, "refresh_token", required=True, most=MAX_REFRESH), call)
    realm = accounts.realm_of(generation)
    account = await realm.store.transaction(
        lambda session: accounts.find(session, generation, opened.user_id), reads=True
    )
    if account is None:
        raise ProblemError("auth.refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
    return await sessions.session_answer(generation, opened, account)


async def log_out(generation: Generation, call: Call, principal: Principal) -> Result:
    """End all sessions of the caller, this one, or the others."""
    user_id, session_id = _signed_in(principal)
    # who stands in for somebody ends that session alone
    scope = "local" if principal.impersonator else query_of(call).get("scope", "global")
    if scope not in _SCOPES:
        raise ProblemError("auth.validation_failed", f"scope is one of {', '.join(_SCOPES)}")
    await sessions.end_sessions(
        accounts.realm_of(generation),
        user_id,
        only=session_id if scope == "local" else None,
        others_than=session_id if scope == "others" else None,
    )
    return Result(204, headers=() if scope == "others" else (_clear(generation),))


async def list_sessions(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the caller's sessions, the newest use first."""
    del call
    user_id, session_id = _signed_in(principal)
    realm = accounts.realm_of(generation)
    now = realm.services.now()
    found = await realm.store.transaction(
        lambda session: sessions_of(session, user_id, now, session_id), reads=True
    )
    return Result(200, orjson.dumps(found))


async def sessions_of(
    session: Session, user_id: str, now: datetime, current: str | None
) -> list[dict[str, Any]]:
    """Return where somebody is signed in, the newest use first; ``current`` is the session of who asks."""
    return [
        {
            "id": row["id"],
            "current": row["id"] == current,
            "browser": row["browser"],
            "device": row["agent"],
            "address": row["address"],
            "aal": row["aal"],
            "amr": orjson.loads(row["amr"]),
            "created_at": row["created_at"],
            "used_at": row["used_at"],
            "expires_at": row["expires_at"],
        }
        for row in await session.rows(_LIST, user_id, now)
    ]


async def revoke_session(generation: Generation, call: Call, principal: Principal) -> Result:
    """End one of the caller's sessions."""
    user_id, session_id = _signed_in(principal)
    ended = await sessions.end_sessions(accounts.realm_of(generation), user_id, only=call.entity)
    if not ended:
        raise ProblemError("row.not_found", "there is no such session")
    return Result(204, headers=(_clear(generation),) if call.entity == session_id else ())


async def revoke_all(generation: Generation, call: Call, principal: Principal) -> Result:
    """End all of the caller's sessions."""
    del call
    await sessions.end_sessions(accounts.realm_of(generation), _signed_in(principal)[0])
    return Result(204, headers=(_clear(generation),))


async def create_browser_session(generation: Generation, call: Call, principal: Principal) -> Result:
    """Give a browser a cookie: for an address and password, or for an access token it has."""
    if call.web is None or not call.web.same_origin:
        raise ProblemError("auth.csrf", "a browser's session begins on a page of this very origin")
    body = read_object(call)
    realm = accounts.realm_of(generation)
    token = text(body, "access_token", most=8192)
    if token:
        known = await realm.principal(Credential(bearer=token), generation)
        user_id, _ = _signed_in(known)
        if known.impersonator is not None:
            raise ProblemError("auth.forbidden", "who stands in for somebody gets no lasting session")
        account = await realm.store.transaction(
            lambda session: accounts.find(session, generation, user_id), reads=True
        )
        if account is None:
            raise ProblemError("auth.user_not_found", "the account is gone")
        method, aal = "token", known.aal
    else:
        email, password = text(body, "email", required=True), body.get("password")
        if not isinstance(password, str):
            raise ProblemError("auth.validation_failed", "'password' is missing")
        account = await accounts.check_password(generation, call, email, password)
        method, aal = "password", "aal1"
    replaces = principal.session or "" if principal.id == account.id else ""
    opened = await sessions.open_session(
        generation, None, account, call, method=method, aal=aal, cookie=True, replaces=replaces
    )
    if replaces:
        await realm.changed(account.id)
    result = await sessions.session_answer(generation, opened, account)
    device = device_cookie(realm, account.email.lower(), call.web)
    return replace(result, headers=(*result.headers, device))


async def end_browser_session(generation: Generation, call: Call, principal: Principal) -> Result:
    """End the browser's own session."""
    del call
    user_id, session_id = _signed_in(principal)
    await sessions.end_sessions(accounts.realm_of(generation), user_id, only=session_id)
    return Result(204, headers=(_clear(generation),))


async def show_keys(generation: Generation, call: Call, principal: Principal) -> Result:
    """Publish the keys that check this tenant's tokens (RFC 7517)."""
    del call, principal
    keys = await accounts.realm_of(generation).keys.published()
    return Result(200, orjson.dumps({"keys": keys}))


async def show_configuration(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say where this issuer's documents are (OpenID Connect Discovery 1.0)."""
    del call, principal
    issuer = accounts.realm_of(generation).issuer
    return Result(
        200,
        orjson.dumps(
            {
                "issuer": issuer,
                "jwks_uri": f"{issuer}/.well-known/jwks.json",
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/user",
                "response_types_supported": ["code"],
                "grant_types_supported": ["password", "refresh_token", "pkce", "id_token"],
                "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "subject_types_supported": ["public"],
            }
        ),
    )


async def rotate_keys(generation: Generation, call: Call, principal: Principal) -> Result:
    """Publish a new signing key; it signs in ten minutes, and the old one is believed for a day."""
    del call
    if ADMIN_ROLE not in principal.roles or principal.scopes is not None:
        raise ProblemError("auth.forbidden", "only admins replace signing keys")
    realm = accounts.realm_of(generation)
    kid = await realm.keys.rotate(principal.id or principal.key or "")
    await realm.changed(None)
    return Result(200, orjson.dumps({"kid": kid}))


def _signed_in(principal: Principal) -> tuple[str, str]:
    if principal.id is None or principal.session is None:
        raise ProblemError("auth.no_authorization", "this needs a session")
    return principal.id, principal.session


def _clear(generation: Generation) -> tuple[str, str]:
    realm = accounts.realm_of(generation)
    return clear_session(realm.identity.slug, secure=realm.services.url.startswith("https:"))


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.logout": log_out,
    "auth.sessions.list": list_sessions,
    "auth.sessions.revoke": revoke_session,
    "auth.sessions.revoke_all": revoke_all,
    "auth.session.create": create_browser_session,
    "auth.session.end": end_browser_session,
    "auth.jwks": show_keys,
    "auth.openid_configuration": show_configuration,
    "auth.keys.rotate_signing": rotate_keys,
}
