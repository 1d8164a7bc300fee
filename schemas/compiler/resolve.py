"""Drafts to the finished model: references followed, expressions compiled, parts checked together.

Decides what two parts of a file mean together: a reference and the key it holds, a default and its field, a
computed field and what it reads. Called by ``compile``; nothing after it can fail for a reason in the file.
"""

from typing import Any

from msgspec.structs import replace

from schemas.compiler.defaults import default_of
from schemas.compiler.drafts import EntityDraft, TenantDraft
from schemas.compiler.expressions.celtypes import type_of_column
from schemas.compiler.expressions.shapes import EntityShape, FieldShape, Shapes, relation_name
from schemas.compiler.fields import titles
from schemas.compiler.findings import Findings
from schemas.compiler.formulas import Formulas, Use
from schemas.compiler.model import Access, AccessEntry, Entity, Index, Reference, TenantModel
from schemas.compiler.names import circle
from schemas.compiler.nodes import Mapping, Node, Scalar, pairs, plain
from schemas.compiler.parse import USERS
from schemas.compiler.principal import ADMIN_ROLE, AUTHENTICATED_ROLE
from schemas.compiler.scope import Scope, report_missing_entity
from schemas.compiler.sections.access import narrowed
from schemas.compiler.sections.document import DOCUMENT, SECTIONS
from schemas.compiler.sections.entity import ENTITY, ENTITY_SECTIONS
from schemas.compiler.sections.indexes import INDEXES, MAX_INDEXES
from schemas.compiler.sections.shared_functions import SHARED_FUNCTIONS, with_triggered


def resolve(root: Mapping, tenant: TenantDraft, slug: str, findings: Findings) -> TenantModel:
    """Return the finished model; what is wrong is in the findings, and then the model is not to be used."""
    for entity in tenant.entities.values():
        _resolve_references(entity, tenant, findings)
    rules = _rules(root)
    formulas = Formulas(findings, tenant, _shapes(tenant, rules, findings), rules)
    scope = Scope(findings, tenant, formulas)
    for entity in tenant.entities.values():
        _resolve_fields(entity, replace(scope, entity=entity))
    _check_computed(tenant, findings)
    _check_required_circles(tenant, findings)
    more = _indexes_elsewhere(root, scope)
    entities = {
        name: _entity(draft, replace(scope, entity=draft), more.get(name, ()), root.get("functions"))
        for name, draft in tenant.entities.items()
    }
    _check_unused(rules, formulas, findings)
    sections = {
        name: DOCUMENT.keys[name].shape.build(entry.value, scope)
        for name, entry in root.entries.items()
        if name in SECTIONS
    }
    service, locale = root.get("service"), root.get("locale")
    title = service.get("title") if isinstance(service, Mapping) else None
    return TenantModel(
        slug=slug,
        title=titles(title, tenant.languages[0]) or {tenant.languages[0]: slug},
        version=1,
        entities=entities,
        roles=tenant.roles,
        languages=tenant.languages,
        timezone=_plain_of(locale, "timezone") or "UTC",
        currency=_plain_of(locale, "currency"),
        sections=with_triggered(sections, root, findings),
        secrets=frozenset(findings.secrets),
        python=tenant.python or frozenset(),
    )


def _resolve_references(entity: EntityDraft, tenant: TenantDraft, findings: Findings) -> None:
    for draft in entity.fields.values():
        reference, node = draft.field.references, draft.node
        if reference is None or node is None:
            continue
        place = node.get("references") or draft.key
        target = tenant.entities.get(reference.entity)
        if target is None:
            report_missing_entity(reference.entity, place, tenant, findings)
            entity.dropped |= {relation_name(draft.field.name)}
            continue
        key = target.fields.get(target.key)
        if key is None:
            continue
        draft.field = replace(draft.field, references=Reference(target.name, reference.on_delete, target.key))
        if {"type", "format"} & node.entries.keys():
            if draft.field.pg_type != key.field.pg_type:
                form = key.field.schema
                wanted = f"type: {form['type']}" + (f", format: {form['format']}" if "format" in form else "")
                whose = f"{target.name}, whose key '{target.key}' is {key.field.pg_type}"
                message = f"'{draft.field.name}' refers to {whose}"
                findings.error("field.reference_type", message, draft.key, f"write {wanted}")
        else:
            draft.field = replace(
                draft.field, kind=key.field.kind, pg_type=key.field.pg_type, schema=dict(key.field.schema)
            )


