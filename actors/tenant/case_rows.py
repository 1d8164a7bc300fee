"""Makes the row a test in a tenant file talks about, with just enough around it to be allowed to exist.

Decides values for what the test does not name. It runs as the owner inside the transaction of the reload,
which is rolled back. Called by ``rule_tests``.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg

from schemas.compiler.expressions.shapes import relation_name
from schemas.compiler.model import Entity, Field, TenantModel
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

ME = "00000000-0000-7000-8000-000000000001"
OTHER = "00000000-0000-7000-8000-000000000002"
USERS = "users"
_MOST_PARENTS = 8
_SCALARS: Mapping[str, Any] = {
    "boolean": False,
    "date": "2026-01-01",
    "time": "12:00:00",
    "datetime": "2026-01-01T12:00:00Z",
    "json": {},
    "inet": "192.0.2.1",
    "array": [],
}


_TEXTS: Mapping[str, str] = {"email": "{}@example.com", "uri": "https://example.com/{}", "color": "#336699"}


class RowError(Exception):
    """The row cannot be made; the message says what the test has to name."""


class CaseRows:
    """Rows for one test.

    Args:
        connection: the owner's, inside a transaction that will be rolled back.
        model: the wanted version.
        namespace: where its tables are.
        claims: of the test's caller; the caller's own user row gets those that are its fields.
    """

    def __init__(
        self, connection: Connection, model: TenantModel, namespace: str, claims: Mapping[str, Any]
    ) -> None:
        self._connection = connection
        self._model = model
        self._namespace = namespace
        self._claims = claims
        self._people: set[str] = set()

    async def make_caller(self) -> None:
        """Insert the caller's own user row."""
        if USERS in self._model.entities:
            await self._person(USERS, "me", 0)

    async def make(self, entity: Entity, given: Mapping[str, Any], depth: int = 0) -> str:
        """Insert a row and return its key in text form.

        Raises:
            RowError: a value is missing that cannot be made up, or PostgreSQL refuses the row.
        """
        if depth > _MOST_PARENTS:
            raise RowError(f"'{entity.name}' needs too long a chain of other rows")
        values: dict[str, Any] = {}
        for field in entity.fields.values():
            if (
                field.virtual
                or field.computed is not None
                or field.generated in {"managed", "sequence", "identity"}
            ):
                continue
            value = await self._value(entity, field, given, depth)
            if value is not None or field.name in given:
                values[field.name] = value
        return await self._insert(entity, values)

    async def _value(self, entity: Entity, field: Field, given: Mapping[str, Any], depth: int) -> Any:  # noqa: ANN401
        if field.name in given:
            return given[field.name]
        if field.references is not None:
            who = given.get(relation_name(field.name))
            if who == "nobody":
                return None
            if who in {"me", "other"}:
                return await self._person(field.references.entity, who, depth)
            if field.required and not field.has_default:
                return await self.make(self._model.entities[field.references.entity], {}, depth + 1)
            return None
        needed = field.name == entity.key or (field.required and not field.has_default)
        return made_up(field) if needed else None

    async def _person(self, entity: str, who: str, depth: int) -> str:
        key = ME if who == "me" else OTHER
        target = self._model.entities[entity]
        if entity == USERS and key not in self._people:
            self._people.add(key)
            own = (
                {name: value for name, value in self._claims.items() if name in target.fields}
                if who == "me"
                else {}
            )
            await self.make(target, {**own, target.key: key}, depth + 1)
        return key if entity == USERS else await self.make(target, {}, depth + 1)

    async def _insert(self, entity: Entity, values: Mapping[str, Any]) -> str:
        table = f"{quote(self._namespace)}.{quote(entity.name)}"
        columns = ", ".join(quote(name) for name in values)
        source = (
            f"SELECT {columns} FROM jsonb_populate_record(NULL::{table}, $1::text::jsonb)"  # noqa: S608 - model
            if values
            else "DEFAULT VALUES"
        )
        target = f"{table} ({columns})" if values else table
        statement = f"INSERT INTO {target} {source} RETURNING {quote(entity.key)}::text"
        try:
            async with self._connection.transaction():
                arguments = [json.dumps(values)] if values else []
                return str(await self._connection.fetchval(statement, *arguments))
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            raise RowError(
                f"PostgreSQL refuses the row of '{entity.name}': {str(error).splitlines()[0]}"
            ) from error


def made_up(field: Field) -> Any:  # noqa: ANN401 - any JSON value
    """Return some value the field accepts."""
    schema = field.schema
    for word in ("enum", "examples"):
        if schema.get(word):
            return schema[word][0]
    if "const" in schema:
        return schema["const"]
    if field.kind in _SCALARS:
        return _SCALARS[field.kind]
    if schema.get("type") == "string" or field.kind in {"text", "uuid"}:
        return _made_up_text(field)
    if field.kind in {"integer", "bigint", "numeric", "double"}:
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        return least if schema.get("maximum", least) >= least else schema["maximum"]
    return [] if schema.get("type") == "array" else {}


def _made_up_text(field: Field) -> str:
    unique = uuid.uuid4().hex
    form = str(field.schema.get("format", ""))
    if field.kind == "uuid":
        return str(uuid.uuid4())
    if form in _TEXTS:
        return _TEXTS[form].format(unique)
    if "pattern" in field.schema:
        raise RowError(f"give a value for '{field.name}': it has a pattern and no examples")
    least: int = field.schema.get("minLength", 1)
    most: int = field.schema.get("maxLength", 32)
    return (unique * (least // 32 + 1))[: max(least, min(most, 32))]
