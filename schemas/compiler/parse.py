"""Checked nodes to drafts: entities with fields, and roles; the built-in ones added.

Decides what every entity has without saying so: a key, managed fields, ``users``. It follows no reference and
compiles no expression (``resolve``). Called by ``compile``.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from schemas.compiler.drafts import EntityDraft, FieldDraft, Rename, TenantDraft
from schemas.compiler.fields import parse_field
from schemas.compiler.fieldtypes import FIELD_TYPES, KEY_KINDS
from schemas.compiler.findings import Findings, did_you_mean, nearest
from schemas.compiler.forms import former_names
from schemas.compiler.model import SOFT_DELETE_FIELD, Field
from schemas.compiler.names import (
    RESERVED_ENTITIES,
    RESERVED_FIELDS,
    URL_WORDS,
    check_collisions,
    check_name,
    circle,
)
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs, plain
from schemas.compiler.roles import parse_roles
from schemas.compiler.sections.added import added_entities

USERS = "users"
_MANAGED_KINDS = {
    "created_at": "datetime",
    "updated_at": "datetime",
    "created_by": "text",
    "updated_by": "text",
}
_CONSTRAINTS_THAT_STOP_UUIDS = ("enum", "const", "pattern", "format")


def parse(root: Mapping, findings: Findings) -> TenantDraft:
    """Return the drafts of a checked document."""
    tenant = TenantDraft(languages=_languages(root))
    tenant.roles = parse_roles(_role_nodes(root), findings)
    for key, node in pairs(root.get("mails")):
        about = node.get("entity") if isinstance(node, Mapping) else None
        tenant.mails[key.text] = None if about is None else str(plain(about))
    entities = root.get("entities")
    written = entities if isinstance(entities, Mapping) else Mapping({}, 1, 1)
    tenant.dropped = written.dropped
    check_collisions("entity", (key for key, _ in pairs(written)), findings)
    for key, node in pairs(written):
        if check_name("the entity", key, RESERVED_ENTITIES, findings) and isinstance(node, Mapping):
            tenant.entities[key.text] = _entity(key, node, tenant.languages[0], findings)
        else:
            tenant.dropped |= {key.text}
    if USERS not in tenant.entities and USERS not in tenant.dropped:
        nowhere = Scalar(USERS, USERS, 1, 1, 0, 0)
        tenant.entities[USERS] = _entity(nowhere, Mapping({}, 1, 1), tenant.languages[0], findings)
    _add_of_sections(root, tenant, findings)
    _note_renames(
        {entity.name: entity.node for entity in tenant.entities.values()},
        tenant.renames,
        findings,
    )
    return tenant


def _add_of_sections(root: Mapping, tenant: TenantDraft, findings: Findings) -> None:
    """Add the entities in which sections keep what they did."""
    for added, node in added_entities(root):
        written = tenant.entities.get(added.name)
        if written is not None:
            message = f"'{added.name}' is kept by the platform, because the file has {added.because}"
            findings.error("names.added", message, written.key_node, "give your entity another name")
        elif added.name not in tenant.dropped:
            nowhere = Scalar(added.name, added.name, 1, 1, 0, 0)
            draft = _entity(nowhere, node, tenant.languages[0], findings)
            draft.added = True
            tenant.entities[added.name] = draft


def _languages(root: Mapping) -> tuple[str, ...]:
    locale = root.get("locale")
    listed = locale.get("languages") if isinstance(locale, Mapping) else None
    items = listed.items if isinstance(listed, Sequence) else []
    return tuple(str(plain(item)) for item in items) or ("en",)


def _role_nodes(root: Mapping) -> Iterable[tuple[Scalar, Mapping]]:
    other = root.get("access_rules")
    for roles in (root.get("roles"), other.get("roles") if isinstance(other, Mapping) else None):
        if isinstance(roles, Mapping):
            yield from ((key, node) for key, node in pairs(roles) if isinstance(node, Mapping))


def _entity(key: Scalar, node: Mapping, language: str, findings: Findings) -> EntityDraft:
    schema = node.get("schema")
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    written = properties if isinstance(properties, Mapping) else Mapping({}, node.line, node.column)
    required = schema.get("required") if isinstance(schema, Mapping) else None
    names = {str(plain(item)): item for item in required.items} if isinstance(required, Sequence) else {}
    entity = EntityDraft(key.text, key, node, dropped=written.dropped | (node.dropped & {"schema"}))
    check_collisions("field", (name for name, _ in pairs(written)), findings)
    for name, value in pairs(written):
        draft = None
        if check_name("the field", name, RESERVED_FIELDS, findings) and isinstance(value, Mapping):
            draft = parse_field(name, value, language, required=name.text in names, findings=findings)
        if draft is None:
            entity.dropped |= {name.text}
            continue
        entity.fields[name.text] = draft
        if name.text in URL_WORDS:
            message = f"no filter can name the field '{name.text}': that is a query parameter"
            findings.warn("names.query_parameter", message, name, "another name serves clients better")
    entity.transitions = _names(node.get("workflow"), "transitions")
    entity.functions = _names(node, "functions")
    _add_users_fields(entity)
    for name_text, item in names.items():
        if name_text not in entity.fields and name_text not in entity.dropped:
            hint = did_you_mean(name_text, entity.fields)
            findings.error(
                "entity.required", f"'{name_text}' is required but not among the properties", item, hint
            )
    _set_key(entity, set(names), findings)
    _add_managed(entity, findings)
    for draft in entity.fields.values():
        if draft.node is not None:
            _check_creatable(entity, draft, findings)
    _note_renames({name: draft.node for name, draft in entity.fields.items()}, entity.renames, findings)
    return entity


def _names(node: Node | None, key: str) -> frozenset[str]:
    inner = node.get(key) if isinstance(node, Mapping) else None
    return frozenset(inner.entries) | inner.dropped if isinstance(inner, Mapping) else frozenset()


def _set_key(entity: EntityDraft, required: set[str], findings: Findings) -> None:
    """Find or add the key field and put it first."""
    named = entity.node.get("key")
    name = str(plain(named)) if named is not None else "id"
    if named is not None and name not in entity.fields and name not in entity.dropped:
        near = nearest(name, entity.fields)
        if near is not None and name != "id":
            findings.error(
                "entity.key",
                f"{entity.name} has no field '{name}' to be its key",
                named,
                f"did you mean '{near}'?",
            )
            return
    draft = entity.fields.pop(name, None)
    if draft is None:
        place = named if isinstance(named, Scalar) else entity.key_node
        field = Field(
            name, "uuid", "uuid", {"type": "string", "format": "uuid"}, nullable=False, generated="uuid"
        )
        draft = FieldDraft(field, Scalar(name, name, place.line, place.column, place.start, place.end))
    else:
        draft.field = _key_field(entity, draft, required=name in required, findings=findings)
    entity.key = name
    entity.fields = {name: draft} | entity.fields


def _key_field(entity: EntityDraft, draft: FieldDraft, *, required: bool, findings: Findings) -> Field:
    field = draft.field
    if field.kind not in KEY_KINDS or field.computed is not None or draft.computed is not None:
        message = f"'{field.name}' cannot be the key of {entity.name}: it is {FIELD_TYPES[field.kind].says}"
        findings.error("entity.key", message, draft.key, "a key is a text, a UUID or an integer")
        return field
    generated = field.generated
    if not generated and not field.has_default and field.references is None:
        if field.kind in {"integer", "bigint"}:
            generated = "" if required else "identity"
        elif field.kind == "uuid" or _holds_uuid(field):
            generated = "uuid"
    needed = required or not (generated or field.has_default)
    return replace(
        field, generated=generated, required=needed and not field.read_only, nullable=False, unique=False
    )


def _holds_uuid(field: Field) -> bool:
    if any(keyword in field.schema for keyword in _CONSTRAINTS_THAT_STOP_UUIDS):
        return False
    return bool(field.schema.get("maxLength", 36) >= 36 and field.schema.get("minLength", 0) <= 36)


def _add_users_fields(entity: EntityDraft) -> None:
    """Give ``users`` the fields every tenant's users have."""
    if entity.name != USERS:
        return
    email = Field(
        "email",
        "text",
        "text",
        {"type": "string", "format": "email", "maxLength": 320},
        unique=True,
        personal=True,
    )
    role = Field("role", "text", "text", {"type": "string", "maxLength": 63})
    for field in (role, email):
        if field.name not in entity.fields and field.name not in entity.dropped:
            entity.fields = {field.name: FieldDraft(field, entity.key_node)} | entity.fields


