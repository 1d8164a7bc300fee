"""Sessions: what a sign-in opens, a second factor raises and a sign-out ends.

Decides what becomes of a session besides its ``refresh``. It belongs to an application (access and refresh
token) or to a browser (a cookie).
"""

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.audit import record
from actors.features.auth.claims import claims_of
from actors.features.auth.cookies import csrf_token, set_session
from actors.features.auth.sealing import digest
from actors.features.auth.store import Session
from actors.features.auth.tokens import SessionFacts, mint
from actors.messages import Call, ProblemError, Result
from actors.tenant import occasions
from actors.tenant.identifiers import new_key
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm
    from actors.tenant.generation import Generation

KEPT_AFTER = timedelta(days=1)
"""How long a session that is over is kept, so that its tokens are told apart from unknown ones."""


class Opened(Struct, frozen=True):
    """A session as its owner gets it.

    Attributes:
        session_id: of the session.
        user_id: whose.
        access_token: "" for a browser's session.
        refresh_token: "" for a browser's session.
        expires_in: seconds until the access token, or the browser's session, ends.
        expires_at: the same, in seconds since the epoch.
        cookie: the browser's secret, "" for an application's session.
        csrf: what the browser's pages send with unsafe requests.
    """

    __repr__ = object.__repr__  # what it holds reaches no log

    session_id: str
    user_id: str
    access_token: str
    refresh_token: str
    expires_in: int
    expires_at: int
    cookie: str = ""
    csrf: str = ""


async def open_session(  # noqa: PLR0913 - what a session is
    generation: "Generation",
    session: Session | None,
    account: Account,
    call: Call,
    *,
    method: str,
    aal: str = "aal1",
    cookie: bool = False,
    replaces: str = "",
) -> Opened:
    """Open a session.

    Args:
        generation: of the tenant.
        session: the transaction of what proved the account, None for one of its own.
        account: whose.
        call: where the request came from.
        method: how the account was proven (RFC 8176 calls it ``amr``).
        aal: how surely.
        cookie: for a browser, which gets a cookie instead of tokens.
        replaces: id of a session that ends now, so that nobody who knew it profits from the new rights.

    Raises:
        ProblemError: auth.user_banned.
    """
    realm = accounts.realm_of(generation)
    times = accounts.settings_of(generation).sessions
    now = realm.services.now()
    if account.banned_until is not None and account.banned_until > now:
        raise ProblemError("auth.user_banned", "User is banned")
    if session is None:
        return await realm.store.transaction(
            lambda inside: open_session(
                generation, inside, account, call, method=method, aal=aal, cookie=cookie, replaces=replaces
            )
        )
    amr = [{"method": method, "timestamp": int(now.timestamp())}]
    if replaces:
        before = await session.row(
            "UPDATE {ns}._auth_sessions SET revoked_at = $2 "
            "WHERE id = $1::text::uuid AND user_id = $3 RETURNING amr::text",
            replaces,
            now,
            account.id,
        )
        amr += orjson.loads(before["amr"]) if before else []
    secret = secrets.token_urlsafe(32) if cookie else ""
    key = new_key()
    # with their refresh tokens: nobody asks any more
    await session.run("DELETE FROM {ns}._auth_sessions WHERE expires_at < $1", now - KEPT_AFTER)
    await session.run(
        "INSERT INTO {ns}._auth_sessions (id, user_id, cookie_hash, aal, amr, agent, address, "
        "created_at, used_at, expires_at) VALUES ($1::text::uuid, $2, $3, $4, $5::text::jsonb, $6, $7, $8, "
        "$8, $9)",
        key,
        account.id,
        digest(secret) if cookie else None,
        aal,
        orjson.dumps(amr).decode(),
        call.web.agent if call.web else "",
        call.address,
        now,
        now + timedelta(seconds=times.refresh_ttl),
    )
    await session.run(
        "INSERT INTO {ns}._auth_accounts (user_id, last_sign_in_at) VALUES ($1, $2) "
        "ON CONFLICT (user_id) DO UPDATE SET last_sign_in_at = $2",
        account.id,
        now,
    )
    await record(
        session,
        "session.opened",
        user_id=account.id,
        address=call.address,
        request_id=call.request_id,
        method=method,
        aal=aal,
    )
    if replaces:
        realm.forget(account.id)
    else:
        await occasions.signed_in(generation, session.connection, account.id)
    facts = SessionFacts(key, aal, tuple(amr))
    if cookie:
        seconds = int(times.refresh_ttl)
        ends = int(now.timestamp()) + seconds
        return Opened(key, account.id, "", "", seconds, ends, secret, csrf_token(realm, secret))
    refresh_token = secrets.token_urlsafe(32)
    await keep_refresh(session, key, refresh_token)
    return await tokens_for(generation, session, account, facts, refresh_token)


