"""Random tenants for the oracle: a few related entities, access sections of every kind, callers and rows."""

import uuid
from random import Random
from typing import Any

from schemas.compiler.principal import Principal

ROLES = {"r1": [], "r2": ["r1"], "r3": []}
"""Roles and what they inherit."""
TEXTS = ("x", "y", "xy", "z")
Doc = dict[str, Any]


def uid(number: int) -> str:
    """A key that is easy to read."""
    return str(uuid.UUID(int=number))


def tenant(rng: Random) -> Doc:
    """A tenant file without access sections, as JSON values."""
    names = [f"e{number}" for number in range(rng.randint(2, 4))]
    entities: Doc = {name: {"schema": {"properties": _fields(rng, name, names)}} for name in names}
    for name in names:
        if rng.random() < 0.25:
            entities[name]["soft_delete"] = True
    entities["j"] = {
        "schema": {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "boolean"}, "d": {"type": "string"},
                                  "near_id": {"references": "e0", "onDelete": "cascade"}, "far_id": {"references": "e1", "onDelete": "cascade"}}},
        "constraints": [{"unique": ["near_id", "far_id"]}],
    }  # fmt: skip
    roles: Doc = {name: {"inherits": above} if above else {} for name, above in ROLES.items()}
    return {
        "version": 1, "service": {"name": "oracle", "title": "Oracle"}, "roles": {**roles, "admin": {}},
        "entities": entities,
    }  # fmt: skip


def with_access(rng: Random, document: Doc) -> Doc:
    """The same tables under other access sections; an entity in twenty has none."""
    entities = document["entities"]
    ruled: Doc = {}
    for name, entity in entities.items():
        ruled[name] = {key: value for key, value in entity.items() if key != "access"}
        if rng.random() < 0.95:
            ruled[name]["access"] = _access(rng, name, entities)
    return {
        **document,
        "let": {"fit": _atom(rng, "e0", {"e0": {"schema": {"properties": {}}}})},
        "entities": ruled,
    }


def _fields(rng: Random, name: str, names: list[str]) -> Doc:
    fields: Doc = {
        "a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "boolean"}, "d": {"type": "string"}
    }  # fmt: skip
    if rng.random() < 0.3:
        fields["d"]["default"] = "y"
    if rng.random() < 0.3:
        fields["v"] = {"type": "integer", "computed": "self.b + 1"}
    for number in range(rng.randint(0 if name == "e0" else 1, 2)):
        target = rng.choice(names)
        fields[f"{name}{target}r{number}_id"] = {
            "references": target,
            "onDelete": rng.choice(["cascade", "set_null", "restrict"]),
        }
    return fields


def links(entities: Doc, entity: str) -> list[tuple[str, str]]:
    """Foreign keys of an entity: (column, target)."""
    fields = entities[entity]["schema"]["properties"]
    return [(name, item["references"]) for name, item in fields.items() if "references" in item]


def children(entities: Doc, entity: str) -> list[tuple[str, str]]:
    """Foreign keys that lead to an entity: (child, column)."""
    return [(child, column) for child in entities for column, target in links(entities, child) if target == entity]  # fmt: skip


def _atom(rng: Random, entity: str, entities: Doc) -> str:
    plain = [
        f"self.a == '{rng.choice(TEXTS)}'", f"self.a != '{rng.choice(TEXTS)}'", f"self.b > {rng.randint(0, 3)}",
        f"self.b <= {rng.randint(0, 3)}", "self.c", "!self.c", "has(self.b)", "self.id == user.id",
        f"'{rng.choice(list(ROLES))}' in user.roles", "self.a == self.d", "self.d == user.claims.k",
    ]  # fmt: skip
    followed: list[str] = []
    for column, _ in links(entities, entity):
        name = column.removesuffix("_id")
        followed += [
            f"self.{column} == user.id",
            f"self.{name}.a == '{rng.choice(TEXTS)}'",
            f"has(self.{name}.b)",
        ]
    for child, column in children(entities, entity):
        followed += [
            f"self.{child}_by_{column}.exists(m, m.b > {rng.randint(0, 2)})",
            f"self.{child}_by_{column}.all(m, m.a == '{rng.choice(TEXTS)}')",
        ]
    return rng.choice(followed if followed and rng.random() < 0.45 else plain)


