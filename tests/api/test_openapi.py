"""OpenAPI, docs page and types: what they say is true, of the caller who reads them."""

import asyncio
import gzip
import typing
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson
import pytest

from tests.api.harness import Client, World

ROOT = Path(__file__).resolve().parent.parent.parent
SHOP = """
version: 1
service: { name: shop, title: Shop }
roles: { clerk: {} }
functions:
  total: { trigger: rpc, function: validate_email, roles: [clerk], args: { type: object, properties: { a: { type: integer } } } }
  secret: { trigger: rpc, function: validate_email }
entities:
  people:
    schema:
      required: [name, email]
      properties:
        name: { type: string, minLength: 1, maxLength: 40, description: As on the door. }
        email: { type: string, format: email, unique: true }
        born: { type: string, format: date }
        wage: { type: number, minimum: 0, multipleOf: 0.01 }
    access:
      read: [ { role: clerk, hide: [wage] }, { role: admin } ]
      create: [ { role: clerk, fields: [name, email] }, { role: admin } ]
      update: [ { role: admin } ]
      delete: [ { role: admin } ]
  orders:
    schema:
      required: [person_id, state]
      properties:
        person_id: { references: people }
        state: { type: string, enum: [open, paid], default: open }
        count: { type: integer, minimum: 1, maximum: 9 }
        tags: { type: array, items: { type: string, maxLength: 10 } }
        place: { type: object, properties: { city: { type: string } } }
        at: { type: string, format: time }
        code: { type: string, pattern: "^[A-Z]{3}$" }
  vault: { schema: { properties: { secret: { type: string } } } }
"""


@pytest.fixture(scope="module")
async def shop(world: World) -> Client:
    await world.tenant("shop", SHOP)
    return world.client("shop", "admin")


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in references(value)]
    return [ref for value in node for ref in references(value)] if isinstance(node, list) else []


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        operation
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]


async def test_the_document_is_whole(shop: Client) -> None:
    answer = await shop.get("/openapi.json")
    assert answer.headers["Content-Type"].startswith("application/openapi+json")
    document = answer.json
    assert document["openapi"] == "3.1.0"
    for reference in set(references(document)):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    names = [operation["operationId"] for operation in operations(document)]
    assert len(names) == len(set(names))
    for operation in operations(document):
        statuses = set(operation["responses"])
        assert {"400", "401", "403", "429", "500", "503"} <= statuses
        assert "default" not in statuses
    assert set(document["components"]["securitySchemes"]) == {"bearer", "apikey", "session"}


async def test_what_admins_do_beside_rows_is_described_as_it_answers(shop: Client, world: World) -> None:
    document = (await shop.get("/openapi.json")).json
    made = await shop.post("/auth/v1/keys", {"name": "a", "role": "admin"})
    key, nothing = made.json["id"], "01900000-0000-7000-8000-000000000000"
    asked = [
        ("post", "/auth/v1/keys", "", made.status),
        ("get", "/orders.{format}", "/orders.csv", 200),
        ("get", "/tasks/v1", "/tasks/v1?state=dead&limit=5", 200),
        ("get", "/tasks/v1", f"/tasks/v1?limit={'9' * 6000}", 400),
        ("get", "/tasks/v1/{id}", f"/tasks/v1/{nothing}", 404),
        ("post", "/tasks/v1/replay", "/tasks/v1/replay", 202),
        ("get", "/jobs/v1", "/jobs/v1", 200),
        ("post", "/jobs/v1/{name}/run", "/jobs/v1/none/run", 404),
        ("get", "/functions/v1", "/functions/v1", 200),
        ("post", "/trials/v1", "/trials/v1", 404),
        ("get", "/webhooks/v1", "/webhooks/v1", 200),
        ("post", "/webhooks/v1/deliveries/{id}/replay", f"/webhooks/v1/deliveries/{nothing}/replay", 404),
        ("get", "/auth/v1/admin/users", "/auth/v1/admin/users?page=1", 200),
        ("get", "/auth/v1/admin/audit", "/auth/v1/admin/audit", 200),
        ("get", "/auth/v1/keys", "/auth/v1/keys", 200),
        ("get", "/auth/v1/keys/{id}", f"/auth/v1/keys/{key}", 200),
        ("post", "/auth/v1/keys/{id}/rotate", f"/auth/v1/keys/{key}/rotate", None),
        ("delete", "/auth/v1/keys/{id}", f"/auth/v1/keys/{key}", None),
        ("get", "/auth/v1/admin/users/{id}", f"/auth/v1/admin/users/{nothing}", 404),
        ("delete", "/auth/v1/admin/users/{id}", f"/auth/v1/admin/users/{nothing}", 404),
    ]
    for method, path, where, status in asked:
        answer = (
            await shop.request(method.upper(), where, {} if method == "post" else None) if where else made
        )
        assert answer.status == (status or answer.status), (where, answer)
        assert str(answer.status) in document["paths"][path][method]["responses"], (where, answer)
    # nobody else learns of it
    clerk = (await world.client("shop", "clerk").get("/openapi.json")).json["paths"]
    assert "/people.{format}" in clerk
    assert not {path for _, path, _, _ in asked if path != "/orders.{format}"} & set(clerk)


