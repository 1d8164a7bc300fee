"""What follows a dot: fields, relations, collections, members of JSON, of the caller, of the tenant."""

from typing import TYPE_CHECKING

from schemas.compiler.expressions.celtypes import ANY, JSON, STRING, CelType, entity_type, list_of
from schemas.compiler.expressions.syntax import (
    Claim,
    Field,
    Inverse,
    Member,
    Node,
    Relation,
    Setting,
    Variable,
)
from schemas.compiler.expressions.typing_rules import SCALARS, from_json

if TYPE_CHECKING:
    from schemas.compiler.expressions.checker import Checker

ROLES = Claim(list_of(STRING), ("roles",), "text[]")
_TENANT = {"slug": STRING, "plan": STRING, "settings": JSON}
_REQUEST = {"method": STRING, "path": STRING, "id": STRING, "ip": STRING, "headers": JSON, "query": JSON}


def select(checker: "Checker", base: Node, name: str, offset: int, depth: int) -> Node:
    """Type ``base.name``."""
    match base:
        case Setting(type=CelType(kind="namespace"), path=("user",)):
            return _user(checker, name, offset)
        case Setting(type=CelType(kind="namespace"), path=("user", "claims")):
            return Claim(ANY, ("claims", name), "text")
        case Setting(type=CelType(kind="namespace"), path=(space,)):
            known = _TENANT if space == "tenant" else _REQUEST
            if name not in known:
                message = f"{space} has no member '{name}' (it has: {', '.join(known)})"
                raise checker.unknown_name(offset, message, name, known)
            return Setting(known[name], (space, name))
        case Field(references=target) if target:
            if base.name.endswith("_id"):
                hint = f"write {base.name[:-3]}.{name} to follow the reference"
                raise checker.error(offset, f"'{base.name}' is a key and has no member '{name}'", hint)
            return _of_row(
                checker, _relation(checker, base.base, base.entity, base.name, base.name), name, offset, depth
            )
        case _ if base.type.kind == "entity":
            return _of_row(checker, base, name, offset, depth)
        case _ if (
            base.type.kind == "list" and base.type.element is not None and base.type.element.kind == "entity"
        ):
            hint = f"use .exists(x, x.{name} ...), .map(x, x.{name}) or .size()"
            raise checker.error(offset, "these are several rows", hint)
        case _:
            return _of_json(checker, base, name, offset)


def _user(checker: "Checker", name: str, offset: int) -> Node:
    match name:
        case "id":
            return Claim(ANY, ("id",), "text")
        case "email":
            return Claim(STRING, ("email",), "text")
        case "roles":
            return ROLES
        case "role":
            raise checker.error(
                offset, "user.role can only be compared", "with ==, != or in; all roles are in user.roles"
            )
        case "claims":
            return Setting(CelType("namespace"), ("user", "claims"))
        case _:
            return Claim(ANY, ("claims", name), "text")


def _of_row(checker: "Checker", base: Node, name: str, offset: int, depth: int) -> Node:
    entity = base.type.entity
    shapes = checker.shapes
    shape = shapes.entities[entity]
    column = shape.fields.get(name)
    if column is not None and not column.hidden:
        checker.use(entity, name, offset)
        if column.computed is not None:
            if isinstance(base, Variable) and base.name == "self" and not checker.inlined:
                checker.computed.add(name)
            return checker.inline(name, column.computed, {"self": base}, offset, depth, entity)
        required = not column.nullable
        return Field(column.type, base, entity, name, column.pg_type, required, column.references or "")
    if column is not None:
        raise checker.error(
            offset, f"{entity}.{name} cannot be read by expressions", code="expression.hidden_field"
        )
    if (foreign := shapes.relations[entity].get(name)) is not None:
        checker.use(entity, foreign, offset)
        return _relation(checker, base, entity, name, foreign)
    collections = shapes.inverses[entity].get(name)
    if collections is not None:
        if len(collections) > 1:
            options = ", ".join(f"{name}_by_{inverted.field}" for inverted in collections)
            message = f"'{name}' is ambiguous: {name} refers to {entity} more than once"
            raise checker.error(offset, message, f"write one of {options}", "expression.ambiguous")
        (inverted,) = collections
        checker.use(inverted.child, inverted.field, offset)
        return Inverse(list_of(entity_type(inverted.child)), base, entity, name, inverted.field, shape.key)
    known = shapes.members(entity)
    listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    raise checker.unknown_name(offset, f"{entity} has no field '{name}' (it has: {listed})", name, known)


def _relation(checker: "Checker", base: Node, entity: str, name: str, foreign: str) -> Relation:
    target = checker.shapes.entities[entity].fields[foreign].references or ""
    return Relation(entity_type(target), base, entity, name, foreign, checker.shapes.entities[target].key)


def _of_json(checker: "Checker", base: Node, name: str, offset: int) -> Node:
    kind = base.type
    if kind.kind == "object":
        declared = dict(kind.fields)
        if name not in declared:
            message = f"no member '{name}' is declared (there are: {', '.join(declared)})"
            raise checker.unknown_name(offset, message, name, declared)
        return typed_json(Member(JSON, base, name), declared[name])
    if isinstance(base, Claim) and kind == ANY:
        raise checker.error(offset, "a claim is a single value or a list and has no members")
    if kind.kind in {"json", "any"}:
        return Member(JSON if kind == JSON else ANY, base, name)
    raise checker.error(offset, f"{kind} has no member '{name}'")


def typed_json(node: Node, kind: CelType) -> Node:
    """Read a JSON value as what its schema declares."""
    if kind.kind in SCALARS:
        return from_json(node, kind)
    if isinstance(node, Member):
        return Member(kind, node.base, node.key)
    return Variable(kind, node.name) if isinstance(node, Variable) else node
