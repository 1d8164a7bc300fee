"""The sizes of numbers in a body: judged exactly, whatever their digits, and explained by the schema."""

from typing import Any

import pytest

from tests.api.harness import Client, World

PRICES = """
version: 1
service: { name: prices }
roles: { admin: {} }
entities:
  prices:
    schema:
      properties:
        net: { type: number, minimum: 0, maximum: 1000000, multipleOf: 0.01 }
        share: { type: number, exclusiveMinimum: 0, exclusiveMaximum: 1 }
        dozen: { type: integer, multipleOf: 12 }
        list: { type: array, items: { type: number, maximum: 5 } }
"""


@pytest.fixture(scope="module")
async def prices(world: World) -> Client:
    await world.tenant("prices", PRICES)
    return world.client("prices")


@pytest.mark.parametrize(
    ("field", "value"),
    [("net", 4.35), ("net", 0), ("net", 1000000), ("net", 0.07), ("net", b"4.350"), ("net", b"435e-2"),
     ("net", None), ("share", 0.999999), ("share", b"0.99999999999999999999999999"), ("dozen", 24), ("list", [5, 4.5])],
)  # fmt: skip
async def test_good(prices: Client, field: str, value: Any) -> None:
    answer = await _post(prices, field, value)
    assert answer.status == 201, answer


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("net", 4.351, "multipleOf"), ("net", -0.01, "minimum"), ("net", 1000000.01, "maximum"), ("net", "1", "type"),
     ("net", True, "type"), ("share", 0, "exclusiveMinimum"), ("share", 1, "exclusiveMaximum"),
     ("share", b"1.0000000000000000000000000000001", "exclusiveMaximum"), ("dozen", 25, "multipleOf"),
     ("dozen", 12.5, "type"), ("list", [6], "maximum")],
)  # fmt: skip
async def test_bad(prices: Client, field: str, value: Any, code: str) -> None:
    answer = await _post(prices, field, value)
    assert (answer.status, answer.json["code"]) == (422, "validation.failed"), answer
    [first, *_] = answer.json["errors"]
    assert first["pointer"].startswith(f"/{field}")
    assert code in {error["code"] for error in answer.json["errors"]}


async def _post(prices: Client, field: str, value: Any) -> Any:
    raw = b'{"%s": %s}' % (field.encode(), value) if isinstance(value, bytes) else {field: value}
    return await prices.post("/prices", raw, Prefer="tx=rollback")
