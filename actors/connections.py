"""Opens connections to PostgreSQL: as the platform's owner, or as one tenant's role.

Decides the session settings of every connection, once, when it is opened: nothing sets them later. It never
decides who may have one (``actors.pool`` does). Called by ``actors.database``.
"""

import asyncio
import contextlib
import hashlib
import hmac
import socket
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

import asyncpg
from msgspec import Struct

from actors.slow import Watch

if TYPE_CHECKING:
    _Connection = asyncpg.Connection[asyncpg.Record]
else:
    _Connection = asyncpg.Connection

SEARCH_PATH = "pg_catalog, pg_temp"
"""Every name in our SQL is qualified; pg_temp named last keeps temporary objects from shadowing any."""
TCP_USER_TIMEOUT = 8.0
"""Seconds after which unacknowledged bytes mean that the server is gone (a network that swallows packets)."""
RETRY_PAUSE = 0.05

DOWN = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""The server is not there, is starting or stopping, or is full for a moment: another try may work."""


class ConnectError(Exception):
    """PostgreSQL cannot be used.

    Attributes:
        permanent: trying again will not help: a role, password, namespace or right is missing.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


_NOBODY = Watch(inf)


class TenantConnection(_Connection):
    """A connection that knows what the pool has to know about it."""

    __slots__ = ("_reported", "epoch", "era", "idle_since", "watch")

    def __init__(self, protocol: Any, transport: Any, *rest: Any) -> None:  # noqa: ANN401 - asyncpg's own signature
        super().__init__(protocol, transport, *rest)
        self.epoch = 0
        self.era = 0
        self.idle_since = 0.0
        self.watch = _NOBODY
        settings = protocol.get_settings()
        # bound once: an ordinary attribute look-up of a reported setting takes ten times as long
        self._reported = settings.__getattr__ if hasattr(settings, "search_path") else None
        _end_when_unacknowledged(transport.get_extra_info("socket"))

    def lendable(self) -> bool:
        """Whether it is open and resolves names as it did when it was opened."""
        reported = self._reported
        return not self.is_closed() and (reported is None or reported("search_path") == SEARCH_PATH)


class Target(Struct, frozen=True):
    """Where PostgreSQL is and how long to wait for it.

    Attributes:
        url: of the platform's owner; holds a password, never print it.
        options: asyncpg's own keyword arguments beside it, such as ``host`` for a socket directory.
        connect_timeout: seconds one try may take.
        statement_timeout: seconds a tenant's statement may run before PostgreSQL cancels it.
    """

    url: str
    options: tuple[tuple[str, Any], ...] = ()
    connect_timeout: float = 5.0
    statement_timeout: float = 5.0

    async def owner(self) -> TenantConnection:
        """Open a connection as the platform's owner."""
        settings = {"application_name": "backsaas", "search_path": SEARCH_PATH, "timezone": "UTC"}
        return await self._connect(server_settings=settings)

    async def tenant(self, role: str, password: str) -> TenantConnection:
        """Open a connection as a tenant's role and make sure that is who we are.

        Raises:
            ConnectError: the server is away, or the role cannot log in, or is not itself after logging in.
        """
        try:
            return await self._login(role, password)
        except DOWN as error:
            raise ConnectError(str(error) or type(error).__name__, permanent=False) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            msg = f"PostgreSQL refuses the role {role}: {error}"
            raise ConnectError(msg, permanent=True) from error

    async def _login(self, role: str, password: str) -> TenantConnection:
        connection = await self._connect(
            user=role,
            password=password,
            # above the server's own limit: reached only when the server does not answer at all
            command_timeout=self.statement_timeout + 2,
            server_settings={
                "application_name": "backsaas",  # visible to every role: never a tenant's name
                "search_path": SEARCH_PATH,
                "timezone": "UTC",
                "jit": "off",  # compiling a plan costs more than any request of ours
                "statement_timeout": f"{self.statement_timeout:g}s",
                "lock_timeout": f"{self.statement_timeout:g}s",
                "idle_in_transaction_session_timeout": "15s",
            },
        )
        try:
            who = await connection.fetchrow("SELECT current_user::text, session_user::text")
        except BaseException:
            connection.terminate()
            raise
        if who is None or (who[0], who[1]) != (role, role):
            connection.terminate()
            msg = f"logged in as {role} but PostgreSQL says {who}: the role was altered by hand"
            raise ConnectError(msg, permanent=True)
        return connection

    async def _connect(self, **arguments: Any) -> TenantConnection:  # noqa: ANN401 - asyncpg's own arguments
        arguments = {**dict(self.options), **arguments}
        try:
            return await asyncpg.connect(
                self.url, connection_class=TenantConnection, timeout=self.connect_timeout, **arguments
            )
        except TimeoutError as error:
            msg = "the server did not answer in time"
            raise ConnectionRefusedError(msg) from error


async def wait_for_owner(target: Target, patience: float) -> TenantConnection:
    """Open an owner connection, waiting while the server starts.

    Raises:
        ConnectError: it did not come up in time, or refuses us.
    """
    deadline = monotonic() + patience
    while True:
        try:
            return await target.owner()
        except DOWN as error:
            if monotonic() > deadline:
                raise ConnectError(str(error) or type(error).__name__, permanent=False) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise ConnectError(str(error), permanent=True) from error
        await asyncio.sleep(RETRY_PAUSE)


def derive_password(key: bytes, tenant_id: str) -> str:
    """Return the password of a tenant's role: derived, so that no password is stored anywhere.

    Args:
        key: the cluster's secret from the control schema, at least 32 random bytes.
        tenant_id: the tenant's own id; a tenant made again has another id, hence another password.
    """
    return hmac.new(key, b"backsaas role password\0" + tenant_id.encode(), hashlib.sha256).hexdigest()


def _end_when_unacknowledged(sock: socket.socket | None) -> None:
    if sock is None or sock.family == socket.AF_UNIX:
        return
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: not on this platform
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(TCP_USER_TIMEOUT * 1000))
