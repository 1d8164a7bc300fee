"""What the actors of one tree share, what an address needs of its parent, and a cell of its address.

Decides nothing. Made by ``root`` for a whole tree.
"""

import random
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from weakref import WeakValueDictionary

from runtime.observe import Observer, log_observation

if TYPE_CHECKING:
    from runtime.actor import Actor
    from runtime.address import Address
    from runtime.cell import Cell
    from runtime.mailbox import Mailbox
    from runtime.spec import ChildSpec


@dataclass(frozen=True, slots=True)
class Context:
    """One tree's surroundings.

    Attributes:
        observer: hears everything.
        chance: source of jitter.
        addresses: by path; weak, so that a stopped name is forgotten when nobody holds a ref to it.
    """

    observer: Observer = log_observation
    chance: random.Random = field(default_factory=random.SystemRandom)
    addresses: "MutableMapping[str, Address]" = field(default_factory=WeakValueDictionary)


class Parent(Protocol):
    """Whoever started an actor and decides about its failures."""

    def child_started(self, address: "Address") -> None:
        """Hear that it runs."""

    def child_failed(self, address: "Address", error: BaseException) -> None:
        """Decide: ``restart_in``, ``park`` or fail."""

    def child_stopped(self, address: "Address") -> None:
        """Hear that it ended for good."""


class Owner(Protocol):
    """The address a cell belongs to."""

    path: str
    spec: "ChildSpec"
    mailbox: "Mailbox"

    def make(self, cell: "Cell") -> "Actor":
        """Return a fresh actor bound to this address."""

    def opened(self, cell: "Cell") -> None:
        """Hear that ``pre_start`` is done and the gate open."""

    def closing(self, cell: "Cell") -> None:
        """Hear that the gate is closed."""

    def ended(self, cell: "Cell", error: BaseException | None) -> None:
        """Hear that nothing is left; ``error`` says why unless it was asked to end."""
