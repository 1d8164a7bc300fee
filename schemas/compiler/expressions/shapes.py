"""What the checker knows of a tenant's entities: the types of their fields and how rows relate.

Built by the schema compiler from resolved fields, before expressions are compiled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from schemas.compiler.expressions.celtypes import STRING, CelType


class FieldShape(Struct, frozen=True):
    """A field.

    Attributes:
        type: its type in expressions; ``celtypes.type_of_column`` derives it.
        references: entity whose key it holds, or None.
        computed: CEL text put in its place where it is used (a virtual computed field), or None.
        pg_type: the column's type.
        nullable: False only for columns that are NOT NULL.
        hidden: it may not be read by expressions (write-only fields such as passwords).
    """

    type: CelType = STRING
    references: str | None = None
    computed: str | None = None
    pg_type: str = "text"
    nullable: bool = True
    hidden: bool = False


class Inverted(Struct, frozen=True):
    """One collection of child rows of an entity."""

    child: str
    field: str


class EntityShape(Struct, frozen=True):
    """An entity: its key field and its fields."""

    key: str
    fields: Mapping[str, FieldShape]


@dataclass(frozen=True, slots=True)
class Shapes:
    """All entities of a tenant; relations and inverse collections are derived on construction."""

    entities: Mapping[str, EntityShape]
    relations: Mapping[str, Mapping[str, str]] = field(init=False)
    inverses: Mapping[str, Mapping[str, tuple[Inverted, ...]]] = field(init=False)

    def __post_init__(self) -> None:
        relations: dict[str, dict[str, str]] = {name: {} for name in self.entities}
        inverses: dict[str, dict[str, tuple[Inverted, ...]]] = {name: {} for name in self.entities}
        for entity, shape in self.entities.items():
            for name, column in shape.fields.items():
                if column.references is None or column.references not in self.entities:
                    continue
                relations[entity].setdefault(relation_name(name), name)
                collections = inverses[column.references]
                inverted = Inverted(entity, name)
                collections[entity] = (*collections.get(entity, ()), inverted)
                collections[f"{entity}_by_{name}"] = (inverted,)
        object.__setattr__(self, "relations", relations)
        object.__setattr__(self, "inverses", inverses)

    def members(self, entity: str) -> list[str]:
        """Return every name that can follow a row of the entity, fields first (for messages)."""
        names = [name for name, column in self.entities[entity].fields.items() if not column.hidden]
        names += [name for name in self.relations[entity] if name not in names]
        names += [name for name in self.inverses[entity] if name in self.entities and name not in names]
        return names


def relation_name(column: str) -> str:
    """Return the name that follows a foreign key: ``owner_id`` -> ``owner``, ``owner`` -> ``owner``."""
    return column[:-3] if column.endswith("_id") and len(column) > 3 else column
