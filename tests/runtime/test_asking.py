"""Asks, tells and calls: who answers, who hears of an error, and for how long anybody waits."""

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from acting import tree
from mypy import api

from runtime.actor import Actor
from runtime.observe import ActorStuck, CallFailed, MessageRefused, MessagesDropped
from runtime.ref import Interleaved
from runtime.root import ActorSystem
from runtime.signals import (
    ActorFailedError,
    ActorStatus,
    ActorStoppedError,
    ActorStuckError,
    AskTimeoutError,
    OverloadedError,
)
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor
from runtime.testing import Break, InjectedError, Linger, Note, Peek, Recorder, Refuse, RefusedError, simulate
from tests.speed import slowness

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_serial_message_is_answered_after_the_one_before() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            first = asyncio.create_task(ref.ask(Linger(1.0)))
            await asyncio.sleep(0.5)
            assert await ref.ask(Note("x")) == 1
            assert first.done()

    simulate(main)


def test_interleaved_messages_run_beside_a_busy_handler() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            ref.tell(Linger(10.0))
            await asyncio.sleep(0.1)
            started = asyncio.get_running_loop().time()
            assert await asyncio.gather(*(ref.call(Peek(1.0)) for _ in range(100))) == [1] * 100
            assert asyncio.get_running_loop().time() - started == pytest.approx(1.0)

    simulate(main)


def test_an_exception_in_a_call_is_its_callers_alone() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            other = asyncio.create_task(ref.call(Peek(1.0)))
            with pytest.raises(InjectedError):
                await ref.call(Peek(broken=True))
            assert await other == 1
            assert ref.status is ActorStatus.RUNNING
            assert [(seen.actor, seen.message) for seen in t.recorder.of(CallFailed)] == [("root/a", "Peek")]

    simulate(main)


def test_an_exception_in_a_handler_fails_the_actor_and_tells_the_asker_why() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            with pytest.raises(ActorFailedError) as failed:
                await ref.ask(Break())
            assert isinstance(failed.value.__cause__, InjectedError)
            assert await ref.call(Peek()) == 2
            assert ref.reason == ""

    simulate(main)


def test_a_refusal_is_an_answer() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            with pytest.raises(RefusedError):
                await ref.ask(Refuse())
            ref.tell(Refuse())
            assert await ref.ask(Note("still here")) == 1
            assert await ref.call(Peek()) == 1
            assert len(t.recorder.of(MessageRefused)) == 1

    simulate(main)


def test_what_is_queued_survives_a_crash_of_another_message() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            ref.tell(Break())
            ref.tell(Note("told"))
            assert await ref.ask(Note("asked")) == 2
            assert t.journal.lines == ["a:start", "a:stop", "a:start", "a:told", "a:asked"]

    simulate(main)


def test_an_ask_of_a_stuck_actor_times_out_in_time() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            ref.tell(Linger(100.0))
            clock = asyncio.get_running_loop().time
            started = clock()
            for message in (Note("x"), Peek(50.0)):
                with pytest.raises(AskTimeoutError) as late:
                    await ref.ask(message, timeout=2.0)
                assert late.value.code == "actor.timeout"
            assert clock() - started == pytest.approx(4.0)
            assert await ref.call(Peek()) == 1

    simulate(main)


def test_a_stuck_handler_is_seen_and_the_actor_restarted() -> None:
    async def main() -> None:
        async with tree("a", stuck_after=5.0) as t:
            ref = t.ref("a")
            with pytest.raises(ActorFailedError) as failed:
                await ref.ask(Linger(100.0), timeout=50.0)
            assert isinstance(failed.value.__cause__, ActorStuckError)
            assert await ref.ask(Note("again"), timeout=1.0) == 1
            (stuck,) = t.recorder.of(ActorStuck)
            assert "asyncio.sleep(seconds)" in stuck.stack

    simulate(main)


