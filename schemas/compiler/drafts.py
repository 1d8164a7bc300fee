"""The model while it is being made: entities whose expressions are not compiled yet.

Made by ``parse``, looked up through ``scope``, finished by ``resolve``. Only these three see it.
"""

from collections.abc import Iterator

from msgspec import Struct, field

from schemas.compiler.model import Field, Role
from schemas.compiler.nodes import Mapping, Node, Scalar


class Rename(Struct, frozen=True):
    """An old name, the new one, and the line that says so."""

    old: str
    new: str
    line: int

    def says(self) -> str:
        """Return what to tell who still writes the old name."""
        now = f"'{self.old}' was renamed to '{self.new}' (renamed_from, line {self.line})"
        return f"{now}: write '{self.new}' here"


class FieldDraft(Struct):
    """A field, where it is written, and the expressions it still waits for."""

    field: Field
    key: Scalar
    node: Mapping | None = None
    default: Node | None = None
    computed: Scalar | None = None


class EntityDraft(Struct):
    """An entity with its fields.

    Attributes:
        node: the checked map of the entity; empty for a built-in one.
        dropped: names of fields that were refused: they are no unknown names.
        renames: by old name.
        relations: relation name -> reference field (``customer`` -> ``customer_id``).
        collections: inverse relation name -> (entity, reference field).
        added: it is there because of a section of the file, see ``sections.added``.
    """

    name: str
    key_node: Scalar
    node: Mapping
    key: str = "id"
    fields: dict[str, FieldDraft] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    renames: dict[str, Rename] = field(default_factory=dict)
    relations: dict[str, str] = field(default_factory=dict)
    collections: dict[str, tuple[str, str]] = field(default_factory=dict)
    transitions: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    added: bool = False


class TenantDraft(Struct):
    """The file's entities and roles, and the names of those that were refused.

    Attributes:
        python: functions of the Python file beside it; None when nobody looked.
        mails: the entity each of the file's mails is about, None for one about no row.
    """

    entities: dict[str, EntityDraft] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    renames: dict[str, Rename] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    python: frozenset[str] | None = None
    mails: dict[str, str | None] = field(default_factory=dict)

    def all_renames(self) -> Iterator[tuple[EntityDraft | None, Rename]]:
        """Iterate over renames: (entity, that of a field) and (None, that of an entity)."""
        for rename in self.renames.values():
            yield None, rename
        for entity in self.entities.values():
            for rename in entity.renames.values():
                yield entity, rename
