"""Tenants in a real server, made as the platform makes them."""

import contextlib
import secrets
from collections.abc import AsyncIterator

import asyncpg

from actors.connections import derive_password
from actors.database import Database
from actors.messages import TenantIdentity
from actors.pool import TenantPool
from actors.tenant.provision import deprovision, provision

KEY = b"k" * 32


class Tenants:
    """Makes tenants and forgets them after the test."""

    def __init__(self, database: Database, owner: asyncpg.Connection) -> None:
        self.database, self.owner = database, owner
        self.budget = database.budget
        self.made: list[tuple[TenantPool, TenantIdentity]] = []

    async def provision(self, identity: TenantIdentity) -> None:
        await provision(self.owner, identity, derive_password(KEY, identity.id))

    async def make(self, limit: int = 10) -> tuple[TenantPool, TenantIdentity]:
        token = secrets.token_hex(8)
        identity = TenantIdentity(token, f"tenant-{token}", f"t_{token}", f"a_{token}")
        await self.provision(identity)
        pool = self.database.tenant_pool(identity, derive_password(KEY, identity.id))
        pool.limit = limit
        self.made.append((pool, identity))
        return pool, identity


@contextlib.asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Tenants]:
    """Lend a maker of tenants; what it made is gone afterwards, and no connection may be left."""
    async with database.owner() as owner:
        made = Tenants(database, owner)
        limit = database.budget.limit
        yield made
        for pool, _ in made.made:
            pool.close()
        database.budget.limit = limit
        for _, identity in made.made:
            await deprovision(owner, identity)
    assert database.budget.open == 0, "a test kept a connection"
