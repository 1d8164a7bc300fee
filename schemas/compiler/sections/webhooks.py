"""``webhooks``: addresses that hear what happens to rows.

Decides which events exist and that what is sent can be selected. Delivery, and the guard on addresses, is a
feature's.
"""

from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace
from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import did_you_mean
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import DURATION
from schemas.compiler.grammar.queries import Select
from schemas.compiler.grammar.scalars import BOOLEAN, HttpUrl, Integer, Text
from schemas.compiler.grammar.slots import Cel
from schemas.compiler.nodes import Mapping, Node, items, plain
from schemas.compiler.scope import Scope
from schemas.compiler.sections.tenant import NAME, NAME_SAYS

EVENTS = ("created", "updated", "deleted")
MAX_SECRETS = 3


class Webhook(Struct, frozen=True):
    """An address and what it hears; ``url``, ``secret`` (new one first) and ``headers`` may hold names."""

    url: str
    events: tuple[str, ...]
    when: Expression | None = None
    select: str = ""
    secret: tuple[str, ...] = ()
    headers: MappingType[str, str] = field(default_factory=dict)
    timeout: float = 5.0
    retries: int = 10
    enabled: bool = True


class EventName(Text):
    """``invoices.created``, ``invoices.*``, a transition's name, an event functions publish, or ``*``."""

    def __init__(self) -> None:
        super().__init__(
            "an event",
            pattern=r"\*|[A-Za-z][A-Za-z0-9_]*\.(\*|[a-z][a-z0-9_]*)|[a-z][a-z0-9_]{0,62}",
            examples=("invoices.*", "invoices.created", "stock_low"),
        )

    @override
    def build(self, node: Node, scope: Scope) -> str:
        text = str(plain(node))
        entity, dot, event = text.partition(".")
        if dot and scope.check_entity(node, entity):
            known = {*EVENTS, "*", *scope.tenant.entities[entity].transitions}
            if event not in known:
                scope.findings.error(
                    "webhook.event", f"{entity} has no event '{event}'", node, did_you_mean(event, known)
                )
        return text


class ListenerRecord(Record):
    """Looks names up in the entity all events of its key ``heard`` are about."""

    heard = "events"

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        entries = node if isinstance(node, Mapping) else Mapping({}, node.line, node.column)
        inner = scope_of_events(entries, self.heard, ("when", "select"), scope)
        return super().build(node, inner)


def scope_of_events(node: Mapping, heard: str, names: tuple[str, ...], scope: Scope) -> Scope:
    """Return the scope of the entity all events of a key are about; ``names`` are of no use without one."""
    texts = [str(plain(item)) for item in items(node.get(heard))]
    entities = {text.partition(".")[0] if "." in text else "*" for text in texts}
    if len(entities) == 1 and "*" not in entities:
        return scope.within(entities.pop())
    for name in names:
        place = node.get(name)
        if place is not None:
            scope.findings.error(
                "webhook.entity", f"'{name}' needs events of one entity", place, "make one per entity"
            )
    return replace(scope, known=False)


WEBHOOK = ListenerRecord(
    "webhook",
    "An address that hears what happens.",
    {
        "url": Key(HttpUrl(), "Where to.", required=True),
        "events": Key(
            Many(EventName(), "events", least=1, most=50, single=True),
            "What it hears.",
            required=True,
            examples=(["invoices.*"],),
        ),
        "when": Key(Cel(Use("a webhook condition", old=True)), "Only rows for which this holds."),
        "select": Key(Select(), "What is sent, in the query grammar; the whole row by default."),
        "secret": Key(
            Many(Text("a secret", secret=True), "secrets", least=1, most=MAX_SECRETS, single=True),
            'Key of the signature; "${NAME}" keeps it out of the file. While it is replaced: [new, old].',
        ),
        "headers": Key(
            Keyed(
                "header",
                Text("a header's value", secret=True, most=1000),
                pattern=r"[A-Za-z][A-Za-z0-9-]{0,63}",
                says="letters, digits and '-'",
                most=20,
            ),
            "Further headers.",
        ),
        "timeout": Key(DURATION, "Most time an answer may take."),
        "retries": Key(Integer(0, 20), "How often to try again."),
        "enabled": Key(BOOLEAN, "false: nothing is sent."),
    },
    make=Webhook,
)
WEBHOOKS = Keyed("webhook", WEBHOOK, pattern=NAME, says=NAME_SAYS)
