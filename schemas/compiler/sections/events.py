"""``events``: functions that run when something happens, in whatever entity, or when a function publishes it.

Decides what such a function hears. Publishing and running is a feature's.
"""

from msgspec import Struct, field

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.config import Config, ConfigValue
from schemas.compiler.grammar.containers import Key, Keyed
from schemas.compiler.grammar.quantities import DURATION
from schemas.compiler.grammar.scalars import BOOLEAN, Integer
from schemas.compiler.grammar.slots import Cel, FunctionName
from schemas.compiler.sections.tenant import NAME, NAME_SAYS
from schemas.compiler.sections.webhooks import EventName, ListenerRecord


class Subscription(Struct, frozen=True):
    """A function and what it hears; it runs after the commit."""

    on: tuple[str, ...]
    function: str
    when: Expression | None = None
    timeout: float = 5.0
    retries: int = 5
    enabled: bool = True
    config: Config = field(default_factory=Config)

    @property
    def events(self) -> tuple[str, ...]:
        """What it hears, as a webhook says it."""
        return self.on


class SubscriptionRecord(ListenerRecord):
    """Looks names up in the entity all its events are about."""

    heard = "on"


SUBSCRIPTION = SubscriptionRecord(
    "subscription",
    "A function that runs when something happens.",
    {
        "on": Key(
            Many(EventName(), "events", least=1, most=50, single=True),
            "What it hears: events of rows, or names that functions publish.",
            required=True,
            examples=(["invoices.paid", "stock_low"],),
        ),
        "function": Key(
            FunctionName(), "A built-in function, or one of the Python file beside this one.", required=True
        ),
        "when": Key(Cel(Use("a condition", old=True)), "Only rows for which this holds."),
        "timeout": Key(DURATION, "Most time it may take."),
        "retries": Key(Integer(0, 20), "How often to try again."),
        "enabled": Key(BOOLEAN, "false: not run."),
        "config": Key(ConfigValue(), "Handed to the function."),
    },
    make=Subscription,
    suggest={"events": "write on: [...]", "event": "write on: ...", "trigger": "write on: ..."},
)
SUBSCRIPTIONS = Keyed("subscription", SUBSCRIPTION, pattern=NAME, says=NAME_SAYS)
