"""Attacks on files: E1 to E7, A22 of docs/attacks.md; a full disk: docs/faults.md 9."""

import asyncio
import io
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.files.conftest import PNG, SLUG, Desk, until

NAMES = [
    "../../../etc/passwd",
    "/etc/passwd",
    "C:\\Windows\\system.ini",
    "a\0b.txt",
    "CON",
    "..",
    "x" * 300,
    "\u202egpj.exe",
    'a"; filename="b.html',
    "a\r\nSet-Cookie: x=1",
]


@pytest.mark.parametrize("name", NAMES)
async def test_e1_a_name_is_shown_and_nothing_else(desk: Desk, name: str) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("number", "E1")
    safe = name.replace("\r\n", "%0D%0A").replace('"', "%22").replace("\0", "%00")
    form.add_field("deed", b"\0x", filename=safe)
    made = await desk.ask("POST", "/invoices", form, Prefer="return=representation")
    assert made.status == 201, made
    row = made.json[0]
    link = (await desk.ask("POST", f"/invoices/{row['id']}/deed/sign")).json["url"]
    got = await desk.ask("GET", desk.live.url + link, role=None)
    said = got.headers["Content-Disposition"]
    assert got.body == b"\0x"
    assert said.startswith('attachment; filename="')
    assert said.count('"') == 2
    assert not {"\u202e", "\r", "\n", "\0", "/", "\\"} & set(said)
    assert "Set-Cookie" not in got.headers
    # whatever it is called: its bytes are under a name of ours
    assert row["deed"] in desk.objects()
    outside = [
        path for path in desk.store.rglob("*") if path.is_file() and len(path.name.partition(".")[0]) != 32
    ]
    assert not outside


HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


@pytest.mark.parametrize(
    "data",
    [
        HTML,
        SVG,
        b"  \n<html>",
        b"%PDF-1.7 js",
        b"PK\x03\x04zip",
        b"plain words",
        b"\xef\xbb\xbf<script>",
    ],
)
async def test_e2_what_is_no_image_by_its_bytes_is_refused_as_an_image(desk: Desk, data: bytes) -> None:
    before = desk.objects()
    refused = await desk.upload("photo", data, Content_Type="image/png")
    assert (refused.status, refused.json["code"]) == (415, "file.type_refused")
    assert refused.json["errors"][0]["pointer"] == "/photo"
    await until(lambda: desk.objects() <= before)


@pytest.mark.parametrize(
    ("data", "media"),
    [
        (HTML, "text/html; charset=utf-8"),
        (SVG, "image/svg+xml"),
        (b"%PDF-1.7", "application/pdf"),
        (PNG + HTML, "image/png"),
    ],
)
async def test_e2_nothing_a_browser_is_given_can_run(desk: Desk, data: bytes, media: str) -> None:
    row = await desk.row(deed=(await desk.upload("deed", data, Content_Type="image/png")).json["id"])
    link = (await desk.ask("POST", f"/invoices/{row['id']}/deed/sign")).json["url"]
    got = await desk.ask("GET", desk.live.url + link, role=None)
    assert got.headers["Content-Type"] == media
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    shown = got.headers["Content-Disposition"].partition(";")[0]
    assert shown == ("inline" if media == "image/png" else "attachment")


async def test_e4_no_row_gets_the_file_of_another_row_or_field(desk: Desk) -> None:
    mine = await desk.row(deed=(await desk.upload("deed", b"mine")).json["id"])
    waiting = (await desk.upload("deed", b"waiting")).json["id"]
    for values in (
        {"deed": mine["deed"]},
        {"photo": waiting},
        {"pdf": waiting},
        {"deed": "../../../etc/passwd"},
        {"deed": "0" * 32},
        {"stamp": waiting},
    ):
        refused = await desk.ask("POST", "/invoices", {"number": "E4", **values})
        assert refused.status == 422, (values, refused)
    # in one statement as well: the second row would have it too
    twice = await desk.ask(
        "POST", "/invoices", [{"number": "1", "deed": waiting}, {"number": "2", "deed": waiting}]
    )
    assert (twice.status, twice.json["code"]) == (422, "file.unknown")
    assert (await desk.ask("POST", "/invoices", {"number": "E4", "deed": waiting})).status == 201


async def test_e5_the_store_is_not_a_directory_of_the_web(desk: Desk) -> None:
    row = await desk.row(deed=(await desk.upload("deed", b"x")).json["id"])
    there = [f"/files/v1/{row['deed']}", f"/files/v1/signed/{row['deed']}", f"/data/files/{row['deed']}"]
    absent = [f"/files/v1/{'0' * 32}", f"/files/v1/signed/{'0' * 32}", f"/data/files/{'0' * 32}"]
    for known, unknown in zip(there, absent, strict=True):
        one, other = await desk.ask("GET", known), await desk.ask("GET", unknown)
        assert one.status == other.status
        assert one.status in {403, 404}
        assert one.json["code"] == other.json["code"]


