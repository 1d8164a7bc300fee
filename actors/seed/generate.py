"""A tenant's data as batches of rows, in an order in which they can be created.

Pure: the same model, seed, day and number of rows give the same rows with the same keys. Called by ``send``
and by tests.
"""

import datetime as dt
from collections.abc import Iterator

from msgspec import Struct

from actors.seed.kinship import Relatives
from actors.seed.rows import RowMaker
from actors.seed.shares import Portion, portions, references
from actors.seed.story import Row
from schemas.compiler.model import TenantModel

BATCH_ROWS = 500
FIRST_DAY = dt.date(2026, 1, 1)


class Batch(Struct, frozen=True):
    """Rows of one entity.

    Attributes:
        entity: whose.
        rows: JSON objects, all with the same members; each has its key. A key that the database counts is
            provisional: who creates the rows replaces it, there and in later references.
        operation: ``create``, or ``update`` for rows that get the references their creation had to leave out.
    """

    entity: str
    rows: tuple[Row, ...]
    operation: str = "create"


def generate(model: TenantModel, rows: int, seed: int, *, today: dt.date = FIRST_DAY) -> Iterator[Batch]:
    """Make about ``rows`` rows over all entities.

    Args:
        model: the compiled tenant.
        rows: how many in all; every entity gets at least one.
        seed: another number gives other data.
        today: the day the data leads up to.

    Yields:
        Batches of at most ``BATCH_ROWS`` rows; rows only refer to rows of earlier or the same batch.
    """
    parts = portions(model, rows)
    relatives = Relatives(model, [part.entity.name for part in parts])
    for part in parts:
        maker = RowMaker(model, part, relatives, seed, today)
        made = [row for index in range(part.count) if (row := maker.make(index)) is not None]
        yield from _batches(part.entity.name, made)
    for part in parts:
        if part.later:
            yield from _batches(part.entity.name, _closed(part, relatives), "update")


def _batches(entity: str, rows: list[Row], operation: str = "create") -> Iterator[Batch]:
    for start in range(0, len(rows), BATCH_ROWS):
        yield Batch(entity, tuple(rows[start : start + BATCH_ROWS]), operation)


def _closed(part: Portion, relatives: Relatives) -> list[Row]:
    """Return the references that had to wait for later entities."""
    changes: list[Row] = []
    for index, row in enumerate(relatives.rows[part.entity.name]):
        change: Row = {part.entity.key: row[part.entity.key]}
        for field, target in references(part.entity):
            others = relatives.rows[target]
            if field.name in part.later and others and field.references is not None:
                change[field.name] = others[index % len(others)][field.references.field]
        if len(change) > 1:
            changes.append(change)
    return changes
