"""What goes into a function and what comes out of it: values only.

Shared by everybody who runs functions: the write path, rpc, jobs, events, workflows.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from msgspec import Struct, field

from actors.messages import ProblemError
from schemas.compiler.principal import ANONYMOUS, Principal

Row: TypeAlias = dict[str, Any]
MAX_DEPTH = 5
"""How deep functions may set off each other by what they write."""


class Origin(Struct, frozen=True):
    """What led to a write.

    Attributes:
        depth: how many functions did, one setting off the other.
        lane: the process that waits for it, see ``Invocation``.
        request_id: of the request at the beginning.
        deadline: event-loop time until which it must be done, 0 for none.
        caller: on whose behalf the function that writes runs.
        function: its name, "" for none.
    """

    depth: int = 0
    lane: object = None
    request_id: str = ""
    deadline: float = 0.0
    caller: Principal = ANONYMOUS
    function: str = ""


BY_REQUEST = Origin()


class DataPort(Protocol):
    """``ctx.data``: the tenant's rows for a function, with the platform's rights.

    Filters are the query grammar (``status=eq.sent&net=gt.5``), or a map of values that must be equal.

    Attributes:
        taken: unique values that functions have given away in this write, which no query sees yet.
    """

    taken: set[tuple[str, str, str]]
    origin: Origin

    def nested(self, origin: Origin) -> "DataPort":
        """Return the port of a function that this one's user sets off."""
        ...

    async def find(
        self, entity: str, where: str | Mapping[str, Any] = "", *, select: str = "", order: str = "",
        limit: int = 100, offset: int = 0,
    ) -> list[Row]:  # fmt: skip
        """Return rows."""
        ...

    async def get(self, entity: str, key: str, *, select: str = "") -> Row | None:
        """Return one row, None when there is none."""
        ...

    async def create(self, entity: str, values: Row) -> Row:
        """Create a row and return it."""
        ...

    async def update(self, entity: str, key: str, values: Row) -> Row:
        """Change a row and return it."""
        ...

    async def delete(self, entity: str, key: str) -> None:
        """Delete a row."""
        ...

    async def transition(
        self, entity: str, key: str, name: str, *, comment: str = "", values: Row | None = None
    ) -> Row:
        """Move a row through its workflow and return it."""
        ...

    async def count(self, entity: str, where: str | Mapping[str, Any] = "") -> int:
        """Return how many rows there are."""
        ...

    async def sum(self, entity: str, field: str, where: str | Mapping[str, Any] = "") -> Any:  # noqa: ANN401 - a number
        """Return the sum of a field, 0 for no rows."""
        ...


class Invocation(Struct, frozen=True):
    """One call of a function.

    Attributes:
        name: what runs: a function of the Python file, or a built-in one.
        origin: the trigger: before_create, after_update, rpc, job, event, ...
        label: its name in the tenant's file; "" when it has none.
        entity: of the row, "" without one.
        record: the row as it will be, or is; None without one.
        old: the row before the change.
        fields: fields the function is about.
        args: what a function without a row is called with.
        config: as the file says, templates filled in.
        principal: on whose behalf.
        timeout: seconds.
        depth: how many functions led to this one.
        lane: the worker of the function that led to this one; a function waits for what it set off there.
    """

    name: str
    origin: str
    label: str = ""
    entity: str = ""
    record: Row | None = None
    old: Row | None = None
    fields: tuple[str, ...] = ()
    args: Any = None
    config: Mapping[str, Any] = field(default_factory=dict)
    principal: Principal = ANONYMOUS
    request_id: str = ""
    timeout: float = 5.0
    depth: int = 0
    lane: object = None


class Outcome(Struct, frozen=True):
    """What a function made of it.

    Attributes:
        value: the row or changes to it for hooks, any JSON for others.
        seconds: how long it took.
        log: what it said.
    """

    value: Any = None
    seconds: float = 0.0
    log: tuple[str, ...] = ()


def rejected(message: str, fields: tuple[str, ...] = (), code: str = "rejected") -> ProblemError:
    """Return the refusal of a row by a function, one finding per field."""
    errors = tuple(
        {"pointer": f"/{name.strip('/').replace('.', '/')}" if name else "", "code": code, "detail": message}
        for name in (fields or ("",))
    )
    return ProblemError("function.rejected", message, errors=errors)


class RunError(ProblemError):
    """The end of a function that is no result, with what is kept about it.

    Attributes:
        outcome: rejected | failed | timeout.
        trace: for the tenant's developers, never for the caller.
        log: what it said.
        line: in the tenant's Python file, None when it is not known.
    """

    def __init__(
        self,
        outcome: str,
        code: str,
        message: str,
        trace: str = "",
        log: tuple[str, ...] = (),
        line: int | None = None,
    ) -> None:
        super().__init__(code, message)
        self.outcome, self.trace, self.log, self.line = outcome, trace, log, line

    @classmethod
    def of(
        cls, error: ProblemError, log: tuple[str, ...], *, line: int | None = None, outcome: str = "rejected"
    ) -> "RunError":
        """Return a refusal with its record."""
        made = cls(outcome, error.code, error.message, error.message, log, line)
        made.details, made.hint, made.errors = error.details, error.hint, error.errors
        made.headers, made.more, made.signed_in = error.headers, error.more, error.signed_in
        return made