def _add_managed(entity: EntityDraft, findings: Findings) -> None:
    managed = entity.node.get("managed")
    kinds = {} if managed is not None and plain(managed) is False else dict(_MANAGED_KINDS)
    soft = entity.node.get("soft_delete")
    if kinds:
        kinds["row_version"] = "bigint"
    if soft is not None and plain(soft) is True:
        kinds[SOFT_DELETE_FIELD] = "datetime"
    for name, kind in kinds.items():
        declared = entity.fields.pop(name, None)
        if declared is not None and declared.field.kind != kind:
            kept, found = FIELD_TYPES[kind].says, FIELD_TYPES[declared.field.kind].says
            message = f"'{name}' is kept by the server as {kept}, not as {found}"
            findings.error("names.managed", message, declared.key, "leave it out, or write managed: false")
        entity.fields[name] = _managed_field(name, kind, declared, entity)


def _managed_field(name: str, kind: str, declared: FieldDraft | None, entity: EntityDraft) -> FieldDraft:
    form = FIELD_TYPES[kind]
    schema = {"type": form.json_type} | ({"format": form.format} if form.format else {})
    field = Field(
        name,
        kind,
        form.pg_type,
        schema,
        title=declared.field.title if declared else {},
        description=declared.field.description if declared else "",
        nullable=name not in {"created_at", "updated_at", "row_version"},
        read_only=True,
        generated="managed",
    )
    return FieldDraft(field, declared.key if declared else entity.key_node)


