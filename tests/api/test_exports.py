"""Whole lists as files: ``{entity}.csv``, ``.ndjson``, ``.json`` and ``.xlsx``."""

import csv
import io
from datetime import datetime

import openpyxl
import orjson
import pytest

from tests.api.harness import Client, World, slug

FILE = """
version: 1
service: {{ name: {slug} }}
roles: {{ member: {{}}, boss: {{ inherits: [ member ] }} }}
entities:
  owners:
    schema: {{ properties: {{ name: {{ type: string }} }} }}
    access: {{ read: [ member ], write: [ boss ] }}
  items:
    schema:
      properties:
        n: {{ type: integer }}
        text: {{ type: string }}
        price: {{ type: number, multipleOf: 0.01 }}
        due: {{ type: string, format: date }}
        done: {{ type: boolean }}
        labels: {{ type: array, items: {{ type: string }} }}
        secret: {{ type: string }}
        owner_id: {{ references: owners }}
    access:
      read: [ {{ role: member, rule: self.n < 2400, hide: [ secret ], limit: 700 }}, {{ role: boss, aggregate: true }} ]
      write: [ boss ]
"""
ROWS = 2500


@pytest.fixture(scope="module")
async def boss(world: World) -> Client:
    name = slug()
    await world.tenant(name, FILE.format(slug=name))
    client = world.client(name, "boss")
    for start in range(0, ROWS, 500):
        made = await client.post(
            "/items", [{"n": n, "text": f"t{n}", "price": n / 100} for n in range(start, start + 500)]
        )
        assert made.status == 201, made
    return client


@pytest.fixture(scope="module")
async def member(boss: Client, world: World) -> Client:
    return world.client(boss.base.rpartition("/")[2], "member")


def table(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode())))


async def test_every_row_once_whatever_the_size_of_a_page(boss: Client) -> None:
    answer = await boss.get("/items.csv?select=n,text&order=n.desc")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="items.csv"'
    rows = table(answer.body)
    assert rows[0] == ["n", "text"]
    assert rows[1:] == [[str(n), f"t{n}"] for n in reversed(range(ROWS))]
    lines = (await boss.get("/items.ndjson?select=n&order=n")).body.splitlines()
    assert [orjson.loads(line)["n"] for line in lines] == list(range(ROWS))
    assert [row["n"] for row in (await boss.get("/items.json?select=n&order=n")).json] == list(range(ROWS))


async def test_only_what_one_may_read(member: Client) -> None:
    rows = table((await member.get("/items.csv?order=n")).body)
    assert "secret" not in rows[0]
    assert len(rows) == 2401, "pages hold 700 rows for members; the file holds them all"
    refused = await member.get("/items.csv?select=n,secret")
    assert (refused.status, refused.json["code"]) == (400, "PGRST204")


async def test_filters_limits_and_relations(boss: Client) -> None:
    found = (await boss.get("/items.json?select=n,owner:owners(name)&n=gte.100&order=n&limit=1200")).json
    assert [row["n"] for row in found] == list(range(100, 1300))
    assert found[0]["owner"] is None
    assert (await boss.get("/items.json?n=eq.-1")).json == []
    assert table((await boss.get("/items.csv?select=n,text&n=eq.-1")).body) == [["n", "text"]]
    by_owner = (await boss.get("/items.json?select=n,owner:owners(name)&order=owner(name),n")).json
    assert [row["n"] for row in by_owner] == list(range(ROWS)), "an order without a cursor"
    grouped = (await boss.get("/items.json?select=done,count(),price.sum()")).json
    assert [row["count"] for row in grouped] == [ROWS]


async def test_what_is_no_export_is_refused_before_a_byte(boss: Client) -> None:
    for path, status, code in [
        ("/items.pdf", 404, "PGRST125"),
        ("/nothing.csv", 404, "PGRST205"),
        ("/items.csv?offset=5", 400, "PGRST100"),
        ("/items.csv?limit=-1", 400, "PGRST100"),
        ("/items.csv?limit=%31x", 400, "PGRST100"),
        ("/items.csv?n=eq.x", 400, "22P02"),
        ("/items.xlsx?order=nothing", 400, "PGRST204"),
    ]:
        answer = await boss.get(path)
        assert (answer.status, answer.json["code"]) == (status, code), (path, answer)
    assert (await boss.delete("/items.csv?n=gt.0")).status == 405


async def test_a_workbook_has_numbers_dates_and_no_formula(world: World) -> None:
    name = slug()
    await world.tenant(name, FILE.format(slug=name))
    client = world.client(name, "boss")
    made = await client.post(
        "/items",
        [
            {
                "n": 1,
                "text": '=HYPERLINK("http://evil")',
                "price": 12.5,
                "due": "2026-02-03",
                "done": True,
                "labels": ["a"],
            },
            {"n": 2**60},
        ],
    )
    assert made.status == 201, made
    answer = await client.get("/items.xlsx?select=n,text,price,due,done,labels,created_at&order=n")
    assert answer.headers["Content-Type"].endswith("spreadsheetml.sheet")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.body)).active
    rows = list(sheet.iter_rows())
    assert [cell.value for cell in rows[0]] == ["n", "text", "price", "due", "done", "labels", "created_at"]
    assert [cell.value for cell in rows[1]][:6] == [
        1,
        '=HYPERLINK("http://evil")',
        12.5,
        datetime(2026, 2, 3),  # noqa: DTZ001 - a cell has no zone
        True,
        '["a"]',
    ]
    assert rows[1][1].data_type == "s", "a text, not a formula"
    assert isinstance(rows[1][6].value, datetime)
    assert rows[2][0].value == str(2**60), "every digit"


async def test_head_says_what_would_come(boss: Client) -> None:
    answer = await boss.request("HEAD", "/items.csv")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
