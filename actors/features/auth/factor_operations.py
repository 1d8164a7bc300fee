"""``auth/v1/factors``: second factors as their owners add, prove and remove them (GoTrue's shapes).

Decides when a session becomes ``aal2``, and that only such a session removes a proven factor.
"""

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from actors.features.auth import accounts, sessions, totp
from actors.features.auth.account_values import factor_json
from actors.features.auth.audit import record
from actors.features.auth.bodies import read_object, text
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

MAX_FACTORS = 10
CHALLENGE_SECONDS = 300
MAX_TRIES = 5
_MINE = (
    "SELECT id::text, kind, name, verified_at, created_at, updated_at "
    "FROM {ns}._auth_factors WHERE user_id = $1"
)


async def list_factors(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the caller's factors."""
    del call
    user_id = _own(principal)
    rows = await accounts.realm_of(generation).store.rows(f"{_MINE} ORDER BY created_at", user_id)
    return Result(200, orjson.dumps([factor_json(row) for row in rows]))


async def enroll(generation: Generation, call: Call, principal: Principal) -> Result:
    """Begin a factor; it counts once a code of it was proven."""
    user_id = _own(principal)
    if accounts.settings_of(generation).mfa.totp == "off":
        raise ProblemError("auth.mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP")
    body = read_object(call)
    if text(body, "factor_type") not in {"", "totp"}:
        raise ProblemError("auth.validation_failed", "factor_type needs to be totp")
    name, issuer = text(body, "friendly_name", most=64), text(body, "issuer", most=64)
    realm = accounts.realm_of(generation)
    secret, sealed = totp.new_secret(realm)
    factor = new_key()

    async def work(session: Session) -> str:
        account = await accounts.find(session, generation, user_id)
        if account is None:
            raise ProblemError("auth.user_not_found", "the account is gone")
        await _one_at_a_time(session, user_id)
        rows = await session.rows(_MINE, user_id)
        if any(row["verified_at"] is not None for row in rows) and principal.aal != "aal2":
            raise ProblemError("auth.insufficient_aal", "AAL2 required to enroll a new factor")
        # begun and never proven: replaced
        await session.run(
            "DELETE FROM {ns}._auth_factors WHERE user_id = $1 AND verified_at IS NULL", user_id
        )
        if sum(row["verified_at"] is not None for row in rows) >= MAX_FACTORS:
            raise ProblemError(
                "auth.too_many_enrolled_mfa_factors", "Maximum number of enrolled factors reached"
            )
        await session.run(
            "INSERT INTO {ns}._auth_factors (id, user_id, name, secret_sealed) "
            "VALUES ($1::text::uuid, $2, $3, $4)",
            factor,
            user_id,
            name,
            sealed,
        )
        return account.email or user_id

    who = await realm.store.transaction(work)
    title = next(iter(generation.model.title.values()), "") or generation.identity.slug
    uri = totp.address(secret, account=who, issuer=issuer or title)
    told = {
        "id": factor,
        "type": "totp",
        "friendly_name": name,
        "totp": {"qr_code": _picture(uri), "secret": secret, "uri": uri},
    }
    return Result(200, orjson.dumps(told))


async def challenge(generation: Generation, call: Call, principal: Principal) -> Result:
    """Ask for a code of a factor."""
    user_id = _own(principal)
    realm = accounts.realm_of(generation)
    now = realm.services.now()
    key, ends = new_key(), now + timedelta(seconds=CHALLENGE_SECONDS)

    async def work(session: Session) -> None:
        await _mine(session, user_id, call.entity)
        await session.run("DELETE FROM {ns}._auth_challenges WHERE expires_at < $1", now)
        await session.run(
            "INSERT INTO {ns}._auth_challenges (id, factor, expires_at) "
            "VALUES ($1::text::uuid, $2::text::uuid, $3)",
            key,
            call.entity,
            ends,
        )

    await realm.store.transaction(work)
    return Result(200, orjson.dumps({"id": key, "type": "totp", "expires_at": int(ends.timestamp())}))


async def verify(generation: Generation, call: Call, principal: Principal) -> Result:
    """Prove a factor: the answer is a new session that is ``aal2``."""
    user_id = _own(principal)
    body = read_object(call)
    key, code = text(body, "challenge_id", required=True, most=64), text(body, "code", required=True, most=10)
    realm = accounts.realm_of(generation)
    now = realm.services.now()
    # tries of a person and of a challenge are counted apart from what a wrong code undoes
    realm.services.guard.check(realm, f"totp {user_id}", call.address, False)
    tried = await realm.store.row(
        "UPDATE {ns}._auth_challenges SET attempts = attempts + 1 WHERE id::text = $1 AND factor::text = $2 "
        "AND used_at IS NULL AND expires_at > $3 RETURNING attempts",
        key,
        call.entity,
        now,
    )
    if tried is None or tried["attempts"] > MAX_TRIES:
        raise ProblemError("auth.mfa_challenge_expired", "MFA challenge has expired, verify against another")

    async def work(session: Session) -> bool:
        await _one_at_a_time(session, user_id)
        proven = await _mine(session, user_id, call.entity)
        if not proven and principal.aal != "aal2" and await _has_proven(session, user_id):
            raise ProblemError("auth.insufficient_aal", "AAL2 required to enroll a new factor")
        if not await totp.use_code(realm, session, call.entity, code):
            return False
        used = await session.run(
            "UPDATE {ns}._auth_challenges SET used_at = $2 WHERE id::text = $1 AND used_at IS NULL", key, now
        )
        if used != 1:
            raise ProblemError("auth.mfa_challenge_expired", "MFA challenge was used already")
        await session.run(
            "UPDATE {ns}._auth_factors SET verified_at = coalesce(verified_at, $2) WHERE id::text = $1",
            call.entity,
            now,
        )
        if not proven:
            # whoever else is signed in has not shown the factor: those sessions end
            await sessions.end_sessions(realm, user_id, others_than=principal.session, session=session)
        await record(
            session,
            "factor.proven",
            user_id=user_id,
            address=call.address,
            request_id=call.request_id,
            factor=call.entity,
        )
        return True

    if not await realm.store.transaction(work):
        raise ProblemError("auth.mfa_verification_failed", "Invalid TOTP code entered")
    realm.services.guard.succeeded(realm, f"totp {user_id}", call.address, False)
    opened = await sessions.raise_aal(generation, principal, call, "totp")
    account = await realm.store.transaction(
        lambda session: accounts.find(session, generation, user_id), reads=True
    )
    if account is None:
        raise ProblemError("auth.user_not_found", "the account is gone")
    return await sessions.session_answer(generation, opened, account)


async def unenroll(generation: Generation, call: Call, principal: Principal) -> Result:
    """Remove a factor."""
    user_id = _own(principal)
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> None:
        proven = await _mine(session, user_id, call.entity)
        if proven and principal.aal != "aal2":
            raise ProblemError("auth.insufficient_aal", "AAL2 required to unenroll verified factor")
        await session.run("DELETE FROM {ns}._auth_factors WHERE id::text = $1", call.entity)
        await record(
            session,
            "factor.removed",
            user_id=user_id,
            address=call.address,
            request_id=call.request_id,
            factor=call.entity,
        )

    await realm.store.transaction(work)
    return Result(200, orjson.dumps({"id": call.entity}))


async def _mine(session: Session, user_id: str, factor: str) -> bool:
    row = await session.row(f"{_MINE} AND id::text = $2", user_id, factor)
    if row is None:
        raise ProblemError("auth.mfa_factor_not_found", "Factor not found")
    return row["verified_at"] is not None


async def _one_at_a_time(session: Session, user_id: str) -> None:
    """Let two changes of one person's factors wait for each other."""
    await session.run("SELECT 1 FROM {ns}._auth_accounts WHERE user_id = $1 FOR UPDATE", user_id)


async def _has_proven(session: Session, user_id: str) -> bool:
    return await session.row(f"{_MINE} AND verified_at IS NOT NULL", user_id) is not None


def _own(principal: Principal) -> str:
    if principal.id is None or principal.session is None:
        raise ProblemError("auth.no_authorization", "This endpoint requires a valid Bearer token")
    return principal.id


def _picture(uri: str) -> str:
    """Return a QR code as an SVG data address."""
    import segno  # noqa: PLC0415 - most installations never draw one

    drawn = io.BytesIO()
    segno.make(uri, error="m").save(drawn, kind="svg", scale=4, xmldecl=False, svgns=True, nl=False)
    return "data:image/svg+xml;utf-8," + quote(drawn.getvalue().decode(), safe="")


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.factors.list": list_factors,
    "auth.factors.enroll": enroll,
    "auth.factors.challenge": challenge,
    "auth.factors.verify": verify,
    "auth.factors.unenroll": unenroll,
}
