"""Passwords: argon2id in a small pool of threads, and what a password must be.

Decides the cost of a hash, how many may be under way, and which passwords are too weak. Whose password it is,
and what a wrong one means, is decided by ``sign_in``. Called by the operations of this folder.
"""

import asyncio
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from actors.messages import ProblemError
from schemas.compiler.sections.auth import Password

T = TypeVar("T")

MAX_PASSWORD = 1024
_TIME_COST, _MEMORY_KIB, _LANES = 2, 19_456, 1
"""OWASP's smallest recommended argon2id setting: about 20 ms, 19 MiB each."""
_WORD_LENGTH = 4


class Hasher:
    """Hashes and compares; one for all tenants of a process.

    Args:
        workers: hashes computed at the same time.
        waiting: further ones that may wait; beyond them callers are told to come back.
        memory_kib: of each hash; 64 makes a hash that only tests should make.
    """

    def __init__(self, workers: int = 2, waiting: int = 16, *, memory_kib: int = _MEMORY_KIB) -> None:
        self._hasher = PasswordHasher(time_cost=_TIME_COST, memory_cost=memory_kib, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="hash")
        self._most = workers + waiting
        self._under_way = 0
        self._nobody = self._hasher.hash("the password of nobody")

    def close(self) -> None:
        """Stop the threads; hashes under way are finished."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Return the hash to keep.

        Raises:
            ProblemError: auth.hashing_busy; auth.validation_failed for one that is too long.
        """
        plain = _plain(password)
        return await self._run(lambda: self._hasher.hash(plain))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one of the hash; without a hash the same work says no.

        Raises:
            ProblemError: auth.hashing_busy; auth.validation_failed for one that is too long.
        """
        plain = _plain(password)
        against = password_hash or self._nobody

        def work() -> bool:
            try:
                return self._hasher.verify(against, plain)
            except (Argon2Error, InvalidHashError):
                return False

        matches = await self._run(work)
        return matches and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other costs than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= self._most:
            raise ProblemError(
                "auth.hashing_busy", "too many people sign in right now", headers=(("Retry-After", "1"),)
            )
        self._under_way += 1
        # counted until the thread is done: a caller that gave up still occupies it
        future = self._threads.submit(work)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _tell(loop, self._done))
        return await asyncio.wrap_future(future)

    def _done(self) -> None:
        self._under_way -= 1


def check_strength(rules: Password, password: str, words: Iterable[str] = ()) -> None:
    """Refuse a password that is too short, known to have leaked, or one of the person's own words.

    Args:
        rules: of the tenant's file.
        password: as typed.
        words: address and names of the person.

    Raises:
        ProblemError: auth.weak_password with the reasons; auth.validation_failed for one that is too long.
    """
    plain = _plain(password)
    reasons: list[str] = []
    if len(plain) < rules.min_length:
        reasons.append("length")
    lowered = plain.lower()
    own = {part for word in words for part in (word.lower(), word.lower().partition("@")[0])}
    if len(set(plain)) < _WORD_LENGTH or lowered in own:
        reasons.append("characters")
    if rules.check_breached and lowered in _leaked():
        reasons.append("pwned")
    if reasons:
        raise ProblemError(
            "auth.weak_password", _SAYS[reasons[0]](rules), more={"weak_password": {"reasons": reasons}}
        )


_SAYS: dict[str, Callable[[Password], str]] = {
    "length": lambda rules: f"Password should be at least {rules.min_length} characters",
    "characters": lambda _: "Password is too easy to guess from your address, or repeats itself",
    "pwned": lambda _: "Password is known to be easy to guess, please choose a different one",
}


@lru_cache(maxsize=1)
def _leaked() -> frozenset[str]:
    """Return the most frequent leaked passwords; the list is large, so it is read when a tenant needs it."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - a megabyte most installations skip

    return frozenset(FREQUENCY_LISTS["passwords"])


def _plain(password: str) -> str:
    """Return the one form of what different keyboards send for the same characters (NIST 800-63B 3.1.1.2)."""
    if len(password) > MAX_PASSWORD:
        raise ProblemError(
            "auth.validation_failed", f"Password cannot be longer than {MAX_PASSWORD} characters"
        )
    try:
        return unicodedata.normalize("NFKC", password).encode().decode()
    except UnicodeEncodeError:
        raise ProblemError("auth.validation_failed", "Password holds characters nobody can type") from None


def _tell(loop: asyncio.AbstractEventLoop, done: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(done)
