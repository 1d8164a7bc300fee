"""Accounts: a row of the tenant's ``users`` and, beside it, what nobody may read through the API.

Decides who an address belongs to, what a new account needs, whether a password is its owner's. Links are
``one_time``'s business, other issuers ``oidc``'s. Called by this folder's operations, in their transactions.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from actors.addresses import canonical_email
from actors.features.auth.account_rows import (
    again,
    change,
    filled,
    find,
    find_by_email,
    insert,
    keep_record,
    known_role,
    people_of,
    realm_of,
    settings_of,
    to_bytes,
)
from actors.features.auth.account_values import Account, factor_json, identity_json, to_json
from actors.features.auth.guard import is_known
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError
from actors.tenant import occasions
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key

__all__ = [
    "Account",
    "canonical_email",
    "check_password",
    "confirm",
    "create",
    "disown",
    "find",
    "find_by_email",
    "people_of",
    "realm_of",
    "settings_of",
    "to_json",
    "update",
    "user_json",
]


async def create(  # noqa: PLR0913 - what an account is made of, all by name
    session: Session,
    generation: Generation,
    *,
    email: str,
    role: str,
    user_metadata: Mapping[str, Any] | None = None,
    app_metadata: Mapping[str, Any] | None = None,
    password_hash: str | None = None,
    confirmed: bool = False,
    invited: bool = False,
    anonymous: bool = False,
    user_id: str | None = None,
    trusted: bool = False,
) -> Account:
    """Make a users row and its credentials.

    Args:
        session: the transaction.
        generation: of the tenant.
        email: canonical; "" for anonymous people.
        role: of the file, "" for none.
        user_metadata: kept as it is; fields of ``users`` with the same names are filled from it as far as the
            person may write them, or must be given.
        app_metadata: kept; only admins write it.
        password_hash: None: no password.
        confirmed: the address is proven.
        invited: somebody with rights asked for it; implies ``trusted``.
        anonymous: nobody proved anything.
        user_id: the key to use; None makes one.
        trusted: the metadata is an admin's and may fill every writable field.

    Raises:
        ProblemError: auth.email_exists, auth.validation_failed naming the fields.
    """
    entity = people_of(generation)
    metadata = dict(user_metadata or {})
    body: dict[str, Any] = filled(generation, entity, role, metadata, every=trusted or invited)
    if email:
        body["email"] = email
    if role:
        body["role"] = known_role(generation, role)
    if user_id is not None:
        body[entity.key] = user_id
    elif entity.fields[entity.key].kind in {"uuid", "text"}:
        body[entity.key] = new_key()
    key = await insert(session, generation, entity, body)
    now = realm_of(generation).services.now()
    await session.run(
        "INSERT INTO {ns}._auth_accounts (user_id, password_hash, password_changed_at, confirmed_email, "
        "confirmed_at, invited_at, is_anonymous, app_metadata, user_metadata, created_at, updated_at) VALUES "
        "($1, $2::text, CASE WHEN $2::text IS NULL THEN NULL ELSE $8::timestamptz END, $3, $4, $5, $6, "
        "$7::text::jsonb, $9::text::jsonb, $8, $8) ON CONFLICT (user_id) DO NOTHING",
        key,
        password_hash,
        email if confirmed and email else None,
        now if confirmed and email else None,
        now if invited else None,
        anonymous,
        _json(app_metadata or {}),
        now,
        _json(metadata),
    )
    await occasions.signed_up(generation, session.connection, key)
    return await again(session, generation, key)


async def update(  # noqa: PLR0913 - what can change, all by name
    session: Session,
    generation: Generation,
    account: Account,
    *,
    email: str | None = None,
    role: str | None = None,
    password_hash: str | None = None,
    user_metadata: Mapping[str, Any] | None = None,
    app_metadata: Mapping[str, Any] | None = None,
    banned_until: datetime | None = None,
    unban: bool = False,
    new_email: str | None = None,
    invited: bool = False,
    anonymous: bool | None = None,
) -> Account:
    """Change what is given; None leaves a value as it is.

    An address that changes is not confirmed any more; the first one of an anonymous person brings the role of
    everybody who signs up. Metadata replaces the old one as a whole.

    Raises:
        ProblemError: auth.email_exists, auth.validation_failed.
    """
    if invited and account.confirmed_at is None:
        # whoever sits in an account nobody has proven must not get what the invitation gives
        account = await disown(session, account)
    body: dict[str, Any] = {}
    if account.is_anonymous and email and not account.role:
        role = settings_of(generation).default_role
    if email is not None and email != account.email:
        body["email"] = email
    if role is not None and role != account.role:
        body["role"] = known_role(generation, role) if role else None
    if body:
        await change(session, generation, account.id, body)
    await keep_record(session, generation, account)
    now = realm_of(generation).services.now()
    await session.run(
        "UPDATE {ns}._auth_accounts SET password_hash = coalesce($2::text, password_hash), "
        "password_changed_at = CASE WHEN $2::text IS NULL THEN password_changed_at ELSE $9 END, "
        "user_metadata = coalesce($3::text::jsonb, user_metadata), "
        "app_metadata = coalesce($4::text::jsonb, app_metadata), "
        "banned_until = CASE WHEN $6::boolean THEN NULL ELSE coalesce($5::timestamptz, banned_until) END, "
        "new_email = nullif(coalesce($7::text, new_email), ''), "
        "invited_at = CASE WHEN $8::boolean THEN $9 ELSE invited_at END, "
        "is_anonymous = coalesce($10::boolean, is_anonymous), updated_at = $9::timestamptz "
        "WHERE user_id = $1",
        account.id,
        password_hash,
        None if user_metadata is None else _json(user_metadata),
        None if app_metadata is None else _json(app_metadata),
        banned_until,
        unban,
        new_email,
        invited,
        now,
        anonymous,
    )
    if password_hash is not None or "email" in body:
        # links and codes under way were sent to the old address, or made under the old password
        await session.run("DELETE FROM {ns}._auth_tokens WHERE user_id = $1", account.id)
    return await again(session, generation, account.id)


async def confirm(session: Session, account: Account, *, keep_password: bool = True) -> Account:
    """Note that the address of the account is proven.

    Args:
        session: the transaction.
        account: whose.
        keep_password: False when it was proven by other means than the link of the sign-up that set the
            password: whoever set it did not own the address then, so all of theirs goes.
    """
    if account.confirmed_at is None and not keep_password:
        account = await disown(session, account)
    row = await session.row(
        "INSERT INTO {ns}._auth_accounts AS a (user_id, confirmed_email, confirmed_at) "
        "VALUES ($1, $2::text, now()) ON CONFLICT (user_id) DO UPDATE SET confirmed_email = $2, "
        "confirmed_at = CASE WHEN lower(a.confirmed_email) = lower($2) THEN coalesce(a.confirmed_at, now()) "
        "ELSE now() END, is_anonymous = false, updated_at = now() RETURNING confirmed_at, updated_at",
        account.id,
        account.email,
    )
    assert row is not None  # noqa: S101 - an upsert returns its row
    return replace(
        account,
        confirmed_at=row["confirmed_at"],
        updated_at=row["updated_at"],
        is_anonymous=False,
        has_record=True,
    )


async def disown(session: Session, account: Account) -> Account:
    """Remove what somebody who never proved the address left behind: password, sessions, links, factors.

    The caller's realm forgets the person after the transaction.
    """
    await session.run(
        "UPDATE {ns}._auth_accounts SET password_hash = NULL, password_changed_at = NULL, new_email = NULL, "
        "user_metadata = '{}' WHERE user_id = $1",
        account.id,
    )
    for table in ("_auth_sessions", "_auth_tokens", "_auth_factors", "_auth_identities"):
        await session.run(f"DELETE FROM {{ns}}.{table} WHERE user_id = $1", account.id)  # noqa: S608 - ours
    return replace(account, password_hash=None, new_email="", user_metadata={})


async def check_password(generation: Generation, call: Call, email: str, password: str) -> Account:
    """Return whose address and password these are; whatever is wrong with them, the answer is the same.

    Args:
        generation: of the tenant.
        call: where the request came from.
        email: as typed.
        password: as typed.

    Raises:
        ProblemError: auth.invalid_credentials, auth.over_request_rate_limit; with the right password only:
        auth.email_not_confirmed, auth.user_banned.
    """
    realm, settings = realm_of(generation), settings_of(generation)
    if not settings.password.enabled:
        raise ProblemError("auth.email_provider_disabled", "Email logins are disabled")
    try:
        address = canonical_email(email)
    except ProblemError:
        raise _wrong() from None
    hasher, guard = realm.services.hasher, realm.services.guard
    known = is_known(realm, address, call.web)
    guard.check(realm, address, call.address, known)
    account = await realm.store.transaction(
        lambda session: find_by_email(session, generation, address), reads=True
    )
    hashed = None if account is None else account.password_hash
    if not await hasher.verify(hashed, password) or account is None or hashed is None:
        raise _wrong()
    guard.succeeded(realm, address, call.address, known)
    if account.banned_until is not None and account.banned_until > realm.services.now():
        raise ProblemError("auth.user_banned", "User is banned")
    if account.confirmed_at is None and settings.confirm == "required":
        raise ProblemError("auth.email_not_confirmed", "Email not confirmed")
    if hasher.outdated(hashed):
        fresh, old = await hasher.hash(password), hashed
        await realm.store.run(
            "UPDATE {ns}._auth_accounts SET password_hash = $2 WHERE user_id = $1 AND password_hash = $3",
            account.id,
            fresh,
            old,
        )
    return account


def _wrong() -> ProblemError:
    return ProblemError("auth.invalid_credentials", "Invalid login credentials")


async def user_json(session: Session, generation: Generation, account: Account) -> dict[str, Any]:
    """Return the account as clients know it, with its identities and factors."""
    identities = await session.rows(
        "SELECT id, provider, subject, email, email_verified, data::text AS data, created_at, "
        "last_sign_in_at FROM {ns}._auth_identities WHERE user_id = $1 ORDER BY created_at",
        account.id,
    )
    factors = await session.rows(
        "SELECT id, kind, name, verified_at, created_at, updated_at FROM {ns}._auth_factors "
        "WHERE user_id = $1 ORDER BY created_at",
        account.id,
    )
    return to_json(
        account,
        [identity_json(account, row) for row in identities],
        [factor_json(row) for row in factors],
        audience=generation.identity.slug,
    )


def _json(value: Mapping[str, Any]) -> str:
    return to_bytes(value).decode()
