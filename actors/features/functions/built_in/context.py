"""What a built-in function is given."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from msgspec import Struct, field

from actors.features.functions.calls import DataPort, Invocation, Row
from actors.mail import Mailer
from actors.outbound import Outbound
from actors.tenant.generation import Generation


class Events(Protocol):
    """Where events go."""

    async def publish(
        self,
        generation: Generation,
        call: Invocation,
        data: DataPort,
        event: str,
        payload: Any,  # noqa: ANN401 - JSON
        delay: float,
    ) -> None:
        """Publish an event, ``delay`` seconds from now; with the transaction of ``data`` if it has one."""
        ...


class Context(Struct, frozen=True):
    """The surroundings of one call of a built-in function.

    Attributes:
        call: what was asked for; ``call.config`` is checked and filled in.
        log: lines for the record of this run.
        events: None where there are none.
    """

    generation: Generation
    call: Invocation
    data: DataPort
    mailer: Mailer
    outbound: Outbound
    events: Events | None
    log: list[str] = field(default_factory=list)


BuiltIn: TypeAlias = Callable[[Context, Row, Mapping[str, Any]], Awaitable[Any]]
"""Takes the row (a copy) and the configuration; returns changes of the row or None."""
