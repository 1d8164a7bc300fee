"""What two catalogs alone can't tell: which names moved, which archived values are meant."""

from collections.abc import Collection, Mapping

from msgspec import Struct, field

from schemas.compiler.model import TenantModel


class Hints(Struct, frozen=True):
    """What the catalogs alone can't tell; all keyed by wanted names.

    Attributes:
        tables: wanted table to the names it had.
        columns: (wanted table, wanted column) to the names it had.
        restores: (table, column) to the archived column whose values it gets.
        tables_restored: table to its name in the archive.
        origins: (table, column) to the archived column a type change started from.
        rebuilt: tables that are made anew because their key changes and they hold nothing.
        replace: whether ``restores`` also replace a live column of the name (a rollback does, a file does
            not).
    """

    tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    restores: Mapping[tuple[str, str], str] = field(default_factory=dict)
    tables_restored: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict)
    rebuilt: frozenset[str] = frozenset()
    replace: bool = False


def hints_of(model: TenantModel) -> Hints:
    """Return the renames and restores the file itself asks for."""
    entities = model.entities.values()
    return Hints(
        tables={entity.name: entity.renamed_from for entity in entities if entity.renamed_from},
        columns={
            (entity.name, item.name): item.renamed_from
            for entity in entities
            for item in entity.fields.values()
            if item.renamed_from
        },
        restores={
            (entity.name, item.name): item.restore_from
            for entity in entities
            for item in entity.fields.values()
            if item.restore_from
        },
    )


def renames(
    asked: Mapping[str, tuple[str, ...]], present: Collection[str], *, replace: bool
) -> dict[str, str]:
    """Return which present name each renamed thing has now: wanted name -> present name.

    A name that is already there is not renamed again, unless its bearer itself moves on: so the line can stay
    in the file, and names can move along a chain in one edit.

    Args:
        asked: wanted name -> the names it had.
        present: the names there are.
        replace: rename to a name that is there, too.
    """
    found: dict[str, str] = {}
    count = -1
    while count < len(found):
        count = len(found)
        for new, olds in asked.items():
            if new in found or (new in present and new not in found.values() and not replace):
                continue
            old = next((old for old in olds if old in present and old not in found.values()), None)
            if old is not None:
                found[new] = old
    return found
