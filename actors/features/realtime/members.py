"""The followers of one tenant, in their groups.

Decides how many there may be. Small state, no I/O; held by the hub.
"""

from actors.features.realtime.groups import Ended, Follower, Group, GroupKey
from actors.messages import ProblemError

MOST_FOLLOWERS = 5000
"""Of a tenant in a process."""


class Members:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._groups: dict[GroupKey, Group] = {}
        self.count = 0

    def all(self) -> list[Group]:
        """Return the groups there are now."""
        return list(self._groups.values())

    def check_room(self) -> None:
        """Refuse one more.

        Raises:
            ProblemError: realtime.too_many.
        """
        if self.count >= MOST_FOLLOWERS:
            raise ProblemError("realtime.too_many", "as many follow this tenant as may")

    def like(self, made: Group) -> Group:
        """Return the group there is with the same key, or the one given, which is it from now on."""
        return self._groups.setdefault(made.key, made)

    def join(self, follower: Follower) -> None:
        """Take a follower in; from now on events are held for it."""
        follower.group = self.like(follower.group)
        follower.group.followers.add(follower)
        self.count += 1

    def move(self, follower: Follower, made: Group) -> Group:
        """Put a follower into another group; returns which it is in now."""
        self._remove(follower)
        follower.group = self.like(made)
        follower.group.followers.add(follower)
        return follower.group

    def leave(self, follower: Follower) -> None:
        """Forget a follower; nothing happens when it is not there."""
        if follower in follower.group.followers:
            self.count -= 1
            self._remove(follower)

    def dismiss(self, follower: Follower, problem: ProblemError | None) -> None:
        """End a follower, who is told why."""
        if follower in follower.group.followers:
            self.leave(follower)
            follower.take(Ended(problem))

    def dismiss_all(self, problem: ProblemError | None) -> None:
        """Send everybody away."""
        for group in self.all():
            for follower in list(group.followers):
                self.dismiss(follower, problem)

    def _remove(self, follower: Follower) -> None:
        group = follower.group
        group.followers.discard(follower)
        if not group.followers and self._groups.get(group.key) is group:
            del self._groups[group.key]