def _note_renames(nodes: dict[str, Mapping | None], renames: dict[str, Rename], findings: Findings) -> None:
    """Note the old names of fields, or of entities, and refuse those that could mean two things."""
    olds = {name: () if node is None else former_names(node) for name, node in nodes.items()}
    for name, node in nodes.items():
        listed = None if node is None else node.get("renamed_from")
        for place in listed.items if isinstance(listed, Sequence) else ():
            if not isinstance(place, Scalar):
                continue
            old = place.text
            if old in renames:
                other = renames[old]
                message = f"'{name}' and '{other.new}' (line {other.line}) are both renamed from '{old}'"
                hint = "one of them is new: leave its renamed_from out"
                findings.error("names.renamed_twice", message, place, hint)
            elif old not in olds:
                renames[old] = Rename(old, name, place.line)
            elif circle(name, olds):
                message = f"'{name}' and '{old}' change places: nobody could tell whether they already have"
                hint = f"rename '{old}' to a third name and save; then move both in one save"
                findings.error("names.renamed_circle", message, place, hint)
            elif not olds[old]:
                message = f"'{name}' is renamed from '{old}', which is still there"
                findings.error("names.renamed", message, place, f"remove '{old}', or this renamed_from")
            elif node is not None and node.get("alias_until") is not None:
                message = f"'{old}' is another one's name now: it cannot answer for '{name}'"
                findings.error("names.renamed", message, place, "leave alias_until out")


def _check_creatable(entity: EntityDraft, draft: FieldDraft, findings: Findings) -> None:
    field = draft.field
    if (
        field.required
        and field.read_only
        and not (
            field.generated or field.has_default or entity.functions  # a function may set it
        )
    ):
        message = f"'{field.name}' is required and read-only: no row of {entity.name} could be made"
        findings.error("field.combination", message, draft.key, "give it a default or a sequence")
