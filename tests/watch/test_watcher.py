"""The watcher itself fails: it comes back and looks at everything again; docs/faults.md 24."""

import asyncio
from pathlib import Path

from actors.scanner import Changed, Finding, Removed, Scanner
from actors.watcher import Watch, Watcher
from runtime.restarts import RestartPolicy
from runtime.root import ActorSystem
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor


async def ready() -> None:
    """Nothing waits for the first look."""


async def test_a_watcher_that_died_looks_at_everything_again(tmp_path: Path) -> None:
    for name in ("kept", "gone"):
        (tmp_path / f"{name}.yaml").write_text("x")
    heard: asyncio.Queue[Finding] = asyncio.Queue()
    fail = False

    async def hear(finding: Finding) -> None:
        if fail:
            (tmp_path / "gone.yaml").unlink(missing_ok=True)
            raise RuntimeError("it breaks on what it found")
        heard.put_nowait(finding)

    async def next_of(name: str) -> Finding:
        async with asyncio.timeout(10):
            while (finding := await heard.get()).name != name:
                pass
            return finding

    watches = [Watch("tests", Scanner(tmp_path), hear)]

    def made() -> Watcher:
        nonlocal fail
        fail = False  # each new one works
        return Watcher(watches, ready)

    policy = RestartPolicy(first_delay=0.05, max_delay=0.05)
    system = ActorSystem(ChildSpec("root", lambda: Supervisor([ChildSpec("watcher", made, restarts=policy)])))
    await system.start()
    assert {(await heard.get()).name, (await heard.get()).name} == {"kept", "gone"}
    fail = True
    (tmp_path / "new.yaml").write_text("y")
    assert isinstance(await next_of("new"), Changed)
    assert isinstance(await next_of("gone"), Removed)
    (tmp_path / "kept.yaml").write_text("z")
    assert isinstance(await next_of("kept"), Changed)
    await system.stop()
