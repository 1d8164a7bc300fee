"""Random requests for the oracle: most of them make sense for the entity they are about."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.oracle.oracle_queries import Ask, Cond, Embed, Group, Item, Key, Level, Test
from tests.oracle.oracle_schema import TEXTS, Doc, children, links, properties, row, uid


@dataclass
class Asker:
    """Makes requests for one tenant."""

    rng: Random
    entities: Doc
    keys: dict[str, list[str]]
    _names: int = field(default=0)

    def ask(self) -> Ask:
        """A request; two of three are reads."""
        entity = self.rng.choice(list(self.entities))
        verb = self.rng.choice(
            ["read"] * 10 + ["insert", "upsert", "upsert", "ignore", "replace", "update", "update", "delete"]
        )
        self._names = 0
        if verb == "read":
            return self._read(entity)
        items = self._items(entity, 1, aggregates=False)
        shows = self.rng.random() < 0.6
        ask = Ask(verb, entity, items if shows else (), shows=shows)
        if verb == "replace":
            rows = self._rows(entity, verb)[:1]
            return replace(ask, rows=rows, key=rows[0]["id"])
        if verb in {"insert", "upsert", "ignore"}:
            pair = entity == "j" and verb != "insert" and self.rng.random() < 0.6
            conflict = ("near_id", "far_id") if pair else ()
            rows = self._rows(entity, verb, conflict)
            return replace(ask, rows=rows, defaults=self.rng.random() < 0.3, conflict=conflict)
        tests = (
            () if not shows and self.rng.random() < 0.4 else self._tests(entity, 1) or self._tests(entity, 1)
        )
        key = self.rng.choice(self.keys[entity]) if not tests or self.rng.random() < 0.3 else None
        rows = (self._body(entity),) if verb == "update" else ()
        return replace(ask, level=Level(tests), key=key, rows=rows)

    def _read(self, entity: str) -> Ask:
        if self.rng.random() < 0.12:
            return self._grouped(entity)
        items = self._items(entity, 0)
        if self.rng.random() < 0.15:
            return Ask("read", entity, items, key=self.rng.choice(self.keys[entity]))
        level = self._level(entity, items)
        related = any("(" in name for name, _ in level.order)
        paged = bool(level.limit) and not level.offset and not related and self.rng.random() < 0.5
        return Ask("read", entity, items, level, counts=not paged and self.rng.random() < 0.3, paged=paged)

    def _grouped(self, entity: str) -> Ask:
        functions = self.rng.sample(["sum", "min", "max", "count"], self.rng.randint(0, 2))
        names = self.rng.sample(["a", "c", "d"], self.rng.randint(0, 2))
        keys: list[Item] = [Key("", self._alias(), "count")]
        keys += [Key("b", self._alias(), function) for function in functions]
        keys += [Key(name, self._alias()) for name in names]
        return Ask("read", entity, tuple(keys), Level(self._tests(entity, 0)), counts=self.rng.random() < 0.3)

    def _alias(self) -> str:
        self._names += 1
        return f"k{self._names}"

    def fields(self, entity: str) -> list[str]:
        """Fields a request may name."""
        return ["id", *properties(self.entities, entity)]

    def _items(self, entity: str, depth: int, *, aggregates: bool = True) -> tuple[Item, ...]:
        names = self.rng.sample(self.fields(entity), self.rng.randint(1, 3))
        items: list[Item] = [Key(name, self._alias()) for name in names]
        if aggregates and self.rng.random() < 0.15:
            items.append(Key("*", "*"))
        ways = [(entity, column, target, True, "") for column, target in links(self.entities, entity)]
        ways += [(child, column, child, False, "") for child, column in children(self.entities, entity)]
        ends = {"e0": ("near_id", "e1", "far_id"), "e1": ("far_id", "e0", "near_id")}
        if entity in ends:
            near, other, far = ends[entity]
            ways.append(("j", near, other, False, far))
        self.rng.shuffle(ways)
        for child, column, target, up, far in ways[: self.rng.choice([0, 0, 1, 1, 2]) if depth < 2 else 0]:
            counted = aggregates and not up and self.rng.random() < 0.15
            inside: tuple[Item, ...] = (
                (Key("", self._alias(), "count"),) if counted else self._items(target, depth + 1)
            )
            spread = up and self.rng.random() < 0.25
            if spread:  # its keys must not be those of the row
                inside = tuple(item for item in inside if item != Key("*", "*"))
            level = Level() if counted else self._level(target, inside, to_one=up)
            inner = self.rng.random() < 0.2
            items.append(Embed(self._alias(), child, column, target, up, inside, level, inner, spread, far))
        return tuple(items)

    def _level(self, entity: str, items: tuple[Item, ...], *, to_one: bool = False) -> Level:
        tests = self._tests(entity, 0) if self.rng.random() < 0.6 else ()
        embeds = [item for item in items if isinstance(item, Embed) and not item.spread]
        if embeds and self.rng.random() < 0.2:
            tests = (*tests, Cond(self.rng.choice(embeds).alias, "is", None, self.rng.random() < 0.5))
        if to_one or self.rng.random() < 0.5:
            return Level(tests)
        names = self.rng.sample(self.fields(entity), self.rng.randint(0, 2))
        suffixes = ["", ".asc", ".desc", ".desc.nullslast", ".asc.nullsfirst"]
        order = [(name, self.rng.choice(suffixes)) for name in names if name != "id"]
        parents = [embed for embed in embeds if embed.up]
        if parents and self.rng.random() < 0.4:
            parent = self.rng.choice(parents)
            name = self.rng.choice(self.fields(parent.target))
            order.insert(0, (f"{parent.alias}({name})", self.rng.choice(suffixes)))
        paged = self.rng.random() < 0.5
        return Level(
            tests,
            (*order, ("id", self.rng.choice(["", ".desc"]))),
            self.rng.randint(0, 4) if paged else None,
            self.rng.randint(0, 3) if paged and self.rng.random() < 0.5 else 0,
        )

    def _tests(self, entity: str, least: int) -> tuple[Test, ...]:
        return tuple(self._test(entity, 0) for _ in range(self.rng.choice([least, 1, 1, 2])))

    def _test(self, entity: str, depth: int) -> Test:
        negated = self.rng.random() < 0.2
        if depth < 2 and self.rng.random() < 0.25:
            items = tuple(self._test(entity, depth + 1) for _ in range(self.rng.randint(1, 3)))
            return Group(self.rng.choice(["and", "or"]), items, negated)
        name = self.rng.choice(self.fields(entity))
        if self.rng.random() < 0.15:
            return Cond(name, "is", None, negated)
        pool = self._pool(entity, name)
        if name == "c":
            return Cond(name, self.rng.choice(["is", "eq", "neq"]), self.rng.choice(pool), negated)
        operator = self.rng.choice(["eq", "neq", "gt", "gte", "lt", "lte", "in", "isdistinct", "like"])
        if operator == "in":
            return Cond(name, "in", tuple(self.rng.sample(pool, self.rng.randint(0, 3))), negated)
        if operator == "like":
            return Cond(name, "like", self.rng.choice(["x*", "*y", "*", "z"]), negated)
        return Cond(name, operator, self.rng.choice(pool), negated)

    def _pool(self, entity: str, name: str) -> list[Any]:
        item = properties(self.entities, entity).get(name, {"references": entity})
        if "references" in item:
            return self.keys[item["references"]]
        return {"string": [*TEXTS], "integer": [0, 1, 2, 3], "boolean": [True, False]}[item["type"]]

    def _body(self, entity: str) -> Doc:
        values = row(self.rng, entity, self.entities, self.keys)
        names = self.rng.sample(list(values), self.rng.randint(1, min(3, len(values))))
        return {name: values[name] for name in names}

    def _rows(self, entity: str, verb: str, conflict: tuple[str, ...] = ()) -> tuple[Doc, ...]:
        first = dict.fromkeys([*self._body(entity), *conflict][:: self.rng.choice([1, -1])])
        keys = self.rng.sample(self.keys[entity], 2) if verb != "insert" else []
        fresh = [uid(1000 + self.rng.randint(0, 99)), uid(1100)]
        rows: list[Doc] = []
        for number in range(self.rng.randint(1, 2)):
            values = row(self.rng, entity, self.entities, self.keys)
            known = keys[number] if keys and self.rng.random() < 0.6 else fresh[number]
            misses = number > 0 and self.rng.random() < 0.4
            rows.append({"id": known, **{name: values[name] for name in [*first][misses:]}})
        return tuple(rows)
