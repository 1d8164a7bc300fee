"""Statements of the auth feature on the tenant's own connections.

Decides nothing; it fills in the namespace and runs. ``{ns}`` in a statement stands for the tenant's quoted
namespace; every value is a parameter. Used by the modules of this folder only.
"""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TypeVar

import asyncpg

from actors.connections import TenantConnection
from actors.pool import TenantPool
from actors.tenant.attribution import asked
from actors.tenant.executor import in_transaction
from schemas.compiler.sql import quote

T = TypeVar("T")


class Session:
    """One transaction.

    Args:
        connection: logged in as the tenant's role.
        namespace: of the tenant, unquoted.
    """

    __slots__ = ("_namespace", "connection")

    def __init__(self, connection: TenantConnection, namespace: str) -> None:
        self.connection = connection
        self._namespace = namespace

    async def row(self, text: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row, or None."""
        return await self.connection.fetchrow(_fill(text, self._namespace), *arguments)

    async def rows(self, text: str, *arguments: object) -> list[asyncpg.Record]:
        """Return every row."""
        return await self.connection.fetch(_fill(text, self._namespace), *arguments)

    async def run(self, text: str, *arguments: object) -> int:
        """Change rows; returns how many."""
        status = await self.connection.execute(_fill(text, self._namespace), *arguments)
        return int(status.rpartition(" ")[2]) if status[-1:].isdigit() else 0


class Store:
    """A tenant's auth tables.

    Args:
        pool: the tenant's.
        namespace: of the tenant, unquoted.
    """

    __slots__ = ("namespace", "pool")

    def __init__(self, pool: TenantPool, namespace: str) -> None:
        self.pool = pool
        self.namespace = namespace

    async def transaction(self, work: Callable[[Session], Awaitable[T]], *, reads: bool = False) -> T:
        """Run statements in one transaction; ``work`` may run again after a deadlock.

        Raises:
            ProblemError: the database is not there, or refuses.
        """
        who = "" if reads else asked()

        async def run(connection: TenantConnection) -> T:
            if who:
                await connection.execute("SELECT set_config('backsaas.who', $1, true)", who)
            return await work(Session(connection, self.namespace))

        return await in_transaction(self.pool, run, reads=reads)

    async def row(self, text: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row of one statement, or None."""
        return await self.transaction(lambda session: session.row(text, *arguments))

    async def rows(self, text: str, *arguments: object) -> list[asyncpg.Record]:
        """Return every row of one statement."""
        return await self.transaction(lambda session: session.rows(text, *arguments))

    async def run(self, text: str, *arguments: object) -> int:
        """Run one statement; returns how many rows it changed."""
        return await self.transaction(lambda session: session.run(text, *arguments))


@lru_cache(maxsize=4096)
def _fill(text: str, namespace: str) -> str:
    return text.replace("{ns}", quote(namespace))
