"""A tenant's rows for its functions (``ctx.data``): the same reads and writes that requests make.

Decides that functions act with the platform's rights inside their tenant, through the same validation,
rules and functions as everybody, and that one that catches a refusal finds its transaction usable. Made by
``rows``, handed to whatever runs the function.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import quote_plus

import msgspec
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.functions.calls import Origin
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import SERVICE, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import decode_json
from schemas.compiler.sections.workflow import Workflow
from schemas.compiler.sql import quote

MAX_ROWS = 1000
_PEOPLE = "users"
_ENCODER = msgspec.json.Encoder(decimal_format="number")

Row: TypeAlias = dict[str, Any]
Filter: TypeAlias = str | Mapping[str, Any]


Read: TypeAlias = Callable[[Generation, Call, Principal, TenantConnection | None], Awaitable[Result]]
Write: TypeAlias = Callable[[Generation, Call, Principal, TenantConnection | None, Origin], Awaitable[Result]]


class RowPort:
    """See the module's docstring; the methods are ``calls.DataPort``'s.

    Args:
        generation: whose rows.
        read, write: ``rows.read`` and ``rows.write``.
        connection: inside whose transaction, None: each call in its own.
        origin: of the function that gets it.
    """

    def __init__(
        self,
        generation: Generation,
        read: Read,
        write: Write,
        connection: TenantConnection | None,
        origin: Origin,
    ) -> None:
        self._generation = generation
        self._read = read
        self._write = write
        self.connection = connection
        self.origin = origin
        caller = origin.caller
        # rows say on whose behalf they were written
        self._principal = replace(SERVICE, id=caller.id, email=caller.email, key=caller.key)
        self.taken: set[tuple[str, str, str]] = set()
        self._turn = asyncio.Lock()

    def nested(self, origin: Origin) -> "RowPort":
        """Return the port of a function that this one's user sets off."""
        port = RowPort(self._generation, self._read, self._write, self.connection, origin)
        port.taken, port._turn = self.taken, self._turn
        return port

    async def find(
        self,
        entity: str,
        where: Filter = "",
        *,
        select: str = "",
        order: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[Row]:
        """Return rows."""
        if not 0 <= limit <= MAX_ROWS:
            raise ProblemError("query.limit", f"a function finds from 0 to {MAX_ROWS} rows at once")
        query = _query(
            where, select=select, order=order, limit=str(limit), offset=str(offset) if offset else ""
        )
        result = await self._ask(Call("list", "GET", entity, None, query))
        rows: list[Row] = decode_json(result.body)
        return rows

    async def get(self, entity: str, key: str, *, select: str = "") -> Row | None:
        """Return one row, None when there is none."""
        try:
            result = await self._ask(Call("get", "GET", entity, str(key), _query("", select=select)))
        except ProblemError as error:
            if error.code == "row.not_found":
                return None
            raise
        row: Row = decode_json(result.body)
        return row

    async def create(self, entity: str, values: Row) -> Row:
        """Create a row and return it."""
        return await self._change("create", "POST", entity, None, values)

    async def update(self, entity: str, key: str, values: Row) -> Row:
        """Change a row and return it; its state only a transition changes."""
        await self._check_state(entity, str(key), values)
        return await self._change("update", "PATCH", entity, str(key), values)

    async def delete(self, entity: str, key: str) -> None:
        """Delete a row."""
        async with self._undone_when_refused():
            call = Call("delete", "DELETE", entity, str(key), request_id=self.origin.request_id)
            await self._run(self._write, call)

    async def transition(
        self, entity: str, key: str, name: str, *, comment: str = "", values: Row | None = None
    ) -> Row:
        """Move a row through its workflow and return it: its condition holds, its roles do not bind."""
        body = {"comment": comment} if comment else {}
        return await self._change(
            "transition", "POST", entity, str(key), body | ({"values": values} if values else {}), name
        )

    async def count(self, entity: str, where: Filter = "") -> int:
        """Return how many rows there are."""
        result = await self._ask(Call("list", "GET", entity, None, _query(where, select="count()")))
        return int(decode_json(result.body)[0]["count"])

    async def sum(self, entity: str, field: str, where: Filter = "") -> Any:  # noqa: ANN401 - a number
        """Return the sum of a field, 0 for no rows."""
        query = _query(where, select=f"total:{_name(field)}.sum()")
        result = await self._ask(Call("list", "GET", entity, None, query))
        return decode_json(result.body)[0]["total"] or 0

    async def _check_state(self, entity: str, key: str, values: Row) -> None:
        """Refuse to write another state into a row, past the workflow's conditions and its history."""
        found = self._generation.model.entities.get(entity)
        workflow: Workflow | None = found.sections.get("workflow") if found is not None else None
        if workflow is None or workflow.field not in values:
            return
        row = await self.get(entity, key, select=workflow.field)
        if row is not None and row[workflow.field] != values[workflow.field]:
            text = f"'{workflow.field}' is changed by transitions alone"
            error = {"pointer": f"/{workflow.field}", "code": "state", "detail": text}
            raise ProblemError("workflow.state", text, hint="use ctx.data.transition", errors=(error,))

    async def _ask(self, call: Call) -> Result:
        async with self._turn:
            return await self._read(self._generation, call, self._principal, self.connection)

    async def _change(
        self, operation: str, method: str, entity: str, key: str | None, values: Row, action: str = ""
    ) -> Row:
        call = Call(
            operation, method, entity, key, "", _ENCODER.encode(values), "application/json",
            "application/vnd.pgrst.object+json", "return=representation",
            request_id=self.origin.request_id, deadline=self.origin.deadline, action=action,
        )  # fmt: skip
        async with self._undone_when_refused():
            result = await self._run(self._write, call)
        row: Row = decode_json(result.body)
        return row

    async def _run(self, write: Write, call: Call) -> Result:
        result = await write(self._generation, call, self._principal, self.connection, self.origin)
        if call.entity == _PEOPLE and self._generation.realm is not None:
            await self._generation.realm.changed(None)
        return result

    @asynccontextmanager
    async def _undone_when_refused(self) -> AsyncIterator[None]:
        """Let a function catch a refusal and go on: PostgreSQL would refuse the rest of the transaction."""
        connection = self.connection
        if connection is None:
            yield
            return
        point = quote(f"f{self.origin.depth}")
        async with self._turn:
            await connection.execute(f"SAVEPOINT {point}")
        try:
            yield
        except (ProblemError, QueryError):
            async with self._turn:
                await connection.execute(f"ROLLBACK TO {point}")
            raise
        async with self._turn:
            await connection.execute(f"RELEASE {point}")


def _query(where: Filter, **words: str) -> str:
    parts = [where] if isinstance(where, str) else [_term(name, value) for name, value in where.items()]
    parts += [f"{name}={quote_plus(value, safe='(),.:*')}" for name, value in words.items() if value]
    return "&".join(part for part in parts if part)


def query_text(where: Filter) -> str:
    """Return a filter as the query grammar has it."""
    return _query(where)


def _term(name: str, value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return f"{_name(name)}=is.null"
    if isinstance(value, bool):
        return f"{_name(name)}=is.{'true' if value else 'false'}"
    if isinstance(value, list | tuple):
        quoted = ",".join('"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"' for item in value)
        return f"{_name(name)}=in.{quote_plus(f'({quoted})')}"
    return f"{_name(name)}=eq.{quote_plus(str(value))}"


def _name(name: str) -> str:
    return quote_plus(name, safe="._->")
