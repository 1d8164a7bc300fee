"""What should become of supervised actors, without actors: plain values and a list of due times."""

from dataclasses import dataclass, field

LIMIT, WINDOW = 5, 30.0
FIRST, LONGEST = 0.1, 5.0
PROBE, LONGEST_PROBE = 10.0, 40.0
SUPERVISOR_DELAY = 0.1


@dataclass
class Child:
    """One address as it should be; ``due`` is when it is started or probed."""

    status: str = "cold"
    due: float | None = None
    failures: list[float] = field(default_factory=list)
    probes: int = 0
    probed_at: float | None = None
    failing_starts: int = 0
    incarnation: int = 0
    notes: int = 0
    queue: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


class Model:
    """The tree: lazy children under one supervisor, ``one_for_one``."""

    def __init__(self, names: str) -> None:
        self.now = 0.0
        self.children = {name: Child() for name in names}
        self.supervisor_due: float | None = None

    # -- what tests do

    def told(self, name: str, text: str) -> str:
        child = self.children[name]
        if child.status in {"parked", "stopped"}:
            return child.status
        child.queue.append(text)
        self._wake(child)
        return "queued"

    def asked(self, name: str, text: str | None) -> int | str:
        """A note (answer: how many) or, for None, a call (answer: which incarnation)."""
        child = self.children[name]
        if child.status in {"parked", "stopped"}:
            return child.status
        if not self._reach(child):
            return "start failed"
        if text is None:
            return child.incarnation
        self._note(child, text)
        return child.notes

    def broken(self, name: str, *, stops: bool = True, delay: float = 0.0) -> str:
        child = self.children[name]
        if child.status in {"parked", "stopped"}:
            return child.status
        if not self._reach(child):
            return "start failed"
        self.advance(delay)
        if stops:
            child.lines.append("stop")
        self._fail(child)
        return "failed"

    def killed(self, name: str) -> None:
        child = self.children[name]
        if child.status == "running":
            self._fail(child)

    def passivated(self, name: str) -> None:
        child = self.children[name]
        if child.status == "running":
            child.lines.append("stop")
            child.status = "cold"

    def stopped(self, name: str) -> None:
        child = self.children[name]
        if child.status == "running":
            child.lines.append("stop")
        child.status, child.due = "stopped", None
        child.queue.clear()

    def unparked(self, name: str) -> None:
        child = self.children[name]
        if child.status == "parked":
            self._forget(child)
            self._start(child)

    def added(self, name: str) -> None:
        """Only for a stopped child; waits for the supervisor."""
        if self.supervisor_due is not None:
            self.advance(self.supervisor_due - self.now)
        self._adopt(self.children[name])

    def supervisor_broken(self) -> None:
        """Only while it runs."""
        for child in self.children.values():
            if child.status == "running":
                child.lines.append("stop")
            if child.status != "stopped":
                child.status = "restarting"
            child.due = None
        self.supervisor_due = self.now + SUPERVISOR_DELAY

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self._next()) is not None and due <= end:
            self.now = due
            if due == self.supervisor_due:
                self.supervisor_due = None
                for child in self.children.values():
                    if child.status != "stopped":
                        self._adopt(child)
            else:
                child = next(child for child in self.children.values() if child.due == due)
                if child.status == "parked":
                    child.probed_at, child.failures = self.now, []
                self._start(child)
        self.now = end

    # -- what follows

    def _next(self) -> float | None:
        dues = [self.supervisor_due, *(child.due for child in self.children.values())]
        return min((due for due in dues if due is not None), default=None)

    def _wake(self, child: Child) -> None:
        if child.status == "cold":
            self._start(child)
        elif child.status == "running":
            self._deliver(child)

    def _reach(self, child: Child) -> bool:
        """Wait until it has tried to start; whoever waits makes a held child start when it is adopted."""
        if child.status == "restarting":
            before = child.incarnation
            while child.status == "restarting" and child.incarnation == before:
                due = self._next()
                assert due is not None
                self.advance(due - self.now)
            if child.status != "cold":
                return child.status == "running"
        if child.status == "cold":
            self._start(child)
        return child.status == "running"

    def _start(self, child: Child) -> None:
        child.incarnation += 1
        child.due = None
        if child.failing_starts:
            child.failing_starts -= 1
            self._fail(child)
            return
        child.status = "running"
        child.notes = 0
        child.lines.append("start")
        self._deliver(child)

    def _deliver(self, child: Child) -> None:
        for text in child.queue:
            self._note(child, text)
        child.queue.clear()

    def _note(self, child: Child, text: str) -> None:
        child.notes += 1
        child.lines.append(text)

    def _fail(self, child: Child) -> None:
        if child.probed_at is not None and self.now - child.probed_at >= WINDOW:
            self._forget(child)
        child.failures = [*(at for at in child.failures if self.now - at < WINDOW), self.now]
        if child.probed_at is not None or len(child.failures) > LIMIT:
            child.status = "parked"
            child.due = self.now + min(LONGEST_PROBE, PROBE * 2**child.probes)
            child.probes += 1
            child.failures = []
            child.probed_at = None
            child.queue.clear()
        else:
            child.status = "restarting"
            child.due = self.now + min(LONGEST, FIRST * 2 ** (len(child.failures) - 1))

    def _adopt(self, child: Child) -> None:
        self._forget(child)
        child.status, child.due = "cold", None
        if child.queue:
            self._start(child)

    def _forget(self, child: Child) -> None:
        child.failures, child.probes, child.probed_at = [], 0, None
