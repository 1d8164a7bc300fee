"""What two catalogs alone can't tell: which names moved, which archived values are meant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.compiler.model import TenantModel


@dataclass(frozen=True, slots=True)
class Hints:
    """What the catalogs alone can't tell; all keyed by wanted names.

    Attributes:
        tables: wanted table to the name it had.
        columns: (wanted table, wanted column) to the name it had.
        restores: (table, column) to the archived column whose values it gets.
        tables_restored: table to its name in the archive.
        origins: (table, column) to the archived column a type change started from.
        rebuilt: tables that are made anew because their key changes and they hold nothing.
        replace: whether ``restores`` also replace a live column of the name (a rollback does, a file does
            not).
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[tuple[str, str], str] = field(default_factory=dict)
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
