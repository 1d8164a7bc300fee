"""Paging by cursor: ``after=`` (empty for the first page), then what the answer says."""

from tests.api.harness import World, slug

TEXT = """
version: 1
service: {{ name: {slug} }}
entities:
  items: {{ schema: {{ properties: {{ n: {{ type: integer }}, name: {{ type: string }} }} }} }}
"""


async def test_pages_follow_each_other(world: World) -> None:
    name = slug()
    await world.tenant(name, TEXT.format(slug=name))
    client = world.client(name)
    await client.post("/items", [{"n": number % 5, "name": f"i{number}"} for number in range(23)])
    path, seen, pages = "/items?after=&order=n.desc,name&limit=5&select=n,name", [], 0
    while path:
        answer = await client.get(path)
        assert answer.status == 200, answer
        seen += [(row["n"], row["name"]) for row in answer.json]
        pages += 1
        link = answer.headers.get("Link")
        assert (link is None) == ("Next-Cursor" not in answer.headers)
        path = link.split(">")[0].lstrip("<").removeprefix(f"/api/tenants/{name}") if link else ""
    assert pages == 5
    assert seen == sorted(seen, key=lambda row: (-row[0], row[1]))
    assert len(set(seen)) == 23


async def test_a_cursor_is_for_its_list(world: World) -> None:
    one, two = slug(), slug()
    for name in (one, two):
        await world.tenant(name, TEXT.format(slug=name))
        await world.client(name).post("/items", [{"n": number} for number in range(5)])
    client = world.client(one)
    cursor = (await client.get("/items?after=&order=n&limit=2")).headers["Next-Cursor"]
    assert len((await client.get(f"/items?after={cursor}&order=n")).json) == 3
    for query in (
        f"after={cursor}&order=n.desc",
        f"after={cursor}x&order=n",
        "after=AAAA&order=n",
        f"after={cursor[:-4]}&order=n",
    ):
        answer = await client.get(f"/items?{query}")
        assert (answer.status, answer.json["code"]) == (400, "query.bad_cursor"), query
