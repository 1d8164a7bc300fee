"""The language about itself: its JSON Schema for editors, and its reference for people.

Decides nothing: both are printed from the definitions that check tenant files, so they cannot disagree with
them. Called by the gateway (``/schemas/tenant.schema.json``), the console and the docs.
"""

from collections.abc import Iterator
from typing import Any

from schemas.compiler.fieldtypes import FORMS
from schemas.compiler.grammar.containers import Key, Record
from schemas.compiler.grammar.scalars import Choice
from schemas.compiler.grammar.shape import Definitions, Shape
from schemas.compiler.grammar.slots import BUILT_IN_FUNCTIONS
from schemas.compiler.sections.document import DOCUMENT
from schemas.compiler.sections.triggers import TRIGGERS

SCHEMA_ID = "/schemas/tenant.schema.json"


def language_schema() -> dict[str, Any]:
    """Return the JSON Schema of tenant files.

    It is as strict as a JSON Schema can be: names of fields, roles and entities, and expressions, are only
    checked by the compiler.
    """
    definitions = Definitions()
    root = DOCUMENT.schema(definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Tenant file",
        **root,
        "$defs": dict(sorted(definitions.schemas.items())),
    }


def reference_markdown() -> str:
    """Return the reference of the language: every key of every part, its form and meaning."""
    parts = ["# Reference of the tenant file", "", "Generated from the definitions that check the files.", ""]
    for record in records(DOCUMENT):
        parts += [f"## {record.name}", "", record.says, ""]
        if record.shorthand:
            parts += [f"A bare value stands for `{{{record.shorthand}: value}}`.", ""]
        parts += ["| key | form | meaning |", "|---|---|---|"]
        parts += [_row(name, key) for name, key in record.keys.items()]
        parts.append("")
    parts += ["## Types of fields", "", "| type | format | column | holds |", "|---|---|---|---|"]
    parts += [
        f"| {form.json_type} | {form.format or '-'} | {form.pg_type} | {form.says} |"
        for form in FORMS.values()
    ]
    parts += ["", "## Triggers", "", "| trigger | runs |", "|---|---|"]
    parts += [f"| {name} | {says} |" for name, says in TRIGGERS.items()]
    parts += ["", "## Built-in functions", "", "| function | does |", "|---|---|"]
    parts += [f"| {name} | {says} |" for name, says in BUILT_IN_FUNCTIONS.items()]
    return "\n".join([*parts, ""])


def records(root: Shape) -> Iterator[Record]:
    """Iterate over the records of the language, outermost first, each once."""
    seen: set[int] = set()
    names: set[str] = set()
    waiting = [root]
    while waiting:
        shape = waiting.pop(0)
        if id(shape) in seen:
            continue
        seen.add(id(shape))
        if isinstance(shape, Record) and shape.name not in names:
            names.add(shape.name)
            yield shape
        waiting.extend(shape.parts())


def _row(name: str, key: Key) -> str:
    form = key.shape.expects
    says = key.says + (" Required." if key.required else "")
    if isinstance(key.shape, Choice) and any(key.shape.words.values()):
        says += " " + "; ".join(f"`{word}`: {meaning}" for word, meaning in key.shape.words.items()) + "."
    if key.examples:
        says += " For example " + ", ".join(f"`{example}`" for example in key.examples) + "."
    return f"| `{name}` | {_escape(form)} | {_escape(says)} |"


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
