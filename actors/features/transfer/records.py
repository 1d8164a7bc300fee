"""What is known of imports: statements on ``_imports`` and ``_import_rows``, as the tenant.

Decides nothing; names reach SQL from the tenant's identity alone. Called by the operations and the runs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.transfer.mapping import Column
from actors.tenant.generation import Generation
from schemas.compiler.query.values import decode_json
from schemas.compiler.sql import quote

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_TEXTS = ("header", "sample", "options", "columns", "who", "problem")
_COLUMNS = (
    "id::text AS id, entity, format, file, name, size, owner, state, position, at, read, written, rejected, "
    "created_at, started_at, finished_at, " + ", ".join(f"{name}::text AS {name}" for name in _TEXTS)
)
OPEN = ("waiting", "running")
SHOWN = 1000
"""Characters of a cell that are shown where it is not needed whole."""


class Options(Struct, frozen=True):
    """How a file is imported.

    Attributes:
        on_conflict: fields by which a row that is there already is known, as in ``on_conflict=``.
        ignore: such a row is left as it is.
        mode: ``all``: every row or none; ``skip``: what is acceptable, the others are kept aside.
        dry_run: nothing is kept.
        decimal, dates: see ``cells.Writing``.
        delimiter, encoding, sheet: how the file is read.
        map: what somebody said of columns.
    """

    on_conflict: str = ""
    ignore: bool = False
    mode: str = "all"
    dry_run: bool = False
    decimal: str = ""
    dates: str = ""
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    map: dict[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether it is one transaction."""
        return self.mode == "all" or self.dry_run

    @property
    def reading(self) -> dict[str, str]:
        """What the reader needs to know."""
        said = {"delimiter": self.delimiter, "encoding": self.encoding, "sheet": self.sheet}
        return {name: value for name, value in said.items() if value}


class Import(Struct, frozen=True):
    """One import; attributes as the table's columns."""

    id: str
    entity: str
    format: str
    file: str | None
    name: str
    size: int
    owner: str
    who: dict[str, Any]
    header: list[str]
    sample: list[list[Any]]
    options: Options
    columns: list[Column]
    state: str
    position: int
    at: int
    read: int
    written: int
    rejected: int
    problem: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class Rejected(Struct, frozen=True):
    """A row that was not acceptable."""

    row: int
    cells: Any
    errors: list[dict[str, Any]]

    def shortened(self) -> "Rejected":
        """Return it with no more of its cells than people read: many are held at once."""
        return replace(self, cells=shortened(self.cells))

    def told(self) -> list[dict[str, Any]]:
        """Return its errors as JSON."""
        return [{"row": self.row, **error} for error in self.errors]


def shortened(cells: Any) -> Any:  # noqa: ANN401 - JSON
    """Return cells as they are shown, or as much of them as that takes."""
    if isinstance(cells, str):
        return cells[:SHOWN]
    return [cell[:SHOWN] if isinstance(cell, str) else cell for cell in cells or ()]


def encode(value: object) -> str:
    """Return JSON text; numbers keep their digits."""
    return _ENCODER.encode(value).decode()


def _stored(value: object) -> str:
    """Return JSON text as PostgreSQL can keep it."""
    return encode(value).replace("\\u0000", "\\ufffd")


async def add(connection: TenantConnection, generation: Generation, new: Import) -> None:
    """Note an import."""
    await connection.execute(
        f"INSERT INTO {table(generation)} (id, entity, format, file, name, size, owner, who, header, "  # noqa: S608 - ours
        "sample, options, columns, state) VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8::text::jsonb, "
        "$9::text::jsonb, $10::text::jsonb, $11::text::jsonb, $12::text::jsonb, $13)",
        new.id, new.entity, new.format, new.file, new.name, new.size, new.owner, encode(new.who),
        _stored(new.header), _stored(new.sample), encode(new.options), encode(new.columns), new.state,
    )  # fmt: skip


async def find(connection: TenantConnection, generation: Generation, key: str) -> Import | None:
    """Return an import, None when there is none."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM {table(generation)} WHERE id = $1::uuid",  # noqa: S608 - ours
        key,
    )
    return None if row is None else _read(row)


async def recent(
    connection: TenantConnection, generation: Generation, owner: str | None, most: int
) -> list[Import]:
    """Return the newest imports of somebody; None: of all."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM {table(generation)} WHERE $1::text IS NULL OR owner = $1 "  # noqa: S608 - ours
        "ORDER BY created_at DESC, id DESC LIMIT $2",
        owner,
        most,
    )
    return [_read(row) for row in rows]


