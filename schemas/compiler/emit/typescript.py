"""``types.ts``: the tenant's schema in the form supabase-js expects of ``createClient<Database>``.

Decides how a field's JSON Schema reads in TypeScript. What the caller may not see is not in it. Pure;
called by ``actors.tenant.describe``.

References:
    https://supabase.com/docs/reference/javascript/typescript-support
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.compiler.emit.body import body_schemas, value_schema
from schemas.compiler.emit.visible import EntityView, visible_entities, visible_functions
from schemas.compiler.migrate.catalog import object_name
from schemas.compiler.model import Field, Reference, TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.sections.functions import Function

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HEAD = """\
// Made from the schema of {slug}, version {version}, for what its reader may do. Use it with supabase-js:
//   const client = createClient<Database>(url, key)

export type Json = string | number | boolean | null | {{ [key: string]: Json | undefined }} | Json[]

export type Database = {{
  __InternalSupabase: {{ PostgrestVersion: "13" }}
  public: {{
"""
_EMPTY = "{ [_ in never]: never }"
_PLAIN = {"integer": "number", "number": "number", "boolean": "boolean", "string": "string", "null": "null"}

_Member = tuple[str, Mapping[str, Any], bool]
"""Name, JSON Schema of its value, whether it is always there."""


def types_ts(model: TenantModel, version: int, principal: Principal) -> str:
    """Return the file."""
    views = visible_entities(model, principal)
    names = {view.entity.name for view in views}
    tables = "".join(_table(view, names) for view in views)
    functions = "".join(_function(function) for function in visible_functions(model, principal))
    enums = "".join(_enums(view) for view in views)
    return (
        _HEAD.format(slug=model.slug, version=version)
        + _block("Tables", tables)
        + f"    Views: {_EMPTY}\n"
        + _block("Functions", functions)
        + _block("Enums", enums)
        + f"    CompositeTypes: {_EMPTY}\n  }}\n}}\n"
    )


def typescript_type(schema: Mapping[str, Any] | bool) -> str:  # noqa: FBT001 - true is a JSON Schema, too
    """Return the TypeScript type of the values a JSON Schema admits."""
    if isinstance(schema, bool):
        return "Json"
    if "const" in schema:
        return json.dumps(schema["const"], ensure_ascii=False)
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(typescript_type(part) for part in schema["anyOf"]))
    kinds = schema.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return " | ".join(dict.fromkeys(_one(kind, schema) for kind in listed))


def _one(kind: object, schema: Mapping[str, Any]) -> str:
    if kind == "array":
        item = typescript_type(schema["items"]) if isinstance(schema.get("items"), Mapping) else "Json"
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object" and schema.get("properties"):
        required = set(schema.get("required", ()))
        members = (
            f"{_key(name)}{'' if name in required else '?'}: {typescript_type(part)}"
            for name, part in schema["properties"].items()
        )
        return f"{{ {'; '.join(members)} }}"
    return _PLAIN.get(str(kind), "Json")


def _table(view: EntityView, names: set[str]) -> str:
    entity = view.entity
    required = set(body_schemas(entity)["create"].get("required", ()))
    row: list[_Member] = []
    insert: list[_Member] = []
    update: list[_Member] = []
    for name, field in entity.fields.items():
        schema = value_schema(field)
        if name in view.readable:
            row.append((name, _nullable(schema, masked=name in view.masked), True))
        if name in (view.creatable or ()):
            insert.append((name, schema, name in required))
        if name in (view.updatable or ()):
            update.append((name, schema, False))
    parts = "".join(
        f"        {part}: {_members(members)}\n"
        for part, members in (("Row", row), ("Insert", insert), ("Update", update))
    )
    relationships = _relationships(view, names)
    return f"      {_key(entity.name)}: {{\n{parts}        Relationships: {relationships}\n      }}\n"


def _relationships(view: EntityView, names: set[str]) -> str:
    entity = view.entity
    found = [
        f"          {_relationship(entity.name, field, field.references)},\n"
        for field in entity.fields.values()
        if field.references is not None and field.name in view.readable and field.references.entity in names
    ]
    return f"[\n{''.join(found)}        ]" if found else "[]"


def _relationship(entity: str, field: Field, reference: Reference) -> str:
    members = {
        "foreignKeyName": object_name(entity, (field.name,), "fkey"),
        "columns": [field.name],
        "isOneToOne": field.unique,
        "referencedRelation": reference.entity,
        "referencedColumns": [reference.field],
    }
    return f"{{ {'; '.join(f'{name}: {json.dumps(value)}' for name, value in members.items())} }}"


def _members(members: Iterable[_Member]) -> str:
    lines = [
        f"          {_key(name)}{'' if always else '?'}: {typescript_type(schema)}\n"
        for name, schema, always in members
    ]
    return f"{{\n{''.join(lines)}        }}" if lines else _EMPTY


def _nullable(schema: Mapping[str, Any], *, masked: bool) -> Mapping[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]} if masked else schema


def _function(function: Function) -> str:
    named = function.args is not None and function.args.get("properties")
    # supabase-js knows no schema at all when the arguments of one function may be something else
    args = typescript_type(function.args or {}) if named else "{ [name: string]: Json | undefined }"
    return f"      {_key(function.name)}: {{ Args: {args}; Returns: Json }}\n"


def _enums(view: EntityView) -> str:
    fields = [field for field in view.entity.fields.values() if field.name in view.readable]
    return "".join(
        f"      {view.entity.name}_{field.name}: {typescript_type({'enum': field.schema['enum']})}\n"
        for field in fields
        if field.schema.get("enum")
    )


def _block(name: str, content: str) -> str:
    return f"    {name}: {{\n{content}    }}\n" if content else f"    {name}: {_EMPTY}\n"


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)
