"""Refresh tokens: what prolongs an application's session.

Decides when a session's tokens change hands. A refresh token works once; within a short window it gives the
same successor again, because two tabs may ask at the same time, and after it, it ends the whole session:
somebody has a copy.
"""

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from actors.features.auth import accounts
from actors.features.auth.audit import record
from actors.features.auth.sealing import digest, mac
from actors.features.auth.sessions import Opened, keep_refresh, tokens_for
from actors.features.auth.store import Session
from actors.features.auth.tokens import SessionFacts
from actors.messages import Call, ProblemError

if TYPE_CHECKING:
    from actors.tenant.generation import Generation

MAX_REFRESH = 200


async def refresh(generation: "Generation", token: str, call: Call) -> Opened:
    """Exchange a refresh token.

    Raises:
        ProblemError: auth.refresh_token_not_found, auth.refresh_token_already_used, auth.session_expired,
            auth.user_banned.
    """
    realm = accounts.realm_of(generation)
    if not 0 < len(token) <= MAX_REFRESH:
        raise _unknown()
    outcome = await realm.store.transaction(lambda session: _refresh(generation, session, token, call))
    if isinstance(outcome, ProblemError):
        # what the refusal did is committed before it is told: a session has ended
        if outcome.code == "auth.refresh_token_already_used":
            await realm.changed(None)
        raise outcome
    return outcome


async def _refresh(
    generation: "Generation", session: Session, token: str, call: Call
) -> Opened | ProblemError:
    realm = accounts.realm_of(generation)
    times = accounts.settings_of(generation).sessions
    now = realm.services.now()
    row = await session.row(
        "SELECT r.used_at, s.id::text, s.user_id, s.aal, s.amr::text, s.revoked_at, s.expires_at, "
        "s.used_at AS seen FROM {ns}._auth_refresh r JOIN {ns}._auth_sessions s ON s.id = r.session WHERE "
        "r.hash = $1 FOR "
        "UPDATE",
        digest(token),
    )
    if row is None:
        return _unknown()
    idle = times.idle is not None and row["seen"] < now - timedelta(seconds=times.idle)
    if row["revoked_at"] is not None or row["expires_at"] <= now or idle:
        return ProblemError("auth.session_expired", "Invalid Refresh Token: Session Expired")
    used = row["used_at"]
    if used is not None and now - used > timedelta(seconds=times.reuse_window):
        await session.run(
            "UPDATE {ns}._auth_sessions SET revoked_at = $2 WHERE id = $1::text::uuid", row["id"], now
        )
        await record(
            session,
            "refresh_token.reused",
            user_id=row["user_id"],
            address=call.address,
            request_id=call.request_id,
            ended=row["id"],
        )
        return ProblemError("auth.refresh_token_already_used", "Invalid Refresh Token: Already Used")
    account = await accounts.find(session, generation, row["user_id"])
    if account is None:
        return _unknown()
    if account.banned_until is not None and account.banned_until > now:
        return ProblemError("auth.user_banned", "User is banned")
    # the successor follows from the token: nothing that could be stolen is kept, and a second tab gets the
    # same
    successor = base64.urlsafe_b64encode(mac(realm, b"refresh", token.encode())).rstrip(b"=").decode()
    if used is None:
        await session.run("UPDATE {ns}._auth_refresh SET used_at = $2 WHERE hash = $1", digest(token), now)
        await keep_refresh(session, row["id"], successor)
        await session.run(
            "UPDATE {ns}._auth_sessions SET used_at = $2, expires_at = $3, agent = coalesce(nullif($4, "
            "''), agent), address = coalesce(nullif($5, ''), address) WHERE id = $1::text::uuid",
            row["id"],
            now,
            now + timedelta(seconds=times.refresh_ttl),
            call.web.agent if call.web else "",
            call.address,
        )
    facts = SessionFacts(row["id"], row["aal"], tuple(orjson.loads(row["amr"])))
    return await tokens_for(generation, session, account, facts, successor)


def _unknown() -> ProblemError:
    return ProblemError("auth.refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
