"""From what a request brought to who asks: tokens, browser sessions, API keys, or nobody.

Decides what each kind of credential proves. Roles, address and whether the account still may are read from
the tenant's tables, never from a token. Called by ``Realm.principal`` for what it does not remember.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from actors.features.auth import accounts, api_keys
from actors.features.auth.account_values import Account
from actors.features.auth.claims import claims_of
from actors.features.auth.cookies import clear_session
from actors.features.auth.dev_tokens import TokenError
from actors.features.auth.dev_tokens import verify as verify_dev
from actors.features.auth.sealing import digest
from actors.features.auth.store import Session
from actors.features.auth.tokens import TokenRefusedError, verify
from actors.messages import ProblemError
from schemas.compiler.principal import ANONYMOUS_ROLE, AUTHENTICATED_ROLE, Principal
from schemas.compiler.sections.auth import Auth

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm
    from actors.tenant.generation import Generation

REMEMBER_SECONDS = 60.0
"""After this long a credential is looked at again, and its use noted, even when nothing was said."""
SIGNED_IN = frozenset({ANONYMOUS_ROLE, AUTHENTICATED_ROLE})
_CHALLENGE = (("WWW-Authenticate", 'Bearer error="invalid_token"'),)
_SESSION = """
SELECT id::text, user_id, aal, expires_at, used_at,
  coalesce(amr -> 0 ->> 'who', amr -> 0 ->> 'by') AS impersonator
FROM {ns}._auth_sessions WHERE revoked_at IS NULL AND expires_at > $2 AND
"""


class Known(Struct, frozen=True):
    """What a credential proved, and until when that may be remembered (seconds since the epoch)."""

    principal: Principal
    until: float


async def by_token(realm: "Realm", generation: "Generation", token: str) -> Known:
    """Return who a bearer token stands for.

    Raises:
        ProblemError: auth.invalid_token.
    """
    now = realm.services.now()
    if realm.services.dev_key is not None:
        try:
            found = verify_dev(realm.services.dev_key, token, realm.identity.slug, now.timestamp())
        except TokenError:
            pass
        else:
            return Known(found.principal, found.expires)
    try:
        body = await verify(realm, token)
    except TokenRefusedError as error:
        raise refusal(str(error)) from None
    known = await realm.store.transaction(
        lambda session: _by_session(
            session, generation, "cookie_hash IS NULL AND id::text = $1", body["session_id"], body["sub"]
        )
    )
    if known is None:
        raise refusal("the session has ended")
    remembered = remember_seconds(accounts.settings_of(generation))
    return Known(known.principal, min(float(body["exp"]) + 30, now.timestamp() + remembered))


async def by_cookie(realm: "Realm", generation: "Generation", cookie: str) -> Known:
    """Return who a browser's session stands for.

    Raises:
        ProblemError: auth.invalid_token, which also takes the cookie away.
    """
    known = await realm.store.transaction(
        lambda session: _by_session(session, generation, "cookie_hash = $1", digest(cookie), None)
    )
    if known is None:
        gone = clear_session(realm.identity.slug, secure=realm.services.url.startswith("https:"))
        raise refusal("the session has ended", gone)
    remembered = remember_seconds(accounts.settings_of(generation))
    return Known(known.principal, min(known.until, realm.services.now().timestamp() + remembered))


async def by_key(realm: "Realm", key: str) -> Known:
    """Return what an API key stands for.

    Raises:
        ProblemError: auth.invalid_token.
    """
    found = await api_keys.use(realm, key)
    if found is None:
        raise refusal("the API key is not known")
    now = realm.services.now().timestamp()
    ends = found.expires_at.timestamp() if found.expires_at else now + REMEMBER_SECONDS
    roles = frozenset({ANONYMOUS_ROLE}) if found.role == ANONYMOUS_ROLE else SIGNED_IN | {found.role}
    principal = Principal(key=found.id, roles=roles, scopes=found.scopes, rate=found.rate)
    return Known(principal, min(ends, now + REMEMBER_SECONDS))


def remember_seconds(settings: Auth) -> float:
    """Return how long a session may be believed unseen: well within what counts as idle."""
    idle = settings.sessions.idle
    return REMEMBER_SECONDS if idle is None else min(REMEMBER_SECONDS, idle / 3)


def refusal(message: str, *headers: tuple[str, str]) -> ProblemError:
    """Return what is told about a credential that is not believed."""
    return ProblemError("auth.invalid_token", message, headers=(*_CHALLENGE, *headers))


def roles_of(settings: Auth, includes: frozenset[str], aal: str) -> frozenset[str]:
    """Return the roles that count: without a second factor only those that ask for none.

    Args:
        settings: the file's ``auth``.
        includes: the account's role and all it includes; empty without a role.
        aal: of the session.
    """
    needed = settings.mfa.totp == "required" or bool(includes & set(settings.mfa.required_for))
    return SIGNED_IN if needed and aal != "aal2" else SIGNED_IN | includes


def role_and_included(generation: "Generation", role: str) -> frozenset[str]:
    """Return a role with all it includes; empty when the file has no such role any more."""
    known = generation.model.roles.get(role)
    return known.includes if known is not None else frozenset()


async def _by_session(
    session: Session,
    generation: "Generation",
    where: str,
    value: Any,  # noqa: ANN401 - an argument of SQL
    subject: str | None,
) -> Known | None:
    realm = accounts.realm_of(generation)
    settings = accounts.settings_of(generation)
    now = realm.services.now()
    row = await session.row(_SESSION + where, value, now)
    if row is None or (subject is not None and row["user_id"] != subject):
        return None
    if settings.sessions.idle is not None and row["used_at"] < now - timedelta(
        seconds=settings.sessions.idle
    ):
        return None
    account = await accounts.find(session, generation, row["user_id"])
    if account is None or (account.banned_until is not None and account.banned_until > now):
        return None
    if row["used_at"] < now - timedelta(seconds=remember_seconds(settings)):
        await session.run("UPDATE {ns}._auth_sessions SET used_at = $2 WHERE id::text = $1", row["id"], now)
    principal = await principal_of(session, generation, account, row["id"], row["aal"])
    if row["impersonator"]:
        principal = replace(principal, impersonator=row["impersonator"])
    return Known(principal, row["expires_at"].timestamp())


async def principal_of(
    session: Session, generation: "Generation", account: Account, session_id: str, aal: str
) -> Principal:
    """Return an account as rules see it."""
    settings = accounts.settings_of(generation)
    roles = roles_of(settings, role_and_included(generation, account.role), aal)
    claims = await claims_of(session, generation, account)
    return Principal(account.id, account.email or None, roles, claims, session_id, None, aal)
