"""Runs the ``tests`` of a tenant file against the new tables, before anybody else sees them.

Decides what ``may`` and ``may_not`` mean: the very statements a request would run, inside the transaction of
the switch, undone after every case. Called by ``reload``.
"""

import json
from datetime import UTC, datetime
from typing import Any

import asyncpg

from actors.tenant.case_rows import ME, CaseRows, Connection, RowError
from actors.tenant.generation import Generation
from schemas.compiler.diagnostics import Diagnostic, Position
from schemas.compiler.model import Entity
from schemas.compiler.principal import ANONYMOUS_ROLE, AUTHENTICATED_ROLE, Principal
from schemas.compiler.query.capabilities import compile_capabilities
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.requests import Prepared, ReadRequest, WriteRequest
from schemas.compiler.sections.cases import Case
from schemas.compiler.sections.workflow import Workflow


class FailedError(Exception):
    """Cases that did not come out as the file says, one diagnostic each."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(finding.message for finding in diagnostics[:3]))
        self.diagnostics = diagnostics


async def run(connection: Connection, generation: Generation) -> None:
    """Run every case of the file.

    Args:
        connection: the owner's, inside the transaction that made the new tables.
        generation: the new version.

    Raises:
        FailedError: when one comes out differently.
    """
    failures: list[Diagnostic] = []
    for entity in generation.model.entities.values():
        for number, case in enumerate(entity.sections.get("tests", ())):
            transaction = connection.transaction()
            await transaction.start()
            try:
                problems = await _Trial(connection, generation, entity, case).run()
            except RowError as error:
                problems = [f"the row of this test cannot be made: {error}"]
            finally:
                await transaction.rollback()
            path = f"entities.{entity.name}.tests.{number}"
            failures += [
                Diagnostic("case.failed", text, Position(case.line or 1, 1), path) for text in problems
            ]
    if failures:
        raise FailedError(tuple(failures))


class _Trial:
    """One case."""

    def __init__(self, connection: Connection, generation: Generation, entity: Entity, case: Case) -> None:
        self._connection = connection
        self._generation = generation
        self._entity = entity
        self._case = case
        roles = {ANONYMOUS_ROLE, case.role}
        if case.role != ANONYMOUS_ROLE:
            roles.add(AUTHENTICATED_ROLE)
        for name in tuple(roles):
            role = generation.model.roles.get(name)
            roles |= role.includes if role is not None else set()
        claims = {name: value for name, value in case.claims.items() if name not in {"id", "email"}}
        known = case.role != ANONYMOUS_ROLE
        self._who = Principal(
            str(case.claims.get("id", ME)) if known else None,
            case.claims.get("email"),
            frozenset(roles),
            claims,
        )
        self._now = datetime.now(UTC).isoformat()
        self._key = ""

    async def run(self) -> list[str]:
        """Return what came out differently, in words."""
        rows = CaseRows(
            self._connection, self._generation.model, self._generation.identity.namespace, self._case.claims
        )
        if self._who.id == ME:
            await rows.make_caller()
        self._key = await rows.make(self._entity, self._case.given)
        problems: list[str] = []
        for name in (*self._case.may, *self._case.may_not):
            expected = name in self._case.may
            if await self._may(name) != expected:
                verb = "may not" if expected else "may"
                problems.append(f"{self._case.role} {verb} {name} this row of '{self._entity.name}'")
        return problems + await self._seen()

    async def _may(self, action: str) -> bool:
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            match action:
                case "read":
                    return bool(await self._run(self._generation.queries.read(self._read(), self._who)))
                case "create":
                    return await self._may_create()
                case "update":
                    return await self._may_update()
                case "delete":
                    request = WriteRequest(self._entity.name, key=self._key)
                    return bool(await self._run(self._generation.queries.write("delete", request, self._who)))
                case _:
                    return await self._may_move(action)
        except QueryError as error:
            if error.code != "42501":
                raise FailedError(
                    (Diagnostic("case.failed", error.message, Position(self._case.line or 1, 1)),)
                ) from error
            return False
        except asyncpg.PostgresError as error:
            # a refusal by rule or constraint; whatever else is wrong would be wrong for a request as well
            if str(error.sqlstate)[:2] in {"BS", "23"}:
                return False
            raise
        finally:
            await transaction.rollback()

    async def _may_create(self) -> bool:
        """Write the row again as this caller, with its own values and a key of its own."""
        row = await self._row()
        values = {
            name: row[name]
            for name, field in self._entity.fields.items()
            if name in row and name in self._case.given and not field.read_only and field.computed is None
        }
        for name, field in self._entity.fields.items():
            missing = field.required and name not in values and not field.has_default and not field.generated
            if (
                (missing or field.references is not None)
                and row.get(name) is not None
                and not field.read_only
            ):
                values[name] = row[name]
        await self._connection.execute(
            f'DELETE FROM "{self._generation.identity.namespace}"."{self._entity.name}" '  # noqa: S608
            f'WHERE "{self._entity.key}"::text = $1',
            self._key,
        )
        request = WriteRequest(self._entity.name, ({**values, self._entity.key: row[self._entity.key]},))
        return bool(await self._run(self._generation.queries.write("insert", request, self._who)))

    async def _may_update(self) -> bool:
        """Set some field to the value it has; one the caller may write is enough."""
        row = await self._row()
        refusal: QueryError | None = None
        for name in (await self._capabilities())["fields"]:
            request = WriteRequest(self._entity.name, ({name: row.get(name)},), key=self._key)
            try:
                return bool(await self._run(self._generation.queries.write("update", request, self._who)))
            except QueryError as error:
                refusal = error
        if refusal is not None:
            raise refusal
        return False

    async def _may_move(self, name: str) -> bool:
        """Move the row, unless its state, the condition or the roles are against it."""
        if name not in (await self._capabilities())["transitions"]:
            return False
        workflow: Workflow = self._entity.sections["workflow"]
        request = WriteRequest(
            self._entity.name, ({workflow.field: workflow.transitions[name].target},), key=self._key,
            hooked=frozenset({workflow.field}), moves=True,
        )  # fmt: skip
        return bool(await self._run(self._generation.queries.write("update", request, self._who)))

    async def _capabilities(self) -> dict[str, Any]:
        model, namespace = self._generation.model, self._generation.identity.namespace
        compiled = compile_capabilities(model, namespace, self._entity, self._who)
        arguments = compiled.statement.arguments([[self._key]], self._who, self._now)
        row = await self._connection.fetchrow(compiled.statement.text, *arguments)
        return {"fields": [], "transitions": []} if row is None else compiled.told(dict(row))

    async def _seen(self) -> list[str]:
        if not (self._case.hidden or self._case.visible):
            return []
        body = await self._run(self._generation.queries.read(self._read(), self._who))
        shown = json.loads(body) if body else {}
        wrong = [f"{self._case.role} sees '{name}'" for name in self._case.hidden if name in shown]
        return wrong + [
            f"{self._case.role} does not see '{name}'" for name in self._case.visible if name not in shown
        ]

    async def _row(self) -> dict[str, Any]:
        """Return the row as it is, whoever may see it."""
        table = f'"{self._generation.identity.namespace}"."{self._entity.name}"'
        text = await self._connection.fetchval(
            f'SELECT row_to_json(t)::text FROM {table} t WHERE "{self._entity.key}"::text = $1',  # noqa: S608
            self._key,
        )
        row: dict[str, Any] = json.loads(text)
        return row

    def _read(self) -> ReadRequest:
        return ReadRequest(self._entity.name, key=self._key)

    async def _run(self, prepared: Prepared) -> str:
        """Run a statement; returns the body, or something true when rows were touched."""
        arguments = prepared.statement.arguments(prepared.slots, self._who, self._now)
        row = await self._connection.fetchrow(prepared.statement.text, *arguments)
        if row is None or not row["page_count"]:
            return ""
        return str(row["body"] or "touched")
