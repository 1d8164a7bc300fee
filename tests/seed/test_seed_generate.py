"""The data generator: reproducible, relational, inside every bound, for any tenant."""

import datetime as dt
from pathlib import Path

import jsonschema_rs
import pytest

from actors.seed.generate import BATCH_ROWS, FIRST_DAY, generate
from actors.seed.patterns import UnsupportedPatternError, text_for
from actors.seed.shares import references
from schemas.compiler.compile import compile_source
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.model import TenantModel

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLES = ("acme-corp", "sample-crm")


def model_of(slug: str) -> TenantModel:
    return compile_source((SCHEMAS / f"{slug}.yaml").read_bytes(), slug)


def compiled(text: str) -> TenantModel:
    return compile_source(text, "tried")


def data_of(model: TenantModel, rows: int = 800, seed: int = 7, **more) -> dict[str, list[dict]]:
    data: dict[str, list[dict]] = {}
    for batch in generate(model, rows, seed, **more):
        assert batch.operation == "create"
        assert len(batch.rows) <= BATCH_ROWS
        data.setdefault(batch.entity, []).extend(batch.rows)
    return data


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request) -> tuple[TenantModel, dict[str, list[dict]]]:
    model = model_of(request.param)
    return model, data_of(model)


def test_same_seed_same_data_other_seed_other_data():
    model = model_of("sample-crm")
    assert data_of(model, 200, 1) == data_of(model, 200, 1)
    assert data_of(model, 200, 1) != data_of(model, 200, 2)


def test_keys_do_not_depend_on_the_day():
    model = model_of("sample-crm")
    later = data_of(model, 200, 1, today=dt.date(2027, 6, 1))
    for entity, rows in data_of(model, 200, 1).items():
        assert [row["id"] for row in rows] == [row["id"] for row in later[entity]]


def test_about_as_many_rows_as_asked_for_in_every_entity(example):
    model, data = example
    assert set(data) == {name for name, entity in model.entities.items() if not entity.added}
    assert 0.9 * 800 <= sum(map(len, data.values())) <= 1.1 * 800


def test_every_value_fits_its_schema(example):
    model, data = example
    for name, rows in data.items():
        fields = model.entities[name].fields
        for field in fields.values():
            check = jsonschema_rs.Draft202012Validator(dict(field.schema), validate_formats=True)
            for row in rows:
                value = row.get(field.name)
                if value is None:
                    assert not field.required or field.generated, (name, field.name)
                else:
                    assert check.is_valid(value), (name, field.name, value)


def test_nothing_the_server_sets_is_sent(example):
    model, data = example
    for name, rows in data.items():
        fields = model.entities[name].fields
        for row in rows:
            for member in row:
                field = fields[member]
                assert field.computed is None
                assert field.generated not in {"managed", "sequence"}
            assert row.keys() == rows[0].keys()


def test_references_point_to_rows_that_come_first(example):
    model, data = example
    known: dict[str, set] = {name: set() for name in model.entities}
    for name, rows in data.items():
        entity = model.entities[name]
        known[name] |= {row[entity.key] for row in rows}
        for field, target in references(entity):
            for row in rows:
                assert row[field.name] is None or row[field.name] in known[target]


def test_what_is_unique_is_unique(example):
    model, data = example
    for name, rows in data.items():
        entity = model.entities[name]
        alone = [(field.name,) for field in entity.fields.values() if field.unique]
        for names in ((entity.key,), *alone, *entity.unique):
            values = [tuple(row.get(part) for part in names) for row in rows]
            full = [value for value in values if None not in value]
            assert len(full) == len(set(full)), (name, names)


def test_rules_hold(example):
    model, data = example
    now = dt.datetime.combine(FIRST_DAY, dt.time(12), tzinfo=dt.UTC)
    for name, rows in data.items():
        for rule in model.entities[name].rules:
            if rule.uses_old or not rule.rule.in_process:
                continue
            holds = to_python(rule.rule)
            for row in rows:
                assert holds(Env(self=row, now=now, timezone=model.timezone)), (name, rule.rule.text, row)


