"""The users rows behind accounts: found, and written by the rules of the model, in the auth transaction.

Decides which fields of a new row its owner may fill, and how a refusal of the model is told to somebody who
signs up. Credentials are not its business. Called by ``accounts``.
"""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
from msgspec.structs import replace

from actors.features.auth.account_values import Account
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError
from actors.tenant import rows
from actors.tenant.generation import Generation
from schemas.compiler.model import SOFT_DELETE_FIELD, Entity, Field
from schemas.compiler.principal import ANONYMOUS_ROLE, AUTHENTICATED_ROLE, SERVICE
from schemas.compiler.sections.auth import USERS, Auth
from schemas.compiler.sql import quote

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

OURS = frozenset({"email", "role"})
"""Fields of a person that metadata never fills."""


_RECORD = (
    "password_hash, confirmed_email, confirmed_at, new_email, invited_at, banned_until, is_anonymous, "
    "app_metadata::text AS app_metadata, user_metadata::text AS user_metadata, last_sign_in_at, "
    "a.created_at, a.updated_at, a.user_id"
)


def realm_of(generation: Generation) -> "Realm":
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
    if entity is None or not entity.fields.keys() >= OURS:
        raise ProblemError("auth.email_provider_disabled", "people of this tenant do not sign in here")
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


async def _one(session: Session, entity: Entity, where: str, value: str) -> Account | None:
    alive = f" AND u.{SOFT_DELETE_FIELD} IS NULL" if entity.soft_delete else ""
    row = await session.row(f"{select_accounts(entity)} WHERE {where}{alive}", value)
    return None if row is None else account_of(row)


def select_accounts(entity: Entity) -> str:
    """Return what reads accounts, up to its WHERE; rows are for ``account_of``."""
    key = f"u.{quote(entity.key)}"
    return (
        f"SELECT to_jsonb(u)::text AS users_row, {key}::text AS id, u.email, u.role, {_RECORD} "  # noqa: S608
        f"FROM {{ns}}.users u {joined(entity)}"
    )


def joined(entity: Entity) -> str:
    """Return the join of ``users`` (u) with what the platform keeps of each (a)."""
    return f"LEFT JOIN {{ns}}._auth_accounts a ON a.user_id = u.{quote(entity.key)}::text"


def account_of(row: asyncpg.Record) -> Account:
    """Return the account of a row that ``select_accounts`` read."""
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


async def again(session: Session, generation: Generation, user_id: str) -> Account:
    """Return an account that was just written.

    Raises:
        ProblemError: auth.user_not_found when somebody removed it meanwhile.
    """
    account = await find(session, generation, user_id)
    if account is None:
        raise ProblemError("auth.user_not_found", "there is no such user")
    return account


async def keep_record(session: Session, generation: Generation, account: Account) -> None:
    """Make the place for credentials of a person who has none yet."""
    if not account.has_record:
        await session.run(
            "INSERT INTO {ns}._auth_accounts (user_id, created_at, updated_at) "
            "VALUES ($1, $2::timestamptz, $2) ON CONFLICT (user_id) DO NOTHING",
            account.id,
            realm_of(generation).services.now(),
        )


async def insert(session: Session, generation: Generation, entity: Entity, body: Mapping[str, Any]) -> str:
    """Insert a person; returns the key.

    Raises:
        ProblemError: auth.email_exists, auth.validation_failed.
    """
    call = Call(
        "create",
        "POST",
        USERS,
        query=f"select={entity.key}",
        body=to_bytes(body),
        accept="application/json",
        prefer="return=representation",
    )
    answer = orjson.loads(await _write(session, generation, call))
    row = answer[0] if isinstance(answer, list) else answer
    return str(row[entity.key])


async def change(session: Session, generation: Generation, user_id: str, body: Mapping[str, Any]) -> None:
    """Change a person's row; errors as for ``insert``."""
    await _write(session, generation, Call("update", "PATCH", USERS, user_id, body=to_bytes(body)))


async def remove(session: Session, generation: Generation, user_id: str) -> None:
    """Delete a person's row, by the model's rules, and every proof of them.

    Raises:
        ProblemError: 23503 when rows of the tenant still need the person.
    """
    await _write(session, generation, Call("delete", "DELETE", USERS, user_id))
    for table in ("accounts", "sessions", "tokens", "factors", "identities"):
        await session.run(f"DELETE FROM {{ns}}._auth_{table} WHERE user_id = $1", user_id)  # noqa: S608 - ours


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


def filled(
    generation: Generation, entity: Entity, role: str, metadata: Mapping[str, Any], *, every: bool
) -> dict[str, Any]:
    """Return the fields of the users row that metadata fills.

    Args:
        generation: of the tenant.
        entity: the people.
        role: of the person.
        metadata: what the person says about themselves.
        every: somebody with rights says it: all writable fields. Else the ones that must be given, and those
            an access rule lets the person write by name, without a condition on the new row.
    """
    included = generation.model.roles[role].includes if role in generation.model.roles else {role}
    roles = {ANONYMOUS_ROLE, AUTHENTICATED_ROLE, *included}
    entries = [entry for entry in entity.access.update if entry.role in roles and entry.check is None]

    def allowed(field_: Field) -> bool:
        if field_.name in OURS or field_.name == entity.key or not _writable(field_):
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


def known_role(generation: Generation, role: str) -> str:
    """Return a role of the file.

    Raises:
        ProblemError: auth.validation_failed.
    """
    if role not in generation.model.roles:
        message = f"there is no role '{role[:63]}'"
        raise ProblemError(
            "auth.validation_failed",
            message,
            errors=({"pointer": "/role", "code": "unknown", "detail": message},),
        )
    return role


def to_bytes(value: Mapping[str, Any]) -> bytes:
    """Return JSON.

    Raises:
        ProblemError: auth.validation_failed for what JSON cannot say.
    """
    try:
        return orjson.dumps(value)
    except (TypeError, ValueError):
        raise ProblemError("auth.validation_failed", "a value cannot be stored") from None


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
