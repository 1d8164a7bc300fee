"""What people see: the tree, and an event loop that stands still."""

import asyncio
import threading
import time

import pytest
from acting import tree

from runtime.observe import FanOut, LoopRecovered, LoopStalled, Observation, log_observation
from runtime.signals import ActorStatus
from runtime.snapshot import snapshot
from runtime.testing import Break, Linger, Note, Peek, Recorder, simulate
from runtime.watchdog import Watchdog


def test_the_tree_as_values() -> None:
    async def main() -> None:
        async with tree("a", "b", lazy=True) as t:
            ref = t.ref("a")
            ref.tell(Break())
            await asyncio.sleep(10.0)
            ref.tell(Linger(5.0))
            calls = [asyncio.create_task(ref.call(Peek(5.0))) for _ in range(3)]
            await asyncio.sleep(1.0)
            ref.tell(Note("x"))
            ref.tell(Note("y"))
            info = t.system.snapshot()
            assert (info.path, info.status, info.name) == ("root", ActorStatus.RUNNING, "root")
            a, b = info.children
            assert (a.path, a.messages, a.in_flight, a.served, a.restarts, a.busy) == (
                "root/a",
                2,
                3,
                3,
                1,
                "Linger",
            )
            assert a.uptime == pytest.approx(10.9, abs=0.2)
            assert (b.status, b.uptime, b.children) == (ActorStatus.COLD, 0.0, ())
            assert snapshot(t.ref("b")) == b
            await asyncio.gather(*calls)

    simulate(main)


def test_a_restarting_actor_says_why_and_when() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            t.faults["a"].starts = 6
            t.ref("a").tell(Note("x"))
            await asyncio.sleep(4.0)
            (a,) = t.system.snapshot().children
            assert a.status is ActorStatus.PARKED
            assert a.reason == "InjectedError: a does not start"
            assert 0 < a.retry_after < 10.0

    simulate(main)


def stall(seconds: float) -> None:
    time.sleep(seconds)


def test_a_stall_is_reported_while_it_lasts_with_the_culprits_stack() -> None:
    heard: list[tuple[Observation, str, float]] = []

    async def main() -> None:
        watchdog = Watchdog(
            lambda seen: heard.append((seen, threading.current_thread().name, time.monotonic()))
        )
        watchdog.start()
        assert watchdog.last_stall_age is None
        await asyncio.sleep(0.2)
        stall(0.5)
        ended = time.monotonic()
        await asyncio.sleep(0.2)
        stalled, recovered = heard
        assert isinstance(stalled[0], LoopStalled)
        assert "stall(0.5)" in stalled[0].stack
        assert stalled[1] == "watchdog"
        assert stalled[2] < ended
        assert isinstance(recovered[0], LoopRecovered)
        assert 0.3 < recovered[0].seconds < 2.0
        assert watchdog.stalls == 1
        assert 0.0 <= watchdog.last_stall_age < 2.0
        assert watchdog.last_stall_seconds == recovered[0].seconds
        watchdog.stop()

    asyncio.run(main())


def test_an_observer_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    recorder = Recorder()

    def bad(observation: Observation) -> None:
        raise ZeroDivisionError

    FanOut(bad, recorder)(LoopRecovered(1.0))
    assert recorder.heard == [LoopRecovered(1.0)]
    assert "observer failed on loop.recovered" in caplog.text


def test_observations_are_logged_by_default(caplog: pytest.LogCaptureFixture) -> None:
    log_observation(LoopRecovered(1.0))
    assert caplog.records[0].levelname == "WARNING"
    assert "loop.recovered" in caplog.text
