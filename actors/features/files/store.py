"""Where the bytes of files are: the port of every store.

Decides what a store is asked for: whole objects under names that we make. A name never holds a word of a
client, so no path can be led astray. Implemented by ``local`` and ``s3``.
"""

import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from typing import NamedTuple, Protocol

_NAME = re.compile(r"[0-9a-f]{1,64}(?:\.[a-z0-9-]{1,40})?")
PIECE = 256 * 1024
"""Bytes that are read at once."""


class Key(NamedTuple):
    """An object: of a tenant (its id, not its slug), under a name of ours."""

    tenant: str
    name: str

    def checked(self) -> "Key":
        """Return itself.

        Raises:
            ValueError: it is not made by us.
        """
        if not (_NAME.fullmatch(self.name) and re.fullmatch(r"[0-9a-f-]{1,64}", self.tenant)):
            raise ValueError("no object can have such a name")
        return self


class Stored(NamedTuple):
    """An object as ``names`` lists it; ``changed`` is seconds since the epoch."""

    name: str
    changed: float


class Writer(Protocol):
    """An object that is being written; nobody sees it before ``commit``."""

    async def write(self, piece: bytes) -> None:
        """Add bytes."""
        ...

    async def commit(self) -> None:
        """Make it an object: when this returns, it survives a crash of the machine."""
        ...

    async def abort(self) -> None:
        """Leave nothing behind; after ``commit`` it does nothing."""
        ...


class Store(Protocol):
    """Objects by key. What goes wrong is an ``OSError``; ``FileNotFoundError`` for what is not there."""

    def create(self, key: Key) -> Writer:
        """Begin an object."""
        ...

    async def open(self, key: Key, first: int, size: int) -> AsyncGenerator[bytes, None]:
        """Return ``size`` bytes from ``first`` on, in pieces; it is there when this returns."""
        ...

    async def copy(self, source: Key, target: Key) -> None:
        """Make another object of the same bytes."""
        ...

    async def delete(self, key: Key) -> None:
        """Remove an object; one that is not there is removed."""
        ...

    async def delete_tenant(self, tenant: str) -> None:
        """Remove everything of a tenant."""
        ...

    def names(self, tenant: str) -> AsyncIterator[Stored]:
        """Yield a tenant's objects, in no order."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


def new_name() -> str:
    """Return a name nobody can guess (128 bits) and nothing else has."""
    return secrets.token_hex(16)
