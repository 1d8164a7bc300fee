"""Rows from files as people have them: Excel's CSV, workbooks, NDJSON."""

import asyncio
import csv
import io
import zipfile
from datetime import date, datetime
from typing import Any

import aiohttp
import openpyxl
import orjson

from tests.transfer.shop import Shop

EXCEL = "\ufeff" + "\r\n".join(
    [
        "E-Mail;Voller Name;born;seen;rate;points;active;level;tags;Company",
        'ada@x.example;"Ada ""Countess""\r\nLovelace";10.12.1815;2026-02-03 10:00;1.234,50;12;ja;HIGH;a,b;Acme',
        "bob@x.example;Bob;2001-02-03;;0,5;;;low;;",
        ";;;;;;;;;",
        "cyd@x.example;Cyd;3/4/2001;;1,2,3;1.5;maybe;middle;;Nobody",
    ]
)


def sheet(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def seen(answer: Any) -> list[tuple[int, str | None, str]]:
    return [(error["row"], error["column"], error["code"]) for error in answer.json["errors"]]


async def test_a_csv_of_excel_with_every_kind_of_error_told_by_row_and_column(shop: Shop) -> None:
    made = await shop.load("companies.csv", "name,city\nAcme,Bonn\n")
    assert (made.status, made.json["rows"]["written"]) == (200, 1), made.body
    words = {"map": orjson.dumps({"E-Mail": "email"}).decode(), "decimal": ","}
    tried = await shop.load("people.csv", EXCEL, dry_run="true", **words)
    assert (tried.status, tried.json["state"]) == (200, "done"), tried.body
    assert tried.json["rows"] == {"read": 3, "written": 2, "rejected": 1}
    assert seen(tried) == [
        (5, "born", "value"),
        (5, "rate", "value"),
        (5, "points", "value"),
        (5, "active", "value"),
        (5, "level", "value"),
    ], tried.body
    assert "dates=dmy" in tried.json["errors"][0]["detail"]
    assert tried.json["columns"][9] == {"column": "Company", "field": "company_id", "by": "name"}
    assert await shop.rows("people?email=like.*x.example&select=email") == [], "a dry run keeps nothing"

    refused = await shop.load("people.csv", EXCEL, **words)
    assert (refused.status, refused.json["code"]) == (422, "import.rejected"), refused.body
    assert refused.json["message"] == "1 of 3 rows are not acceptable; none was kept"
    assert await shop.rows("people?email=like.*x.example&select=email") == []

    some = await shop.load("people.csv", EXCEL, mode="skip", **words)
    assert some.json["rows"] == {"read": 3, "written": 2, "rejected": 1}, some.body
    ada, bob = await shop.rows(
        "people?email=like.*x.example&order=email&select=name,born,seen,rate,points,active,level,tags,slug,company:companies(name)"
    )
    assert ada == {
        "name": 'Ada "Countess"\r\nLovelace', "born": "1815-12-10", "seen": "2026-02-03T09:00:00+00:00",
        "rate": 1234.5, "points": 12, "active": True, "level": "high", "tags": ["a", "b"],
        "slug": 'Ada "Countess"\r\nLovelace!', "company": {"name": "Acme"},
    }  # fmt: skip
    assert (bob["rate"], bob["active"], bob["tags"], bob["company"]) == (0.5, True, None, None)
    kept = await shop.ask("GET", f"/imports/v1/{some.json['id']}/rejected")
    rows = list(csv.reader(io.StringIO(kept.body.decode("utf-8-sig"))))
    assert rows[0][-2:] == ["_row", "_errors"]
    assert (rows[1][0], rows[1][-2]) == ("cyd@x.example", "5"), "to be mended and imported again"
    assert "points: '1.5' is no number" in rows[1][-1]


async def test_rules_and_keys_refuse_single_rows_wherever_they_are(shop: Shop) -> None:
    lines = [f"p{n}@rules.example,{n % 500}" for n in range(1, 1201)]
    lines[40] = "p41@rules.example,5000"  # a rule
    lines[700] = "p1@rules.example,7"  # taken by an earlier row
    lines[900] = "no address,1"
    lines[1100] = "p9@rules.example"
    some = await shop.load("people.csv", "email,points\n" + "\n".join(lines), mode="skip")
    assert some.status == 200, some.body
    assert some.json["rows"] == {"read": 1200, "written": 1196, "rejected": 4}, some.body
    assert [(row, column) for row, column, _ in seen(some)] == [
        (42, "points"), (702, "email"), (902, "email"), (1102, None),
    ]  # fmt: skip
    assert [error["detail"] for error in some.json["errors"]][:2] == [
        "too many points",
        "another row has this value",
    ]
    none = await shop.load("people.csv", "email,points\n" + "\n".join(lines).replace("@rules", "@whole"))
    assert (none.status, len(none.json["errors"])) == (422, 4), none.body
    assert (await shop.ask("HEAD", "/people?email=like.*whole.example", Prefer="count=exact")).headers[
        "Content-Range"
    ] == "*/0"


async def test_rows_that_are_there_are_changed_or_left(shop: Shop) -> None:
    first = "name,city\nUp One,Bonn\nUp Two,Bonn\n"
    assert (await shop.load("companies.csv", first)).status == 200
    again = "name,city\nUp Two,Köln\nUp Three,Köln\n"
    refused = await shop.load("companies.csv", again)
    assert seen(refused) == [(2, "name", "taken")]
    changed = await shop.load("companies.csv", again, on_conflict="name")
    assert changed.json["rows"]["written"] == 2, changed.body
    left = await shop.load(
        "companies.csv", "name,city\nUp One,Mainz\nUp Four,Mainz\n", on_conflict="name",
        prefer="wait=20, resolution=ignore-duplicates",
    )  # fmt: skip
    assert left.json["rows"]["written"] == 1, left.body
    found = await shop.rows("companies?name=like.Up*&order=name&select=name,city")
    assert {row["name"]: row["city"] for row in found} == {
        "Up One": "Bonn", "Up Two": "Köln", "Up Three": "Köln", "Up Four": "Mainz",
    }  # fmt: skip
    lines = '{"name": "Up Two"}\n{"name": "Up One", "city": "Trier"}\n{"name": "Up Five"}\n'
    assert (await shop.load("companies.ndjson", lines, on_conflict="name")).json["rows"]["written"] == 3
    found = await shop.rows("companies?name=in.(Up One,Up Two,Up Five)&order=name&select=city")
    assert [row["city"] for row in found] == [None, "Trier", "Köln"], "what a line does not give stays"
    no_key = await shop.load("people.csv", "email,name\na@b.example,A\n", mode="skip", on_conflict="name")
    assert (no_key.status, no_key.json["code"]) in {(400, "42P10"), (422, "42P10")}, "said once, not per row"
    no_right = await shop.load("people.csv", "email\na@b.example\n", role="member", on_conflict="email")
    assert (no_right.status, no_right.json["code"]) == (403, "42501"), "who may not update may not upsert"


async def test_a_workbook_gives_values_and_names_of_related_rows(shop: Shop) -> None:
    await shop.load("companies.csv", "name,city\nBook Ltd,Bonn\nUnseen,Hidden\n")
    data = sheet(
        ["email", "Full name", "born", "seen", "rate", "points", "company.name", "boss_id", "created_at"],
        [
            "top@book.example",
            12345,
            date(2001, 2, 3),
            datetime(2026, 7, 1, 8, 30),  # noqa: DTZ001 - a cell has no zone
            2.5,
            3,
            "Book Ltd",
            None,
            None,
        ],
        ["mid@book.example", "Mid", None, None, None, 4, "Unseen", "top@book.example", None],
        [],
        ["low@book.example", "Low", None, None, None, 5, None, "mid2@book.example", None],
        ["mid2@book.example", "Mid 2", None, None, None, None, None, "top@book.example", None],
    )
    words = {"map": orjson.dumps({"boss_id": {"field": "boss_id", "by": "email"}}).decode()}
    some = await shop.load("people.xlsx", data, mode="skip", **words)
    assert seen(some) == [(3, "company.name", "no_such_row")], some.body
    assert some.json["errors"][0]["detail"] == "no row has the name 'Unseen' in companies", "not one's to see"
    assert some.json["columns"][-1] == {"column": "created_at", "field": None, "ignored": "read_only"}
    rows = await shop.rows(
        "people?email=like.*book.example&order=email&select=email,name,born,seen,boss:boss_id(email)"
    )
    assert [(row["email"], (row["boss"] or {}).get("email")) for row in rows] == [
        ("low@book.example", "mid2@book.example"),
        ("mid2@book.example", "top@book.example"),
        ("top@book.example", None),
    ], "a boss may come after those who name them"
    assert (rows[2]["name"], rows[2]["born"]) == ("12345", "2001-02-03")
    assert rows[2]["seen"] == "2026-07-01T06:30:00+00:00"


async def test_what_was_exported_comes_back(shop: Shop) -> None:
    await shop.load("companies.csv", 'name,city\nBack One,"=1+1"\nBack Two,-5\n')
    for form in ("csv", "ndjson", "xlsx"):
        out = await shop.ask("GET", f"/companies.{form}?name=like.Back*&order=name")
        assert (await shop.ask("DELETE", "/companies?name=like.Back*")).status == 204
        back = await shop.load(f"companies.{form}", out.body)
        assert (back.status, back.json["rows"]["written"]) == (200, 2), (form, back.body)
        again = await shop.ask("GET", "/companies?name=like.Back*&order=name&select=id,name,city")
        assert [row["city"] for row in again.json] == ["=1+1", "-5"], form


async def test_a_look_before_and_the_run_after(shop: Shop) -> None:
    data = "Nme\tCity\tSpare\nLook One\tBonn\tx\nLook Two\tKöln\ty\n"
    looked = await shop.load("companies.csv", data, preview="true")
    document = looked.json
    assert (looked.status, document["state"]) == (201, "draft"), looked.body
    assert document["preview"] == {
        "header": ["Nme", "City", "Spare"], "rows": [[2, ["Look One", "Bonn", "x"]], [3, ["Look Two", "Köln", "y"]]],
    }  # fmt: skip
    assert [column["field"] for column in document["columns"]] == [None, "city", None]
    assert "do you mean 'name'?" in document["problem"]["errors"][0]["detail"]
    place = f"/imports/v1/{document['id']}"
    refused = await shop.ask("POST", f"{place}/run", {})
    assert (refused.status, refused.json["code"]) == (422, "import.columns")
    mapped = {"map": {"Nme": "name", "Spare": None}}
    tried = await shop.ask("POST", f"{place}/run", {**mapped, "dry_run": True}, Prefer="wait=20")
    assert (tried.status, tried.json["rows"]["written"]) == (200, 2), tried.body
    assert await shop.rows("companies?name=like.Look*&select=name") == []
    done = await shop.ask("POST", f"{place}/run", {"dry_run": False}, Prefer="wait=20")
    assert (done.json["state"], done.json["rows"]["written"]) == ("done", 2), done.body
    twice = await shop.ask("POST", f"{place}/run", {})
    assert (twice.status, twice.json["code"]) == (409, "import.busy"), "its rows are there"
    assert (await shop.ask("DELETE", place)).status == 204
    assert (await shop.ask("GET", place)).status == 404


async def test_who_may(shop: Shop) -> None:
    assert (await shop.load("companies.csv", "name\nx\n", role="member")).json["code"] == "42501"
    assert (await shop.ask("POST", "/companies.csv", b"name\nx\n", role=None)).status == 401
    masked = await shop.load("people.csv", "email,points\na@may.example,1\n", role="member")
    assert (masked.status, masked.json["code"]) == (403, "42501"), "a field that is not theirs to write"
    mine = await shop.ask(
        "POST", "/people.csv", b"email\na@may.example\n", "member", "11111111-1111-4111-8111-111111111111"
    )
    assert mine.status in {200, 202}, mine.body
    place = f"/imports/v1/{mine.json['id']}"
    other = await shop.ask("GET", place, None, "member", "22222222-2222-4222-8222-222222222222")
    assert other.status == 404, "somebody else's"
    assert (await shop.ask("GET", place, None, "admin")).status == 200


async def test_what_is_no_file_of_rows(shop: Shop) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (64 << 20))
    for path, data, code, told in [
        ("companies.pdf", b"x", "PGRST125", "csv, ndjson, xlsx"),
        ("companies.xlsx", b"name\nx\n", "import.unreadable", "no .xlsx workbook"),
        ("companies.xlsx", bomb.getvalue(), "import.unreadable", "unpacks to far more"),
        ("companies.csv", "name\nKöln\n".encode("cp1252"), "import.unreadable", "encoding=windows-1252"),
        ("companies.csv", b"", "http.bad_body", "no file"),
        ("companies.csv?mode=some", b"name\nx\n", "PGRST100", "'all', 'skip'"),
        ("companies.csv?modus=all", b"name\nx\n", "PGRST100", "modus"),
        ("companies.csv?on_conflict=city", b"name,city\nx,y\n", "42P10", ""),
        ("companies.csv", b"id,name\nno key,x\n", "import.rejected", "1 of 1"),
    ]:
        answer = await shop.ask("POST", f"/{path}", data, Prefer="wait=20")
        assert answer.json["code"] == code, (path, answer.body)
        assert told in answer.json["message"], (path, answer.body)
    empty = await shop.load("companies.csv", "name\n")
    assert (empty.status, empty.json["rows"]["read"]) == (200, 0), empty.body
    named = await shop.load("companies.csv", "name\nKöln AG\n".encode("cp1252"), encoding="windows-1252")  # type: ignore[arg-type]
    assert named.json["rows"]["written"] == 1, named.body


