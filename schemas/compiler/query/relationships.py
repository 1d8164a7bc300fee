"""How entities relate, as PostgREST sees foreign keys: to one, to many, many to many. Pure."""

from collections.abc import Mapping

from msgspec import Struct

from schemas.compiler.expressions.shapes import relation_name
from schemas.compiler.model import Entity, TenantModel
from schemas.compiler.query.errors import QueryError


class Relationship(Struct, frozen=True):
    """From ``source`` to ``target``.

    Attributes:
        kind: one (source holds the key), many (target holds it), single (target holds it, uniquely), through.
        source_column, target_column: equal in related rows; of a ``through``, their columns at the
        junction's ends. junction, near, far: the junction's entity and its two columns.
    """

    kind: str
    source: str
    target: str
    source_column: str
    target_column: str
    junction: str = ""
    near: str = ""
    far: str = ""

    @property
    def to_one(self) -> bool:
        """Whether there is at most one related row."""
        return self.kind in {"one", "single"}

    def answers_to(self, hint: str) -> bool:
        """Whether a hint (column, constraint or junction) means this relationship."""
        if self.kind == "through":
            return hint in {
                self.junction,
                self.near,
                self.far,
                f"{self.junction}_{self.near}_fkey",
                f"{self.junction}_{self.far}_fkey",
            }
        holder, column = (
            (self.source, self.source_column) if self.kind == "one" else (self.target, self.target_column)
        )
        return hint in {column, f"{holder}_{column}_fkey", relation_name(column)}


def relationships(model: TenantModel) -> Mapping[str, tuple[Relationship, ...]]:
    """Return the relationships of every entity, by its name."""
    found: dict[str, list[Relationship]] = {name: [] for name in model.entities}
    for entity in model.entities.values():
        keys = [field for field in entity.fields.values() if field.references is not None]
        for field in keys:
            reference = field.references
            if reference is None or reference.entity not in found:
                continue
            target = model.entities[reference.entity]
            found[entity.name].append(Relationship("one", entity.name, target.name, field.name, target.key))
            alone = field.unique or field.name == entity.key or (field.name,) in entity.unique
            kind = "single" if alone else "many"
            found[target.name].append(Relationship(kind, target.name, entity.name, target.key, field.name))
        for near in keys:
            for far in keys:
                if (
                    near is not far
                    and near.references
                    and far.references
                    and _joins(entity, near.name, far.name)
                ):
                    source, target = (
                        model.entities[near.references.entity],
                        model.entities[far.references.entity],
                    )
                    found[source.name].append(
                        Relationship(
                            "through",
                            source.name,
                            target.name,
                            source.key,
                            target.key,
                            entity.name,
                            near.name,
                            far.name,
                        )
                    )
    return {name: tuple(items) for name, items in found.items()}


def _joins(entity: Entity, near: str, far: str) -> bool:
    """A junction says that a pair is unique."""
    return any(set(columns) == {near, far} for columns in entity.unique)


def find(known: tuple[Relationship, ...], entity: str, target: str, hint: str) -> Relationship:
    """Return the relationship an embed means.

    Raises:
        QueryError: PGRST200 when there is none, PGRST201 when there are several.
    """
    candidates = [item for item in known if item.target == target and (not hint or item.answers_to(hint))]
    if not candidates:
        candidates = [
            item
            for item in known
            if item.kind != "through"
            and item.answers_to(target)
            and (not hint or item.answers_to(hint) or item.target == hint)
        ]
        candidates = [item for item in candidates if item.kind == "one"] or candidates
    if not candidates:
        raise QueryError(
            "PGRST200",
            f"Could not find a relationship between '{entity}' and '{target}' in the schema cache",
            details=f"Searched for a foreign key relationship between '{entity}' and '{target}'"
            + (f" using the hint '{hint}'" if hint else "")
            + ", but no matches were found.",
        )
    if len(candidates) > 1 and hint and all(item.source == item.target for item in candidates):
        # of both ways over one key of an entity to itself, a hint means the way to many
        candidates = [item for item in candidates if item.kind != "one"]
    if len(candidates) > 1:
        ways = ", ".join(f"'{target}!{_hint(item)}'" for item in candidates)
        raise QueryError(
            "PGRST201",
            f"Could not embed because more than one relationship was found for '{entity}' and '{target}'",
            hint=f"Try changing '{target}' to one of the following: {ways}. "
            "Find the desired relationship in the 'details' key.",
            errors=tuple(
                {"cardinality": item.kind, "hint": _hint(item), "target": item.target} for item in candidates
            ),
        )
    return candidates[0]


def _hint(item: Relationship) -> str:
    if item.kind == "through":
        return item.junction
    return item.source_column if item.kind == "one" else item.target_column
