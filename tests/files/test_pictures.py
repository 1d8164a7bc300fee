"""Pictures in other sizes, made where they can do no harm: docs/attacks.md E3."""

import io
import struct
import zlib

import pytest
from PIL import Image

from tests.files.conftest import Desk


def picture(width: int, height: int, kind: str = "JPEG") -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(data, kind)
    return data.getvalue()


def bomb() -> bytes:
    """A small PNG that says it has 3.6 gigapixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


async def shown(desk: Desk, data: bytes) -> str:
    row = await desk.row(photo=(await desk.upload("photo", data)).json["id"])
    return f"/invoices/{row['id']}/photo"


async def test_a_picture_in_another_size(desk: Desk) -> None:
    path = await shown(desk, picture(800, 400))
    for query, size in (
        ("width=200", (200, 100)),
        ("height=50&resize=contain", (100, 50)),
        ("width=80&height=80", (80, 80)),
        ("width=80&height=80&resize=contain", (80, 40)),
        ("width=80&height=20&resize=fill", (80, 20)),
    ):
        got = await desk.ask("GET", f"{path}?{query}")
        assert (got.status, got.headers["Content-Type"]) == (200, "image/webp"), got
        with Image.open(io.BytesIO(got.body)) as made:
            assert made.size == size, query
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        again = await desk.ask("GET", f"{path}?{query}", If_None_Match=got.headers["ETag"])
        assert again.status == 304
    # who may not read the field gets no small one either
    assert (await desk.ask("GET", f"{path}?width=20", role="member", sub="max")).status == 404


@pytest.mark.parametrize("data", [bomb(), b"GIF89a" + b"nonsense" * 100, picture(10, 10)[:-200]])
async def test_e3_what_is_no_picture_or_too_much_of_one_is_refused(desk: Desk, data: bytes) -> None:
    path = await shown(desk, data)
    refused = await desk.ask("GET", f"{path}?width=20")
    assert (refused.status, refused.json["code"]) == (422, "file.no_picture"), refused
    assert (await desk.ask("GET", path)).body == data, "the file itself is what it is"


async def test_sizes_that_cannot_be(desk: Desk) -> None:
    path = await shown(desk, picture(20, 20))
    for query in (
        "width=0",
        "width=-1",
        "width=9999",
        "width=x",
        "width=10&resize=melt",
        "width=10&quality=1",
    ):
        refused = await desk.ask("GET", f"{path}?{query}")
        assert (refused.status, refused.json["code"]) == (422, "file.no_picture"), query
