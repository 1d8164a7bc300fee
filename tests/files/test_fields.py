"""Files of rows: what comes back is what was uploaded, to those who may read the field and nobody else."""

import asyncio
import hashlib
import os

import aiohttp
from yarl import URL

from tests.files.conftest import PNG, SLUG, TENANT, Desk, until

PDF = b"%PDF-1.7\n" + os.urandom(300_000)


async def test_a_file_uploaded_ahead_is_named_by_a_row_and_comes_back(desk: Desk) -> None:
    up = await desk.upload("pdf", PDF)
    assert up.status == 201, up
    told = up.json
    assert (told["size"], told["type"], told["sha256"]) == (
        len(PDF),
        "application/pdf",
        hashlib.sha256(PDF).hexdigest(),
    )
    row = await desk.row(pdf=told["id"])
    assert row["pdf"] == told["id"]
    seen = await desk.ask("GET", f"/invoices/{row['id']}/pdf")
    assert (seen.status, seen.body) == (200, PDF)
    assert seen.headers["Content-Type"] == "application/pdf"
    assert seen.headers["Content-Length"] == str(len(PDF))
    assert seen.headers["Cache-Control"] == "private, no-cache"
    head = await desk.ask("HEAD", f"/invoices/{row['id']}/pdf")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, str(len(PDF)), b"")
    again = await desk.ask("GET", f"/invoices/{row['id']}/pdf", If_None_Match=seen.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    rest = await desk.ask("GET", f"/rest/v1/invoices/{row['id']}/pdf?download=Rechnung%20%C3%9C.pdf")
    assert rest.headers["Content-Disposition"] == (
        "attachment; filename=\"Rechnung _.pdf\"; filename*=UTF-8''Rechnung%20%C3%9C.pdf"
    )


async def test_files_come_with_the_row_in_one_form(desk: Desk) -> None:
    form = aiohttp.FormData()
    form.add_field("number", "F-1")
    form.add_field("net", "12.50")
    form.add_field("pdf", PDF, filename="a.pdf", content_type="application/pdf")
    form.add_field("photo", PNG, filename="dot.png", content_type="image/png")
    made = await desk.ask("POST", "/invoices", form, Prefer="return=representation")
    assert made.status == 201, made
    row = made.json[0]
    assert (row["number"], row["net"]) == ("F-1", 12.5)
    photo = await desk.ask("GET", f"/invoices/{row['id']}/photo")
    assert (photo.body, photo.headers["Content-Type"]) == (PNG, "image/png")
    assert photo.headers["Content-Disposition"].startswith('inline; filename="dot.png"')
    form = aiohttp.FormData()
    form.add_field("pdf", b"%PDF-2", filename="b.pdf")
    changed = await desk.ask("PATCH", f"/invoices/{row['id']}", form, Prefer="return=representation")
    assert changed.status == 200, changed
    assert (await desk.ask("GET", f"/invoices/{row['id']}/pdf")).body == b"%PDF-2"


async def test_a_refused_form_leaves_no_file(desk: Desk) -> None:
    before = desk.objects()
    form = aiohttp.FormData()
    form.add_field("net", "not a number")
    form.add_field("pdf", PDF, filename="a.pdf")
    refused = await desk.ask("POST", "/invoices", form)
    assert (refused.status, refused.json["code"]) == (422, "validation.failed")
    await until(lambda: desk.objects() <= before)


async def test_a_file_put_in_place_of_another_replaces_it(desk: Desk) -> None:
    row = await desk.row(pdf=(await desk.upload("pdf", b"%PDF-old")).json["id"])
    read = await desk.ask("GET", f"/invoices/{row['id']}")
    stale = await desk.ask("PUT", f"/invoices/{row['id']}/pdf", b"%PDF-new", If_Match='"99"')
    assert stale.status == 412, stale
    put = await desk.ask("PUT", f"/invoices/{row['id']}/pdf", b"%PDF-new", If_Match=read.headers["ETag"])
    assert put.status == 200, put
    assert (await desk.ask("GET", f"/invoices/{row['id']}/pdf")).body == b"%PDF-new"
    await until(lambda: row["pdf"] not in desk.objects())
    assert put.json["id"] in desk.objects()


async def test_who_may_not_read_the_field_does_not_get_the_file(desk: Desk) -> None:
    deed = (await desk.upload("deed", b"secret")).json["id"]
    row = await desk.row(owner="mia", pdf=(await desk.upload("pdf", PDF)).json["id"], deed=deed)
    path = f"/invoices/{row['id']}"
    assert (await desk.ask("GET", f"{path}/pdf", role="member", sub="mia")).status == 200
    for field, role, sub, status in (
        ("pdf", "member", "max", 404),
        ("pdf", None, "", 401),
        ("deed", "member", "mia", 404),
        ("number", "clerk", "", 404),
        ("nothing", "clerk", "", 404),
    ):
        got = await desk.ask("GET", f"{path}/{field}", role=role, sub=sub)
        assert got.status in {status, 403}, (field, role, got)
        assert got.json["code"], got
        assert (await desk.ask("POST", f"{path}/{field}/sign", {}, role=role, sub=sub)).status in {
            status,
            403,
        }


async def test_who_may_not_write_the_field_cannot_upload(desk: Desk) -> None:
    before = desk.objects()
    row = await desk.row()
    for field, role, status in (("deed", "member", 403), ("stamp", "clerk", 422), ("pdf", None, 401), ("number", "clerk", 404)):  # fmt: skip
        refused = await desk.upload(field, PDF, role=role)
        assert refused.status == status, (field, role, refused)
    assert (await desk.ask("PUT", f"/invoices/{row['id']}/pdf", PDF, role="member", sub="max")).status in {
        403,
        404,
    }
    assert (await desk.upload("scan", PDF, role="member", entity="pages")).status == 403
    await until(lambda: desk.objects() <= before)


async def test_a_link_opens_a_protected_file_for_a_while(desk: Desk) -> None:
    row = await desk.row(deed=(await desk.upload("deed", b"the deed")).json["id"])
    path = f"/invoices/{row['id']}/deed"
    refused = await desk.ask("GET", path)
    assert (refused.status, refused.json["code"]) == (403, "file.protected")
    assert (await desk.ask("POST", f"{path}/sign", {"expiresIn": 10**9})).status == 422
    link = (await desk.ask("POST", f"{path}/sign", {"expiresIn": 60})).json["url"]
    opened = await desk.ask("GET", desk.live.url + link, role=None)
    assert (opened.status, opened.body) == (200, b"the deed")
    assert opened.headers["Cache-Control"].startswith("private, max-age=")
    await desk.ask("PATCH", f"/invoices/{row['id']}", {"deed": None})
    gone = await desk.ask("GET", desk.live.url + link, role=None)
    assert (gone.status, gone.json["code"]) == (404, "file.not_found")


async def test_files_go_with_their_rows_also_by_cascades(desk: Desk) -> None:
    pdf, scan = (
        (await desk.upload("pdf", PDF)).json["id"],
        (await desk.upload("scan", b"x", entity="pages")).json["id"],
    )
    row = await desk.row(pdf=pdf)
    made = await desk.ask("POST", "/pages", {"invoice_id": row["id"], "scan": scan})
    assert made.status == 201, made
    assert {pdf, scan} <= desk.objects()
    assert (await desk.ask("DELETE", f"/invoices/{row['id']}")).status == 204
    await until(lambda: not {pdf, scan} & desk.objects())


async def test_files_survive_a_kill_and_what_was_half_done_is_done(desk: Desk) -> None:
    kept = await desk.row(pdf=(await desk.upload("pdf", PDF)).json["id"])
    lost = await desk.row(pdf=(await desk.upload("pdf", b"%PDF-lost")).json["id"])
    assert (await desk.ask("DELETE", f"/invoices/{lost['id']}")).status == 204
    assert desk.live.process is not None
    desk.live.process.kill()
    desk.live.process.wait()
    await desk.live.start(*desk.live.arguments)
    await desk.live.until(SLUG, state="serving")
    assert (await desk.ask("GET", f"/invoices/{kept['id']}/pdf")).body == PDF
    await until(lambda: lost["pdf"] not in desk.objects())


async def test_an_edit_of_the_file_keeps_files_and_their_rules(desk: Desk) -> None:
    row = await desk.row(pdf=(await desk.upload("pdf", PDF)).json["id"])
    edited = TENANT.replace("        pdf: {", "        paper: { renamed_from: pdf,").replace(
        ", pdf", ", paper"
    )
    await desk.live.save(SLUG, edited)
    try:
        assert (await desk.ask("GET", f"/invoices/{row['id']}/paper")).body == PDF
        name = (await desk.upload("paper", b"%PDF-3")).json["id"]
        assert (await desk.ask("PATCH", f"/invoices/{row['id']}", {"paper": name})).status == 204
        await until(lambda: row["pdf"] not in desk.objects())
    finally:
        await desk.live.save(SLUG, TENANT.replace("        pdf: {", "        pdf: { renamed_from: paper,"))


async def test_a_large_file_goes_through_in_little_memory(desk: Desk) -> None:
    import psutil

    assert desk.live.process is not None
    process, size = psutil.Process(desk.live.process.pid), 40 << 20

    async def pieces():  # type: ignore[no-untyped-def]
        yield b"\0" * 10
        for _ in range(size >> 20):
            yield b"\0" * (1 << 20)

    peak, before = 0, process.memory_info().rss

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, process.memory_info().rss)
            await asyncio.sleep(0.005)

    watching = asyncio.ensure_future(watch())
    up = await desk.ask("POST", "/files/v1/invoices/deed", pieces())
    assert up.status == 201, up
    row = await desk.row(deed=up.json["id"])
    link = (await desk.ask("POST", f"/invoices/{row['id']}/deed/sign")).json["url"]
    async with desk.session.get(URL(desk.live.url + link, encoded=True)) as answer:
        total = 0
        async for piece in answer.content.iter_chunked(1 << 18):
            total += len(piece)
    watching.cancel()
    assert total == size + 10
    assert peak - before < size / 2
