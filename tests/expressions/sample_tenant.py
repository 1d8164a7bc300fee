"""A small tenant the expression tests share: its shapes, its tables, rows full of edge values, a reference world."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import asyncpg

from schemas.compiler.expressions.celtypes import type_of_column
from schemas.compiler.expressions.check import compile_expression
from schemas.compiler.expressions.shapes import EntityShape, FieldShape, Shapes
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.expressions.to_sql import SqlContext, to_value_sql
from schemas.compiler.principal import Principal
from schemas.compiler.sql import sql, statement

NAMESPACE = "t_0a"
NOW = dt.datetime(2026, 3, 1, 23, 30, 0, 123456, tzinfo=dt.UTC)
ZONE = "Europe/Berlin"
DOC = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "price": {"type": "number"},
        "count": {"type": "integer"},
        "done": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "free": {},
    },
}
LINES = {
    "type": "array",
    "items": {"type": "object", "properties": {"text": {"type": "string"}, "net": {"type": "number"}}},
}
COLUMNS = {
    "items": {
        "id": "uuid not null primary key",
        "owner_id": "uuid",
        "prev_id": "uuid",
        "name": "text",
        "status": "text not null",
        "done": "boolean",
        "small": "integer",
        "big": "bigint",
        "net": "numeric(12,4)",
        "ratio": "double precision",
        "due_on": "date",
        "made_at": "timestamptz",
        "opens": "time",
        "tags": "text[]",
        "marks": "bigint[]",
        "links": "uuid[]",
        "doc": "jsonb",
        "lines": "jsonb",
        "raw": "jsonb",
    },
    "users": {
        "id": "uuid not null primary key",
        "boss_id": "uuid",
        "region": "text",
        "level": "integer",
        "active": "boolean",
        "deleted_at": "timestamptz",
    },
    "notes": {
        "id": "uuid not null primary key",
        "item_id": "uuid",
        "author_id": "uuid",
        "reviewer_id": "uuid",
        "text": "text",
        "amount": "numeric",
        "deleted_at": "timestamptz",
    },
}
REFERENCES = {
    ("items", "owner_id"): "users",
    ("users", "boss_id"): "users",
    ("notes", "item_id"): "items",
    ("notes", "author_id"): "users",
    ("notes", "reviewer_id"): "users",
}
SCHEMAS = {("items", "doc"): DOC, ("items", "lines"): LINES}
COMPUTED = {
    ("items", "gross"): ("numeric", "self.net * 1.19"),
    ("users", "senior"): ("boolean", "self.level > 3"),
}
SOFT_DELETED = ("users", "notes")


def _shapes() -> Shapes:
    entities = {}
    for entity, columns in COLUMNS.items():
        fields = {}
        for name, definition in columns.items():
            pg_type = definition.split(" not null")[0]
            kind = type_of_column(pg_type, SCHEMAS.get((entity, name)))
            fields[name] = FieldShape(
                kind, REFERENCES.get((entity, name)), None, pg_type, nullable="not null" not in definition
            )
        for (owner, name), (pg_type, text) in COMPUTED.items():
            if owner == entity:
                fields[name] = FieldShape(type_of_column(pg_type), None, text, pg_type)
        entities[entity] = EntityShape("id", fields)
    return Shapes(entities)


SHAPES = _shapes()
MODEL: Any = SimpleNamespace(
    slug="acme",
    timezone=ZONE,
    entities={name: SimpleNamespace(soft_delete=name in SOFT_DELETED) for name in COLUMNS},
)
DEFINITIONS = {"mine": "self.owner_id == user.id", "same_region": "self.owner.region == user.region"}
USERS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(6)]
PRINCIPAL = Principal(
    id=USERS[1],
    email="a@b.example",
    roles=frozenset({"public", "member"}),
    claims={"region": "EU", "level": 3, "groups": ["a", "EU"], "flag": True, "bad": "x'y"},
)


def compiled(text: str, entity: str | None = "items", **options: Any) -> Expression:
    """Compile an expression over the shared tenant."""
    return compile_expression(text, SHAPES, entity, definitions=DEFINITIONS, **options)


async def create(connection: asyncpg.Connection, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Make the tables and store rows given as JSON-like values."""
    await connection.execute(f"DROP SCHEMA IF EXISTS {NAMESPACE} CASCADE; CREATE SCHEMA {NAMESPACE}")
    for entity, columns in COLUMNS.items():
        listed = ", ".join(f'"{name}" {definition}' for name, definition in columns.items())
        await connection.execute(f'CREATE TABLE {NAMESPACE}."{entity}" ({listed})')
        if rows.get(entity):
            document = json.dumps(rows[entity], default=str)
            await connection.execute(
                f'INSERT INTO {NAMESPACE}."{entity}" SELECT * FROM jsonb_populate_recordset(null::{NAMESPACE}."{entity}", $1::text::jsonb)',
                document,
            )


class StoredWorld:
    """The rows that are not deleted, as the Python back end sees them."""

    def __init__(self, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self.tables = {
            name: [row for row in rows if row.get("deleted_at") is None] for name, rows in tables.items()
        }

    def one(self, entity: str, key_field: str, key: object) -> Mapping[str, Any] | None:
        return next((row for row in self.tables[entity] if row[key_field] == key), None)

    def many(self, entity: str, foreign_field: str, key: object) -> list[Mapping[str, Any]]:
        return [row for row in self.tables[entity] if row[foreign_field] == key]


async def stored(connection: asyncpg.Connection) -> dict[str, list[dict[str, Any]]]:
    """Read all rows back as JSON, as the gateway would see them."""
    tables = {}
    for entity in COLUMNS:
        text = await connection.fetchval(
            f"SELECT coalesce(json_agg(t ORDER BY id), '[]')::text FROM {NAMESPACE}.\"{entity}\" t"
        )
        tables[entity] = json.loads(text, parse_float=Decimal)
    return tables


def in_python(
    expression: Expression, tables: Mapping[str, Any], principal: Principal = PRINCIPAL
) -> list[object]:
    """Evaluate on every item, in process."""
    evaluate = to_python(expression)
    world = StoredWorld(tables)
    by_id = {row["id"]: row for row in tables["items"]}
    return [
        evaluate(
            Env(
                self=row,
                old=by_id.get(row["prev_id"]),
                user=principal,
                tenant={"slug": "acme"},
                now=NOW,
                timezone=ZONE,
                world=world,
            )
        )
        for row in tables["items"]
    ]


async def in_sql(
    connection: asyncpg.Connection,
    expression: Expression,
    principal: Principal = PRINCIPAL,
    write: Any = to_value_sql,
) -> list[object]:
    """Evaluate on every item, in PostgreSQL."""
    fragment = write(expression, SqlContext("t0", NAMESPACE, MODEL, old_alias="o"))
    query = statement(
        sql(
            "SELECT ", fragment, f' AS v FROM {NAMESPACE}."items" t0 LEFT JOIN {NAMESPACE}."items" o ON o.id = t0.prev_id',
            " ORDER BY t0.id",
        )
    )  # fmt: skip
    rows = await connection.fetch(query.text, *query.arguments([], principal, NOW.isoformat()))
    return [row["v"] for row in rows]
