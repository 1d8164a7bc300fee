"""What a failure does: to the actor, its siblings, its children and everybody above."""

import asyncio

import pytest
from acting import POLICY, tree

from runtime.observe import ActorFailed, ActorLeaked, ActorRestarting, TaskFailed
from runtime.restarts import RestartPolicy
from runtime.root import ActorSystem
from runtime.signals import (
    ActorFailedError,
    ActorParkedError,
    ActorStartError,
    ActorStatus,
    ActorStoppedError,
    ChildEvent,
    ChildFailed,
    ChildParked,
    ChildStarted,
    ChildStopped,
    NameTakenError,
    RestartsExceededError,
)
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor
from runtime.testing import (
    Break,
    BreakTask,
    Faults,
    InjectedError,
    Journal,
    Linger,
    Note,
    Peek,
    Probe,
    Recorder,
    simulate,
)

ESCALATE = RestartPolicy(limit=3, window=60.0, first_delay=0.1, jitter=0.0, exceeded="escalate")


async def broken(ref) -> None:
    with pytest.raises(ActorFailedError):
        await ref.ask(Break(), timeout=60.0)
    await asyncio.sleep(0.01)  # the asker hears of it before the supervisor does


def test_one_for_one_restarts_the_failed_one_alone() -> None:
    async def main() -> None:
        async with tree("a", "b", "c") as t:
            await broken(t.ref("b"))
            await t.ref("b").ready()
            assert t.journal.incarnations == {"a": 1, "b": 2, "c": 1}
            assert [seen.delay for seen in t.recorder.of(ActorRestarting)] == [0.1]
        assert t.journal.lines == [
            "a:start",
            "b:start",
            "c:start",
            "b:stop",
            "b:start",
            "c:stop",
            "b:stop",
            "a:stop",
        ]

    simulate(main)


def test_rest_for_one_restarts_what_came_after_in_order() -> None:
    async def main() -> None:
        async with tree("a", "b", "c", "d", strategy="rest_for_one") as t:
            del t.journal.lines[:]
            await broken(t.ref("b"))
            await t.ref("d").ask(Note("waited"))
            assert t.journal.lines == [
                "b:stop",
                "d:stop",
                "c:stop",
                "b:start",
                "c:start",
                "d:start",
                "d:waited",
            ]

    simulate(main)


def test_rest_for_one_starts_each_when_the_one_before_runs() -> None:
    async def main() -> None:
        async with tree("a", "b", "c", strategy="rest_for_one") as t:
            for faults in t.faults.values():
                faults.start_seconds = 1.0
            t.faults["b"].starts = 1
            del t.journal.lines[:]
            await broken(t.ref("a"))
            await t.ref("c").ready(timeout=60.0)
            assert t.journal.lines == ["a:stop", "c:stop", "b:stop", "a:start", "b:start", "c:start"]
            assert t.journal.incarnations == {"a": 2, "b": 3, "c": 2}

    simulate(main)


def test_a_second_failure_during_a_repair_begins_again_from_the_earlier() -> None:
    async def main() -> None:
        async with tree("a", "b", "c", strategy="rest_for_one") as t:
            t.faults["b"].start_seconds = 5.0
            await broken(t.ref("b"))
            await asyncio.sleep(1.0)
            await broken(t.ref("a"))
            await t.ref("c").ready(timeout=60.0)
            assert all(t.ref(name).status is ActorStatus.RUNNING for name in "abc")
            assert t.journal.lines[-3:] == ["a:start", "b:start", "c:start"]

    simulate(main)


def test_too_many_failures_park_the_child_and_spare_the_others() -> None:
    async def main() -> None:
        async with tree("a", "b") as t:
            ref = t.ref("a")
            for _ in range(6):
                await broken(ref)
            queued = asyncio.create_task(ref.ask(Note("x")))
            await asyncio.sleep(0.001)
            assert ref.status is ActorStatus.PARKED
            for refused in (queued, ref.ask(Note("x")), ref.call(Peek()), ref.ready()):
                with pytest.raises(ActorParkedError) as parked:
                    await refused
                assert "a breaks" in parked.value.reason
                assert 0 < parked.value.retry_after <= 10.0
            assert await t.ref("b").call(Peek()) == 1

    simulate(main)


