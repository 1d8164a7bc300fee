"""Passwords: the same work for everybody, never more than the pool holds, and none that anybody would guess."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

import pytest

from actors.features.auth.passwords import Hasher, check_strength
from actors.messages import ProblemError
from schemas.compiler.sections.auth import Password


@pytest.fixture(scope="module")
def hasher() -> Iterator[Hasher]:
    made = Hasher()
    yield made
    made.close()


def _refused(rules: Password, password: str, *words: str) -> list[str]:
    with pytest.raises(ProblemError) as refused:
        check_strength(rules, password, words)
    assert refused.value.code == "auth.weak_password"
    assert password not in str(refused.value)
    reasons: list[str] = refused.value.more["weak_password"]["reasons"]
    return reasons


async def test_a_hash_knows_its_password_only(hasher: Hasher) -> None:
    kept = await hasher.hash("correct horse")
    assert kept.startswith("$argon2id$")
    assert "correct" not in kept
    assert kept != await hasher.hash("correct horse")
    assert await hasher.verify(kept, "correct horse")
    assert not await hasher.verify(kept, "correct horse ")
    assert not await hasher.verify(None, "the password of nobody")
    assert not await hasher.verify("no hash at all", "correct horse")


async def test_keyboards_that_send_the_same_character_differently_agree(hasher: Hasher) -> None:
    kept = await hasher.hash("caf\u00e9 au lait")
    assert await hasher.verify(kept, "cafe\u0301 au lait")


async def test_nobody_costs_as_much_as_somebody(hasher: Hasher) -> None:
    kept = await hasher.hash("correct horse")

    spent: dict[str | None, list[float]] = {kept: [], None: []}
    for _ in range(15):
        for hashed, times in spent.items():
            began = time.perf_counter()
            await hasher.verify(hashed, "wrong horse")
            times.append(time.perf_counter() - began)
    # the quickest of each: what others on this machine do only ever adds
    assert 0.5 < min(spent[None]) / min(spent[kept]) < 2


async def test_a_flood_is_refused_beyond_the_pool() -> None:
    small = Hasher(workers=2, waiting=4)
    outcomes = await asyncio.gather(
        *(small.verify(None, "wrong horse") for _ in range(200)), return_exceptions=True
    )
    busy = [outcome for outcome in outcomes if isinstance(outcome, ProblemError)]
    assert len(busy) == 194
    assert {(one.code, one.headers) for one in busy} == {("auth.hashing_busy", (("Retry-After", "1"),))}
    await asyncio.sleep(0)
    assert not await small.verify(None, "wrong horse")  # the pool is free again
    small.close()


async def test_who_gave_up_waiting_still_occupies_the_pool() -> None:
    small = Hasher(workers=1, waiting=0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(small.hash("correct horse"), 0.001)
    with pytest.raises(ProblemError):
        await small.hash("correct horse")
    async with asyncio.timeout(60):
        while True:  # until the thread is done with what nobody waits for
            with contextlib.suppress(ProblemError):
                assert await small.hash("correct horse")
                break
            await asyncio.sleep(0.01)
    small.close()


async def test_a_password_without_end_is_not_hashed(hasher: Hasher) -> None:
    with pytest.raises(ProblemError) as refused:
        await hasher.verify(None, "x" * 1025)
    assert refused.value.code == "auth.validation_failed"
    with pytest.raises(ProblemError):
        await hasher.hash("x" * 1_000_000)
    with pytest.raises(ProblemError):
        check_strength(Password(), "x" * 1_000_000)
    with pytest.raises(ProblemError):
        await hasher.hash("half \ud800 a character")


def test_weak_passwords_say_why() -> None:
    assert _refused(Password(min_length=10), "short1!") == ["length"]
    assert _refused(Password(), "aaaaaaaaaaaa") == ["characters"]
    assert _refused(Password(), "Ada@Example.com", "ada@example.com") == ["characters"]
    assert _refused(Password(), "adalovelace", "adalovelace@example.com") == ["characters"]
    assert _refused(Password(check_breached=True), "Password1") == ["pwned"]
    check_strength(Password(), "password1")
    check_strength(
        Password(min_length=12, check_breached=True), "korrekt pferd batterie", ["ada@example.com"]
    )
