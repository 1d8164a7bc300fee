"""A host of its own for files: links lead there, it serves nothing else, and elsewhere no file opens in a browser."""

from collections.abc import AsyncIterator

import pytest

from tests.files.conftest import PNG, SLUG, TENANT, Desk, Seen, opened

HOST = "files.example.net"


@pytest.fixture(scope="module")
async def apart(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Desk]:
    directory, text = tmp_path_factory.mktemp("apart"), TENANT + "storage: {}\n"
    settings = {"BACKSAAS_DATABASE_URL": database_url, "BACKSAAS_FILES_URL": f"https://{HOST}/"}
    async with opened(directory, text, **settings) as desk:
        yield desk


async def sent_on(desk: Desk, path: str) -> str:
    """Return the path on the host of files that reading a path leads to."""
    async with desk.session.get(f"{desk.live.url}{path}", allow_redirects=False) as answer:
        assert answer.status == 307
        assert "Set-Cookie" not in answer.headers
        place = answer.headers["Location"]
    assert place.startswith(f"https://{HOST}/api/tenants/{SLUG}/")
    return place.removeprefix(f"https://{HOST}")


async def there(desk: Desk, path: str, method: str = "GET") -> Seen:
    return await desk.ask(method, f"{desk.live.url}{path}", role=None, Host=HOST)


async def test_e2_a_link_leads_to_the_host_of_files(apart: Desk) -> None:
    row = await apart.row(photo=(await apart.upload("photo", PNG)).json["id"])
    here = await apart.ask("GET", f"/invoices/{row['id']}/photo")
    assert here.headers["Content-Disposition"].startswith("attachment")
    link = (await apart.ask("POST", f"/invoices/{row['id']}/photo/sign")).json["url"]
    got = await there(apart, await sent_on(apart, f"{link}?download=a%20b.png"))
    assert (got.status, got.body) == (200, PNG)
    assert got.headers["Content-Disposition"].startswith('attachment; filename="a b.png"')
    got = await there(apart, await sent_on(apart, link))
    assert got.headers["Content-Disposition"].startswith("inline")
    assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


async def test_e2_public_and_signed_objects_too(apart: Desk) -> None:
    bucket = {"id": "shop", "name": "shop", "public": True}
    assert (await apart.ask("POST", "/storage/v1/bucket", bucket, "admin")).status == 200
    path = "/storage/v1/object/shop/a%20b/ä.png"
    made = await apart.ask("POST", path, PNG, "admin", Content_Type="image/png")
    assert made.status == 200, made
    base = f"/api/tenants/{SLUG}"
    place = await sent_on(apart, f"{base}/storage/v1/object/public/shop/a%20b/ä.png?width=1")
    assert place.endswith("/storage/v1/object/public/shop/a%20b/%C3%A4.png?width=1")
    got = await there(apart, place)
    assert (got.status, got.headers["Content-Type"]) == (200, "image/webp")
    wanted = {"expiresIn": 60}
    signed = await apart.ask("POST", "/storage/v1/object/sign/shop/a%20b/ä.png", wanted, "admin")
    got = await there(apart, await sent_on(apart, f"{base}/storage/v1{signed.json['signedURL']}"))
    assert (got.status, got.body) == (200, PNG)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/admin/"),
        ("GET", f"/app/{SLUG}/"),
        ("GET", f"/api/tenants/{SLUG}/invoices"),
        ("POST", f"/api/tenants/{SLUG}/auth/v1/token"),
        ("POST", f"/api/tenants/{SLUG}/storage/v1/object/sign/shop/x.png"),
        ("GET", "/api/platform/tenants"),
        ("GET", "/_ui/nothing.js"),
    ],
)
async def test_e2_nothing_else_is_served_there(apart: Desk, method: str, path: str) -> None:
    assert (await there(apart, path, method)).status == 404