async def parked(t) -> None:
    """Park the lazy child ``a`` by six failed starts."""
    t.faults["a"].starts = 6
    t.ref("a").tell(Note("x"))
    while t.ref("a").status is not ActorStatus.PARKED:
        await asyncio.sleep(0.05)


def test_a_parked_child_is_probed_less_and_less_often_until_it_runs() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            await parked(t)
            begun = asyncio.get_running_loop().time()
            t.faults["a"].starts = 3
            while t.ref("a").status is not ActorStatus.RUNNING:
                await asyncio.sleep(1.0)
            assert asyncio.get_running_loop().time() - begun == pytest.approx(10 + 20 + 40 + 40, abs=2.0)
            assert await t.ref("a").call(Peek()) == 10

    simulate(main)


def test_a_parked_child_can_be_unparked() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            await parked(t)
            t.ref("a").unpark()
            assert await t.ref("a").call(Peek()) == 7
            await broken(t.ref("a"))
            assert await t.ref("a").call(Peek()) == 8

    simulate(main)


def test_a_parked_child_can_be_stopped() -> None:
    async def main() -> None:
        async with tree("a", lazy=True) as t:
            await parked(t)
            ref = t.ref("a")
            await ref.stop()
            with pytest.raises(ActorStoppedError):
                await ref.call(Peek())
            await asyncio.sleep(100.0)
            assert ref.status is ActorStatus.STOPPED

    simulate(main)


def test_failures_spread_over_time_never_park() -> None:
    async def main() -> None:
        async with tree("a") as t:
            for _ in range(30):
                await broken(t.ref("a"))
                await asyncio.sleep(7.0)
            assert t.ref("a").status is ActorStatus.RUNNING

    simulate(main)


def test_escalation_fails_the_supervisor_and_in_the_end_the_tree() -> None:
    async def main() -> None:
        async with tree("a", "b", policy=ESCALATE) as t:
            ref = t.ref("a")
            for _ in range(4):
                await broken(ref)
            error = await t.system.ended()
            assert isinstance(error, RestartsExceededError)
            assert isinstance(error.__cause__, InjectedError)
            assert t.journal.lines[-1] == "b:stop"
            with pytest.raises(ActorStoppedError):
                await ref.call(Peek())

    simulate(main)


def test_a_task_that_raises_fails_its_actor_and_is_observed() -> None:
    async def main() -> None:
        async with tree("a") as t:
            await t.ref("a").ask(BreakTask())
            await asyncio.sleep(0.01)
            assert await t.ref("a").call(Peek()) == 2
            (failed,) = t.recorder.of(TaskFailed)
            assert failed.task == "root/a:broken"
            assert [str(seen.error) for seen in t.recorder.of(ActorFailed)] == ["a task of a breaks"]

    simulate(main)


def test_a_killed_actor_is_restarted_without_post_stop() -> None:
    async def main() -> None:
        async with tree("a") as t:
            asked = asyncio.create_task(t.ref("a").ask(Linger(1000.0), timeout=2000.0))
            await asyncio.sleep(0.1)
            t.ref("a").kill()
            with pytest.raises(ActorFailedError):
                await asked
            assert await t.ref("a").call(Peek()) == 2
            assert t.journal.lines == ["a:start", "a:start"]

    simulate(main)


def test_an_actor_that_does_not_stop_in_time_is_killed() -> None:
    async def main() -> None:
        async with tree("a", stop_timeout=5.0) as t:
            ref = t.ref("a")
            asked = asyncio.create_task(ref.ask(Linger(1000.0), timeout=2000.0))
            await asyncio.sleep(0.1)
            begun = asyncio.get_running_loop().time()
            await ref.stop(timeout=2.0)
            assert asyncio.get_running_loop().time() - begun == pytest.approx(2.0)
            with pytest.raises(ActorFailedError):
                await asked
            assert ref.status is ActorStatus.STOPPED

    simulate(main)


