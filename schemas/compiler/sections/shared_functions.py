"""``functions`` at the top of the file: for several entities at once, or the tenant's own.

Decides that a function there is one of the two: it has ``entities``, or a trigger that is no entity's (called
by name, by the clock, on an event, when people sign in). What a function is, is said in ``functions``; an
entity gets those that are for it as if they were written there, after its own.
"""

from collections.abc import Mapping as MappingType

from typing_extensions import override

from schemas.compiler.findings import Findings
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key
from schemas.compiler.grammar.quantities import DURATION
from schemas.compiler.grammar.scalars import BOOLEAN, Choice
from schemas.compiler.grammar.slots import EntityName, RoleName
from schemas.compiler.nodes import Entry, Mapping, Node, items, pairs, plain
from schemas.compiler.scope import Scope
from schemas.compiler.sections.auth import USERS
from schemas.compiler.sections.events import Subscription
from schemas.compiler.sections.function_cases import ArgumentsSchema
from schemas.compiler.sections.functions import (
    FUNCTION_ADVICE,
    FUNCTION_KEYS,
    FUNCTION_NAME,
    Function,
    FunctionMap,
    FunctionRecord,
)
from schemas.compiler.sections.jobs import MISSED, OVERLAP, Job
from schemas.compiler.sections.reports import SCHEDULE as SCHEDULE_SHAPE
from schemas.compiler.sections.triggers import EVENT, OF_TENANT, SCHEDULE, words_of
from schemas.compiler.sections.webhooks import EventName, scope_of_events

_ONLY_WITH = {"schedule": SCHEDULE, "every": SCHEDULE, "overlap": SCHEDULE, "missed": SCHEDULE, "on": EVENT}


class SharedFunctionRecord(FunctionRecord):
    """A function at the top of the file; what its trigger needs beside it."""

    shared = True

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, object]:
        entries = node.entries if isinstance(node, Mapping) else {}
        triggers = words_of(node.get("trigger")) if isinstance(node, Mapping) else ()
        for name, trigger in _ONLY_WITH.items():
            if name in entries and trigger not in triggers:
                scope.findings.error(
                    "function.trigger", f"'{name}' belongs to trigger: {trigger}", entries[name].key
                )
        if SCHEDULE in triggers and ("schedule" in entries) == ("every" in entries):
            scope.findings.error(
                "job.schedule",
                "a function that runs by the clock needs either 'schedule' or 'every'",
                node,
                'for example schedule: "0 6 * * *"',
            )
        if EVENT in triggers and "on" not in entries:
            scope.findings.error(
                "function.trigger", "a function that runs on events needs 'on'", node, "on: [invoices.paid]"
            )
        return super().build(node, scope)


SHARED_FUNCTION = SharedFunctionRecord(
    "shared function",
    "A function of several entities, or one of the tenant's own: called by name, by the clock, on events.",
    FUNCTION_KEYS
    | {
        "entities": Key(Many(EntityName(), "entities", least=1, single=True), "Entities it is for."),
        "roles": Key(Many(RoleName(), "roles", single=True), "Who may call it; without: admins."),
        "args": Key(ArgumentsSchema(), "JSON Schema of what it is called with."),
        "read_only": Key(BOOLEAN, "It changes nothing: GET may call it."),
        "schedule": Key(SCHEDULE_SHAPE, "With trigger: schedule: when, as a job says it."),
        "every": Key(DURATION, "With trigger: schedule: how often."),
        "overlap": Key(Choice(OVERLAP, "skip, queue or allow"), "When the last run still goes on."),
        "missed": Key(Choice(MISSED, "once, skip or all"), "Runs that nobody was there for."),
        "on": Key(
            Many(EventName(), "events", least=1, most=50, single=True),
            "With trigger: event: what it hears, as a subscription says it.",
        ),
    },
    suggest=FUNCTION_ADVICE,
)


class SharedFunctions(FunctionMap):
    """The functions at the top of the file; ``build`` gives those that are no entity's."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Function]:
        built: dict[str, Function] = {}
        for key, value in pairs(node):
            entries = value.entries if isinstance(value, Mapping) else {}
            kind = _kind(value)
            if bool(kind) == ("entities" in entries):
                scope.findings.error(
                    "function.entities",
                    f"'{key.text}' is either for some entities or has a trigger of the tenant's own",
                    key,
                    f"write entities: [...], or a trigger such as {', '.join(OF_TENANT)}",
                )
            if "entities" in entries:
                continue
            inner = scope
            if kind == "people":
                inner = scope.within(USERS)
            elif kind == "event" and isinstance(value, Mapping) and "on" in entries:
                inner = scope_of_events(value, "on", ("condition",), scope)
            built |= super().build(Mapping({key.text: Entry(key, value)}, node.line, node.column), inner)
        return built

    def for_entity(self, node: Node | None, scope: Scope, entity: str) -> dict[str, Function]:
        """Return those that are for an entity; ``scope`` is that entity's."""
        if not isinstance(node, Mapping):
            return {}
        entries = {}
        for name, entry in node.entries.items():
            listed = entry.value.get("entities") if isinstance(entry.value, Mapping) else None
            if entity in [str(plain(item)) for item in items(listed)]:
                entries[name] = entry
        return super().build(Mapping(entries, node.line, node.column), scope)


def _kind(node: Node) -> str:
    """Return the kind of a function's first trigger, "" for one of rows."""
    words = words_of(node.get("trigger")) if isinstance(node, Mapping) else ()
    return OF_TENANT.get(words[0], "") if words else ""


def with_triggered(
    sections: MappingType[str, object], root: Mapping, findings: Findings
) -> dict[str, object]:
    """Return the sections of a file, with the functions that are jobs and subscriptions among those."""
    functions = sections.get("functions")
    jobs: dict[str, Job] = {}
    heard: dict[str, Subscription] = {}
    for name, one in functions.items() if isinstance(functions, dict) else ():
        if SCHEDULE in one.triggers and one.clock is not None:
            jobs[name] = Job(
                one.function, one.clock.schedule, one.clock.every, one.timeout, one.clock.overlap,
                one.clock.missed, one.retries, config=one.config,
            )  # fmt: skip
        elif EVENT in one.triggers:
            heard[name] = Subscription(
                one.on, one.function, one.condition, one.timeout, one.retries, config=one.config
            )
    made = dict(sections)
    places = {key.text: key for key, _ in pairs(root.get("functions"))}
    for section, more in (("jobs", jobs), ("events", heard)):
        written = made.get(section) or {}
        for name in more.keys() & (written if isinstance(written, dict) else {}).keys():
            findings.error("function.trigger", f"there is '{name}' in {section}, too", places[name])
        if more and isinstance(written, dict):
            made[section] = {**written, **more}
    return made


SHARED_FUNCTIONS = SharedFunctions(
    "function", SHARED_FUNCTION, pattern=FUNCTION_NAME, says="a-z, 0-9 and '_'"
)
