"""Names to refs: every living address of one tree, by its path.

Decides nothing: an address appears when a supervisor starts it and its name is free again the moment it
stops, before its parent hears of that. Used by introspection and by whoever knows a path but holds no ref.
"""

from collections.abc import Iterator

from runtime.context import Context
from runtime.ref import ActorRef
from runtime.signals import ActorStatus


class Registry:
    """A view on the addresses of one tree."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def find(self, path: str) -> ActorRef | None:
        """Return the living actor of that path, or None."""
        address = self._context.addresses.get(path)
        return None if address is None or address.status is ActorStatus.STOPPED else ActorRef(address)

    def __iter__(self) -> Iterator[ActorRef]:
        """Iterate over the living."""
        for address in list(self._context.addresses.values()):
            if address.status is not ActorStatus.STOPPED:
                yield ActorRef(address)