async def test_examples_are_what_the_schemas_ask_for(shop: Client, world: World) -> None:
    document = (await shop.get("/openapi.json")).json
    schemas = document["components"]["schemas"]
    examples = {name: schema["examples"][0] for name, schema in schemas.items() if "examples" in schema}
    assert {"people", "people.create", "people.update", "orders.update"} <= set(examples)
    for name, example in examples.items():
        jsonschema_rs.validator_for(
            {**schemas[name], "components": document["components"]}, validate_formats=True
        ).validate(example)
    made = await shop.post("/people", examples["people.create"])
    assert made.status == 201, made


async def test_everybody_reads_only_what_concerns_them(shop: Client, world: World) -> None:
    clerk = (await world.client("shop", "clerk").get("/openapi.json")).json
    assert set(clerk["paths"]) & {"/vault", "/orders", "/rpc/secret"} == set()
    assert set(clerk["paths"]["/people"]) == {"get", "post"}
    assert "/rpc/total" in clerk["paths"]
    schemas = clerk["components"]["schemas"]
    assert "wage" not in schemas["people"]["properties"]
    assert set(schemas["people.create"]["properties"]) == {"name", "email"}
    assert schemas["people"]["properties"]["name"]["description"] == "As on the door."
    nobody = (await world.client("shop", None).get("/openapi.json")).json
    assert not {path for path in nobody["paths"] if path.startswith(("/people", "/rpc"))}
    assert "wage" not in orjson.dumps(nobody).decode()


async def test_one_reader_makes_it_for_all_who_ask_meanwhile(world: World, monkeypatch: Any) -> None:
    from actors.tenant import describe

    await world.tenant("busy", SHOP.replace("name: shop", "name: busy"))
    made: list[str] = []
    original = describe.openapi_document

    def counted(*args: Any, **named: Any) -> Any:
        made.append("x")
        return original(*args, **named)

    monkeypatch.setattr(describe, "openapi_document", counted)
    nobody = world.client("busy", None)
    answers = await asyncio.gather(*(nobody.get("/openapi.json") for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert made == ["x"]


async def test_the_docs_come_from_here_alone(shop: Client, world: World) -> None:
    page = await shop.get("/docs")
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert not {"unsafe-inline", "unsafe-eval", "http:", "https:"} & set(policy.replace("'", "").split())
    assert "//" not in page.body.decode().replace("<!doctype", "")
    for file, kind in (
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
        ("docs.js", "text/javascript"),
        ("docs.css", "text/css"),
    ):
        assert f"/docs/{file}" in page.body.decode()
        answer = await shop.get(f"/docs/{file}")
        assert answer.status == 200, answer
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers.getall("Cache-Control") == ["public, max-age=86400"]
        assert len(answer.body) > 50
    assert (await shop.get("/docs/passwd")).status == 404
    assert (await world.client("nowhere", None).get("/docs")).status == 404


async def test_types_for_typescript(shop: Client, world: World) -> None:
    text = (await shop.get("/types.ts")).body.decode()
    assert 'referencedRelation: "people"' in text
    assert 'state: "open" | "paid"' in text
    clerk = (await world.client("shop", "clerk").get("/types.ts")).body.decode()
    assert "wage" not in clerk
    assert "vault" not in clerk


async def test_types_for_python(shop: Client) -> None:
    module: dict[str, Any] = {"__name__": "shop_types"}
    exec(compile((await shop.get("/types.py")).body, "types.py", "exec"), module)
    person, made = (typing.get_type_hints(module[name]) for name in ("People", "PeopleInsert"))
    assert (person["name"], person["wage"], person["row_version"]) == (str, float | None, int)
    assert typing.get_type_hints(module["Orders"])["state"] == typing.Literal["open", "paid"]
    assert made["email"] is str
    assert module["PeopleInsert"].__required_keys__ == {"name", "email"}
    assert module["PeopleUpdate"].__required_keys__ == frozenset()


def test_the_vendored_files_unpack() -> None:
    folder = ROOT / "gateway" / "docs_assets"
    assert b"SwaggerUIBundle" in gzip.decompress((folder / "swagger-ui-bundle.js.gz").read_bytes())
    assert b".swagger-ui" in gzip.decompress((folder / "swagger-ui.css.gz").read_bytes())