def test_a_slow_post_stop_is_cut() -> None:
    async def main() -> None:
        async with tree("a", stop_timeout=5.0) as t:
            t.faults["a"].stop_seconds = 1000.0
            begun = asyncio.get_running_loop().time()
            await t.ref("a").stop()
            assert asyncio.get_running_loop().time() - begun == pytest.approx(5.0, abs=1.1)

    simulate(main)


class Stubborn(Probe):
    """Ignores cancellation."""

    async def handle(self, message: object) -> None:
        for _ in range(100):
            try:
                await asyncio.sleep(10.0)
            except asyncio.CancelledError:
                continue


def test_an_actor_that_ignores_its_end_is_left_behind_and_replaced() -> None:
    async def main() -> None:
        journal, recorder = Journal(), Recorder()
        spec = ChildSpec("a", lambda: Stubborn("a", journal))
        system = ActorSystem(
            ChildSpec("root", lambda: Supervisor([spec], restarts=POLICY)), observer=recorder
        )
        await system.start()
        ref = system.registry.find("root/a")
        ref.tell(Note("stay"))
        await asyncio.sleep(1.0)
        ref.kill()
        await asyncio.sleep(2.0)
        assert await ref.call(Peek()) == 2
        assert len(recorder.of(ActorLeaked)) == 1
        await asyncio.sleep(2000.0)
        assert await ref.call(Peek()) == 2
        await system.stop()

    simulate(main)


def test_shutdown_is_in_reverse_order_and_lets_calls_finish() -> None:
    async def main() -> None:
        async with tree("a", "b", "c") as t:
            call = asyncio.create_task(t.ref("a").call(Peek(3.0)))
            await asyncio.sleep(0.1)
        assert call.done()
        assert await call == 1
        assert t.journal.lines[3:] == ["c:stop", "b:stop", "a:stop"]

    simulate(main)


def test_an_actor_can_stop_itself() -> None:
    async def main() -> None:
        class Mortal(Probe):
            async def handle(self, message: Note) -> int:
                await self.ref.stop()
                return 7

        journal = Journal()
        spec = ChildSpec("a", lambda: Mortal("a", journal))
        system = ActorSystem(ChildSpec("root", lambda: Supervisor([spec])), observer=Recorder())
        await system.start()
        ref = system.registry.find("root/a")
        assert await ref.ask(Note("bye")) == 7
        await asyncio.sleep(0.1)
        assert ref.status is ActorStatus.STOPPED
        await system.stop()

    simulate(main)


class Directory(Supervisor):
    """Adds children on demand and remembers what it hears of them."""

    def __init__(self, journal: Journal, faults: Faults, heard: list[ChildEvent]) -> None:
        super().__init__(restarts=POLICY)
        self.journal = journal
        self.faults = faults
        self.heard = heard

    async def pre_start(self) -> None:
        if self.journal.incarnations:
            self.add("x")  # known from before

    async def handle(self, message: Note | Break) -> int:
        match message:
            case Break():
                raise InjectedError("directory")
            case Note(name):
                self.add(name)
                return len(self.children)

    def add(self, name: str) -> None:
        self.start_child(ChildSpec(name, lambda: Probe(name, self.journal, self.faults), lazy=True))

    async def on_child(self, event: ChildEvent) -> None:
        self.heard.append(event)


def directory() -> tuple[ActorSystem, Journal, Faults, list[ChildEvent]]:
    journal, faults, heard = Journal(), Faults(), []
    spec = ChildSpec("directory", lambda: Directory(journal, faults, heard))
    root = ChildSpec("root", lambda: Supervisor([spec], strategy="rest_for_one", restarts=POLICY))
    return ActorSystem(root, observer=Recorder()), journal, faults, heard


