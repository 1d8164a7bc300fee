"""Rooms of several processes on one database: what is said or shown in one is heard in all.

    Rooms -> [Word] -sealed, in pieces-> NOTIFY -> the other processes' Rooms

Decides how words travel. Every role of the database can listen, and speak, on a channel of PostgreSQL, so
words are sealed (AES-256-GCM) with a key of ours, and what does not open is dropped. They are sent together
while the ones before are on their way; what cannot be sent is lost, as broadcasts are. With the embedded
server there is no other process, and nothing is sent. One per process; run by the directory.
"""

import asyncio
import base64
import contextlib
import secrets
import time
from collections.abc import Iterator
from weakref import WeakValueDictionary

import asyncpg
import orjson
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from actors.connections import ConnectError
from actors.database import Database
from actors.features.realtime.rooms import Rooms, Word
from actors.pool import PoolError

CHANNEL = "backsaas_rooms"
ALIVE_SECONDS = 5.0
"""So often a process says that those it shows are still there; three times later they are not."""
VALID_SECONDS = 60
LISTEN_RETRY = 1.0
MOST_WAITING = 8 << 20
"""Bytes on their way; more are lost."""
_PIECE = 5800
"""Bytes: with what goes before them, and as base64, less than PostgreSQL's 8,000."""
_MOST_PIECES = 100
_NONCE = 12
_SEND = "SELECT pg_catalog.pg_notify($1, word) FROM unnest($2::text[]) WITH ORDINALITY w(word, n) ORDER BY n"

log = structlog.get_logger("realtime")


class Wire:
    """See the module's docstring.

    Args:
        database: of all processes.
        key: secret of all processes.
    """

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"backsaas rooms").derive(key))
        self._process = secrets.token_hex(8)
        self._rooms: WeakValueDictionary[str, Rooms] = WeakValueDictionary()
        self._waiting: list[str] = []
        self._size = 0
        self._some = asyncio.Event()
        self._pieces: tuple[str, list[str]] = "", []
        self.dropped = 0

    def join(self, tenant: str, rooms: Rooms) -> None:
        """Let a tenant's rooms hear, and be heard by, those of other processes."""
        self._rooms[tenant] = rooms
        if not self._database.facts.embedded:
            rooms.outward = lambda word: self._say(tenant, word)

    async def run(self) -> None:
        """Carry words both ways; runs until cancelled."""
        if not self._database.facts.embedded:
            await asyncio.gather(self._listen(), self._send())

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(OSError, ConnectError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._listen_once()
            await asyncio.sleep(LISTEN_RETRY)

    async def _listen_once(self) -> None:
        connection, ended = await self._database.dedicated(), asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: ended.set())
            await connection.add_listener(CHANNEL, lambda *message: self.hear(str(message[-1])))
            for rooms in list(self._rooms.values()):
                rooms.ask()  # what was shown meanwhile is not known
            await ended.wait()
        finally:
            connection.terminate()

    async def _send(self) -> None:
        due = 0.0
        while True:
            now = asyncio.get_running_loop().time()
            if now >= due:
                due = now + ALIVE_SECONDS
                for rooms in list(self._rooms.values()):
                    rooms.beat(now)
            if not self._waiting:
                self._some.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(due - now):
                        await self._some.wait()
                continue
            words, self._waiting, self._size = self._waiting, [], 0
            try:
                async with self._database.owner() as owner:
                    await owner.execute(_SEND, CHANNEL, words)
            except (OSError, ConnectError, PoolError, asyncpg.PostgresError, asyncpg.InterfaceError):
                log.warning("realtime.not_sent", words=len(words))

    def _say(self, tenant: str, word: Word) -> None:
        pieces = list(self._written(tenant, word))
        if self._size > MOST_WAITING or len(pieces) > _MOST_PIECES:
            self.dropped += 1
            log.warning("realtime.not_sent", words=1)
            return
        self._waiting += pieces
        self._size += sum(map(len, pieces))
        self._some.set()

    def _written(self, tenant: str, word: Word) -> Iterator[str]:
        raw = isinstance(word.payload, bytes)
        head = orjson.dumps([time.time(), self._process, word.kind, *word.room, word.name, word.seat, raw])
        body = word.payload if isinstance(word.payload, bytes) else orjson.dumps(word.payload)
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, head + b"\n" + body, tenant.encode())
        name, parts = secrets.token_hex(8), range(0, len(sealed), _PIECE)
        for number, start in enumerate(parts, 1):
            text = base64.b64encode(sealed[start : start + _PIECE]).decode()
            yield f"{tenant} {name} {number} {len(parts)} {text}"

    def hear(self, message: str) -> None:
        """Take in one piece; pieces of a word come one after another, in one transaction."""
        tenant, _, rest = message.partition(" ")
        rooms = self._rooms.get(tenant)
        if rooms is None or not rooms.sockets:
            return
        try:
            opened = self._opened(tenant, rest)
        except (ValueError, InvalidTag):
            self._pieces = "", []
            self.dropped += 1
            log.warning("realtime.forged", tenant=tenant)
            return
        if not opened:
            return
        head, _, body = opened.partition(b"\n")
        at, process, kind, topic, private, name, seat, raw = orjson.loads(head)
        if process != self._process and abs(time.time() - at) < VALID_SECONDS:
            word = Word(kind, (topic, private), name, body if raw else orjson.loads(body), seat)
            rooms.hear(process, word, asyncio.get_running_loop().time())

    def _opened(self, tenant: str, piece: str) -> bytes:
        """Return the word of which this is the last piece; empty: there are more to come."""
        name, number, most, text = piece.split(" ")
        before, parts = self._pieces
        parts = [*(parts if name == before else ()), text]
        if name != before and number != "1":
            return b""  # its beginning came before anybody here listened
        if len(parts) != int(number) or len(parts) > _MOST_PIECES:
            raise ValueError(number)
        self._pieces = name, parts
        if number != most:
            return b""
        self._pieces = "", []
        sealed = b"".join(base64.b64decode(part, validate=True) for part in parts)
        return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], tenant.encode())
