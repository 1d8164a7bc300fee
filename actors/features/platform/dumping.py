"""A dump of what is about to be dropped for good, read back before anything is.

Decides where it lies (below the installation's data, readable by the operator alone) and when it counts:
every entry is whole and has as many lines as PostgreSQL counted rows. Called by ``archived``.
"""

import asyncio
import contextlib
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from actors.messages import ProblemError, TenantIdentity
from actors.tenant.pruning import Archived, Connection
from schemas.compiler.sql import quote

BATCH = 1000
_KEY = """
SELECT a.attname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a
  ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = $1::text::regclass AND i.indisprimary
"""


async def dump(
    connection: Connection, identity: TenantIdentity, things: Sequence[Archived], folder: Path
) -> Path:
    """Write and verify a zip of JSON lines: rows of tables; of a column, key and value where it has one.

    Raises:
        ProblemError: tenant.not_dumped; nothing is dropped then.
    """
    path = folder / f"{identity.slug}-pruned-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.zip"
    expected: dict[str, int] = {}
    try:
        _make(path)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                for thing in things:
                    name = f"{thing.table}.{thing.name}.jsonl" if thing.table else f"{thing.name}.jsonl"
                    rows = await _rows(connection, identity, thing)
                    await write_rows(connection, archive, name, rows)
                    expected[name] = await connection.fetchval(f"SELECT count(*) FROM ({rows}) AS row")  # noqa: S608
        await asyncio.to_thread(_verify, path, expected)
    except (OSError, zipfile.BadZipFile) as error:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise ProblemError("tenant.not_dumped", f"nothing was dropped, the dump failed: {error}") from error
    return path


async def _rows(connection: Connection, identity: TenantIdentity, thing: Archived) -> str:
    if not thing.table:
        place = f"{quote(identity.archive)}.{quote(thing.name)}"
        return f"SELECT to_jsonb(t)::text FROM {place} t"  # noqa: S608 - quoted
    place = f"{quote(identity.namespace)}.{quote(thing.table)}"
    key, column = quote(await connection.fetchval(_KEY, place)), quote(thing.name)
    pair = f"jsonb_build_object('key', t.{key}, 'value', t.{column})"
    return f"SELECT {pair}::text FROM {place} t WHERE t.{column} IS NOT NULL"  # noqa: S608 - quoted


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)


def _verify(path: Path, expected: Mapping[str, int]) -> None:
    with zipfile.ZipFile(path) as archive:
        for name, count in expected.items():
            with archive.open(name) as lines:
                found = sum(1 for _ in lines)  # reading to the end checks the sum, too
            if found != count:
                raise zipfile.BadZipFile(f"{name} has {found} of {count} rows")


async def write_rows(connection: Connection, archive: zipfile.ZipFile, name: str, query: str) -> None:
    """Write what a query answers, one line per row, within the connection's transaction."""
    with archive.open(name, "w", force_zip64=True) as written:
        cursor = await connection.cursor(query)
        while rows := await cursor.fetch(BATCH):
            text = "".join(f"{row[0]}\n" for row in rows).encode()
            await asyncio.to_thread(written.write, text)
