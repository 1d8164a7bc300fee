"""Copies of tenants: the file, and every row in an order that keys allow.

Decides the order of tables, which columns wait for others (keys in circles), and what stands in a copy where
a field is ``personal``. Rows are copied by PostgreSQL itself, as the owner, with the tables' own triggers
asleep: copying tells nobody, and computed columns come as they are. ``clone_tenant`` of the platform.
"""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeAlias

import asyncpg
import orjson
from msgspec import Struct

from actors.features.files.keeper import Files
from actors.features.platform import carrying, creating, files, masking, sampling
from actors.features.platform.rights import Request, invalid, require_admin
from actors.messages import Call, ProblemError, Result, TenantIdentity
from actors.tenant.furniture import ACCOUNTS, furnish, furnished
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.edit import set_value
from schemas.compiler.migrate.catalog import AUDIT_LOG
from schemas.compiler.model import TenantModel
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"

NONE, SAMPLE, ALL = "none", "sample", "all"
SAMPLED, MOST_SAMPLED = 100, 100_000

TABLES = """
SELECT c.relname AS name, array_agg(a.attname ORDER BY a.attnum) AS columns
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r' AND c.relname NOT LIKE '\\_%'
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname
"""
_KEYS = """
SELECT c.relname AS name, f.relname AS target, a.attname AS column, NOT a.attnotnull AS nullable
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
WHERE k.connamespace = $1::text::regnamespace AND k.contype = 'f'
"""
ACCOUNT = (
    "user_id, confirmed_email, confirmed_at, invited_at, is_anonymous, app_metadata, user_metadata, "
    "created_at"
)
"""What is known about an account besides its secrets."""


class Order(Struct, frozen=True):
    """In which order tables are filled.

    Attributes:
        tables: name to columns, in that order.
        late: columns by table that are filled when every table is.
    """

    tables: Mapping[str, tuple[str, ...]]
    late: Mapping[str, tuple[str, ...]]


async def clone_tenant(request: Request) -> Result:
    """Make a tenant that is like another one, with its rows or without."""
    require_admin(request)
    if request.text("slug") == SYSTEM_SLUG:
        raise ProblemError("auth.forbidden", "there is one platform")
    slug, to = request.text("slug", required=True), request.text("to", required=True, most=40)
    file = await files.opened(request, slug)
    data, mask = _data(request), request.flag("mask", default=True)
    rows = request.arguments.get("rows", SAMPLED)
    if isinstance(rows, bool) or not isinstance(rows, int) or not 1 <= rows <= MOST_SAMPLED:
        raise invalid("rows", f"a whole number from 1 to {MOST_SAMPLED}")
    text = set_value(file.source.text.decode(), ("service", "name"), to)
    if request.text("name"):
        text = set_value(text, ("service", "title"), request.text("name"))

    async def fill(made: Generation) -> None:
        if data == NONE:
            return
        secret = secret_of(request.platform, file.identity) if mask else ""
        connection = await request.platform.database.dedicated()
        try:
            await copy_rows(
                connection, file.identity, made, secret=secret, stored=request.platform.files,
                most=rows if data == SAMPLE else 0,
            )  # fmt: skip
        finally:
            await connection.close()

    wanted = creating.Wanted(
        await creating.free_slug(request.platform, to),
        text.encode(),
        fill,
        code=file.source.code,
        origin={"cloned": slug, "data": data, "masked": data != NONE and mask},
    )
    return await creating.create(request.generation, row_call(request, to), request.principal, wanted)


def _data(request: Request) -> str:
    value = request.arguments.get("data", ALL)
    value = {True: ALL, False: NONE}.get(value, value) if isinstance(value, bool) else value
    if value not in {NONE, SAMPLE, ALL}:
        raise invalid("data", "none, sample or all")
    return str(value)


def secret_of(platform: Platform, identity: TenantIdentity) -> str:
    """Return what a tenant's masks are made with: the same for all its copies, and no other tenant's."""
    return hmac.digest(bytes.fromhex(platform.cluster_key), b"mask\0" + identity.id.encode(), sha256).hex()[
        :32
    ]


def row_call(request: Request, slug: str) -> Call:
    """Return the call that creates a tenant's row."""
    body: dict[str, Any] = {"slug": slug}
    if request.text("name"):
        body["name"] = request.text("name")
    return Call(
        "create",
        "POST",
        creating.TENANTS,
        query="select=id,slug,name,status",
        body=orjson.dumps(body),
        content_type="application/json",
        prefer="return=representation",
        accept="application/vnd.pgrst.object+json",
        request_id=request.call.request_id,
        address=request.call.address,
    )