def test_more_calls_than_admitted_are_refused_at_once() -> None:
    async def main() -> None:
        async with tree("a", in_flight=3) as t:
            ref = t.ref("a")
            answers = await asyncio.gather(*(ref.call(Peek(1.0)) for _ in range(5)), return_exceptions=True)
            assert [type(answer) for answer in answers] == [int, int, int, OverloadedError, OverloadedError]
            assert await ref.call(Peek()) == 1

    simulate(main)


def test_a_cancelled_caller_leaves_room() -> None:
    async def main() -> None:
        async with tree("a", in_flight=1) as t:
            ref = t.ref("a")
            call = asyncio.create_task(ref.call(Peek(100.0)))
            await asyncio.sleep(0.1)
            call.cancel()
            await asyncio.wait([call])
            assert await ref.call(Peek()) == 1

    simulate(main)


def test_a_stopped_actor_refuses_everybody() -> None:
    async def main() -> None:
        async with tree("a") as t:
            ref = t.ref("a")
            ref.tell(Linger(1.0))
            await asyncio.sleep(0.1)
            ref.tell(Note("lost"))
            waiting = asyncio.create_task(ref.ask(Note("waiting")))
            await asyncio.sleep(0.1)
            await ref.stop()
            with pytest.raises(ActorStoppedError):
                await waiting
            with pytest.raises(ActorStoppedError):
                ref.tell(Note("x"))
            with pytest.raises(ActorStoppedError):
                await ref.ask(Note("x"))
            with pytest.raises(ActorStoppedError):
                await ref.call(Peek())
            assert ref.status is ActorStatus.STOPPED
            assert t.system.registry.find("root/a") is None
            assert [seen.count for seen in t.recorder.of(MessagesDropped)] == [1]

    simulate(main)


def test_an_interleaved_message_cannot_be_told() -> None:
    async def main() -> None:
        async with tree("a") as t:
            with pytest.raises(TypeError, match="interleaved"):
                t.ref("a").tell(Peek())

    simulate(main)


@dataclass(frozen=True, slots=True)
class Ping(Interleaved[int]):
    """Costs nothing to serve."""


class Pinged(Actor):
    """Serves at once."""

    async def serve(self, message: Ping) -> int:
        return 1


TYPED = """
from dataclasses import dataclass
from runtime.ref import ActorRef, Interleaved, Request

@dataclass(frozen=True, slots=True)
class Describe(Request[int]):
    depth: int = 0

@dataclass(frozen=True, slots=True)
class Call(Interleaved[bytes]):
    name: str = ""

async def talk(ref: ActorRef) -> None:
    reveal_type(await ref.ask(Describe(), timeout=1.0))
    reveal_type(await ref.ask(Call()))
    reveal_type(await ref.call(Call()))
    await ref.call(Describe())
"""


def test_answers_are_typed_without_casts(tmp_path: Path) -> None:
    page = tmp_path / "talking.py"
    page.write_text(TYPED)
    said, _, status = api.run(
        ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary", str(page)]
    )
    assert re.findall(r'Revealed type is "(?:builtins\.)?(\w+)"', said) == ["int", "bytes", "bytes"]
    (error,) = re.findall(r"error: (.*)", said)
    assert '"Describe"; expected "Interleaved' in error
    assert status == 1


def test_a_call_costs_less_than_a_microsecond_more_than_calling_the_function() -> None:
    """The bound is generous for a busy machine; measured alone it is 0.2 microseconds."""

    async def main() -> float:
        system = ActorSystem(
            ChildSpec("root", lambda: Supervisor([ChildSpec("a", Pinged)])), observer=Recorder()
        )
        await system.start()
        ref = system.registry.find("root/a")
        assert ref is not None
        actor, message = Pinged(), Ping()

        async def seconds(function) -> float:
            best = 1.0
            for _ in range(20):
                started = time.perf_counter()
                for _ in range(1000):
                    await function(message)
                best = min(best, (time.perf_counter() - started) / 1000)
            return best

        bare, called = await seconds(actor.serve), await seconds(ref.call)
        await system.stop()
        return (called - bare) * 1e6

    extra = simulate(main)
    print(f"a call costs {extra:.2f} microseconds more than the function")
    assert extra < 1.0 * slowness()