def test_relatives_agree():
    data = data_of(model_of("acme-corp"))
    project_of = {task["id"]: task["project_id"] for task in data["tasks"]}
    for entry in data["time_entries"]:
        assert entry["task_id"] is None or project_of[entry["task_id"]] == entry["project_id"]
    customer_of = {project["id"]: project["customer_id"] for project in data["projects"]}
    for invoice in data["invoices"]:
        assert invoice["project_id"] is None or customer_of[invoice["project_id"]] == invoice["customer_id"]


def test_work_is_skewed_and_states_are_mixed():
    data = data_of(model_of("acme-corp"), 3000)
    counts: dict[str, int] = {}
    for invoice in data["invoices"]:
        counts[invoice["customer_id"]] = counts.get(invoice["customer_id"], 0) + 1
    assert max(counts.values()) >= 3 * sum(counts.values()) / len(counts)
    assert len({invoice["status"] for invoice in data["invoices"]}) >= 4


def test_totals_are_the_sums_of_their_lines():
    for invoice in data_of(model_of("acme-corp"))["invoices"]:
        if invoice["lines"]:
            assert invoice["net"] == pytest.approx(sum(line["net"] for line in invoice["lines"]))


def test_nobody_real_gets_mail(example):
    _, data = example
    for rows in data.values():
        for row in rows:
            assert not row.get("email") or row["email"].endswith(".example")


def test_circles_are_closed_afterwards():
    model = compiled("""
version: 1
entities:
  teams: { schema: { required: [name], properties: { name: { type: string }, head_id: { references: people } } } }
  people: { schema: { required: [team_id], properties: { name: { type: string }, team_id: { references: teams } } } }
""")
    batches = list(generate(model, 60, 1))
    created = [batch.entity for batch in batches if batch.operation == "create"]
    assert created.index("teams") < created.index("people")
    people = {row["id"] for batch in batches if batch.entity == "people" for row in batch.rows}
    closing = [row for batch in batches if batch.operation == "update" for row in batch.rows]
    assert closing
    assert all(set(row) == {"id", "head_id"} and row["head_id"] in people for row in closing)


def test_every_kind_of_field_and_key():
    model = compiled("""
version: 1
entities:
  shelves: { key: no, schema: { properties: { no: { type: integer }, label: { type: string } } } }
  things:
    key: code
    schema:
      required: [code, shelf_no, ip, at, span, tags, point, ratio]
      properties:
        code: { type: string, pattern: "^[A-Z]{2}(-[0-9]{3}|x+)$" }
        shelf_no: { references: shelves }
        ip: { type: string, format: ipv6 }
        at: { type: string, format: time }
        span: { type: string, format: daterange }
        tags: { type: array, minItems: 2, uniqueItems: true, items: { type: string, maxLength: 12 } }
        point: { type: object, required: [x], properties: { x: { type: number, format: double }, y: { type: number } } }
        ratio: { type: number, exclusiveMinimum: 0, exclusiveMaximum: 1, multipleOf: 0.05 }
        level: { type: integer, format: int32, enum: [1, 2, 3] }
        word: { type: string, minLength: 30, maxLength: 31 }
        maybe: { type: [string, "null"], format: date }
        secret: { type: string, format: password }
""")
    data = data_of(model, 80)
    assert [row["no"] for row in data["shelves"]][:3] == [1, 2, 3]
    for row in data["things"]:
        for field in model.entities["things"].fields.values():
            if row.get(field.name) is not None:
                assert jsonschema_rs.Draft202012Validator(dict(field.schema)).is_valid(row[field.name]), row


@pytest.mark.parametrize(
    "pattern", ["^[A-Z]{3}-[0-9]{3}$", "a|bc+", r"\d{2}\.\w?", "^(?:x|y){1,3}[^a-z]$", "[-_a-c]*"]
)
def test_patterns_are_met(pattern):
    import random

    import re2

    for seed in range(20):
        assert re2.search(pattern, text_for(pattern, random.Random(seed)))


@pytest.mark.parametrize("pattern", ["(?i)x", r"\pL", "[[:alpha:]]", "a{", "(a"])
def test_what_is_no_pattern_for_us_is_said(pattern):
    import random

    with pytest.raises(UnsupportedPatternError):
        text_for(pattern, random.Random(1))
