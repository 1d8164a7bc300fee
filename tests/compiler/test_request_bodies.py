"""What a request body may hold, from the model alone."""

import jsonschema_rs
import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.emit.body import body_schemas

SOURCE = """
version: 1
entities:
  things:
    soft_delete: true
    schema:
      required: [name, state]
      properties:
        name: { type: string, maxLength: 5, pattern: "^[a-z]+$" }
        state: { type: string, enum: [on, off], default: on }
        level: { type: string, enum: [low, high] }
        fixed: { const: yes }
        number: { type: string, sequence: "T-{n}" }
        price: { type: number, multipleOf: 0.01, minimum: 0 }
        amount: { type: integer }
        small: { type: integer, format: int32, maximum: 10 }
        at: { type: string, format: time }
        day: { type: string, format: date }
        moment: { type: string, format: date-time }
        link: { type: string, format: uri }
        mail: { type: string, format: email }
        address: { type: string, format: ipv4 }
        color: { type: string, format: color }
        period: { type: string, format: daterange }
        tags: { type: array, items: { type: string, maxLength: 3 }, uniqueItems: true }
        lines: { type: array, items: { type: object, required: [n], properties: { n: { type: integer } } } }
        any: {}
        total: { type: number, computed: self.price * 2 }
        locked: { type: string, readOnly: true }
        secret: { type: string, format: password, minLength: 8 }
"""
ENTITY = compile_source(SOURCE, "some-tenant").entities["things"]
BODIES = {
    name: jsonschema_rs.Draft202012Validator(
        schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
    )
    for name, schema in body_schemas(ENTITY).items()
}


@pytest.mark.parametrize(
    "change",
    [
        {}, {"state": "off"}, {"level": None}, {"level": "low"}, {"fixed": "yes"}, {"fixed": None}, {"price": 19.99},
        {"price": 0.07}, {"price": 1234567.89}, {"price": None}, {"amount": 2**63 - 1}, {"amount": 3.0}, {"small": 10},
        {"at": "08:30"}, {"at": "08:30:15.25"}, {"day": "2028-02-29"}, {"moment": "2027-01-31T10:00:00Z"},
        {"moment": "2027-01-31T10:00:00.123+02:00"}, {"link": "https://a.example/x"}, {"mail": "a@b.example"},
        {"address": "10.0.0.1"}, {"color": "#0F766E"}, {"period": "[2027-01-01,2027-02-01)"}, {"period": "empty"},
        {"tags": ["a", "b"]}, {"lines": [{"n": 1}]}, {"any": {"x": [1]}}, {"any": 5}, {"secret": "12345678"},
        {"id": "0190d3a0-1c7b-7c3e-8f3e-2b1a5d3c9f00"},
    ],
)  # fmt: skip
def test_accepted(change: dict[str, object]) -> None:
    body = {"name": "abc"} | change
    assert [str(error) for error in BODIES["create"].iter_errors(body)] == []
    assert [str(error) for error in BODIES["update"].iter_errors(change)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"name": None}, {"name": "toolong"}, {"name": "ABC"}, {"name": "abc\n"}, {"state": None}, {"state": True},
        {"level": "mid"}, {"fixed": "no"}, {"number": "T-1"}, {"price": 1.234}, {"price": -1}, {"price": "1"},
        {"price": 10**37}, {"amount": 2**63}, {"amount": -(2**63) - 1}, {"amount": 1.5}, {"small": 11}, {"small": 2**31},
        {"at": "24:00"}, {"day": "2027-02-29"}, {"moment": "2027-01-31"}, {"link": "nothing"}, {"mail": "nobody"},
        {"address": "10.0.0.256"}, {"color": "red"}, {"period": "2027"}, {"tags": ["a", "a"]}, {"tags": ["long"]},
        {"tags": "a"}, {"lines": [{}]}, {"lines": [{"n": 1, "m": 2}]}, {"total": 1}, {"locked": "x"}, {"secret": "x"},
        {"created_at": "2027-01-31T10:00:00Z"}, {"row_version": 1}, {"deleted_at": None}, {"unknown": 1}, {"id": "x"},
    ],
)  # fmt: skip
def test_refused(change: dict[str, object]) -> None:
    for validator, body in ((BODIES["create"], {"name": "abc"} | change), (BODIES["update"], change)):
        errors = list(validator.iter_errors(body))
        assert errors
        assert {str(error.instance_path[0]) for error in errors if error.instance_path} <= set(change)


def test_required_on_create_alone() -> None:
    assert not BODIES["create"].is_valid({})
    assert BODIES["update"].is_valid({})