async def raise_aal(generation: "Generation", principal: Principal, call: Call, method: str) -> Opened:
    """Open the session that follows on a second factor; the one before ends.

    Raises:
        ProblemError: auth.session_not_found.
    """
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> Opened:
        account = await accounts.find(session, generation, principal.id or "")
        row = await session.row(
            "SELECT cookie_hash IS NOT NULL AS cookie FROM {ns}._auth_sessions "
            "WHERE id = $1::text::uuid AND revoked_at IS NULL AND expires_at > $2 FOR UPDATE",
            principal.session,
            realm.services.now(),
        )
        if account is None or row is None:
            raise ProblemError("auth.session_not_found", "the session has ended")
        return await open_session(
            generation,
            session,
            account,
            call,
            method=method,
            aal="aal2",
            cookie=row["cookie"],
            replaces=principal.session or "",
        )

    opened = await realm.store.transaction(work)
    await realm.changed(principal.id)
    return opened


async def end_sessions(
    realm: "Realm",
    user_id: str,
    *,
    only: str | None = None,
    others_than: str | None = None,
    session: Session | None = None,
) -> int:
    """End sessions of one person; what was issued for them is refused from now on.

    Args:
        realm: of the tenant.
        user_id: whose.
        only: this one.
        others_than: all but this one.
        session: a transaction to do it in; its owner calls ``realm.changed`` after it.

    Returns:
        How many ended.
    """
    if session is None:
        ended = await realm.store.transaction(
            lambda inside: end_sessions(realm, user_id, only=only, others_than=others_than, session=inside)
        )
        await realm.changed(user_id)
        return ended
    ended = await session.run(
        "UPDATE {ns}._auth_sessions SET revoked_at = $2 WHERE user_id = $1 AND revoked_at IS NULL "
        "AND ($3::text IS NULL OR id::text = $3) AND ($4::text IS NULL OR id::text <> $4)",
        user_id,
        realm.services.now(),
        only,
        others_than,
    )
    if ended:
        await record(session, "session.ended", user_id=user_id, count=ended)
    realm.forget(user_id)
    return ended


async def session_answer(generation: "Generation", opened: Opened, account: Account) -> Result:
    """Return what a client that signed in is told: GoTrue's session, or a browser's cookie and its user."""
    realm = accounts.realm_of(generation)
    user = await realm.store.transaction(
        lambda session: accounts.user_json(session, generation, account), reads=True
    )
    if opened.cookie:
        secure = realm.services.url.startswith("https:")
        cookie = set_session(realm.identity.slug, opened.cookie, secure=secure, seconds=opened.expires_in)
        body: dict[str, Any] = {"user": user, "csrf_token": opened.csrf, "expires_at": opened.expires_at}
        return Result(200, orjson.dumps(body), headers=(cookie,))
    body = {
        "access_token": opened.access_token,
        "token_type": "bearer",
        "expires_in": opened.expires_in,
        "expires_at": opened.expires_at,
        "refresh_token": opened.refresh_token,
        "user": user,
    }
    return Result(200, orjson.dumps(body))


async def tokens_for(
    generation: "Generation", session: Session, account: Account, facts: SessionFacts, refresh_token: str
) -> Opened:
    """Return a session with a new access token."""
    realm = accounts.realm_of(generation)
    lifetime = accounts.settings_of(generation).sessions.access_ttl
    claims = await claims_of(session, generation, account)
    key = await realm.keys.at_hand()
    token, ends = mint(realm, key, account, facts, lifetime=lifetime, claims=claims)
    return Opened(facts.id, account.id, token, refresh_token, int(lifetime), ends)


async def keep_refresh(session: Session, key: str, token: str) -> None:
    """Note a refresh token of a session, as a hash."""
    await session.run(
        "INSERT INTO {ns}._auth_refresh (hash, session) VALUES ($1, $2::text::uuid) ON CONFLICT DO NOTHING",
        digest(token),
        key,
    )