def condition(rng: Random, entity: str, entities: Doc) -> str:
    """A CEL condition on a row."""
    first = "fit" if rng.random() < 0.1 else _atom(rng, entity, entities)
    draw = rng.random()
    if draw < 0.25:
        return f"{first} && {_atom(rng, entity, entities)}"
    if draw < 0.5:
        return f"{first} || {_atom(rng, entity, entities)}"
    return f"!({first})" if draw < 0.6 else first


def _some(rng: Random, names: list[str]) -> list[str]:
    return sorted(rng.sample(names, rng.randint(1, len(names))))


def _access(rng: Random, entity: str, entities: Doc) -> Doc:
    properties = entities[entity]["schema"]["properties"]
    stored = [name for name, item in properties.items() if "computed" not in item]
    access: Doc = {}
    for verb in ("read", "create", "update", "delete", "write"):
        if rng.random() < (0.1 if verb == "read" else 0.3):
            continue
        access[verb] = [
            _entry(rng, verb, entity, entities, stored, list(properties))
            for _ in range(rng.randint(1, 4 if verb == "read" else 3))
        ]
    if rng.random() < 0.2:
        access["read"] = [{**entry, "limit": rng.randint(1, 3)} for entry in access.get("read", ())]
    return access if access.get("read") else {**access, "read": [{"role": "r1"}]}


def _entry(rng: Random, verb: str, entity: str, entities: Doc, stored: list[str], known: list[str]) -> Doc:
    entry: Doc = {"role": rng.choice([*ROLES, "public", "authenticated", "authenticated", "authenticated"])}
    if verb != "create" and rng.random() < 0.6:
        entry["rule"] = condition(rng, entity, entities)
    if verb == "read":
        if rng.random() < 0.15:
            entry["fields"] = _some(rng, ["id", *known])
        elif rng.random() < 0.35:
            entry["hide"] = _some(rng, ["id", *known])[:2]
        if rng.random() < 0.1:
            entry["limit"] = rng.randint(1, 4)
        if rng.random() < 0.5:
            entry["aggregate"] = True
    elif verb != "delete":
        if rng.random() < 0.25:
            entry["check"] = condition(rng, entity, entities)
        if rng.random() < 0.35:
            entry["set"] = {
                name: _forced(rng, name, properties(entities, entity)) for name in _some(rng, stored)[:2]
            }
        if rng.random() < 0.25:
            entry["fields"] = _some(rng, stored)
    if "hide" in entry:
        entry["hide"] = sorted(set(entry["hide"]))
    return entry


def properties(entities: Doc, entity: str) -> Doc:
    """The fields of an entity as declared."""
    found: Doc = entities[entity]["schema"]["properties"]
    return found


def _forced(rng: Random, name: str, fields: Doc) -> str:
    item = fields[name]
    if "references" in item:
        return "user.id"
    match item["type"]:
        case "string":
            return rng.choice([f"'{rng.choice(TEXTS)}'", "user.claims.k", "self.a", "self.d"])
        case "integer":
            return rng.choice([str(rng.randint(0, 3)), "self.b + 1"])
        case _:
            return rng.choice(["true", "false"])


def caller(rng: Random) -> Principal:
    """Somebody, with what their roles include."""
    if rng.random() < 0.1:
        return Principal(roles=frozenset({"public"}))
    own = rng.sample([*ROLES], rng.randint(0, 3)) + (["admin"] if rng.random() < 0.15 else [])
    full = {"public", "authenticated", *own, *(above for name in own for above in ROLES.get(name, ()))}
    verbs = ("read", "write", "create", "update", "delete", "*")
    scopes = frozenset(f"{rng.choice(['e0', 'e1', 'j', '*'])}:{rng.choice(verbs)}" for _ in range(4))
    claims = {"k": rng.choice(TEXTS)} if rng.random() < 0.7 else {}
    return Principal(
        id=uid(rng.randint(1, 8)),
        roles=frozenset(full),
        claims=claims,
        scopes=scopes if rng.random() < 0.1 else None,
    )


def row(rng: Random, entity: str, entities: Doc, keys: dict[str, list[str]]) -> Doc:
    """Values for every stored field of a row; references lead to keys that are there."""
    values: Doc = {}
    for name, item in properties(entities, entity).items():
        if "computed" in item:
            continue
        if rng.random() < 0.2:
            values[name] = None
        elif "references" in item:
            values[name] = rng.choice(keys[item["references"]][: rng.choice([2, None])])
        else:
            values[name] = rng.choice(
                {"string": TEXTS, "integer": (0, 1, 2, 3), "boolean": (True, False)}[item["type"]]
            )
    return values
