"""``types.py``: rows of the tenant's schema, and arguments of its functions, as TypedDicts.

Decides how a field's JSON Schema reads as a Python annotation: of parsed JSON, so instants are texts. What
the caller may not see is not in it. Pure; called by ``actors.tenant.describe``.
"""

import keyword
import re
from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.body import body_schemas, value_schema
from schemas.compiler.emit.visible import EntityView, visible_entities, visible_functions
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.sections.functions import Function

_HEAD = '''\
"""Rows of {slug}, version {version}, for what the reader of this file may do; made from its schema."""

from typing import Any, Literal, TypedDict

from typing_extensions import NotRequired
'''
_PLAIN = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "string": "str",
    "null": "None",
    "object": "dict[str, Any]",
}


def types_py(model: TenantModel, version: int, principal: Principal) -> str:
    """Return the file."""
    views = visible_entities(model, principal)
    functions = "".join(_arguments(function) for function in visible_functions(model, principal))
    return (
        _HEAD.format(slug=model.slug, version=version) + "".join(_classes(view) for view in views) + functions
    )


def python_type(schema: Mapping[str, Any] | bool) -> str:  # noqa: FBT001 - true is a JSON Schema, too
    """Return the annotation of the values a JSON Schema admits."""
    if isinstance(schema, bool):
        return "Any"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        values = [value for value in schema["enum"] if value is not None]
        literal = f"Literal[{', '.join(repr(value) for value in values)}]"
        plain = literal if all(isinstance(value, str | int) for value in values) else "float"
        return f"{plain} | None" if None in schema["enum"] else plain
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(python_type(part) for part in schema["anyOf"]))
    kinds = schema.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return " | ".join(dict.fromkeys(_one(kind, schema) for kind in listed))


def _one(kind: object, schema: Mapping[str, Any]) -> str:
    if kind == "array":
        item = python_type(schema["items"]) if isinstance(schema.get("items"), Mapping) else "Any"
        return f"list[{item}]"
    return _PLAIN.get(str(kind), "Any")


def _classes(view: EntityView) -> str:
    entity = view.entity
    required = set(body_schemas(entity)["create"].get("required", ()))
    name = _class_name(entity.name)
    parts = (
        ("", view.readable, view.readable),
        ("Insert", view.creatable, required),
        ("Update", view.updatable, frozenset[str]()),
    )
    return "".join(_class(f"{name}{suffix}", view, names, always) for suffix, names, always in parts if names)


def _class(name: str, view: EntityView, names: frozenset[str], always: frozenset[str] | set[str]) -> str:
    members = {
        field.name: _member(
            python_type(value_schema(field)),
            masked=field.name in view.masked,
            always=field.name in always,
        )
        for field in view.entity.fields.values()
        if field.name in names
    }
    return _typed_dict(name, members)


def _arguments(function: Function) -> str:
    """Return the class of what a function is called with, nothing where it may be anything."""
    properties: Mapping[str, Any] = (function.args or {}).get("properties", {})
    required = set((function.args or {}).get("required", ()))
    members = {
        name: _member(python_type(schema), masked=False, always=name in required)
        for name, schema in properties.items()
    }
    return _typed_dict(f"{_class_name(function.name)}Args", members) if members else ""


def _class_name(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _typed_dict(name: str, members: Mapping[str, str]) -> str:
    if all(member.isidentifier() and not keyword.iskeyword(member) for member in members):
        body = "".join(f"    {member}: {annotation}\n" for member, annotation in members.items())
        return f"\n\nclass {name}(TypedDict):\n{body}"
    listed = "".join(f"        {member!r}: {annotation},\n" for member, annotation in members.items())
    return f'\n\n{name} = TypedDict(\n    "{name}",\n    {{\n{listed}    }},\n)\n'


def _member(annotation: str, *, masked: bool, always: bool) -> str:
    if masked and not re.search(r"\| None$", annotation):
        annotation += " | None"
    return annotation if always else f"NotRequired[{annotation}]"
