"""The naive model of writes: what the tables are afterwards, or that the whole request is refused.

Rules follow relations through the rows as they were before the request; the row itself is the new one.
"""

import copy
from typing import Any

from schemas.compiler.model import AccessEntry
from tests.oracle.oracle_model import Bag, Naive, Refused, Row, Tables, Undetermined
from tests.oracle.oracle_queries import Ask, Embed

DELETED = "2026-11-23T08:00:00+00:00"


def write(naive: Naive, ask: Ask) -> tuple[Tables, list[Any] | None, int]:
    """The tables after a write, what it answers, and how many rows it touched."""
    if ask.shows:
        naive.check(ask.entity, ask.items, ask.level)
    elif ask.level.tests:
        naive.check(ask.entity, (), ask.level)
    after = copy.deepcopy(naive.tables)
    match ask.verb:
        case "update":
            changed = _update(naive, ask, after)
        case "delete":
            changed = _delete(naive, ask, after)
        case _:
            changed = _insert(naive, ask, after)
    _check_keys(naive, after)
    if not ask.shows:
        return after, None, len(changed)
    seen = [row for row in changed if naive.readable(ask.entity, row, deleted=ask.verb == "delete")]
    return after, Bag([naive.shape(ask.entity, row, ask.items) for row in seen]), len(changed)


def _targets(naive: Naive, ask: Ask, entries: tuple[AccessEntry, ...]) -> list[Row]:
    rows = [row for row in naive.tables[ask.entity] if row.get("deleted_at") is None]
    if ask.key is not None:
        rows = [row for row in rows if row["id"] == ask.key]
    if ask.level.tests or any(isinstance(item, Embed) and item.inner for item in ask.items):
        rows = naive.matching(ask.entity, rows, ask.items, ask.level)
    return [row for row in rows if any(naive.applies(entry, row) for entry in entries)]


def _allowing(naive: Naive, ask: Ask, verb: str, free: set[str]) -> tuple[AccessEntry, ...]:
    """The entries that let the caller write the fields of the body."""
    columns = {name for row in ask.rows for name in row} - free
    entries = naive.entries(ask.entity, verb)
    allowed = tuple(entry for entry in entries if entry.fields is None or columns <= set(entry.fields))
    if not allowed:
        raise Refused(f"fields of {verb}")
    return allowed


def _forced(naive: Naive, entries: tuple[AccessEntry, ...], row: Row) -> Row:
    """What every entry sets to the same."""
    first, *others = entries
    return {
        name: naive.value_of(value, row)
        for name, value in first.set.items()
        if all(name in entry.set and entry.set[name].text == value.text for entry in others)
    }


def _admit(naive: Naive, entries: list[AccessEntry], new: Row, old: Row, forced: Row) -> None:
    """Refuse a row that no single entry allows to be so: its check holds, and its values are set."""
    for entry in entries:
        checked = entry.check is None or naive.value_of(entry.check, new) is True
        loose = {name: value for name, value in entry.set.items() if name not in forced}
        if checked and all(new[name] == naive.value_of(value, old) for name, value in loose.items()):
            return
    raise Refused("no entry allows the row")


def _update(naive: Naive, ask: Ask, after: Tables) -> list[Row]:
    entries = _allowing(naive, ask, "update", set())
    changed: list[Row] = []
    for old in _targets(naive, ask, entries):
        forced = _forced(naive, entries, old)
        new = {**old, **ask.rows[0], **forced}
        _admit(naive, [entry for entry in entries if naive.applies(entry, old)], new, old, forced)
        _put(after[ask.entity], new)
        changed.append(new)
    return changed


def _delete(naive: Naive, ask: Ask, after: Tables) -> list[Row]:
    targets = _targets(naive, ask, naive.entries(ask.entity, "delete"))
    if naive.model.entities[ask.entity].soft_delete:
        changed = [{**row, "deleted_at": DELETED} for row in targets]
        for row in changed:
            _put(after[ask.entity], row)
        return changed
    gone = {(ask.entity, row["id"]) for row in targets}
    waiting = list(gone)
    held: list[tuple[str, str]] = []
    while waiting:
        entity, key = waiting.pop()
        for child in naive.model.entities.values():
            for field in child.fields.values():
                if field.references is None or field.references.entity != entity:
                    continue
                for row in after[child.name]:
                    if row[field.name] != key:
                        continue
                    if field.references.on_delete == "set_null":
                        row[field.name] = None
                    elif field.references.on_delete == "restrict":
                        held.append((child.name, row["id"]))
                    elif (child.name, row["id"]) not in gone:
                        gone.add((child.name, row["id"]))
                        waiting.append((child.name, row["id"]))
    if held and all(row in gone for row in held):
        raise Undetermined  # it depends on which of them goes first
    if held:
        raise Refused("still referenced")
    for entity in after:
        after[entity] = [row for row in after[entity] if (entity, row["id"]) not in gone]
    return targets