async def test_the_same_key_is_the_same_import(shop: Shop) -> None:
    for name in ("Key One", "Key Two"):
        answer = await shop.ask(
            "POST", "/companies.csv", f"name;city;;\n{name};Bonn;;\n".encode(),
            Prefer="wait=20", Idempotency_Key="one and the same",
        )  # fmt: skip
        assert (answer.status, answer.json["rows"]["written"]) == (200, 1), answer.body
    assert [row["name"] for row in await shop.rows("companies?name=like.Key*&select=name")] == ["Key One"]
    assert answer.json["columns"][2:] == [{"column": "", "field": None, "ignored": "no_name"}] * 2


async def test_a_form_with_a_file_and_its_words(shop: Shop) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("map", '{"Firma":"name"}')
    form.add_field("file", b"Firma\nForm Ltd\n", filename="firmen 2026.csv")
    done = await shop.ask("POST", "/companies.csv", form, Prefer="wait=20")
    assert (done.json["file"]["name"], done.json["rows"]["written"]) == ("firmen 2026.csv", 1), done.body


async def test_a_restart_in_the_middle_writes_no_row_twice(shop: Shop) -> None:
    count = 3000
    data = "email,name\n" + "".join(f"r{n}@again.example,Name {n}\n" for n in range(count))
    begun = await shop.load("people.csv", data, mode="skip", prefer="respond-async")
    assert begun.status == 202, begun.body
    place = begun.headers["Location"].partition("/shop-co")[2]
    async with asyncio.timeout(30):
        while not (await shop.ask("GET", place)).json["rows"]["written"]:
            await asyncio.sleep(0.01)
    await shop.live.restart()
    followed = await shop.ask("GET", place, Accept="text/event-stream")  # until it ends
    last = orjson.loads(followed.body.split(b"data: ")[-1])
    assert last["state"] == "done", last
    assert last["rows"] == {"read": count, "written": count, "rejected": 0}
    head = await shop.ask("HEAD", "/people?email=like.*again.example", Prefer="count=exact")
    assert head.headers["Content-Range"] == f"0-999/{count}"
