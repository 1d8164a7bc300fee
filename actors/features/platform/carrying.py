"""Files of a tenant that is copied: what is known of them, and their bytes.

Decides that only files some row names come along, under the ids the rows know them by; a copy's objects are
its own. Called by ``copying``.
"""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import asyncpg

from actors.features.files.keeper import Files
from actors.features.files.store import Key
from actors.features.files.tables import FILES_TABLES
from actors.messages import ProblemError, TenantIdentity
from actors.tenant.furniture import furnish, furnished
from actors.tenant.generation import Generation
from schemas.compiler.model import TenantModel
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"

BATCH = 500


async def copy_files(
    connection: Connection, files: Files | None, source: TenantIdentity, made: Generation
) -> None:
    """Copy the files that rows of a new tenant name; its rows are there, in the same transaction."""
    target = made.identity
    there = await furnished(connection, source.namespace, FILES_TABLES)
    await furnish(connection, target, there)
    for table in sorted(there):
        origin, place = f"{quote(source.namespace)}.{table}", f"{quote(target.namespace)}.{table}"
        kept = f" WHERE {named(made.model, target.namespace)}" if table == "_files" else ""
        await connection.execute(f"INSERT INTO {place} SELECT f.* FROM {origin} f{kept}")  # noqa: S608 - quoted
    if not there:
        return
    async for row in _each(connection, target.namespace, "id"):
        if files is None:
            raise ProblemError("tenant.not_made", "this process keeps no files")
        await files.store.copy(Key(source.id, row["id"]), Key(target.id, row["id"]))


def named(model: TenantModel, namespace: str) -> str:
    """Return the condition that a row of the tenant names the file ``f``."""
    found = [
        f"EXISTS (SELECT FROM {quote(namespace)}.{quote(entity.name)} r WHERE r.{quote(field.name)} = f.id)"
        for entity in model.entities.values()
        for field in entity.fields.values()
        if field.kind == "file"
    ]
    return " OR ".join(found) or "false"


async def _each(connection: Connection, namespace: str, columns: str) -> AsyncIterator[Any]:
    after = ""
    while True:
        text = f"SELECT {columns} FROM {quote(namespace)}._files WHERE id > $1 ORDER BY id LIMIT {BATCH}"  # noqa: S608 - quoted
        rows = await connection.fetch(text, after)
        for row in rows:
            yield row
        if len(rows) < BATCH:
            return
        after = rows[-1]["id"]