def _rules(root: Mapping) -> dict[str, Scalar]:
    other = root.get("access_rules")
    rules: dict[str, Scalar] = {}
    for let in (other.get("rules") if isinstance(other, Mapping) else None, root.get("let")):
        if isinstance(let, Mapping):
            rules.update({key.text: node for key, node in pairs(let) if isinstance(node, Scalar)})
    return rules


def _check_unused(rules: dict[str, Scalar], formulas: Formulas, findings: Findings) -> None:
    """A rule nobody uses has no entity to be checked against; its grammar is checked all the same."""
    for name, node in rules.items():
        if name not in formulas.used:
            formulas.check_syntax(node)
            findings.warn("let.unused", f"the named rule '{name}' is not used", node)


def _shapes(tenant: TenantDraft, rules: dict[str, Scalar], findings: Findings) -> Shapes:
    """Return what expressions may name; relations and collections are noted in the drafts too."""
    expander = Formulas(findings, tenant, Shapes({}), rules)
    entities = {}
    for name, entity in tenant.entities.items():
        fields = {}
        for field_name, draft in entity.fields.items():
            field = draft.field
            computed = (
                expander.expanded(draft.computed) if draft.computed is not None and field.virtual else None
            )
            fields[field_name] = FieldShape(
                type_of_column(field.pg_type, field.schema),
                field.references.entity if field.references is not None else None,
                computed,
                field.pg_type,
                nullable=field.nullable,
                hidden=field.write_only,
            )
        entities[name] = EntityShape(entity.key, fields)
    for entity in tenant.entities.values():
        entity.dropped |= {relation_name(name) for name in entity.dropped}
    shapes = Shapes(entities)
    for name, entity in tenant.entities.items():
        entity.relations = dict(shapes.relations[name])
        entity.collections = {
            collection: (inverted[0].child, inverted[0].field)
            for collection, inverted in shapes.inverses[name].items()
            if len(inverted) == 1
        }
        for old in list(entity.renames.values()):
            entity.renames.setdefault(
                relation_name(old.old), replace(old, old=relation_name(old.old), new=relation_name(old.new))
            )
    return shapes


def _resolve_fields(entity: EntityDraft, scope: Scope) -> None:
    for draft in entity.fields.values():
        if draft.computed is not None:
            virtual = Use("a computed field", draft.field, "sql")
            stored = Use("a stored computed field", draft.field, "row")
            expression = scope.expression(draft.computed, virtual if draft.field.virtual else stored)
            draft.field = replace(draft.field, computed=expression)
        elif draft.default is not None and draft.field.has_default:
            draft.field = default_of(draft.field, draft.default, scope)


def _check_computed(tenant: TenantDraft, findings: Findings) -> None:
    """Refuse computed fields that read themselves, directly or through others of the same row."""
    for entity in tenant.entities.values():
        reads = {
            name: [other for other in draft.field.computed.names if other in entity.fields]
            for name, draft in entity.fields.items()
            if draft.field.computed is not None
        }
        for name in reads:
            found = circle(name, reads)
            if found:
                message = f"computed fields read each other in a circle: {' -> '.join(found)}"
                findings.error(
                    "field.computed_cycle", message, entity.fields[name].computed or entity.fields[name].key
                )


def _check_required_circles(tenant: TenantDraft, findings: Findings) -> None:
    """Refuse references that require each other in a circle: no first row could ever be made."""
    required = {
        name: {
            draft.field.references.entity: draft
            for draft in entity.fields.values()
            if draft.field.references is not None and draft.field.required
        }
        for name, entity in tenant.entities.items()
    }
    reads = {name: list(targets) for name, targets in required.items()}
    for name, targets in required.items():
        found = circle(name, reads)
        if found:
            draft = targets[found[1]]
            message = f"required references go round in a circle: {' -> '.join(found)}"
            hint = f"leave '{draft.field.name}' out of required"
            findings.error("entity.required_cycle", message, draft.key, hint)


