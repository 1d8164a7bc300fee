"""Connections logged in as one tenant's role, lent out of one global budget.

Decides who may hold a database connection and for how long one waits for it. It never sends SQL of its own
and never resets a session: nothing session-level is ever set on a lent connection, so there is nothing to
reset, and what might have left something behind (an open transaction) is closed instead of lent again. Called
by ``actors.database`` (makes pools) and ``actors.tenant.executor`` (borrows).

Why a check of ``current_user`` at connect is enough: the role is a member of no role, so ``SET ROLE`` and
``SET SESSION AUTHORIZATION`` are refused by PostgreSQL itself whoever sends them, and the role has no TEMP,
no CREATE and no advisory locks, so the only session state left is settings. The one that could redirect a
statement, ``search_path``, is reported by PostgreSQL 18 whenever it changes and compared every time a
connection is lent.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from math import inf
from time import monotonic

from actors.budget import ConnectionBudget
from actors.connections import RETRY_PAUSE, ConnectError, TenantConnection
from actors.slow import Watch

Opener = Callable[[], Awaitable[TenantConnection]]


class PoolError(Exception):
    """No connection could be lent."""


class PoolTimeoutError(PoolError):
    """Every connection the tenant may have is busy, and stayed busy until the deadline."""


class PoolClosedError(PoolError):
    """The tenant is being stopped; its pool lends nothing any more."""


class TenantPool:
    """The connections of one tenant in this process; opened when needed, given back to the budget when idle.

    Args:
        name: for messages; the role's name.
        opener: opens one connection as the tenant's role.
        budget: where every open connection is accounted for.
        limit: how many connections the tenant may hold at once.
        acquire_timeout: seconds to wait for one when the caller gives no deadline.
        watch: told how long statements took; None: nobody.
        furnish: as the method of that name; None: no table is made at first use.
    """

    def __init__(
        self,
        name: str,
        opener: Opener,
        budget: ConnectionBudget,
        *,
        limit: int = 10,
        acquire_timeout: float = 2.0,
        watch: Watch | None = None,
        furnish: Callable[[str], Awaitable[bool]] | None = None,
    ) -> None:
        self.name = name
        self.limit = limit
        self.open = 0
        """Connections that exist or are being opened; each holds one slot of the budget."""
        self.trouble: ConnectError | None = None
        """Why the latest try to open a connection failed; None after a success."""
        self._opener = opener
        self._budget = budget
        self._timeout = acquire_timeout
        self._watch = watch or Watch(inf)
        self._furnish = furnish
        self._furnishing = asyncio.Lock()
        self._idle: deque[TenantConnection] = deque()
        self._waiters: deque[asyncio.Future[TenantConnection | None]] = deque()
        self._epoch = 0
        self._era = 0
        self._closed = False

    async def furnish(self, text: str) -> bool:
        """Make what a text names of the tables made at first use; returns whether it names any."""
        if self._furnish is None:
            return False
        async with self._furnishing:
            return await self._furnish(text)

    @property
    def idle(self) -> int:
        """Connections nobody uses."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Callers in the queue."""
        return len(self._waiters)

    def take(self) -> TenantConnection | None:
        """Lend the most recently used healthy connection, or None when ``acquire`` has to be asked.

        The fast path of every request: no task switch, no await.
        """
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.epoch != self._epoch:
                idle.append(connection)
                return None
            if connection.lendable():
                return connection
            self._drop(connection)
        return None

    async def acquire(self, timeout: float | None = None) -> TenantConnection:  # noqa: ASYNC109 - the pool's own queue
        """Lend a connection; opens one, or waits in line for one.

        Args:
            timeout: seconds to wait; the pool's own default when None.

        Raises:
            PoolTimeoutError: none became free in time.
            PoolClosedError: the tenant is being stopped.
            ConnectError: PostgreSQL refuses this role, or cannot be reached.
        """
        connection = self.take()
        if connection is not None:
            return connection
        limit = self._timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(limit):
                return await self._acquire()
        except TimeoutError:
            if self.trouble is not None:
                raise self.trouble from None
            self._budget.timeouts += 1
            msg = f"no database connection became free within {limit:g} s"
            raise PoolTimeoutError(msg) from None

    def release(self, connection: TenantConnection) -> None:
        """Take a connection back. One left inside a transaction is closed, never lent again."""
        if connection.era != self._era or connection.is_closed() or connection.is_in_transaction():
            self._drop(connection)
        elif self._waiters or self._budget.hungry:
            self._pass_on(connection)
        else:
            connection.idle_since = monotonic()
            self._idle.append(connection)

    def discard(self, connection: TenantConnection) -> None:
        """Take back a connection whose state is unknown, such as after a timeout: it is closed."""
        self._drop(connection)

    def expire(self) -> None:
        """After DDL: statements prepared before now are forgotten when their connection is next lent."""
        self._epoch += 1

    def reset(self) -> None:
        """Close every connection, busy ones when they come back: after a failover or a change of password."""
        self._era += 1
        while self._idle:
            self._drop(self._idle.popleft())

    def close(self) -> None:
        """Lend nothing any more; idle connections close now, busy ones when they come back."""
        self._closed = True
        self.reset()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(PoolClosedError(f"the pool of {self.name} is closed"))
        self._budget.forget(self)

    # -- what the budget asks of a pool ----

    @property
    def idle_since(self) -> float:
        """When the idlest connection came back; infinity when none is idle."""
        return self._idle[0].idle_since if self._idle else float("inf")

    def surrender(self) -> None:
        """Close the idlest connection, so that its slot can go to another tenant."""
        self._drop(self._idle.popleft())

    def offer_slot(self) -> bool:
        """Give the caller first in line the right to open a connection; False when nobody can use it."""
        if self.open >= self.limit:
            return False
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self.open += 1
                waiter.set_result(None)
                return True
        return False

    @property
    def starved(self) -> bool:
        """Callers wait although the tenant may have more connections."""
        return bool(self._waiters) and self.open < self.limit

    # -- inside ----

    async def _acquire(self) -> TenantConnection:
        while True:
            if self._closed:
                raise PoolClosedError(f"the pool of {self.name} is closed")
            if self._idle:
                connection: TenantConnection | None = self._idle.pop()
            elif self.open < self.limit and not self._waiters and self._budget.reserve():
                self.open += 1
                connection = None
            else:
                connection = await self._wait()
            if connection is None:
                return await self._open_reserved()
            if not connection.lendable():
                self._drop(connection)
                continue
            if connection.epoch != self._epoch:
                connection.epoch = self._epoch
                await connection.reload_schema_state()
            return connection

    async def _wait(self) -> TenantConnection | None:
        """Wait in line for a connection, or for the right to open one (None)."""
        waiter: asyncio.Future[TenantConnection | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if self.open < self.limit:
            self._budget.queue(self)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.done() or waiter.cancelled():
                self._leave_queue(waiter)
            elif waiter.exception() is None:
                # what was handed over in the same moment must not be lost
                connection = waiter.result()
                if connection is None:
                    self._give_up_slot()
                else:
                    self.release(connection)
            raise

    def _leave_queue(self, waiter: "asyncio.Future[TenantConnection | None]") -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        if not self._waiters:
            self._budget.unqueue(self)

    async def _open_reserved(self) -> TenantConnection:
        era = self._era
        try:
            connection = await self._open_patiently()
        except BaseException:
            self._give_up_slot()
            raise
        connection.epoch, connection.era, connection.watch = self._epoch, era, self._watch
        self._budget.holds(self)
        return connection

    async def _open_patiently(self) -> TenantConnection:
        """Try again while the server starts, stops or is full; the caller's deadline ends it."""
        while True:
            try:
                connection = await self._opener()
            except ConnectError as error:
                self.trouble = error
                if error.permanent:
                    raise
                await asyncio.sleep(RETRY_PAUSE)
            else:
                self.trouble = None
                return connection

    def _pass_on(self, connection: TenantConnection) -> None:
        """Hand the connection to whoever needs it most: own callers, or a tenant that has fewer."""
        if self._budget.owes(self):
            self._drop(connection)
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                if not self._waiters:
                    self._budget.unqueue(self)
                return
        connection.idle_since = monotonic()
        self._idle.append(connection)

    def _drop(self, connection: TenantConnection) -> None:
        connection.terminate()
        self._give_up_slot()

    def _give_up_slot(self) -> None:
        self.open -= 1
        if self.starved and not self._closed:
            self._budget.queue(self)
        self._budget.free(self)
