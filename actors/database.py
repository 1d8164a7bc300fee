"""The process's PostgreSQL: our own or someone's, the owner's connections and the budget for tenants'.

Decides which server is used and keeps our own one running. It never runs a tenant's statement. Made by
``run.py``; used by whatever needs the owner (registry, migrations) or a tenant's pool.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote as percent

import asyncpg
import structlog
from msgspec import Struct

from actors.binaries import EmbeddedError
from actors.budget import ConnectionBudget
from actors.cluster import SUPERUSER
from actors.connections import ConnectError, Target, TenantConnection, wait_for_owner
from actors.embedded import EmbeddedPostgres
from actors.messages import TenantIdentity
from actors.pool import PoolError, TenantPool
from actors.slow import SlowBook
from actors.tenant.furniture import furnish, named_in, role_name
from actors.tenant.provision import ProvisionError, seal_maintenance_databases, secure_database
from actors.wal_archive import archive_options, make_folder
from config.errors import StartError
from config.settings import DatabaseSettings

LEAST_VERSION = 14
NAME = "backsaas"
"""The database inside the embedded server."""
OWNER_CONNECTIONS = 8
HEALTH_TIMEOUT = 1.0
WATCH_PAUSE = 0.1
SHRINK_PAUSE = 5.0
_HEALTH = "SELECT pg_catalog.pg_is_in_recovery(), EXISTS (SELECT FROM backsaas.tenants)"

log = structlog.get_logger("database")


class ServerFacts(Struct, frozen=True):
    """What the server can do, asked once at start.

    Attributes:
        version: as text, ``18.6``.
        major: its first number.
        extensions: names that could be created.
        embedded: the server is ours.
        open_doors: what every role may do although none should, see ``secure_database``.
    """

    version: str
    major: int
    extensions: frozenset[str]
    embedded: bool
    open_doors: tuple[str, ...]


class Database:
    """One PostgreSQL database; ``start`` it from the main thread and run ``watch`` in a task.

    Args:
        settings: server, sizes and times.
        data_dir: where our own server lives when no URL is set.
    """

    def __init__(self, settings: DatabaseSettings, data_dir: Path) -> None:
        self.settings = settings
        self.budget = ConnectionBudget(settings.connections)
        self.slow = SlowBook(settings.slow_seconds)
        self.facts = ServerFacts("", 0, frozenset(), not settings.url, ())
        self._server: EmbeddedPostgres | None = None
        self._archive: Path | None = None
        if not settings.url:
            options = {
                "max_connections": str(settings.max_connections),
                "shared_buffers": settings.shared_buffers,
            }
            self._archive = data_dir / settings.wal_archive if settings.wal_archive else None
            if self._archive is not None:
                options |= archive_options(self._archive)
            self._server = EmbeddedPostgres(data_dir, options)
        self._target = Target(settings.url)
        self._owners = TenantPool(
            "owner",
            self._open_owner,
            ConnectionBudget(OWNER_CONNECTIONS),
            limit=OWNER_CONNECTIONS,
            acquire_timeout=10,
        )

    async def start(self, *, join: bool = False) -> ServerFacts:
        """Bring the server up, check it and close its open doors.

        Args:
            join: use the server of another BackSaas process if it runs one on this data directory.

        Raises:
            StartError: it cannot be used; one line saying why.
        """
        if self._server is not None and not (join and self._server.runs_elsewhere()):
            try:
                if self._archive is not None:
                    make_folder(self._archive, self._server.cluster.user)
                self._server.start()
            except (EmbeddedError, OSError) as error:
                msg = f"the embedded PostgreSQL cannot run: {error}"
                raise StartError(msg) from error
        try:
            self._target = await self._find_target()
            self.facts = await self._inspect()
        except (ConnectError, ProvisionError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self.stop()
            where = "the embedded PostgreSQL" if self._server else redacted(self.settings.url)
            msg = f"cannot use {where}: {' '.join(str(error).split())}"
            raise StartError(msg) from error
        except BaseException:
            await self.stop()
            raise
        return self.facts

    async def stop(self) -> None:
        """Close the owner's connections and stop our own server; tenants' pools are closed elsewhere."""
        self._owners.close()
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)

    def tenant_pool(self, identity: TenantIdentity, password: str) -> TenantPool:
        """Make the pool of one tenant; it opens nothing until asked."""
        role = role_name(identity)

        async def opener() -> TenantConnection:
            return await self._target.tenant(role, password)

        async def furnisher(text: str) -> bool:
            names = named_in(text)
            if names:
                async with self.owner() as connection:
                    await furnish(connection, identity, names)
            return bool(names)

        return TenantPool(
            role,
            opener,
            self.budget,
            limit=self.settings.pool_size,
            acquire_timeout=self.settings.acquire_seconds,
            watch=self.slow.of(identity.slug),
            furnish=furnisher,
        )

    @contextlib.asynccontextmanager
    async def owner(self) -> AsyncIterator[TenantConnection]:
        """Lend a connection of the owner for a moment; session state is reset when it comes back.

        Raises:
            PoolTimeoutError: all are busy.
            ConnectError: the server is away.
        """
        connection = self._owners.take() or await self._owners.acquire()
        try:
            yield connection
            if not connection.is_closed() and not connection.is_in_transaction():
                try:
                    await connection.reset()
                except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                    connection.terminate()  # what was to be done is done
        finally:
            self._owners.release(connection)

    async def dedicated(self) -> TenantConnection:
        """Open an owner connection of one's own, for listening or long migrations; the caller closes it.

        Raises:
            ConnectError: the server is away.
        """
        return await self._open_owner()

    async def ailment(self) -> str:
        """Return why nothing can be served from the server, found out within a second; ``""`` when it can."""
        try:
            async with asyncio.timeout(HEALTH_TIMEOUT), self.owner() as connection:
                ((recovers, _),) = await connection.fetch(_HEALTH)
        except asyncpg.UndefinedTableError:
            return "the registry of tenants is gone"
        except asyncpg.InsufficientPrivilegeError:
            return "the registry of tenants cannot be read"
        except (OSError, ConnectError, PoolError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return "PostgreSQL does not answer"
        return "PostgreSQL takes no writes" if recovers else ""

    async def watch(self) -> None:
        """Keep our own server running and give idle connections back; runs until cancelled."""
        loop = asyncio.get_running_loop()
        shrink_at = loop.time() + SHRINK_PAUSE
        while True:
            await asyncio.sleep(WATCH_PAUSE)
            if self._server is not None and self._server.pid is None:
                await self._revive(self._server)
            if loop.time() >= shrink_at:
                self.budget.shrink(self.settings.idle_seconds)
                shrink_at = loop.time() + SHRINK_PAUSE

    async def _revive(self, server: EmbeddedPostgres) -> None:
        """Start our server again after it died; the event loop keeps running meanwhile."""
        log.error("postgres.died", log=str(server.log_path))
        pause = WATCH_PAUSE
        while True:
            try:
                if server.relaunch():
                    while server.pid is not None and not server.ready():  # noqa: ASYNC110 - no event tells it
                        await asyncio.sleep(0.01)
                    if server.pid is not None:
                        log.info("postgres.restarted", pid=server.pid)
                        return
            except (EmbeddedError, OSError) as error:
                log.error("postgres.restart_failed", reason=str(error))  # noqa: TRY400 - expected, one line
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)

    async def _open_owner(self) -> TenantConnection:
        try:
            return await self._target.owner()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            permanent = isinstance(error, asyncpg.InvalidAuthorizationSpecificationError)
            raise ConnectError(str(error) or type(error).__name__, permanent=permanent) from error

    async def _find_target(self) -> Target:
        times = (self.settings.connect_seconds, self.settings.statement_seconds)
        if self._server is None:
            return Target(self.settings.url, (("target_session_attrs", "primary"),), *times)
        login = f"postgresql://{SUPERUSER}:{percent(self._server.cluster.password())}@/"
        host = (("host", str(self._server.cluster.socket_dir)),)
        connection = await wait_for_owner(
            Target(login + "postgres", host, *times), self.settings.start_seconds
        )
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", NAME):
                await connection.execute(f'CREATE DATABASE "{NAME}"')
            await seal_maintenance_databases(connection)
        finally:
            await connection.close()
        return Target(login + NAME, host, *times)

    async def _inspect(self) -> ServerFacts:
        connection = await wait_for_owner(self._target, self.settings.start_seconds)
        try:
            version = connection.get_server_version()
            if version.major < LEAST_VERSION:
                msg = f"PostgreSQL {LEAST_VERSION} or newer is needed, this server is {version.major}"
                raise ConnectError(msg, permanent=True)
            open_doors = await secure_database(connection)
            names = await connection.fetch("SELECT name FROM pg_available_extensions")
            text = str(
                await connection.fetchval("SELECT split_part(current_setting('server_version'), ' ', 1)")
            )
        finally:
            await connection.close()
        extensions = frozenset(str(row["name"]) for row in names)
        return ServerFacts(text, version.major, extensions, self._server is not None, open_doors)


def redacted(url: str) -> str:
    """Return a database URL without its password, for messages."""
    scheme, separator, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{credentials.partition(':')[0]}{at}{place.partition('?')[0]}"
