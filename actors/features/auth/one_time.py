"""Links and codes that work once: for a new account, a forgotten password, a mailed sign-in, an invitation.

Decides when one counts. Kept as hashes; a newer one of the same kind makes the older worthless; a six-digit
code survives five tries, counted outside the transaction that a wrong one undoes.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

from actors.features.auth import accounts, sessions
from actors.features.auth.audit import record
from actors.features.auth.bodies import text
from actors.features.auth.sealing import digest, mac
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

MAX_TRIES = 5
MINUTES = 60
PKCE_MINUTES = 5
MAX_TOKEN = 200
_COLUMNS = "kind, user_id, email, redirect_to, challenge, data::text"


class Issued(Struct, frozen=True):
    """A fresh link and code; nobody can read them again."""

    __repr__ = object.__repr__  # what it holds reaches no log

    token: str
    code: str


class Ticket(Struct, frozen=True):
    """What a link or code that counted was for.

    Attributes:
        challenge: PKCE's, "" where a browser's own session is wanted.
    """

    kind: str
    user_id: str
    email: str
    redirect_to: str
    challenge: str
    data: Mapping[str, Any]


async def issue(  # noqa: PLR0913 - what a link is
    realm: "Realm",
    session: Session,
    *,
    kind: str,
    user_id: str,
    email: str,
    redirect_to: str = "",
    challenge: str = "",
    minutes: float = MINUTES,
    data: Mapping[str, Any] | None = None,
) -> Issued:
    """Make a link and code.

    Args:
        realm: of the tenant.
        session: the transaction.
        kind: signup, recovery, magiclink, invite, email_change, reauthentication, setup or pkce.
        user_id: whom it is for, "" before there is an account.
        email: where it is sent; codes are looked up by it.
        redirect_to: where a browser goes afterwards; checked already.
        challenge: PKCE's, or "".
        minutes: it works.
        data: kept with it.
    """
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**6):06}"
    now = realm.services.now()
    if kind != "pkce":
        await session.run(
            "DELETE FROM {ns}._auth_tokens WHERE kind = $1 AND user_id = $2 AND email = $3",
            kind,
            user_id,
            email.lower(),
        )
    await session.run("DELETE FROM {ns}._auth_tokens WHERE expires_at < $1", now - timedelta(days=1))
    await session.run(
        "INSERT INTO {ns}._auth_tokens (hash, kind, user_id, email, code_hash, redirect_to, challenge, data, "
        "created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, $9, $10)",
        digest(token),
        kind,
        user_id,
        email.lower(),
        _code_hash(realm, email, code) if email else None,
        redirect_to,
        challenge,
        orjson.dumps(dict(data or {})).decode(),
        now,
        now + timedelta(minutes=minutes),
    )
    return Issued(token, code)


async def look(realm: "Realm", token: str) -> Ticket | None:
    """Return what a link is for, without using it; None when it does not count."""
    if not 0 < len(token) <= MAX_TOKEN:
        return None
    row = await realm.store.row(
        f"SELECT {_COLUMNS} FROM {{ns}}._auth_tokens WHERE hash = $1 AND used_at IS NULL AND expires_at > $2",  # noqa: S608 - our own text
        digest(token),
        realm.services.now(),
    )
    return None if row is None else _ticket(row)


async def count_try(realm: "Realm", kinds: tuple[str, ...], email: str) -> None:
    """Count a try of a code; to be called before the transaction that ``take`` uses it in."""
    await realm.store.run(
        "UPDATE {ns}._auth_tokens SET attempts = attempts + 1 WHERE email = $1 AND kind = ANY($2::text[]) "
        "AND used_at IS NULL",
        email.lower(),
        list(kinds),
    )


async def take(
    realm: "Realm",
    session: Session,
    *,
    kinds: tuple[str, ...],
    token: str = "",
    email: str = "",
    code: str = "",
) -> Ticket:
    """Use a link, or an address and its code, whose try was counted.

    Raises:
        ProblemError: auth.otp_expired, whatever is wrong.
    """
    now = realm.services.now()
    if token:
        row = await session.row(
            "UPDATE {ns}._auth_tokens SET used_at = $2 WHERE hash = $1 AND kind = ANY($3::text[]) "  # noqa: S608 - our own text
            f"AND used_at IS NULL AND expires_at > $2 RETURNING {_COLUMNS}",
            digest(token[: MAX_TOKEN + 1]),
            now,
            list(kinds),
        )
    else:
        row = await session.row(
            "UPDATE {ns}._auth_tokens SET used_at = $2 WHERE email = $1 AND kind = ANY($3::text[]) "  # noqa: S608 - our own text
            "AND code_hash = $4 AND attempts <= $5 AND used_at IS NULL AND expires_at > $2 "
            f"RETURNING {_COLUMNS}",
            email.lower(),
            now,
            list(kinds),
            _code_hash(realm, email, code),
            MAX_TRIES,
        )
    if row is None:
        raise expired()
    return _ticket(row)


async def grant_pkce(generation: Generation, call: Call, body: dict[str, Any]) -> Result:
    """Exchange the code of a redirect for a session (RFC 7636, S256 only).

    A code that comes back ends the session it gave: one of the two has stolen it.
    """
    realm = accounts.realm_of(generation)
    code = text(body, "auth_code", required=True, most=MAX_TOKEN)
    verifier = text(body, "code_verifier", required=True, most=128)

    async def work(session: Session) -> sessions.Opened | ProblemError:
        row = await session.row(
            "SELECT user_id, challenge, data::text, used_at, expires_at FROM {ns}._auth_tokens "
            "WHERE hash = $1 AND kind = 'pkce' FOR UPDATE",
            digest(code),
        )
        now = realm.services.now()
        if row is None:
            return ProblemError("auth.flow_state_not_found", "invalid flow state, no valid flow state found")
        data = orjson.loads(row["data"])
        if row["used_at"] is not None:
            await sessions.end_sessions(realm, row["user_id"], only=data.get("session", "-"), session=session)
            await record(
                session,
                "pkce.replayed",
                user_id=row["user_id"],
                address=call.address,
                request_id=call.request_id,
            )
            return ProblemError("auth.flow_state_not_found", "invalid flow state, no valid flow state found")
        if row["expires_at"] <= now:
            return ProblemError("auth.flow_state_expired", "invalid flow state, flow state has expired")
        if len(verifier) < 43 or not hmac.compare_digest(
            challenge_of(verifier).encode(), row["challenge"].encode()
        ):
            await session.run("UPDATE {ns}._auth_tokens SET used_at = $2 WHERE hash = $1", digest(code), now)
            return ProblemError(
                "auth.bad_code_verifier", "code challenge does not match previously saved code verifier"
            )
        account = await accounts.find(session, generation, row["user_id"])
        if account is None:
            return ProblemError("auth.user_not_found", "the account is gone")
        opened = await sessions.open_session(
            generation, session, account, call, method=data.get("method", "otp")
        )
        await session.run(
            "UPDATE {ns}._auth_tokens SET used_at = $2, data = data || jsonb_build_object('session', "
            "$3::text) WHERE hash = $1",
            digest(code),
            now,
            opened.session_id,
        )
        return opened

    outcome = await realm.store.transaction(work)
    if isinstance(outcome, ProblemError):
        raise outcome
    account = await realm.store.transaction(
        lambda session: accounts.find(session, generation, outcome.user_id), reads=True
    )
    if account is None:
        raise ProblemError("auth.user_not_found", "the account is gone")
    return await sessions.session_answer(generation, outcome, account)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def expired() -> ProblemError:
    """Return the one answer to links and codes that do not count."""
    return ProblemError("auth.otp_expired", "Token has expired or is invalid")


def _ticket(row: Any) -> Ticket:  # noqa: ANN401 - a database row
    return Ticket(
        row["kind"],
        row["user_id"],
        row["email"],
        row["redirect_to"],
        row["challenge"],
        orjson.loads(row["data"]),
    )


def _code_hash(realm: "Realm", email: str, code: str) -> bytes:
    return mac(realm, b"code", f"{email.lower()}\0{code}".encode())