async def test_e6_an_upload_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    before = desk.objects()
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.live.port)
    token = desk.live.token(SLUG, "clerk")
    head = (
        f"POST /api/tenants/{SLUG}/files/v1/invoices/deed HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: 9000000\r\n\r\n"
    )
    writer.write(head.encode() + b"x" * 3_000_000)
    await writer.drain()
    await until(lambda: desk.objects() != before)
    writer.close()
    await until(lambda: desk.objects() <= before)
    del reader


async def test_e6_too_large_is_refused_as_soon_as_it_is(desk: Desk) -> None:
    before = desk.objects()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"%PDF-"
        for _ in range(64):
            yield b"x" * 65536

    refused = await desk.upload("pdf", pieces())
    assert (refused.status, refused.json["code"]) == (413, "file.too_large")
    await until(lambda: desk.objects() <= before)


async def test_e7_ranges(desk: Desk) -> None:
    data = bytes(range(256)) * 40
    row = await desk.row(deed=None, photo=None, pdf=(await desk.upload("pdf", b"%PDF-" + data)).json["id"])
    whole, path = b"%PDF-" + data, f"/invoices/{row['id']}/pdf"
    size = len(whole)
    for asked, status, first, last in (
        ("bytes=0-9", 206, 0, 9),
        ("bytes=100-", 206, 100, size - 1),
        ("bytes=-7", 206, size - 7, size - 1),
        (f"bytes=0-{10**17}", 206, 0, size - 1),
        ("bytes=0-1,3-4", 200, 0, size - 1),
        ("bytes=" + "0-1," * 500 + "0-1", 200, 0, size - 1),
        ("bytes=9-1", 200, 0, size - 1),
        ("bytes=x", 200, 0, size - 1),
        ("lines=0-1", 200, 0, size - 1),
    ):
        got = await desk.ask("GET", path, Range=asked)
        assert (got.status, got.body) == (status, whole[first : last + 1]), asked
        if status == 206:
            assert got.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        head = await desk.ask("HEAD", path, Range=asked)
        assert (head.status, head.headers["Content-Length"]) == (status, str(last - first + 1))
    for asked in (f"bytes={size}-", "bytes=-0"):
        beyond = await desk.ask("GET", path, Range=asked)
        assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    tag = (await desk.ask("GET", path)).headers["ETag"]
    assert (await desk.ask("GET", path, Range="bytes=0-1", If_Range=tag)).status == 206
    assert (await desk.ask("GET", path, Range="bytes=0-1", If_Range='"other"')).status == 200


async def test_a22_a_link_is_worth_nothing_changed_or_elsewhere(desk: Desk) -> None:
    other = "other-co"
    if other not in {path.stem for path in desk.live.schemas.iterdir()}:
        await desk.live.save(other, (desk.live.schemas / f"{SLUG}.yaml").read_text().replace(SLUG, other))
    row = await desk.row(deed=(await desk.upload("deed", b"x")).json["id"])
    link = (await desk.ask("POST", f"/invoices/{row['id']}/deed/sign", {"expiresIn": 1000})).json["url"]
    elsewhere = await desk.ask("GET", desk.live.url + link.replace(SLUG, other), role=None)
    assert (elsewhere.status, elsewhere.json["code"]) == (404, "file.bad_link")
    token = link.rpartition("/")[2]
    for wrong in (token[:-2] + "AA", "A" * len(token), token[:40], token + "A", "%00", "x", token.swapcase()):
        got = await desk.ask("GET", f"/files/v1/signed/{wrong}", role=None)
        assert got.status in {400, 404}, wrong
    assert token not in json.dumps(elsewhere.json)


@pytest.fixture
def small_disk(desk: Desk) -> Iterator[Path]:
    """A disk of 2 MiB below the store, where this machine lets us mount one."""
    desk.store.mkdir(mode=0o700, exist_ok=True)
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root mounts disks")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(desk.store)], check=False)
    if made.returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield desk.store
    finally:
        subprocess.run(["umount", "--lazy", str(desk.store)], check=True)


async def test_a_full_disk_refuses_files_and_keeps_nothing_of_them(desk: Desk, small_disk: Path) -> None:
    too_much = os.urandom(3 << 20)
    for _ in range(2):
        refused = await desk.ask("POST", "/files/v1/invoices/deed", io.BytesIO(too_much))
        assert (refused.status, refused.json["code"]) == (503, "storage_full")
    assert desk.objects() == set()
    row = await desk.row()
    refused = await desk.ask("PUT", f"/invoices/{row['id']}/deed", io.BytesIO(too_much))
    assert (refused.status, refused.json["code"]) == (503, "storage_full")
    # what fits is taken, and rows are written and read meanwhile
    assert (await desk.upload("deed", b"x" * 1000)).status == 201
    assert (await desk.ask("GET", f"/invoices/{row['id']}")).json["deed"] is None
    assert len(desk.objects()) == 1
