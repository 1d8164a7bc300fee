"""Buckets: those of the tenant's file, and those that admins make while it runs.

Decides that the file wins: what it declares no request changes. ``storage/v1/bucket``, as Supabase's clients
speak it.
"""

from typing import Any

import orjson

from actors.connections import TenantConnection
from actors.features.files.places import PLACE, problem
from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import fetch_one, fetch_rows_on, in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.grammar.quantities import bytes_of
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.storage import OBJECTS, Bucket
from schemas.compiler.sql import quote

_COLUMNS = "id, public, max_size, accept, created_at, updated_at"


async def find_bucket(generation: Generation, name: str) -> Bucket:
    """Return a bucket.

    Raises:
        ProblemError: storage.no_bucket; http.not_built where the file has no ``storage``.
    """
    declared = declared_buckets(generation)
    if name in declared:
        return declared[name]
    text = f"SELECT b.* FROM (SELECT) one LEFT JOIN {_table(generation)} b ON id = $1"  # noqa: S608 - quoted
    row = await fetch_one(generation.pool, text, (name,), reads=True)
    if row["id"] is None:
        raise problem("storage.no_bucket", "Bucket not found", 404, "Bucket not found")
    return _bucket(row)


def declared_buckets(generation: Generation) -> dict[str, Bucket]:
    """Return the buckets of the file, by name.

    Raises:
        ProblemError: http.not_built.
    """
    section = generation.model.sections.get("storage")
    if section is None:
        raise ProblemError(
            "http.not_built", "this tenant has no storage", hint="write storage: {} in its file"
        )
    found: dict[str, Bucket] = section.get("buckets", {})
    return found


async def list_buckets(generation: Generation, call: Call, principal: Principal) -> Result:
    """List every bucket, for admins."""
    del call
    require_admin(principal)
    declared = declared_buckets(generation)
    text = f"SELECT {_COLUMNS} FROM {_table(generation)} ORDER BY id"  # noqa: S608 - quoted
    rows = await in_transaction(generation.pool, lambda own: fetch_rows_on(own, text, ()), reads=True)
    made = [_document(_bucket(row), row) for row in rows if row["id"] not in declared]
    found = [*(_document(bucket) for bucket in declared.values()), *made]
    return Result(200, orjson.dumps(sorted(found, key=lambda one: str(one["id"]))))


async def show_bucket(generation: Generation, call: Call, principal: Principal) -> Result:
    """Show one bucket, to admins."""
    require_admin(principal)
    return Result(200, orjson.dumps(_document(await find_bucket(generation, call.entity))))


