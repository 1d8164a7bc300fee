"""The language's JSON Schema and reference come from the definitions that check files, and agree with them."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.diagnostics import CompileError
from schemas.compiler.emit.language import language_schema, records, reference_markdown
from schemas.compiler.findings import Findings
from schemas.compiler.nodes import plain
from schemas.compiler.sections.document import DOCUMENT
from schemas.compiler.source import load

CASES = Path(__file__).parent / "cases"
SCHEMA = language_schema()
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)


def as_json(text: str) -> Any:
    root = load(text, Findings())
    assert root is not None
    return plain(root)


def test_it_is_a_valid_json_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("name", ["acme-corp", "plain-shop", "renamed"])
def test_good_files_meet_it(name: str) -> None:
    errors = [str(error) for error in VALIDATOR.iter_errors(as_json((CASES / f"{name}.yaml").read_text()))]
    assert errors == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "version: 2",
        "version: 1\nentites: {}",
        "version: 1\nentities: { a: { schema: { properties: { b: { typ: string } } } } }",
        "version: 1\nentities: { a: { schema: { properties: { b: { type: strin } } } } }",
        "version: 1\nentities: { a: { access: { create: [{ role: x, rule: 'true' }] } } }",
        "version: 1\nentities: { '1a': {} }",
        "version: 1\njobs: { a: { schedule: '* * * * *' } }",
        "version: 1\napi: { rate_limit: [{ match: '*', limit: 60 }] }",
        "version: 1\nbranding: { color: red }",
    ],
)
def test_both_refuse_the_same(text: str) -> None:
    assert not VALIDATOR.is_valid(as_json(text))
    with pytest.raises(CompileError):
        compile_source(text, "some-tenant")


def test_the_reference_names_every_key() -> None:
    reference = reference_markdown()
    for record in records(DOCUMENT):
        assert f"\n## {record.name}\n" in reference
        for name, key in record.keys.items():
            assert f"| `{name}` |" in reference
            assert key.says.endswith((".", ")", "]", "?")), f"{record.name}.{name}: {key.says}"


def test_every_part_of_the_language_is_described() -> None:
    names = [record.name for record in records(DOCUMENT)]
    assert len(names) > 35
    for definition in SCHEMA["$defs"].values():
        shape = definition.get("anyOf", [definition])[-1]
        assert shape["description"]
        for value in shape["properties"].values():
            assert value["description"]
