"""One tenant's live data: one reader of its log of changes, however many follow.

    commit -> hint -> [_changes] -judged once per group-> followers

Decides when the log is read and how one begins. It sleeps while nobody follows; while somebody does it looks
after each hint, and twice a second for what other processes write and whether everybody still may. Held by
the tenant's work; operations reach it through their generation.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from actors.connections import ConnectError
from actors.database import Database
from actors.features.realtime import reading
from actors.features.realtime.checking import MISSED, RELATED, Checking, Identifies
from actors.features.realtime.groups import Follower, Group, LiveEvent, Message, Rows, Wish
from actors.features.realtime.log import LEASE_SECONDS, Recorded
from actors.features.realtime.members import Members
from actors.features.realtime.positions import Position, parse_position, parse_snapshot
from actors.features.realtime.recording import Recording
from actors.features.realtime.rooms import Rooms
from actors.features.realtime.watermark import Watermark
from actors.messages import Credential, Identify, ProblemError
from actors.pool import PoolError
from actors.tenant.executor import StaleGenerationError
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

LOOK_SECONDS = 0.5
SOON_SECONDS = 0.02
RELATED_SECONDS = 1.0
"""At most so often rows are told anew because related ones changed."""
RENEW_SECONDS = 60.0
PATIENCE_SECONDS = 5.0
BATCH = 500
LANES = 3
AT_A_TIME = 100
"""Followers told before others have their turn."""
MOST_REPLAYED = 10_000
_PASSES = (StaleGenerationError, ConnectError, PoolError, OSError)

log = structlog.get_logger("realtime")

Spawn = Callable[[Coroutine[Any, Any, None], str], object]


class Hub:
    """See the module's docstring.

    Args:
        generation: of the tenant, the one to begin with.
        database: for triggers, which the owner makes.
        identify: says who a credential stands for.
        spawn: begins a task that ends with the tenant actor.
    """

    def __init__(
        self, generation: Generation, database: Database, identify: Identifies, spawn: Spawn
    ) -> None:
        self.generation = generation
        self.members = Members()
        self.rooms = Rooms()
        self._recording = Recording(generation, database)
        self._identify = identify
        self._checking = Checking(self.members, self._recording, identify)
        self._watermark = Watermark(generation.pool, generation.identity.namespace)
        self._told = 0
        self.slug = generation.identity.slug
        self._spawn = spawn
        self._woken = asyncio.Event()
        self._entering = asyncio.Lock()
        self._beginning = asyncio.Semaphore(LANES)
        self._running = False
        self._checked = self._renewed = 0.0

    @property
    def busy(self) -> bool:
        """Whether somebody follows, or is in a room."""
        return self.members.count > 0 or bool(self.rooms.sockets)

    def hint(self) -> None:
        """Hear that a write may have changed rows; costs its caller nothing."""
        if self.members.count:
            self._woken.set()

    def serve(self, generation: Generation) -> None:
        """Go on with another version of the file."""
        self.generation = generation
        self._checked = 0.0
        self._woken.set()

    async def principal(self, credential: Credential) -> Principal:
        """Return who a credential stands for, with every role their roles include.

        Raises:
            ProblemError: it is not accepted.
        """
        return await self._identify(self.generation, Identify(credential))

    def close(self, problem: ProblemError | None = None) -> None:
        """Send everybody away."""
        self.members.dismiss_all(problem)
        self.rooms.close("the tenant is restarted, or serves nobody now")

    # -- beginning --------------------------------------------------------------------------------------

    async def follow(
        self,
        wish: Wish,
        principal: Principal,
        credential: Credential | None,
        send: Callable[[Follower, Message], None],
    ) -> Follower:
        """Take in somebody who follows a query, until ``members.leave``; ``begin`` is to be called next.

        Args:
            wish: what.
            principal: who, with every role their roles include.
            credential: by what they proved it.
            send: is given every message, from the first on, and must not wait.

        Raises:
            ProblemError, QueryError: refused.
            StaleGenerationError: the tables changed.
        """
        self.members.check_room()
        generation = self.generation
        group = reading.group_of(generation, wish, principal)
        async with self._entering:
            if not self.members.count:
                self._recording.forget()
            await self._recording.begin(generation, group.entities)
            if not self.members.count:
                await self._catch_up()
            follower = Follower(wish, principal, credential, send, group)
            self.members.join(follower)
        if not self._running:
            self._running = True
            self._spawn(self._run(), "realtime")
        self._woken.set()
        return follower

    async def begin(self, follower: Follower, last: str = "") -> None:
        """Tell a follower what comes first; many who come at once are told one after another.

        Args:
            follower: just taken in.
            last: id of the last event they had; "" to begin anew.

        Raises:
            ProblemError: the rows cannot be read now.
            StaleGenerationError: the tables changed.
        """
        async with self._beginning:
            while True:
                joined, follower.held = follower.group, []
                opening = await self._opening(follower, parse_position(last) if last else None, bool(last))
                if joined is follower.group:
                    break  # else another version of the file came meanwhile
        for message in opening:
            follower.take(message)
        follower.begin()

    async def _catch_up(self) -> None:
        """Begin where the log ends: what was under way before anybody followed is over."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                self._told = await self._watermark.advance()
                while self._watermark.waits:
                    await asyncio.sleep(SOON_SECONDS)
                    self._told = await self._watermark.advance()
        except TimeoutError:
            raise ProblemError(
                "realtime.busy", "the rows are being written too busily to begin just now"
            ) from None

    async def _opening(self, follower: Follower, at: Position | None, again: bool) -> Sequence[Message]:  # noqa: FBT001
        """Return what a follower is told first: what it missed, or the rows, or only where it is."""
        start, generation, group = self._told, self.generation, follower.group
        if at is not None and at.query == group.digest:
            last = await reading.last_number(generation)
            missed = None
            if at.number <= last:
                missed = await reading.missed(generation, group, at.number, start, MOST_REPLAYED)
            if missed is not None:
                follower.after = max(at.number, start)
                follower.saw(parse_snapshot(at.seen) if at.seen else None, at.seen, last)
                seen = follower.seen
                return [one for one in missed if seen is None or not seen.shows(one.xid)]
        wish, reason = follower.wish, MISSED if again else ""
        follower.after = start
        if not (wish.first or (again and wish.rows)):
            return [Rows(follower.position(start), "", reason)]
        body, text, group.shown = await reading.rows_now(generation, wish, group.principal)
        follower.saw(parse_snapshot(text), text, await reading.last_number(generation))
        return [Rows(follower.position(start), body, reason)]

    # -- the loop ---------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            if self.members.count:
                await self._sleep(await self._try_turn())
            elif not await self._sleep(LEASE_SECONDS + 5) and not self.members.count:
                self._running = False
                async with self._entering:
                    if not self.members.count:
                        await self._recording.end()
                return

    async def _sleep(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    async def _try_turn(self) -> float:
        """Do what there is to do; returns in how many seconds to come back."""
        try:
            await self._turn()
        except (ProblemError, *_PASSES) as error:
            log.warning("realtime.waits", tenant=self.slug, reason=str(error)[:200])
        except Exception:
            log.exception("realtime.failed", tenant=self.slug)
        else:
            return SOON_SECONDS if self._watermark.waits else LOOK_SECONDS
        await asyncio.sleep(SOON_SECONDS)
        return LOOK_SECONDS

    async def _turn(self) -> None:
        generation, now = self.generation, asyncio.get_running_loop().time()
        if now - self._checked >= LOOK_SECONDS:
            await self._checking.look(generation, self._told)
            self._checked = now
        if now - self._renewed >= RENEW_SECONDS:
            await self._recording.renew(self._told)
            self._renewed = now
        complete = await self._watermark.advance()
        while self._told < complete:
            await self._tell(generation, complete)
        for group in self.members.all():
            if group.stale and group.due <= now:
                group.stale, group.due = False, now + RELATED_SECONDS
                await self._checking.tell_rows(generation, group, list(group.followers), RELATED, self._told)

    async def _tell(self, generation: Generation, complete: int) -> None:
        """Judge the next changes once per group, then send everybody theirs."""
        recorded = await reading.recorded(generation, self._told, complete, BATCH)
        by_entity: dict[str, list[Recorded]] = {}
        for one in recorded:
            by_entity.setdefault(one.entity, []).append(one)
        work: list[tuple[Group, Sequence[Recorded]]] = []
        for group in self.members.all():
            group.stale = group.stale or not group.follow.related.isdisjoint(by_entity)
            found = by_entity.get(group.follow.entity.name)
            if found:
                work.append((group, found))
        lanes = [work[number::LANES] for number in range(min(LANES, len(work)))]
        judged = await asyncio.gather(*(self._judge(generation, lane) for lane in lanes))
        # who begins from here on begins behind these
        self._told = recorded[-1].seq if len(recorded) == BATCH else complete
        told = 0
        for lane, found_events in zip(lanes, judged, strict=True):
            for (group, _), events in zip(lane, found_events, strict=True):
                for follower in list(group.followers) if events else ():
                    for event in events:
                        follower.offer(event)
                    told += 1
                    if not told % AT_A_TIME:
                        await asyncio.sleep(0)  # other tenants are served meanwhile

    async def _judge(
        self, generation: Generation, work: Sequence[tuple[Group, Sequence[Recorded]]]
    ) -> list[list[LiveEvent]]:
        try:
            return await reading.judge(generation, work)
        except ProblemError as error:
            if error.code.startswith(("database.", "tenant.", "PGRST003", "query_timeout")):
                raise
            if len(work) > 1:  # one of them is the trouble
                return [(await self._judge(generation, [one]))[0] for one in work]
            for follower in list(work[0][0].followers):
                self.members.dismiss(follower, error)
            return [[]]
