"""A tree with one supervisor and some probes, for tests of actors."""

import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

from runtime.ref import ActorRef
from runtime.restarts import RestartPolicy
from runtime.root import ActorSystem
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor
from runtime.testing import Faults, Journal, Probe, Recorder

POLICY = RestartPolicy(
    limit=5, window=30.0, first_delay=0.1, max_delay=5.0, jitter=0.0, probe_delay=10.0, max_probe_delay=40.0
)


@dataclass
class Tree:
    """What a test looks at."""

    system: ActorSystem
    journal: Journal
    recorder: Recorder
    faults: dict[str, Faults]

    def ref(self, name: str) -> ActorRef:
        found = self.system.registry.find(f"root/{name}")
        assert found is not None
        return found

    @property
    def supervisor(self) -> Supervisor:
        actor = self.system._address.cell.actor
        assert isinstance(actor, Supervisor)
        return actor


@contextlib.asynccontextmanager
async def tree(
    *names: str, strategy: str = "one_for_one", policy: RestartPolicy = POLICY, **limits
) -> AsyncIterator[Tree]:
    """Run probes of these names under ``root``."""
    journal = Journal()
    recorder = Recorder()
    faults = {name: Faults() for name in names}

    def spec(name: str) -> ChildSpec:
        return ChildSpec(name, lambda: Probe(name, journal, faults[name]), **limits)

    system = ActorSystem(
        ChildSpec(
            "root",
            lambda: Supervisor([spec(name) for name in names], strategy=strategy, restarts=policy),
            stop_timeout=30.0,
            restarts=policy,
        ),
        observer=recorder,
        chance=random.Random(0),
    )
    await system.start()
    yield Tree(system, journal, recorder, faults)
    await system.stop()
