"""Swapping a value while many use it."""

import asyncio
import contextlib
import random

import pytest

from runtime.lease import Lease
from runtime.signals import LeaseClosedError
from runtime.testing import InjectedError, simulate


class Resource:
    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = False

    def use(self) -> int:
        assert not self.closed
        return self.number


def test_200_swaps_under_64_clients_fail_nobody() -> None:
    async def main() -> tuple[int, int, int]:
        lease = Lease("tenant", Resource(0))
        chance = random.Random(1)
        done = 0
        stop = False
        drained = 0

        async def client() -> None:
            nonlocal done
            last = 0
            while not stop:
                held = lease.acquire()
                try:
                    before = held.value.use()
                    await asyncio.sleep(chance.random() * 0.01)
                    assert held.value.use() == before
                    assert before >= last
                    last = before
                finally:
                    held.release()
                done += 1

        async def close(old) -> None:
            nonlocal drained
            assert await old.drained(1.0)
            old.value.closed = True
            drained += 1

        clients = [asyncio.create_task(client()) for _ in range(64)]
        closing = []
        for number in range(1, 201):
            await asyncio.sleep(0.005)
            closing.append(asyncio.create_task(close(lease.swap(Resource(number)))))
        await asyncio.gather(*closing)
        stop = True
        await asyncio.gather(*clients)
        assert lease.users == 0
        return done, drained, lease.current.number

    done, drained, last = simulate(main)
    assert drained == 200
    assert last == 200
    assert done > 5000


def test_a_drain_that_takes_too_long_says_so_and_can_be_tried_again() -> None:
    async def main() -> None:
        lease = Lease("tenant", 1)
        held = lease.acquire()
        old = lease.swap(2)
        assert old is held
        assert await old.drained(1.0) is False
        held.release()
        assert await old.drained(0.0) is True

    simulate(main)


def test_an_exception_inside_gives_the_value_back() -> None:
    lease = Lease("tenant", 1)
    with contextlib.suppress(InjectedError), lease.acquire():
        assert lease.users == 1
        raise InjectedError
    assert lease.users == 0


def test_a_closed_lease_lends_nothing_but_lets_users_finish() -> None:
    async def main() -> None:
        lease = Lease("tenant", 1)
        held = lease.acquire()
        last = lease.close()
        assert lease.closed
        for refused in (lease.acquire, lease.close, lambda: lease.swap(2), lambda: lease.current):
            with pytest.raises(LeaseClosedError):
                refused()
        waiting = asyncio.create_task(last.drained(5.0))
        await asyncio.sleep(1.0)
        held.release()
        assert await waiting is True

    simulate(main)


def test_only_a_retired_value_drains() -> None:
    async def main() -> None:
        lease = Lease("tenant", 1)
        with lease.acquire():
            pass
        held = lease.acquire()
        with pytest.raises(ValueError, match="swapped out"):
            await held.drained(1.0)

    simulate(main)
