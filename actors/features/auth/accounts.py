"""Accounts: a row of the tenant's ``users`` and, beside it, what nobody may read through the API.

Decides who an address belongs to, what a new account needs, and how it is told to clients (GoTrue's user).
It never proves anything: passwords are ``passwords``, links ``one_time``, issuers ``oidc``. Called by the
operations of this folder, inside their transactions.
"""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from actors.features.auth.account_values import Account, factor_json, identity_json, to_json
from actors.features.auth.addresses import canonical_email
from actors.features.auth.realm import Realm
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError
from actors.tenant import rows
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.model import SOFT_DELETE_FIELD, Entity, Field
from schemas.compiler.principal import ANONYMOUS_ROLE, AUTHENTICATED_ROLE, SERVICE
from schemas.compiler.sections.auth import USERS, Auth
from schemas.compiler.sql import quote

__all__ = [
    "Account",
    "canonical_email",
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

_DISABLED = "auth.email_provider_disabled"
_OURS = frozenset({"email", "role"})
_RECORD = (
    "password_hash, confirmed_email, confirmed_at, new_email, invited_at, banned_until, is_anonymous, "
    "app_metadata::text AS app_metadata, user_metadata::text AS user_metadata, last_sign_in_at, "
    "a.created_at, a.updated_at, a.user_id"
)


def realm_of(generation: Generation) -> Realm:
    """Return the realm of a tenant that is served."""
    if generation.realm is None:
        raise RuntimeError("nobody signs in where a tenant is only inspected")
    return generation.realm


def settings_of(generation: Generation) -> Auth:
    """Return the file's ``auth`` section, or its defaults."""
    section = generation.model.sections.get("auth")
    return section if isinstance(section, Auth) else Auth()


def people_of(generation: Generation) -> Entity:
    """Return the entity that holds the people.

    Raises:
        ProblemError: auth.email_provider_disabled when the file has none, or none with address and role.
    """
    entity = generation.model.entities.get(USERS)
    if entity is None or not entity.fields.keys() >= _OURS:
        raise ProblemError(_DISABLED, "people of this tenant do not sign in here")
    return entity


async def find(session: Session, generation: Generation, user_id: str) -> Account | None:
    """Return an account by its key."""
    entity = people_of(generation)
    key = _key_value(entity, user_id)
    if key is None:
        return None
    field_ = entity.fields[entity.key]
    where = f"u.{quote(entity.key)} = $1::text::{field_.pg_type}"
    return await _one(session, entity, where, key)


async def find_by_email(session: Session, generation: Generation, email: str) -> Account | None:
    """Return an account by its canonical address."""
    return await _one(session, people_of(generation), "lower(u.email) = $1::text", email)


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
    body: dict[str, Any] = _filled(generation, entity, role, metadata, every=trusted or invited)
    if email:
        body["email"] = email
    if role:
        body["role"] = _known_role(generation, role)
    if user_id is not None:
        body[entity.key] = user_id
    elif entity.fields[entity.key].kind in {"uuid", "text"}:
        body[entity.key] = new_key()
    key = await _insert(session, generation, entity, body)
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
    return await _again(session, generation, key)


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

    An address that changes is not confirmed any more. Metadata replaces the old one as a whole.

    Raises:
        ProblemError: auth.email_exists, auth.validation_failed.
    """
    body: dict[str, Any] = {}
    if email is not None and email != account.email:
        body["email"] = email
    if role is not None and role != account.role:
        body["role"] = _known_role(generation, role) if role else None
    if body:
        await _write(session, generation, Call("update", "PATCH", USERS, account.id, body=_bytes(body)))
    await _keep_record(session, generation, account)
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
    return await _again(session, generation, account.id)


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


# -- rows -----------------------------------------------------------------------------------------


async def _one(session: Session, entity: Entity, where: str, value: str) -> Account | None:
    key = f"u.{quote(entity.key)}"
    alive = f" AND u.{SOFT_DELETE_FIELD} IS NULL" if entity.soft_delete else ""
    row = await session.row(
        f"SELECT to_jsonb(u)::text AS users_row, {key}::text AS id, u.email, u.role, {_RECORD} "  # noqa: S608
        f"FROM {{ns}}.users u LEFT JOIN {{ns}}._auth_accounts a ON a.user_id = {key}::text "
        f"WHERE {where}{alive}",
        value,
    )
    if row is None:
        return None
    email, proven = row["email"] or "", row["confirmed_email"]
    known = row["user_id"] is not None
    return Account(
        id=row["id"],
        email=email,
        role=row["role"] or "",
        row=orjson.loads(row["users_row"]),
        password_hash=row["password_hash"],
        confirmed_at=row["confirmed_at"] if proven and proven.lower() == email.lower() else None,
        is_anonymous=bool(row["is_anonymous"]),
        banned_until=row["banned_until"],
        app_metadata=orjson.loads(row["app_metadata"]) if known else {},
        user_metadata=orjson.loads(row["user_metadata"]) if known else {},
        invited_at=row["invited_at"],
        new_email=row["new_email"] or "",
        last_sign_in_at=row["last_sign_in_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        has_record=known,
    )


async def _again(session: Session, generation: Generation, user_id: str) -> Account:
    account = await find(session, generation, user_id)
    if account is None:
        raise ProblemError("auth.user_not_found", "there is no such user")
    return account


async def _keep_record(session: Session, generation: Generation, account: Account) -> None:
    if not account.has_record:
        await session.run(
            "INSERT INTO {ns}._auth_accounts (user_id, created_at, updated_at) "
            "VALUES ($1, $2::timestamptz, $2) ON CONFLICT (user_id) DO NOTHING",
            account.id,
            realm_of(generation).services.now(),
        )


async def _insert(session: Session, generation: Generation, entity: Entity, body: Mapping[str, Any]) -> str:
    call = Call(
        "create",
        "POST",
        USERS,
        query=f"select={entity.key}",
        body=_bytes(body),
        accept="application/json",
        prefer="return=representation",
    )
    answer = orjson.loads(await _write(session, generation, call))
    row = answer[0] if isinstance(answer, list) else answer
    return str(row[entity.key])


async def _write(session: Session, generation: Generation, call: Call) -> bytes:
    """Write a users row by the rules of the model, and speak of ``auth`` when it refuses."""
    call = replace(call, content_type="application/json")
    try:
        return (await rows.write(generation, call, SERVICE, session.connection)).body
    except ProblemError as error:
        if error.code == "23505":
            message = "A user with this email address has already been registered"
            raise ProblemError("auth.email_exists", message) from error
        if error.code in {"validation.failed", "23502", "23514", "22P02"}:
            raise ProblemError("auth.validation_failed", error.message, errors=error.errors) from error
        raise


def _filled(
    generation: Generation, entity: Entity, role: str, metadata: Mapping[str, Any], *, every: bool
) -> dict[str, Any]:
    """Return the fields of the users row that metadata fills."""
    included = generation.model.roles[role].includes if role in generation.model.roles else {role}
    roles = {ANONYMOUS_ROLE, AUTHENTICATED_ROLE, *included}
    entries = [entry for entry in entity.access.update if entry.role in roles and entry.check is None]

    def allowed(field_: Field) -> bool:
        if field_.name in _OURS or field_.name == entity.key or not _writable(field_):
            return False
        return (
            every
            or (field_.required and not field_.has_default)
            or any(entry.fields is not None and field_.name in entry.fields for entry in entries)
        )

    return {
        name: value
        for name, value in metadata.items()
        if (field_ := entity.fields.get(name)) is not None and allowed(field_)
    }


def _writable(field_: Field) -> bool:
    return not (field_.read_only or field_.generated or field_.computed is not None)


def _known_role(generation: Generation, role: str) -> str:
    if role not in generation.model.roles:
        message = f"there is no role '{role[:63]}'"
        raise ProblemError(
            "auth.validation_failed",
            message,
            errors=({"pointer": "/role", "code": "unknown", "detail": message},),
        )
    return role


def _key_value(entity: Entity, user_id: str) -> str | None:
    """Return a key PostgreSQL will read, or None when no row can have it."""
    kind = entity.fields[entity.key].kind
    if kind == "uuid":
        try:
            return str(uuid.UUID(user_id))
        except ValueError:
            return None
    if kind in {"integer", "bigint"}:
        return user_id if user_id.isascii() and user_id.isdecimal() and len(user_id) < 10 else None
    return user_id if "\0" not in user_id else None


def _json(value: Mapping[str, Any]) -> str:
    return _bytes(value).decode()


def _bytes(value: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):
        raise ProblemError("auth.validation_failed", "a value cannot be stored") from None