def _insert(naive: Naive, ask: Ask, after: Tables) -> list[Row]:
    entity = naive.model.entities[ask.entity]
    conflict = ask.conflict or ("id",)
    creating = _allowing(naive, ask, "create", {"id"})
    merges = ask.verb in {"upsert", "replace"}
    updating = _allowing(naive, ask, "update", {"id", *conflict}) if merges else ()
    blank = {
        name: field.default_value
        for name, field in entity.fields.items()
        if not field.virtual and field.generated != "managed" and name not in {"id", "deleted_at"}
    }
    named = {name: blank.get(name) if ask.defaults else None for row in ask.rows for name in row}
    changed: list[Row] = []
    known: list[tuple[Any, ...]] = []
    for given in ask.rows:
        body = {**named, **given}
        new = _created(naive, creating, {**blank, **body}, set(body))
        pair = tuple(new[name] for name in conflict)
        if pair in known and None not in pair and merges:
            raise Refused("one row twice")
        old = None if None in pair else _with(naive.tables[ask.entity], conflict, pair)
        if old is None and ask.verb == "ignore" and pair in known and None not in pair:
            continue
        known.append(pair)
        if old is None:
            if any(row["id"] == new["id"] for row in after[ask.entity]):
                raise Refused("duplicate key")
            _admit(naive, [*creating], new, new, _forced(naive, creating, {**blank, **body}))
        elif merges:
            applying = [entry for entry in updating if naive.applies(entry, old)]
            if old.get("deleted_at") is not None or not applying:
                raise Refused("the row that is there is out of reach")
            base = {**old, **_reset(blank, creating, updating)} if ask.verb == "replace" else old
            forced = _forced(naive, updating, old)
            kept = {name: old[name] for name in ("id", *conflict)}
            new = {**base, **body, **kept, **forced}
            _admit(naive, applying, new, old, forced)
        elif ask.verb == "ignore":
            continue
        else:
            raise Refused("duplicate key")
        _put(after[ask.entity], new)
        changed.append(new)
    return changed


def _created(naive: Naive, creating: tuple[AccessEntry, ...], asked: Row, given: set[str]) -> Row:
    """A new row: as it was given, with what is set where nothing was given, or for everybody."""
    filled: Row = {}
    for entry in creating:
        for name, value in entry.set.items():
            if name not in given and name not in filled:
                filled[name] = naive.value_of(value, asked)
    return {**asked, **filled, **_forced(naive, creating, asked)}


def _with(rows: list[Row], names: tuple[str, ...], values: tuple[Any, ...]) -> Row | None:
    return next((row for row in rows if tuple(row[name] for name in names) == values), None)


def _reset(blank: Row, creating: tuple[AccessEntry, ...], updating: tuple[AccessEntry, ...]) -> Row:
    """What a PUT says without saying it: the defaults of what the caller may write and is not set for them."""
    return {
        name: value
        for name, value in blank.items()
        if all(entry.fields is None or name in entry.fields for entry in updating)
        and not any(name in entry.set for entry in creating)
    }


def _put(rows: list[Row], new: Row) -> None:
    for place, row in enumerate(rows):
        if row["id"] == new["id"]:
            rows[place] = new
            return
    rows.append(new)


def _check_keys(naive: Naive, after: Tables) -> None:
    for entity in naive.model.entities.values():
        for columns in entity.unique:
            pairs = [tuple(row[name] for name in columns) for row in after[entity.name]]
            whole = [pair for pair in pairs if None not in pair]
            if len(set(whole)) < len(whole):
                raise Refused("duplicate pair")
            held = {tuple(row[name] for name in columns): row["id"] for row in naive.tables[entity.name]}
            for row, pair in zip(after[entity.name], pairs, strict=True):
                if None not in pair and held.get(pair, row["id"]) != row["id"]:
                    raise Undetermined  # it depends on which row changes first
    keys = {name: {row["id"] for row in rows} for name, rows in after.items()}
    for entity in naive.model.entities.values():
        for field in entity.fields.values():
            if field.references is None:
                continue
            for row in after[entity.name]:
                if row[field.name] is not None and row[field.name] not in keys[field.references.entity]:
                    raise Refused("no such row")