async def create_bucket(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make a bucket, for admins."""
    require_admin(principal)
    body = _body(call)
    name = body.get("id") or body.get("name")
    if not isinstance(name, str) or not PLACE.fullmatch(name):
        raise problem(
            "storage.bad_path", "a bucket's name has 1 to 100 letters, digits and ._-", 400, "Invalid"
        )
    if name in declared_buckets(generation):
        raise problem("storage.duplicate", "The resource already exists", 409, "Duplicate")
    public, size, accept = _wanted(body)
    text = (
        f"INSERT INTO {_table(generation)} (id, public, max_size, accept) "  # noqa: S608 - quoted
        "VALUES ($1, $2::text::boolean, $3::text::bigint, $4::text[]) ON CONFLICT DO NOTHING RETURNING id"
    )
    values = (name, public, size, accept)
    if not await in_transaction(generation.pool, lambda own: fetch_rows_on(own, text, values)):
        raise problem("storage.duplicate", "The resource already exists", 409, "Duplicate")
    return Result(200, orjson.dumps({"name": name}))


async def update_bucket(generation: Generation, call: Call, principal: Principal) -> Result:
    """Change a bucket, for admins."""
    await _own(generation, call, principal)
    public, size, accept = _wanted(_body(call))
    text = (
        f"UPDATE {_table(generation)} SET public = $2::text::boolean, max_size = $3::text::bigint, "  # noqa: S608 - quoted
        "accept = $4::text[], updated_at = now() WHERE id = $1 RETURNING id"
    )
    values = (call.entity, public, size, accept)
    await in_transaction(generation.pool, lambda own: fetch_rows_on(own, text, values))
    return Result(200, orjson.dumps({"message": "Successfully updated"}))


async def delete_bucket(generation: Generation, call: Call, principal: Principal) -> Result:
    """Delete an empty bucket, for admins."""
    await _own(generation, call, principal)
    objects = f"{quote(generation.identity.namespace)}.{quote(OBJECTS)}"
    text = (
        f"DELETE FROM {_table(generation)} WHERE id = $1 "  # noqa: S608 - quoted
        f"AND NOT EXISTS (SELECT FROM {objects} WHERE bucket_id = $1) RETURNING id"
    )
    if not await in_transaction(generation.pool, lambda own: fetch_rows_on(own, text, (call.entity,))):
        text = "The bucket you tried to delete is not empty"
        raise problem("storage.not_empty", text, 409, "InvalidRequest")
    return Result(200, orjson.dumps({"message": "Successfully deleted"}))


async def empty_bucket(generation: Generation, call: Call, principal: Principal) -> Result:
    """Remove every object of a bucket, for admins."""
    require_admin(principal)
    await find_bucket(generation, call.entity)
    objects = f"{quote(generation.identity.namespace)}.{quote(OBJECTS)}"
    text = f"DELETE FROM {objects} WHERE bucket_id = $1 RETURNING id"  # noqa: S608 - quoted

    async def remove(own: TenantConnection) -> None:
        await fetch_rows_on(own, text, (call.entity,))

    await in_transaction(generation.pool, remove)
    return Result(200, orjson.dumps({"message": "Successfully emptied"}))


def require_admin(principal: Principal) -> None:
    """Refuse everybody but admins and the platform's own hand, with every scope.

    Raises:
        ProblemError: 42501.
    """
    if not principal.roles & {ADMIN_ROLE, SERVICE_ROLE} or principal.scopes is not None:
        raise ProblemError("42501", "buckets are for admins")


async def _own(generation: Generation, call: Call, principal: Principal) -> None:
    require_admin(principal)
    await find_bucket(generation, call.entity)
    if call.entity in declared_buckets(generation):
        text = f"'{call.entity}' is declared in the tenant's file"
        raise problem("storage.declared", text, 409, "InvalidRequest")


def _body(call: Call) -> dict[str, Any]:
    body = decode_json(call.body) if call.body else {}
    if not isinstance(body, dict):
        raise ProblemError("PGRST102", "the body is an object")
    return body


def _wanted(body: dict[str, Any]) -> tuple[str, str | None, list[str | None] | None]:
    size, accept = body.get("file_size_limit"), body.get("allowed_mime_types")
    if isinstance(size, str):
        try:
            size = bytes_of(size if not size[-2:].isalpha() or "i" in size else size[:-1] + "iB")
        except (ValueError, KeyError, TypeError):
            size = -1
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
        raise ProblemError("PGRST102", "file_size_limit is a number of bytes, or a text such as 5MB")
    if accept is not None and not (isinstance(accept, list) and all(isinstance(one, str) for one in accept)):
        raise ProblemError("PGRST102", "allowed_mime_types is a list of media types")
    public = "true" if body.get("public") is True else "false"
    return public, None if not size else str(size), accept or None


def _bucket(row: Any) -> Bucket:  # noqa: ANN401 - asyncpg's record
    return Bucket(row["id"], row["public"], tuple(row["accept"] or ()), row["max_size"])


def _document(bucket: Bucket, row: Any = None) -> dict[str, Any]:  # noqa: ANN401 - asyncpg's record
    return {
        "id": bucket.name, "name": bucket.name, "owner": "", "public": bucket.public, "type": "STANDARD",
        "file_size_limit": bucket.max_size, "allowed_mime_types": list(bucket.accept) or None,
        "created_at": row["created_at"] if row is not None else None,
        "updated_at": row["updated_at"] if row is not None else None,
    }  # fmt: skip


def _table(generation: Generation) -> str:
    return f"{quote(generation.identity.namespace)}._buckets"