async def copy_rows(
    connection: Connection,
    source: TenantIdentity,
    made: Generation,
    *,
    secret: str,
    stored: Files | None,
    most: int = 0,
) -> None:
    """Copy rows of a tenant into a new one, and the files they name.

    Args:
        connection: the owner's.
        source: what is copied.
        made: generation of the new tenant, its tables empty.
        stored: where files are.
        secret: personal fields are made unrecognisable with it, and nobody's sign-in comes along; "": all
            stays as it is.
        most: only the newest so many rows of each table, and those they refer to; 0: all.
    """
    mask = bool(secret)
    target = made.identity.namespace
    async with connection.transaction(isolation="repeatable_read"):
        present = {
            row["name"]: set(row["columns"]) for row in await connection.fetch(TABLES, source.namespace)
        }
        chosen = await sampling.sample(connection, source.namespace, present, most) if most else {}
        order = await order_of(connection, target)
        known = {
            name: tuple(column for column in columns if column in present.get(name, ()))
            for name, columns in order.tables.items()
        }
        for name, columns in known.items():
            entity = made.model.entities.get(name)
            if entity is not None and entity.added and (mask or name == AUDIT_LOG):
                continue  # what was done is the other tenant's; and it tells who did what to whom
            if columns:
                values = ", ".join(
                    _masked(made.model, name, column, secret) if mask else quote(column) for column in columns
                )
                origin = f"SELECT {values} FROM {quote(source.namespace)}.{quote(name)}"  # noqa: S608 - quoted
                origin += f" WHERE {chosen[name]}" if name in chosen else ""
                await fill_table(connection, target, name, columns, origin, order.late.get(name, ()))
        for name, late in order.late.items():
            origin = f"{quote(source.namespace)}.{quote(name)}"
            key = made.model.entities[name].key
            await fill_late(connection, target, name, [c for c in late if c in known[name]], origin, key)
        await _copy_counters(connection, source.namespace, target)
        await carrying.copy_files(connection, stored, source, made)
        users = None if mask else made.model.entities.get("users")
        if users is not None and await furnished(connection, source.namespace, ACCOUNTS.ends[:1]):
            await furnish(connection, made.identity, ACCOUNTS.tables)
            await connection.execute(
                f"INSERT INTO {quote(target)}._auth_accounts ({ACCOUNT}) "  # noqa: S608 - quoted
                f"SELECT {ACCOUNT} FROM {quote(source.namespace)}._auth_accounts "
                f"WHERE user_id IN (SELECT {quote(users.key)}::text FROM {quote(target)}.users)"
            )
        await wake(connection, target, order, made.model)


async def _copy_counters(connection: Connection, source: str, target: str) -> None:
    """Let numbers that the server gives go on after the last one."""
    for namespace in (source, target):
        if await connection.fetchval("SELECT to_regclass($1)", f"{namespace}._counters") is None:
            return
    origin = f"SELECT * FROM {quote(source)}._counters"  # noqa: S608 - quoted
    await connection.execute(f"INSERT INTO {quote(target)}._counters {origin} ON CONFLICT DO NOTHING")


async def order_of(connection: Connection, namespace: str) -> Order:
    """Return how the empty tables of a namespace are filled; their triggers sleep until ``wake``."""
    tables = {row["name"]: tuple(row["columns"]) for row in await connection.fetch(TABLES, namespace)}
    for name in tables:
        await connection.execute(f"ALTER TABLE {quote(namespace)}.{quote(name)} DISABLE TRIGGER USER")
    keys = [row for row in await connection.fetch(_KEYS, namespace) if row["name"] != row["target"]]
    waits = {name: {row["target"] for row in keys if row["name"] == name} for name in tables}
    ordered: dict[str, tuple[str, ...]] = {}
    late: dict[str, tuple[str, ...]] = {}
    while len(ordered) < len(tables):
        ready = [name for name in tables if name not in ordered and waits[name] <= ordered.keys()]
        if not ready:
            ready = [_break(tables, keys, ordered, waits, late)]
        for name in ready:
            ordered[name] = tables[name]
    return Order(ordered, late)


def _break(
    tables: Mapping[str, tuple[str, ...]],
    keys: list[asyncpg.Record],
    ordered: Mapping[str, Any],
    waits: dict[str, set[str]],
    late: dict[str, tuple[str, ...]],
) -> str:
    """Break a circle of keys at a table whose open ones may be empty for a while."""
    for name in tables:
        if name in ordered:
            continue
        unmet = [row for row in keys if row["name"] == name and row["target"] not in ordered]
        if all(row["nullable"] for row in unmet):
            late[name] = tuple(row["column"] for row in unmet)
            waits[name] = set()
            return name
    raise LookupError("required keys go in circles")  # the compiler refuses such a file


async def fill_table(
    connection: Connection,
    namespace: str,
    name: str,
    columns: tuple[str, ...],
    origin: str,
    late: tuple[str, ...],
) -> None:
    """Insert what a query finds; columns that are late stay empty for now."""
    now = [column for column in columns if column not in late]
    listed = ", ".join(quote(column) for column in now)
    given = ", ".join(quote(column) for column in columns)
    await connection.execute(
        f"INSERT INTO {quote(namespace)}.{quote(name)} ({listed}) OVERRIDING SYSTEM VALUE "  # noqa: S608 - quoted
        f"SELECT {listed} FROM ({origin}) AS source({given})"
    )


async def fill_late(
    connection: Connection, namespace: str, name: str, late: list[str], origin: str, key: str
) -> None:
    """Fill the columns that had to wait."""
    if not late:
        return
    setting = ", ".join(f"{quote(column)} = source.{quote(column)}" for column in late)
    await connection.execute(
        f"UPDATE {quote(namespace)}.{quote(name)} AS t SET {setting} "  # noqa: S608 - quoted
        f"FROM {origin} AS source WHERE source.{quote(key)} = t.{quote(key)}"
    )


async def wake(connection: Connection, namespace: str, order: Order, model: TenantModel) -> None:
    """Let triggers work again, and numbers go on after the last one."""
    for name in order.tables:
        table = f"{quote(namespace)}.{quote(name)}"
        await connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        entity = model.entities.get(name)
        if entity is not None and entity.fields[entity.key].generated == "identity":
            key = quote(entity.key)
            await connection.execute(
                "SELECT setval(pg_get_serial_sequence($1, $2), "  # noqa: S608 - quoted
                f"coalesce(max({key}), 1), max({key}) IS NOT NULL) FROM {table}",
                table,
                entity.key,
            )


def _masked(model: TenantModel, name: str, column: str, secret: str) -> str:
    """Return what stands in a copy for a column: itself, or what does not tell who it was."""
    entity = model.entities.get(name)
    field = entity.fields.get(column) if entity is not None else None
    here = quote(column)
    if field is None or not (field.personal or (name == "users" and column == "email")):
        return here
    return masking.mask(field, here, secret)
