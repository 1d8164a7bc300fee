"""Cold actors: woken once however many knock, and put to sleep again."""

import asyncio

import pytest
from acting import tree

from runtime.observe import ActorStarted
from runtime.signals import ActorStartError, ActorStatus, AskTimeoutError, MailboxFullError, OverloadedError
from runtime.testing import Linger, Note, Peek, simulate


def test_10_000_parallel_first_calls_start_it_once() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, in_flight=10_000) as t:
            t.faults["a"].start_seconds = 0.15
            ref = t.ref("a")
            assert ref.status is ActorStatus.COLD
            assert set(await asyncio.gather(*(ref.call(Peek(0.01)) for _ in range(10_000)))) == {1}
            assert t.journal.incarnations == {"a": 1}
            assert len([seen for seen in t.recorder.of(ActorStarted) if seen.actor == "root/a"]) == 1

    simulate(main)


def test_10_000_parallel_first_asks_start_it_once() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, mailbox=10_000) as t:
            t.faults["a"].start_seconds = 0.15
            answers = await asyncio.gather(*(t.ref("a").ask(Note(str(n))) for n in range(10_000)))
            assert answers == list(range(1, 10_001))
            assert t.journal.incarnations == {"a": 1}

    simulate(main)


def test_a_failed_activation_is_told_to_everybody_who_waits_and_tried_again() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, in_flight=10_000, mailbox=10_000) as t:
            t.faults["a"].start_seconds = 0.15
            t.faults["a"].starts = 1
            ref = t.ref("a")
            calls = [ref.call(Peek()) for _ in range(5_000)]
            asks = [ref.ask(Note("x")) for _ in range(5_000)]
            answers = await asyncio.gather(*calls, *asks, return_exceptions=True)
            assert {type(answer) for answer in answers} == {ActorStartError}
            assert "does not start" in str(answers[0])
            assert len({id(answer) for answer in answers}) == 10_000
            assert await ref.call(Peek()) == 2

    simulate(main)


def test_a_told_message_wakes_it_and_outlasts_a_failed_start() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            t.faults["a"].starts = 2
            t.ref("a").tell(Note("hello"))
            await asyncio.sleep(1.0)
            assert t.journal.lines == ["a:start", "a:hello"]

    simulate(main)


def test_nobody_waits_longer_than_the_deadline_for_a_slow_start() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            t.faults["a"].start_seconds = 10.0
            ref = t.ref("a")
            clock = asyncio.get_running_loop().time
            with pytest.raises(AskTimeoutError, match="starting"):
                await ref.call(Peek(), clock() + 2.0)
            assert clock() == pytest.approx(2.0)
            with pytest.raises(AskTimeoutError):
                await ref.ask(Peek(), timeout=1.0)
            await ref.ready(timeout=20.0)
            assert t.journal.incarnations == {"a": 1}

    simulate(main)


def test_a_start_that_takes_too_long_fails() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, start_timeout=3.0) as t:
            t.faults["a"].start_seconds = 10.0
            with pytest.raises(ActorStartError, match="within 3 s"):
                await t.ref("a").ready(timeout=20.0)

    simulate(main)


def test_the_crowd_in_front_of_a_cold_actor_is_bounded() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, in_flight=10, mailbox=10) as t:
            t.faults["a"].start_seconds = 1.0
            ref = t.ref("a")
            calls = [ref.call(Peek()) for _ in range(15)]
            asks = [ref.ask(Note("x")) for _ in range(15)]
            answers = await asyncio.gather(*calls, *asks, return_exceptions=True)
            assert sum(isinstance(answer, OverloadedError) for answer in answers) == 5
            assert sum(isinstance(answer, MailboxFullError) for answer in answers) == 5

    simulate(main)


def test_a_quiet_actor_becomes_cold_and_its_ref_stays_valid() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, passivate_after=60.0) as t:
            ref = t.ref("a")
            for _ in range(10):
                await ref.call(Peek())
                await asyncio.sleep(50.0)
            assert t.journal.incarnations == {"a": 1}
            await asyncio.sleep(130.0)
            assert ref.status is ActorStatus.COLD
            assert t.journal.lines == ["a:start", "a:stop"]
            assert await ref.call(Peek()) == 2

    simulate(main)


def test_a_long_call_and_a_long_message_keep_it_awake() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, passivate_after=10.0) as t:
            ref = t.ref("a")
            assert await ref.call(Peek(100.0)) == 1
            await ref.ask(Linger(100.0), timeout=200.0)
            assert await ref.call(Peek()) == 1

    simulate(main)


def test_an_actor_may_decline_to_sleep() -> None:
    async def main() -> None:
        async with tree("a", lazy=True, passivate_after=10.0) as t:
            ref = t.ref("a")
            await ref.ready()
            t.system._address.children["a"].cell.actor.may_passivate = lambda: False
            await asyncio.sleep(100.0)
            assert ref.status is ActorStatus.RUNNING

    simulate(main)


def test_a_call_during_passivation_wakes_it_again() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            t.faults["a"].stop_seconds = 1.0
            ref = t.ref("a")
            assert await ref.call(Peek()) == 1
            ref.passivate()
            await asyncio.sleep(0.5)
            assert ref.status is ActorStatus.STOPPING
            assert await asyncio.gather(ref.call(Peek()), ref.ask(Note("x"))) == [2, 1]

    simulate(main)


def test_passivation_lets_calls_in_flight_finish() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            ref = t.ref("a")
            call = asyncio.create_task(ref.call(Peek(2.0)))
            await asyncio.sleep(0.1)
            ref.passivate()
            await asyncio.sleep(1.0)
            assert t.journal.lines == ["a:start"]
            assert await call == 1
            await asyncio.sleep(0.1)
            assert t.journal.lines == ["a:start", "a:stop"]

    simulate(main)


def test_a_thousand_cold_actors_hold_no_task() -> None:
    async def main() -> int:
        async with tree(*(f"t{n}" for n in range(1000)), lazy=True) as t:
            assert len(t.supervisor.children) == 1000
            return len(asyncio.all_tasks())

    assert simulate(main) == 2
