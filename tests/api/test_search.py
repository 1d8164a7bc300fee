"""What people find who type a few words, and in which order."""

from urllib.parse import quote

import pytest

from tests.api.harness import Client, World, slug

FILE = """
version: 1
locale: { languages: [%s] }
roles: { guest: {} }
entities:
  notes:
    schema:
      properties:
        title: { type: string, searchable: true }
        text: { type: string, searchable: true }
        secret: { type: string }
    access: { read: [ { role: admin, aggregate: true }, { role: guest, hide: [text] } ], write: [ { role: admin } ] }
"""
ROWS = [
    {"title": "Data migration", "text": "Moving the customers' tables"},
    {"title": "Website relaunch", "text": "A new look, and migrations of old pages"},
    {"title": "Fish & chips", "text": "a <script>alert(1)</script> fish"},
    {"title": "Booking system", "text": "Rooms, guests, invoices"},
    {"title": None, "text": None},
]


async def place(world: World, language: str) -> str:
    name = slug()
    await world.tenant(name, FILE % language)
    assert (await world.client(name).post("/notes", ROWS)).status == 201
    return name


@pytest.fixture(scope="module")
async def tenant(world: World) -> str:
    return await place(world, "en")


@pytest.fixture
def client(world: World, tenant: str) -> Client:
    return world.client(tenant)


FOUND = {
    "migration": ["Data migration", "Website relaunch"],
    "migrating": ["Data migration", "Website relaunch"],
    "migr": ["Data migration", "Website relaunch"],
    "data migr": ["Data migration"],
    "tables": ["Data migration"],
    "table custom": ["Data migration"],
    "relauch": ["Website relaunch"],
    "boking": ["Booking system"],
    "systme bokin": ["Booking system"],
    "relaunhc": ["Website relaunch"],
    "dare": [],
    "website relaunhc": ["Website relaunch"],
    "website systme": [],
    '"booking system"': ["Booking system"],
    '"booking sys"': [],
    "migration -data": ["Website relaunch"],
    "relauch -data": [],
    "booking or fish": ["Booking system", "Fish & chips"],
    "secret": [],
    "%": [], "&": [], "'": [], "\\": [], "''": [], '"': [], "-": [], ":*": [], "!": [], "(": [], "<->": [],
    '-"data migration"': ["Booking system", "Fish & chips", "Website relaunch"],
}  # fmt: skip


@pytest.mark.parametrize("words", FOUND)
async def test_found(client: Client, words: str) -> None:
    answer = await client.get(f"/notes?select=title&order=title&search={quote(words, safe='')}")
    assert answer.status == 200, answer
    titles = [row["title"] for row in answer.json if row["title"]]
    assert titles == FOUND[words]


async def test_the_best_come_first(client: Client) -> None:
    assert [row["title"] for row in (await client.get("/notes?select=title&search=migration")).json] == [
        "Data migration", "Website relaunch",
    ]  # fmt: skip
    pages = []
    page = await client.get("/notes?select=title&search=migration&limit=1&after=")
    while page.json:
        pages += [row["title"] for row in page.json]
        cursor = page.headers.get("Next-Cursor")
        if not cursor:
            break
        page = await client.get(f"/notes?select=title&search=migration&limit=1&after={cursor}")
    assert pages == ["Data migration", "Website relaunch"]
    counted = await client.get("/notes?select=count()&search=migration")
    assert counted.json == [{"count": 2}]


async def test_words_are_marked_and_nothing_else_is_html(client: Client) -> None:
    [row] = (await client.get("/notes?select=title,_highlight&search=fish")).json
    assert row == {
        "title": "Fish & chips",
        "_highlight": {
            "title": "<mark>Fish</mark> &amp; chips",
            "text": "a &lt;script&gt;alert(1)&lt;/script&gt; <mark>fish</mark>",
        },
    }
    assert (await client.get("/notes?select=title,_highlight")).json["code"] == "PGRST204"


async def test_nobody_searches_what_is_hidden_from_them(world: World, tenant: str) -> None:
    refused = await world.client(tenant, "guest").get("/notes?search=fish")
    assert refused.json["code"] == "query.not_searchable"


async def test_words_have_the_forms_of_the_tenants_language(world: World) -> None:
    german = world.client(await place(world, "de"))
    assert (
        await german.patch("/notes?title=eq.Booking%20system", {"text": "Häuser und Gärten"})
    ).status == 204
    assert [row["title"] for row in (await german.get("/notes?search=haus")).json] == ["Booking system"]
    other = world.client(await place(world, "xx"))
    assert [row["title"] for row in (await other.get("/notes?search=booking")).json] == ["Booking system"]
