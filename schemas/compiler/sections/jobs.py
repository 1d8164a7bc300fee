"""``jobs``: functions that run on schedule.

Decides the forms of a schedule. Running jobs is a feature's.
"""

from msgspec import Struct, field
from typing_extensions import override

from schemas.compiler.grammar.config import Config, ConfigValue
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import DURATION
from schemas.compiler.grammar.scalars import BOOLEAN, Choice, Integer
from schemas.compiler.grammar.slots import FunctionName
from schemas.compiler.nodes import Mapping, Node
from schemas.compiler.scope import Scope
from schemas.compiler.sections.reports import SCHEDULE, Schedule
from schemas.compiler.sections.tenant import NAME, NAME_SAYS

OVERLAP = {
    "skip": "leave out a run while the last goes on",
    "queue": "run after it",
    "allow": "run beside it",
}
MISSED = {
    "once": "run once, as soon as somebody is there",
    "skip": "leave them out",
    "all": "run each, up to a hundred",
}


class Job(Struct, frozen=True):
    """A function on schedule; either ``schedule`` or ``every`` (seconds) is set."""

    function: str
    schedule: Schedule | None = None
    every: float | None = None
    timeout: float = 60.0
    overlap: str = "skip"
    missed: str = "once"
    retries: int = 0
    enabled: bool = True
    config: Config = field(default_factory=Config)


class JobRecord(Record):
    """One job: exactly one of the two ways to say when."""

    @override
    def build(self, node: Node, scope: Scope) -> Job:
        job: Job = super().build(node, scope)
        broken = node.dropped if isinstance(node, Mapping) else frozenset()
        if not broken & {"schedule", "every"} and (job.schedule is None) == (job.every is None):
            scope.findings.error(
                "job.schedule",
                "a job needs either 'schedule' or 'every'",
                node,
                'for example schedule: "0 6 * * *"',
            )
        return job


JOB = JobRecord(
    "job",
    "A function that runs on schedule.",
    {
        "function": Key(
            FunctionName(), "A built-in function, or one of the Python file beside this one.", required=True
        ),
        "schedule": Key(SCHEDULE, "When, as a cron line; with {cron, zone} in another zone."),
        "every": Key(DURATION, "How often, counted from the start."),
        "timeout": Key(DURATION, "Most time it may take."),
        "overlap": Key(Choice(OVERLAP, "skip, queue or allow"), "When the last run still goes on."),
        "missed": Key(Choice(MISSED, "once, skip or all"), "Runs that nobody was there for."),
        "retries": Key(Integer(0, 20), "How often to try again."),
        "enabled": Key(BOOLEAN, "false: not run."),
        "config": Key(ConfigValue(), "Handed to the function."),
    },
    make=Job,
    suggest={"cron": "write schedule: ..."},
)
JOBS = Keyed("job", JOB, pattern=NAME, says=NAME_SAYS)
