"""Which of a field's keys may stand together, and what a ``sequence`` may hold.

Decides from one table, so that each refusal has its place, its words and its advice. Called by ``fields`` for
every field, when its type is known.
"""

import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from schemas.compiler.fieldtypes import FIELD_TYPES
from schemas.compiler.findings import Findings
from schemas.compiler.model import Field
from schemas.compiler.nodes import Mapping, Node, Scalar

_SEQUENCE_PART = re.compile(r"\{([^{}]*)\}")
_SEQUENCE_NAME = re.compile(r"n(:0[1-9][0-9]?)?|year|month|day", re.ASCII)
_KEY_HOLDERS = {"text", "uuid", "integer", "bigint"}
_NUMBERS = {"numeric", "double", "bigint", "integer"}

Keys = AbstractSet[str]


class _Refusal(NamedTuple):
    """A key that may not be there: when, why (``{name}`` and ``{says}`` filled in), and what to do."""

    key: str
    when: Callable[[Field, Keys], bool]
    why: str
    hint: str = ""


def _computed(keys: Keys) -> bool:
    return "computed" in keys


_REFUSALS = (
    *(
        _Refusal(key, lambda _, keys: _computed(keys), f"the computed field '{{name}}' cannot have '{key}'")
        for key in ("default", "sequence", "writeOnly")
    ),
    _Refusal(
        "references",
        lambda field, keys: _computed(keys) and field.virtual,
        "the computed field '{name}' cannot have 'references'",
        "add stored: true",
    ),
    _Refusal(
        "unique",
        lambda field, _: field.virtual and field.unique,
        "the computed field '{name}' has no column to be unique in",
        "add stored: true",
    ),
    _Refusal(
        "searchable",
        lambda field, _: field.virtual and field.searchable,
        "the computed field '{name}' has no column to search",
        "add stored: true",
    ),
    _Refusal(
        "virtual",
        lambda field, keys: _computed(keys) and "virtual" in keys and not field.virtual,
        "'{name}' is either stored or virtual",
    ),
    *(
        _Refusal(key, lambda _, keys: not _computed(keys), "'{name}' is not computed: it always has a column")
        for key in ("stored", "virtual")
    ),
    _Refusal(
        "onDelete",
        lambda _, keys: "references" not in keys,
        "onDelete needs 'references': '{name}' refers to nothing",
    ),
    _Refusal(
        "onDelete",
        lambda field, _: (
            field.references is not None and field.references.on_delete == "set_null" and not field.nullable
        ),
        "'{name}' is required and cannot become null",
        "write onDelete: restrict or cascade",
    ),
    _Refusal(
        "references",
        lambda field, _: field.kind not in _KEY_HOLDERS,
        "'{name}' is {says}: it cannot hold a key",
    ),
    _Refusal(
        "searchable",
        lambda field, _: field.searchable and field.kind != "text",
        "search= looks into texts; '{name}' is {says}",
    ),
    _Refusal(
        "unique",
        lambda field, _: field.unique and field.kind in {"json", "password", "file"},
        "'{name}' is {says}: it cannot be unique",
    ),
    _Refusal("alias_until", lambda _, keys: "renamed_from" not in keys, "alias_until needs 'renamed_from'"),
    _Refusal(
        "restore_from", lambda _, keys: "renamed_from" in keys, "'{name}' is either renamed or restored"
    ),
    _Refusal(
        "renamed_from", lambda field, _: field.name in field.renamed_from, "'{name}' is renamed from itself"
    ),
    _Refusal(
        "currency",
        lambda field, _: field.kind not in _NUMBERS,
        "an amount of money is a number; '{name}' is {says}",
    ),
    _Refusal(
        "writeOnly",
        lambda field, _: field.read_only and field.write_only,
        "'{name}' is read-only and write-only: nobody could use it",
    ),
    _Refusal(
        "sequence",
        lambda field, _: field.kind != "text",
        "a sequence makes texts; '{name}' is {says}",
        "an integer key counts by itself",
    ),
)


_BY_KEY = {
    key: tuple(refusal for refusal in _REFUSALS if refusal.key == key)
    for key in {refusal.key for refusal in _REFUSALS}
}


def check_combinations(key: Scalar, node: Mapping, field: Field, findings: Findings) -> None:
    """Report keys of a field that may not stand together."""
    keys = node.entries.keys()
    for name in keys & _BY_KEY.keys():
        for refusal in _BY_KEY[name]:
            if refusal.when(field, keys):
                why = refusal.why.format(name=key.text, says=FIELD_TYPES[field.kind].says)
                findings.error("field.combination", why, node.entries[name].key, refusal.hint)
    place = node.get("sequence")
    if place is not None and field.sequence is not None:
        _check_sequence(field.sequence, place, findings)


def _check_sequence(pattern: str, place: Node, findings: Findings) -> None:
    parts = _SEQUENCE_PART.findall(pattern)
    for part in parts:
        if not _SEQUENCE_NAME.fullmatch(part):
            hint = "parts are {n}, {n:05}, {year}, {month}, {day}"
            findings.error("field.sequence", f"'{{{part}}}' is no part of a sequence", place, hint)
    if not any(part == "n" or part.startswith("n:") for part in parts):
        hint = "for example INV-{year}-{n:05}"
        findings.error("field.sequence", "a sequence needs its number: {n}", place, hint)
