"""What a name can mean at a place: looks up fields, paths, roles, entities; reports missing ones.

Decides the wording for a name that was renamed: what it is called now, and which line says so. It compiles
expressions only through ``formulas``. Made by ``resolve``, used by the slots of ``grammar``.
"""

import re

from msgspec import Struct
from msgspec.structs import replace

from schemas.compiler.diagnostics import Position
from schemas.compiler.drafts import EntityDraft, TenantDraft
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.formulas import Formulas, Use
from schemas.compiler.model import Field
from schemas.compiler.nodes import Mapping, Node, Scalar, locate, pairs


class Scope(Struct, frozen=True):
    """The names in force: the tenant's, and the entity's when inside one.

    Attributes:
        known: False inside a record whose entity could not be found: names in it are not checked.
        parameters: names a filter may use in braces.
        states: states of the workflow at hand.
    """

    findings: Findings
    tenant: TenantDraft
    formulas: Formulas
    entity: EntityDraft | None = None
    known: bool = True
    parameters: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()

    def within(self, name: str) -> "Scope":
        """Return the scope inside an entity; unknown names are not checked when there is none."""
        entity = self.tenant.entities.get(name)
        return replace(self, entity=entity, known=entity is not None)

    def expression(self, node: Scalar, use: Use) -> Expression | None:
        """Compile an expression at its place."""
        if not self.known:
            return None
        return self.formulas.compile(node, self.entity, use)

    def expression_part(self, node: Scalar, text: str, offset: int, use: Use) -> Expression | None:
        """Compile an expression that begins at an offset of a scalar's text, as a template does."""
        if not self.known:
            return None
        return self.formulas.compile_part(node, text, offset, self.entity, use)

    def check_languages(self, node: Mapping) -> None:
        """Warn about a text in a language the tenant does not have."""
        for key, _ in pairs(node):
            if key.text not in self.tenant.languages:
                self.findings.warn(
                    "locale.language", f"'{key.text}' is not among locale.languages", key, "add it there"
                )

    def check_entity(self, node: Node, name: str) -> bool:
        """Report an entity that does not exist; return whether it does."""
        if name in self.tenant.entities:
            return True
        report_missing_entity(name, node, self.tenant, self.findings)
        return False

    def check_role(self, node: Node, name: str) -> None:
        """Report a role that does not exist."""
        if name not in self.tenant.roles:
            hint = did_you_mean(name, self.tenant.roles)
            self.findings.error("reference.unknown_role", f"there is no role '{name}'", node, hint)

    def find_field(self, node: Node, name: str, entity: EntityDraft | None = None) -> Field | None:
        """Return a field of the entity; report it when there is none."""
        entity = entity or self.entity
        if entity is None or not self.known:
            return None
        draft = entity.fields.get(name)
        if draft is not None:
            return draft.field
        self._report_missing(node, name, entity, entity.fields)
        return None

    def find_path(self, node: Node, path: str) -> Field | None:
        """Return the field a path such as ``customer.name`` leads to; report its first wrong part."""
        entity = self.entity
        if entity is None or not self.known:
            return None
        *relations, last = path.split(".")
        for relation in relations:
            following = self.target(entity, relation)
            if following is None:
                self._report_missing(node, relation, entity, entity.relations)
                return None
            entity = following
        return self.find_field(node, last, entity)

    def target(self, entity: EntityDraft, relation: str, *, many: bool = False) -> EntityDraft | None:
        """Return the entity at the other end of a relation; collections too when ``many``."""
        draft = entity.fields.get(entity.relations.get(relation, relation))
        if draft is not None and draft.field.references is not None:
            return self.tenant.entities.get(draft.field.references.entity)
        if many and relation in entity.collections:
            return self.tenant.entities.get(entity.collections[relation][0])
        return None

    def spot(self, node: Node, word: str) -> Node | Position:
        """Return where a word stands inside a text, the text's own place when it cannot be told."""
        if not isinstance(node, Scalar) or node.text == word:
            return node
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", node.text)
        return node if found is None else locate(self.findings.source, node, found.start())

    def _report_missing(self, node: Node, name: str, entity: EntityDraft, known: object) -> None:
        if name in entity.dropped:
            return
        rename = entity.renames.get(name)
        if rename is not None:
            self.findings.error("reference.renamed", rename.says(), self.spot(node, rename.old))
            return
        is_field = known is entity.fields
        what = "field" if is_field else "relation"
        names = list(entity.fields) if is_field else list(entity.relations)
        hint = did_you_mean(name, names)
        message = f"{entity.name} has no {what} '{name[:80]}'"
        self.findings.error(f"reference.unknown_{what}", message, self.spot(node, name), hint)


def report_missing_entity(name: str, place: Node, tenant: TenantDraft, findings: Findings) -> None:
    """Report that there is no such entity, or what it is called now."""
    rename = tenant.renames.get(name)
    if rename is not None:
        findings.error("reference.renamed", rename.says(), place)
    elif name not in tenant.dropped:
        hint = did_you_mean(name, tenant.entities)
        findings.error("reference.unknown_entity", f"there is no entity '{name}'", place, hint)
