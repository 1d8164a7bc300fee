"""Machine edits of a tenant file change one value; every other byte stays."""

import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.edit import EditError, remove_key, set_value

TEXT = """# on top
version: 1
service: { name: acme-co, title: "Acme" } # one line
roles: {}   # none yet

entities:
  # the things
  things:   # a comment behind
    title: Things
    schema:
      required: [name]
      properties:
        name: { type: string, maxLength: 40 }   # shown first
        # and a note
        note:
          type: string
          description: |
            Two
            lines.
    access: { read: [ { role: admin } ] }

# the end
"""


@pytest.mark.parametrize(
    ("path", "value", "before", "after"),
    [
        ("service.title", "Other", '"Acme"', "Other"),
        ("service.name", "other-co", "acme-co", "other-co"),
        ("entities.things.title", "Things: all", "Things\n", '"Things: all"\n'),
        ("entities.things.schema.properties.name.maxLength", 80, "40", "80"),
        (
            "entities.things.schema.properties.note.description",
            "One.",
            "|\n            Two\n            lines.",
            '"One."',
        ),
        ("service.description", "yes", '"Acme" }', '"Acme", description: "yes" }'),
        ("entities.things.schema.required", ["name", "note"], "[name]", "[name, note]"),
        ("roles.member", {}, "roles: {}", "roles: { member: {} }"),
        (
            "entities.things.schema.properties.size",
            {"type": "string", "enum": ["a", "1-2"]},
            "            lines.\n",
            '            lines.\n        size: { type: string, enum: [a, "1-2"] }\n',
        ),
        (
            "dashboards.main.widgets",
            [{"type": "metric", "entity": "things"}],
            "    access: { read: [ { role: admin } ] }\n",
            "    access: { read: [ { role: admin } ] }\ndashboards: { main: { widgets: [{ type: metric, entity: things }] } }\n",
        ),
    ],
)
def test_setting(path: str, value: object, before: str, after: str) -> None:
    changed = set_value(TEXT, path.split("."), value)
    normal = changed.replace("dashboards:\n  main: { ", "dashboards: { main: { ").replace(
        "things }] }\n", "things }] } }\n"
    )
    assert normal == TEXT.replace(before, after, 1)
    compile_source(changed, "other-co" if path == "service.name" else "acme-co")


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("service.title", ', title: "Acme"'),
        ("entities.things.title", "    title: Things\n"),
        (
            "entities.things.schema.properties.name",
            "        name: { type: string, maxLength: 40 }   # shown first\n",
        ),
        ("roles", "roles: {}   # none yet\n"),
    ],
)
def test_removing(path: str, gone: str) -> None:
    assert remove_key(TEXT, path.split(".")) == TEXT.replace(gone, "", 1)


@pytest.mark.parametrize("path", ["version.x", "service.name.x", "entities.things.schema.required.x"])
def test_what_is_no_mapping(path: str) -> None:
    with pytest.raises(EditError):
        set_value(TEXT, path.split("."), 1)
    with pytest.raises(EditError):
        remove_key(TEXT, ["no", "such"])