def _indexes_elsewhere(root: Mapping, scope: Scope) -> dict[str, tuple[Index, ...]]:
    """Return the indexes of the top-level ``indexes: {entity: [...]}``."""
    written = root.get("indexes")
    found: dict[str, tuple[Index, ...]] = {}
    for key, node in pairs(written):
        if scope.check_entity(key, key.text):
            found[key.text] = INDEXES.build(node, scope.within(key.text))
    return found


def _entity(draft: EntityDraft, scope: Scope, more: tuple[Index, ...], shared: Node | None) -> Entity:
    node = draft.node
    values: dict[str, Any] = {
        name: ENTITY.keys[name].shape.build(entry.value, scope)
        for name, entry in node.entries.items()
        if name != "schema"
    }
    values["functions"] = {
        **values.get("functions", {}),
        **SHARED_FUNCTIONS.for_entity(shared, scope, draft.name),
    } or None
    schema = node.get("schema")
    title = node.get("title") or (schema.get("title") if isinstance(schema, Mapping) else None)
    description = node.get("description") or (
        schema.get("description") if isinstance(schema, Mapping) else None
    )
    indexes = (*values.get("indexes", ()), *more)
    _check_indexes(indexes, node, scope.findings)
    access = values.get("access") or (_users_access(scope) if draft.name == USERS else Access())
    access = narrowed(access, values["functions"] or {})
    if values.get("comments") and access.declared and not access.read:
        message = f"nobody may read rows of {draft.name}, so nobody could comment on them"
        place = node.get("comments") or node
        scope.findings.error("comments.unread", message, place, "say in access who may read them")
    return Entity(
        name=draft.name,
        key=draft.key,
        fields={name: field.field for name, field in draft.fields.items()},
        title=titles(title, scope.tenant.languages[0]),
        description=str(plain(description)) if description is not None else "",
        label=values.get("label"),
        managed=values.get("managed", True),
        soft_delete=values.get("soft_delete", False),
        indexes=indexes,
        unique=tuple(constraint.unique for constraint in values.get("constraints", ())),
        rules=values.get("rules", ()),
        access=access,
        renamed_from=values.get("renamed_from", ()),
        alias_until=values.get("alias_until"),
        sections={name: value for name in ENTITY_SECTIONS if (value := values.get(name)) is not None},
        added=draft.added,
    )


def _check_indexes(indexes: tuple[Index, ...], node: Mapping, findings: Findings) -> None:
    seen: set[tuple[object, ...]] = set()
    if len(indexes) > MAX_INDEXES:
        message = f"{len(indexes)} indexes in two places; at most {MAX_INDEXES} are allowed"
        findings.error("index.too_many", message, node.get("indexes") or node)
    for index in indexes:
        same = (index.fields, index.where and index.where.text, index.method)
        if same in seen:
            findings.error(
                "index.twice",
                f"the index on {', '.join(index.fields)} is listed twice",
                node.get("indexes") or node,
            )
        seen.add(same)


def _users_access(scope: Scope) -> Access:
    """Return who may do what with users when the file does not say: admins all, everyone reads themselves."""
    admin = (AccessEntry(ADMIN_ROLE),)
    key = scope.entity.key if scope.entity is not None else "id"
    kind = (
        scope.entity.fields[key].field.kind if scope.entity is not None and key in scope.entity.fields else ""
    )
    text = f"self.{key} == user.id" if kind in {"uuid", "text"} else f"string(self.{key}) == user.id"
    rule = scope.expression(Scalar(text, text, 1, 1, 0, 0), Use("an access rule", needs="sql"))
    return Access((*admin, AccessEntry(AUTHENTICATED_ROLE, rule=rule)), admin, admin, admin, declared=True)


def _plain_of(node: Node | None, key: str) -> str | None:
    value = node.get(key) if isinstance(node, Mapping) else None
    return None if value is None else str(plain(value))