async def change(
    connection: TenantConnection,
    generation: Generation,
    key: str,
    *states: str,
    **values: Any,  # noqa: ANN401 - columns
) -> bool:
    """Set columns of an import that is in one of the states; returns whether it was. Names are ours."""
    sets, arguments = ["changed_at = now()"], [key, list(states)]
    for name, value in values.items():
        if name in {"started_at", "finished_at"}:
            sets.append(f"{name} = {'now()' if value else 'NULL'}")
            continue
        arguments.append(encode(value) if name in _TEXTS and value is not None else value)
        sets.append(f"{name} = ${len(arguments)}" + ("::text::jsonb" if name in _TEXTS else ""))
    status = await connection.execute(
        f"UPDATE {table(generation)} SET {', '.join(sets)} "  # noqa: S608 - ours
        "WHERE id = $1::uuid AND state = ANY($2::text[])",
        *arguments,
    )
    return not status.endswith(" 0")


async def hold(connection: TenantConnection, generation: Generation, key: str) -> tuple[str, int]:
    """Keep an import from being changed for the rest of the transaction; returns its state and position."""
    row = await connection.fetchrow(
        f"SELECT state, position FROM {table(generation)} WHERE id = $1::uuid FOR UPDATE",  # noqa: S608 - ours
        key,
    )
    return ("cancelled", 0) if row is None else (row["state"], row["position"])


async def forget(connection: TenantConnection, generation: Generation, key: str) -> None:
    """Remove an import and what is known of its rows."""
    await connection.execute(f"DELETE FROM {table(generation)} WHERE id = $1::uuid", key)  # noqa: S608 - ours


async def reject(
    connection: TenantConnection, generation: Generation, key: str, rejected: Sequence[Rejected]
) -> None:
    """Note rows that were not acceptable."""
    if rejected:
        await connection.execute(
            f"INSERT INTO {_rows(generation)} (import, row, cells, errors) "  # noqa: S608 - ours
            "SELECT $1::uuid, row, cells, errors FROM jsonb_to_recordset($2::text::jsonb) "
            "AS t(row bigint, cells jsonb, errors jsonb) ON CONFLICT DO NOTHING",
            key,
            _stored(rejected),
        )


async def accept_all(connection: TenantConnection, generation: Generation, key: str) -> None:
    """Forget the rows that were not acceptable: everything is tried anew."""
    await connection.execute(f"DELETE FROM {_rows(generation)} WHERE import = $1::uuid", key)  # noqa: S608 - ours


async def rejects(
    connection: TenantConnection, generation: Generation, key: str, after: int, most: int
) -> list[Rejected]:
    """Return rows that were not acceptable, from the one after ``after`` on."""
    rows = await connection.fetch(
        f"SELECT row, cells::text AS cells, errors::text AS errors FROM {_rows(generation)} "  # noqa: S608 - ours
        "WHERE import = $1::uuid AND row > $2 ORDER BY row LIMIT $3",
        key,
        after,
        most,
    )
    return [Rejected(row["row"], _json(row["cells"]), _json(row["errors"])) for row in rows]


async def old(connection: TenantConnection, generation: Generation, hours: float) -> list[str]:
    """Remove imports nobody touched for so long; returns their files."""
    rows = await connection.fetch(
        f"DELETE FROM {table(generation)} WHERE changed_at < now() - interval '1 hour' * $1::float8 "  # noqa: S608 - ours
        "AND state <> ALL($2::text[]) RETURNING file",
        hours,
        list(OPEN),
    )
    return [row["file"] for row in rows if row["file"] is not None]


def table(generation: Generation) -> str:
    """Return the table's name, quoted."""
    return f"{quote(generation.identity.namespace)}._imports"


def _rows(generation: Generation) -> str:
    return f"{quote(generation.identity.namespace)}._import_rows"


def _json(text: str | None) -> Any:  # noqa: ANN401 - JSON
    return None if text is None else decode_json(text.encode())


def _read(row: Any) -> Import:  # noqa: ANN401 - asyncpg's record
    values = dict(row)
    values |= {name: _json(values[name]) for name in _TEXTS}
    values["options"] = Options(**values["options"])
    values["columns"] = [Column(**one) for one in values["columns"]]
    return Import(**values)
