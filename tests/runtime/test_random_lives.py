"""Random histories of crashes, restarts, stops, passivations and messages: the tree does what the model says."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from lifemodel import FIRST, LIMIT, LONGEST, LONGEST_PROBE, PROBE, SUPERVISOR_DELAY, WINDOW, Model

from runtime.ref import ActorRef
from runtime.restarts import RestartPolicy
from runtime.root import ActorSystem
from runtime.signals import ActorFailedError, ActorParkedError, ActorStartError, ActorStoppedError
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor
from runtime.testing import (
    Break,
    BreakTask,
    Faults,
    InjectedError,
    Journal,
    Note,
    Peek,
    Probe,
    Recorder,
    VirtualLoop,
)
from tests.speed import examples

NAMES = "abc"
STEP = 0.0123
"""Time that passes after everything, and a little more each time, so that no two things are due at once."""

PATIENCE = 1000.0
POLICY = RestartPolicy(LIMIT, WINDOW, FIRST, LONGEST, 0.0, "park", PROBE, LONGEST_PROBE)
SUPERVISORS = RestartPolicy(10**6, WINDOW, SUPERVISOR_DELAY, SUPERVISOR_DELAY, 0.0)

children = st.sampled_from(NAMES)


class Keeper(Supervisor):
    """Starts what it knows; a note adds a name."""

    def __init__(self, known: list[str], journal: Journal, faults: dict[str, Faults]) -> None:
        super().__init__(restarts=POLICY)
        self.known = known
        self.journal = journal
        self.faults = faults

    async def pre_start(self) -> None:
        for name in self.known:
            self._add(name)

    async def handle(self, message: Note | Break) -> None:
        if isinstance(message, Break):
            raise InjectedError("the keeper breaks")
        self.known.append(message.text)
        self._add(message.text)

    def _add(self, name: str) -> None:
        self.start_child(ChildSpec(name, lambda: Probe(name, self.journal, self.faults[name]), lazy=True))


class Lives(RuleBasedStateMachine):
    """The tree and the model, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(NAMES)
        self.journal = Journal()
        self.faults = {name: Faults() for name in NAMES}
        self.known = list(NAMES)
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.texts = 0
        self.moments = 0
        keeper = ChildSpec("keeper", lambda: Keeper(self.known, self.journal, self.faults))
        self.system = ActorSystem(
            ChildSpec("root", lambda: Supervisor([keeper], restarts=SUPERVISORS)),
            observer=Recorder(),
            chance=random.Random(0),
        )
        self.run(self.system.start())
        self.keeper = self.system.registry.find("root/keeper")
        self.refs = {name: self.system.registry.find(f"root/keeper/{name}") for name in NAMES}
        self.start = self.runner.get_loop().time()

    def run(self, step: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(step)

    def answer(self, step: Coroutine[Any, Any, Any]) -> Any:
        """The answer of an actor in the model's words."""
        try:
            return self.run(step)
        except ActorStartError:
            return "start failed"
        except ActorParkedError:
            return "parked"
        except ActorStoppedError:
            return "stopped"
        except ActorFailedError:
            return "failed"

    def pass_time(self, seconds: float = STEP) -> None:
        self.moments += 1
        seconds += self.moments * 0.000137
        self.run(asyncio.sleep(seconds))
        self.model.advance(seconds)

    def text(self) -> str:
        self.texts += 1
        return f"note {self.texts}"

    @rule(name=children)
    def tell(self, name: str) -> None:
        text = self.text()

        async def tell() -> str:
            self.refs[name].tell(Note(text))
            await asyncio.sleep(0)
            return "queued"

        assert self.answer(tell()) == self.model.told(name, text)
        self.pass_time()

    @rule(name=children)
    def ask(self, name: str) -> None:
        text = self.text()
        assert self.answer(self.refs[name].ask(Note(text), timeout=PATIENCE)) == self.model.asked(name, text)
        self.pass_time()

    @rule(name=children)
    def call(self, name: str) -> None:
        deadline = self.runner.get_loop().time() + PATIENCE
        assert self.answer(self.refs[name].call(Peek(), deadline)) == self.model.asked(name, None)
        self.pass_time()

    @rule(name=children)
    def crash(self, name: str) -> None:
        assert self.answer(self.refs[name].ask(Break(), timeout=PATIENCE)) == self.model.broken(name)
        self.pass_time()

    @rule(name=children, times=st.integers(2, 7))
    def crash_loop(self, name: str, times: int) -> None:
        for _ in range(times):
            self.crash(name)

    @precondition(lambda self: any(child.status == "running" for child in self.model.children.values()))
    @rule(data=st.data())
    def crash_a_task(self, data: st.DataObject) -> None:
        running = [name for name, child in self.model.children.items() if child.status == "running"]
        name = data.draw(st.sampled_from(running))
        assert self.answer(self.refs[name].ask(BreakTask())) is None
        assert self.model.broken(name, delay=0.001) == "failed"
        self.run(asyncio.sleep(0.001))
        self.pass_time()

    @rule(name=children)
    def kill(self, name: str) -> None:
        async def kill() -> None:
            self.refs[name].kill()

        self.run(kill())
        self.model.killed(name)
        self.pass_time()

    @rule(name=children)
    def passivate(self, name: str) -> None:
        async def passivate() -> None:
            self.refs[name].passivate()

        self.run(passivate())
        self.model.passivated(name)
        self.pass_time()

    @rule(name=children)
    def stop(self, name: str) -> None:
        self.run(self.refs[name].stop())
        self.model.stopped(name)
        if name in self.known:
            self.known.remove(name)
        self.pass_time()

    @precondition(lambda self: any(child.status == "stopped" for child in self.model.children.values()))
    @rule(data=st.data())
    def add_again(self, data: st.DataObject) -> None:
        gone = [name for name, child in self.model.children.items() if child.status == "stopped"]
        name = data.draw(st.sampled_from(gone))
        assert self.answer(self.keeper.ask(Note(name), timeout=PATIENCE)) is None
        self.model.added(name)
        self.pass_time()

    @rule(name=children)
    def unpark(self, name: str) -> None:
        async def unpark() -> None:
            self.refs[name].unpark()

        self.run(unpark())
        self.model.unparked(name)
        self.pass_time()

    @rule(name=children, starts=st.integers(1, 8))
    def let_starts_fail(self, name: str, starts: int) -> None:
        self.faults[name].starts = starts
        self.model.children[name].failing_starts = starts

    @precondition(lambda self: self.model.supervisor_due is None)
    @rule()
    def crash_the_supervisor(self) -> None:
        assert self.answer(self.keeper.ask(Break(), timeout=PATIENCE)) == "failed"
        self.model.supervisor_broken()
        self.pass_time()

    @rule(seconds=st.sampled_from([0.05, 0.21, 1.03, 7.07, 31.1, 47.3]))
    def wait(self, seconds: float) -> None:
        self.pass_time(seconds)

    @invariant()
    def agrees(self) -> None:
        for name, child in self.model.children.items():
            ref: ActorRef = self.refs[name]
            assert ref.status.value == child.status
            lines = [
                line.removeprefix(f"{name}:") for line in self.journal.lines if line.startswith(f"{name}:")
            ]
            assert lines == child.lines
            assert self.journal.incarnations.get(name, 0) == child.incarnation
            if child.due is not None:
                assert ref.reason

    def teardown(self) -> None:
        self.run(self.system.stop())
        assert all(ref.status.value == "stopped" for ref in self.refs.values())
        tasks = asyncio.all_tasks(self.runner.get_loop())
        self.runner.close()
        assert not tasks


TestRandomLives = Lives.TestCase
TestRandomLives.settings = settings(
    max_examples=examples(60),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
