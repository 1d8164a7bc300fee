"""Whether followers still may, and what they are told when what they see is no longer what they saw.

Decides that a credential is believed for a moment only, and that other rules mean the rows anew. Called by
the hub's loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from actors.features.realtime import reading
from actors.features.realtime.groups import Follower, Group, Reloaded, Rows, Wish
from actors.features.realtime.members import Members
from actors.features.realtime.positions import parse_snapshot
from actors.features.realtime.recording import Recording
from actors.messages import Credential, Identify, ProblemError
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.errors import QueryError

Identifies = Callable[[Generation, Identify], Awaitable[Principal]]
RULES, RELATED, MISSED = "the rules changed", "related rows changed", "changes were missed"


class Checking:
    """See the module's docstring.

    Args:
        members: who follows.
        recording: of changes.
        identify: says who a credential stands for.
    """

    def __init__(self, members: Members, recording: Recording, identify: Identifies) -> None:
        self._members = members
        self._recording = recording
        self._identify = identify

    async def look(self, generation: Generation, told: int) -> None:
        """Look at everybody's credential, and at the groups of an older version of the file."""
        known: dict[Credential, Principal | ProblemError] = {}
        made: dict[tuple[Wish, Principal], Group | ProblemError] = {}
        moved: dict[Group, list[Follower]] = {}
        for group in self._members.all():
            old = group.key[0] != generation.number
            for follower in list(group.followers):
                principal = await self._principal(generation, follower, known)
                if isinstance(principal, ProblemError):
                    self._members.dismiss(follower, principal)
                    continue
                if not old and principal == follower.principal:
                    continue
                fresh = made.get((follower.wish, principal))
                if fresh is None:
                    fresh = made[follower.wish, principal] = await self._made(generation, follower, principal)
                if isinstance(fresh, ProblemError):
                    self._members.dismiss(follower, fresh)
                    continue
                if follower not in group.followers:
                    continue  # gone meanwhile
                follower.principal = principal
                now_in = self._members.move(follower, fresh)
                if old:
                    follower.take(Reloaded(generation.version))
                if fresh.digest != group.digest and follower.held is None:
                    moved.setdefault(now_in, []).append(follower)
        for now_in, followers in moved.items():
            await self.tell_rows(generation, now_in, followers, RULES, told)

    async def tell_rows(
        self, generation: Generation, group: Group, followers: Sequence[Follower], reason: str, told: int
    ) -> None:
        """Tell followers of a group the rows anew, unless related rows made no difference."""
        wanted = [one for one in followers if one.wish.rows]
        if not wanted:
            return
        body, text, shown = await reading.rows_now(generation, wanted[0].wish, group.principal)
        last = await reading.last_number(generation)
        if reason == RELATED and shown == group.shown:
            return
        group.shown = shown
        for follower in wanted:
            follower.saw(parse_snapshot(text), text, last)
            follower.take(Rows(follower.position(told), body, reason))

    async def _made(
        self, generation: Generation, follower: Follower, principal: Principal
    ) -> Group | ProblemError:
        try:
            group = reading.group_of(generation, follower.wish, principal)
            await self._recording.begin(generation, group.entities)
        except QueryError as error:
            return ProblemError(error.code, error.message, details=error.details, hint=error.hint)
        await asyncio.sleep(0)  # many may be looked at
        return group

    async def _principal(
        self, generation: Generation, follower: Follower, known: dict[Credential, Principal | ProblemError]
    ) -> Principal | ProblemError:
        credential = follower.credential
        if credential is None:
            return follower.principal
        found = known.get(credential)
        if found is None:
            try:
                found = await self._identify(generation, Identify(credential))
            except ProblemError as error:
                # a realm that cannot say is no reason to send anybody away
                found = error if error.code.startswith("auth.") else follower.principal
            known[credential] = found
        return found
