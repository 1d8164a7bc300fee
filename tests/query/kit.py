"""A tenant from YAML in a real database, asked through the query compiler as the tenant's own role."""

import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg

from actors.connections import derive_password
from actors.messages import TenantIdentity
from actors.tenant import migrator, planning, registry
from actors.tenant.provision import provision, role_name, secure_database
from schemas.compiler.compile import compile_source
from schemas.compiler.principal import Principal
from schemas.compiler.query.compiler import QueryCompiler
from schemas.compiler.query.preferences import parse_preferences
from schemas.compiler.query.requests import Prepared, ReadRequest, WriteRequest

ROOT = Path(__file__).resolve().parent.parent.parent
CLUSTER = b"k" * 32
TODAY = date(2026, 11, 23)
WRITTEN = "return=representation"


def uid(number: int) -> str:
    """A key that is easy to read."""
    return str(uuid.UUID(int=number))


def who(number: int | None, *roles: str) -> Principal:
    """A caller; signed in unless ``number`` is None."""
    built_in = {"public"} if number is None else {"public", "authenticated"}
    return Principal(id=None if number is None else uid(number), roles=frozenset({*roles, *built_in}))


class Tenant:
    """Requests in, rows out."""

    def __init__(
        self, queries: QueryCompiler, own: asyncpg.Connection, identity: TenantIdentity, caller: Principal
    ) -> None:
        self.queries, self.own, self.identity, self.caller = queries, own, identity, caller

    def as_(self, caller: Principal) -> "Tenant":
        """The same tenant, asked by somebody else."""
        return Tenant(self.queries, self.own, self.identity, caller)

    def prepare(
        self, entity: str, query: str = "", *, key: str | None = None, prefer: str = "", **more: Any
    ) -> Prepared:
        """Compile a read."""
        request = ReadRequest(entity, key, query, parse_preferences(prefer), today=TODAY, **more)
        return self.queries.read(request, self.caller)

    async def run(self, prepared: Prepared, *, keep: bool = True) -> dict[str, Any]:
        """Execute in a transaction that is undone unless it is kept; ``body`` comes decoded."""
        now = datetime(2026, 11, 23, 8, tzinfo=UTC).isoformat()
        arguments = prepared.statement.arguments(prepared.slots, self.caller, now)
        transaction = self.own.transaction()
        await transaction.start()
        try:
            row = dict(await self.own.fetchrow(prepared.statement.text, *arguments))
        except BaseException:
            await transaction.rollback()
            raise
        await (transaction.commit() if keep else transaction.rollback())
        row["body"] = None if row["body"] is None else json.loads(row["body"])
        return row

    async def read(self, entity: str, query: str = "", **more: Any) -> dict[str, Any]:
        """Read; the whole row."""
        return await self.run(self.prepare(entity, query, **more))

    async def get(self, entity: str, query: str = "", **more: Any) -> Any:
        """Read; the body."""
        return (await self.read(entity, query, **more))["body"]

    async def write(
        self, verb: str, entity: str, *rows: dict[str, object], query: str = "", key: str | None = None,
        prefer: str = WRITTEN, keep: bool = False, **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Write; undone unless kept."""
        request = WriteRequest(entity, rows, key, query, parse_preferences(prefer), today=TODAY, **more)
        return await self.run(self.queries.write(verb, request, self.caller), keep=keep)

    async def scalar(self, text: str) -> Any:
        """Look at the tables; ``ns.`` is the tenant's namespace."""
        return await self.own.fetchval(text.replace("ns.", f'"{self.identity.namespace}".'))


@contextlib.asynccontextmanager
async def open_tenant(url: str, slug: str, text: str, caller: Principal) -> AsyncIterator[Tenant]:
    """Provision and migrate a tenant."""
    owner = await asyncpg.connect(url)
    await secure_database(owner)
    await registry.bootstrap(owner)
    model = compile_source(text, slug)
    identity = await registry.ensure_tenant(owner, slug)
    password = derive_password(CLUSTER, identity.id)
    await provision(owner, identity, password)
    version = await registry.record(owner, identity, text=text, digest="d")
    plan = await planning.plan_migration(owner, identity, model, version=version, digest="d")
    await migrator.expand(owner, identity, plan, confirmed=True)
    trigram = await registry.trigram(owner)
    queries = QueryCompiler(model, identity.namespace, cursor_key=CLUSTER, trigram=trigram)
    own = await asyncpg.connect(url, user=role_name(identity), password=password)
    try:
        yield Tenant(queries, own, identity, caller)
    finally:
        await own.close()
        await owner.close()
