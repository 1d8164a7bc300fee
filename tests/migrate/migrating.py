"""Builders and drivers for migration tests: models without YAML, a tenant in a real database."""

import hashlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from actors.features.auth.tables import AUTH_DDL
from actors.features.files.tables import FILES_DDL
from actors.features.outbox.tables import OUTBOX_DDL
from actors.messages import TenantIdentity
from actors.tenant import migrator, planning, registry, rollbacks
from actors.tenant.audit import AUDIT_DDL
from actors.tenant.introspect import introspect
from actors.tenant.step_runner import Pace
from schemas.compiler.layout import wanted_catalog
from schemas.compiler.migrate.catalog import Catalog
from schemas.compiler.migrate.steps import Migration
from schemas.compiler.model import Entity, Field, Reference, TenantModel

KINDS = {
    "text": ("text", "string"),
    "uuid": ("uuid", "string"),
    "bigint": ("bigint", "integer"),
    "integer": ("integer", "integer"),
    "numeric": ("numeric", "number"),
    "numeric(38,2)": ("numeric(38,2)", "number"),
    "double": ("double precision", "number"),
    "boolean": ("boolean", "boolean"),
    "date": ("date", "string"),
    "datetime": ("timestamp with time zone", "string"),
    "json": ("jsonb", "object"),
    "text[]": ("text[]", "array"),
}


def column(name: str, kind: str = "text", **more: Any) -> Field:
    pg_type, json_type = KINDS[kind]
    schema = {"type": json_type, **more.pop("schema", {})}
    references = more.pop("references", None)
    on_delete = more.pop("on_delete", "restrict")
    required = more.pop("required", False)
    more["renamed_from"] = _names(more.pop("renamed_from", ()))
    if "default_value" in more:
        more["has_default"] = True
    return Field(
        name,
        "array" if kind.endswith("[]") else kind.partition("(")[0],
        pg_type,
        schema,
        required=required,
        nullable=more.pop("nullable", not required),
        references=Reference(references, on_delete) if references else None,
        **more,
    )


def entity(name: str, *fields: Field, key: Field | None = None, **more: Any) -> Entity:
    identity = key or column("id", "uuid", required=True, generated="uuid")
    listed = {item.name: item for item in (identity, *fields)}
    return Entity(name, identity.name, listed, renamed_from=_names(more.pop("renamed_from", ())), **more)


def _names(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def model(*entities: Entity, slug: str = "acme-corp", **more: Any) -> TenantModel:
    return TenantModel(slug, {}, 1, {item.name: item for item in entities}, {}, **more)


class Tenant:
    """One tenant of one test and the connection that migrates it."""

    def __init__(self, url: str, connection: asyncpg.Connection, identity: TenantIdentity) -> None:
        self.url = url
        self.connection = connection
        self.identity = identity
        self.small_bytes = planning.SMALL_BYTES
        self.pace = Pace(patience=20.0)

    @property
    def namespace(self) -> str:
        return self.identity.namespace

    async def plan(self, wanted: TenantModel, text: str | None = None, **more: Any) -> Migration:
        source = text if text is not None else repr(wanted)
        digest = hashlib.sha256(source.encode()).hexdigest()
        number = await registry.record(self.connection, self.identity, text=source, digest=digest)
        return await planning.plan_migration(
            self.connection,
            self.identity,
            wanted,
            version=number,
            digest=digest,
            small_bytes=self.small_bytes,
            **more,
        )

    async def migrate(self, wanted: TenantModel, *, confirmed: bool = False, **more: Any) -> Migration:
        migration = await self.plan(wanted, **more)
        await migrator.expand(self.connection, self.identity, migration, confirmed=confirmed, pace=self.pace)
        await migrator.contract(self.connection, self.identity, pace=self.pace)
        return migration

    async def back_to(self, number: int, wanted: TenantModel) -> Migration:
        records = await rollbacks.records_since(self.connection, self.identity, number)
        return await self.migrate(
            wanted, confirmed=True, text=f"back to {number} {random.random()}", back_through=records
        )

    async def catalog(self) -> Catalog:
        return await introspect(self.connection, self.namespace)

    async def assert_is(self, wanted: TenantModel) -> None:
        trigram = await self.connection.fetchval("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        found, right = await self.catalog(), wanted_catalog(wanted, "backsaas_api" if trigram else None)
        for name in found.tables.keys() | right.tables.keys():
            assert found.tables.get(name) == right.tables.get(name), name
        left = await leftovers(self.connection, self.namespace)
        assert left == []

    async def run(self, sql: str, *arguments: Any) -> str:
        return await self.connection.execute(sql.replace("ns.", f'"{self.namespace}".'), *arguments)

    async def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        found = await self.connection.fetch(sql.replace("ns.", f'"{self.namespace}".'), *arguments)
        return [tuple(row) for row in found]

    async def value(self, sql: str, *arguments: Any) -> Any:
        return await self.connection.fetchval(sql.replace("ns.", f'"{self.namespace}".'), *arguments)

    async def reconnect(self) -> None:
        """What a killed process leaves: a connection that is gone, and a new one."""
        self.connection.terminate()
        self.connection = await asyncpg.connect(self.url)


async def leftovers(connection: asyncpg.Connection, namespace: str) -> list[str]:
    """Names of helpers a finished migration should have removed."""
    rows = await connection.fetch(
        """
        SELECT proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = $1 AND NOT starts_with(proname, '_derive_') AND proname NOT IN ('_record', '_bind', '_let_go', '_tell')
          AND NOT starts_with(proname, '_audit') AND NOT starts_with(proname, '_history_') AND NOT starts_with(proname, '_prune_')
        UNION ALL SELECT attname::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r' AND starts_with(attname, '_arch_~')
        UNION ALL SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND starts_with(relname, '_arch_~')
        """,
        namespace,
    )
    return [row[0] for row in rows]


async def new_tenant(url: str, slug: str) -> Tenant:
    connection = await asyncpg.connect(url)
    await registry.bootstrap(connection)
    identity = await registry.ensure_tenant(connection, slug)
    await connection.execute(
        f'CREATE SCHEMA "{identity.namespace}"; CREATE SCHEMA "{identity.archive}"; '
        f'CREATE ROLE "{identity.role}"; GRANT USAGE ON SCHEMA "{identity.namespace}" TO "{identity.role}"'
    )
    # the functions that triggers run come with a tenant's place
    for ddl in (AUTH_DDL, OUTBOX_DDL, FILES_DDL, AUDIT_DDL):
        names = {"namespace": f'"{identity.namespace}"', "role": "CURRENT_USER", "role_text": "'none'"}
        await connection.execute(ddl.format(**names))
    return Tenant(url, connection, identity)


async def drop_tenant(tenant: Tenant) -> None:
    identity = tenant.identity
    await tenant.connection.execute(
        f'DROP SCHEMA "{identity.namespace}" CASCADE; DROP SCHEMA "{identity.archive}" CASCADE; '
        f'DROP OWNED BY "{identity.role}"; DROP ROLE "{identity.role}"'
    )
    await tenant.connection.close()


class KilledError(Exception):
    """The process ends here."""


def kill_at(number: int) -> tuple[Callable[[str], Awaitable[None]], list[str]]:
    """A checkpoint that ends the process at its ``number``-th call; with the list of what was passed."""
    passed: list[str] = []

    async def checkpoint(what: str) -> None:
        passed.append(what)
        if len(passed) == number:
            raise KilledError(what)

    return checkpoint, passed