def test_children_come_and_go_at_run_time() -> None:
    async def main() -> None:
        system, _, _, heard = directory()
        await system.start()
        parent = system.registry.find("root/directory")
        assert await parent.ask(Note("x")) == 1
        assert await parent.ask(Note("y")) == 2
        x = system.registry.find("root/directory/x")
        assert await x.call(Peek()) == 1
        await x.stop()
        assert system.registry.find("root/directory/x") is None
        assert await parent.ask(Note("x")) == 2
        assert await x.call(Peek()) == 2, "an old ref is valid again when its name is"
        with pytest.raises(ActorFailedError) as taken:
            await parent.ask(Note("x"))
        assert isinstance(taken.value.__cause__, NameTakenError)
        assert heard[:3] == [ChildStarted("x"), ChildStopped("x"), ChildStarted("x")]
        await system.stop()

    simulate(main)


def test_a_supervisor_hears_of_failures_and_parking() -> None:
    async def main() -> None:
        system, _, faults, heard = directory()
        await system.start()
        parent = system.registry.find("root/directory")
        faults.starts = 6
        await parent.ask(Note("x"))
        x = system.registry.find("root/directory/x")
        with pytest.raises(ActorStartError):
            await x.ready()
        await asyncio.sleep(9.0)
        assert [type(event) for event in heard] == [ChildFailed] * 6 + [ChildParked]
        await system.stop()

    simulate(main)


def test_children_of_a_failed_supervisor_are_held_and_taken_over() -> None:
    async def main() -> None:
        system, journal, _, _ = directory()
        await system.start()
        parent = system.registry.find("root/directory")
        await parent.ask(Note("x"))
        await parent.ask(Note("y"))
        x, y = system.registry.find("root/directory/x"), system.registry.find("root/directory/y")
        await asyncio.gather(x.ready(), y.ready())
        await broken(parent)
        waiting = [asyncio.create_task(ref.call(Peek())) for ref in (x, y)]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert answers[0] == 2, "the new incarnation named x"
        assert isinstance(answers[1], ActorStoppedError), "and not y"
        assert parent.status is ActorStatus.RUNNING
        assert len(journal.incarnations) == 2
        await system.stop()

    simulate(main)


def test_a_cold_child_of_a_failed_supervisor_waits_for_the_next_one() -> None:
    async def main() -> None:
        system, journal, _, _ = directory()
        await system.start()
        parent = system.registry.find("root/directory")
        await parent.ask(Note("x"))
        x = system.registry.find("root/directory/x")
        journal.incarnations["x"] = 0
        await broken(parent)
        assert x.status is ActorStatus.RESTARTING
        assert await x.call(Peek()) == 1
        await system.stop()

    simulate(main)


def test_a_root_that_cannot_start_says_why() -> None:
    async def main() -> None:
        journal, faults = Journal(), Faults(starts=100)
        spec = ChildSpec("database", lambda: Probe("database", journal, faults))
        root = ChildSpec("root", lambda: Supervisor([spec], strategy="rest_for_one", restarts=ESCALATE))
        system = ActorSystem(root, observer=Recorder())
        with pytest.raises(ActorStartError, match="database does not start"):
            await system.start()
        assert isinstance(await system.ended(), RestartsExceededError)

    simulate(main)


def test_a_start_survives_a_child_that_is_late() -> None:
    async def main() -> None:
        journal, faults = Journal(), Faults(starts=2)
        late = ChildSpec("database", lambda: Probe("database", journal, faults))
        gateway = ChildSpec("gateway", lambda: Probe("gateway", journal))
        root = ChildSpec(
            "root", lambda: Supervisor([late, gateway], strategy="rest_for_one", restarts=ESCALATE)
        )
        system = ActorSystem(root, observer=Recorder())
        await system.start()
        assert journal.lines == ["database:start", "gateway:start"]
        await system.stop()

    simulate(main)


def test_nothing_is_left_when_a_tree_has_stopped() -> None:
    async def main() -> None:
        async with tree("a", "b", passivate_after=1000.0) as t:
            await t.ref("a").ask(BreakTask())
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    simulate(main)
