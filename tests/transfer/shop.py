"""Who imports into the tenant of these tests."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from tests.live import Live

SLUG = "shop-co"
TENANT = """
version: 1
service: { name: shop-co }
locale: { timezone: Europe/Berlin }
roles: { member: {}, clerk: { inherits: [member] } }
entities:
  companies:
    label: name
    schema: { required: [name], properties: { name: { type: string, maxLength: 40, unique: true }, city: { type: string } } }
    access: { read: [ { role: member, rule: "self.city != 'Hidden'" } ], write: [ { role: clerk } ], delete: [ { role: clerk } ] }
  people:
    schema:
      required: [email]
      properties:
        email: { type: string, format: email, unique: true }
        name: { type: string, title: { en: Full name, de: Voller Name } }
        born: { type: string, format: date }
        seen: { type: string, format: date-time }
        rate: { type: number, multipleOf: 0.01, minimum: 0 }
        points: { type: integer }
        active: { type: boolean, default: true }
        level: { type: string, enum: [low, high] }
        tags: { type: array, items: { type: string } }
        slug: { type: string }
        boss_id: { type: string, format: uuid, references: people }
        company_id: { type: string, format: uuid, references: companies }
    functions:
      shout: { trigger: before_create, function: set_fields, config: { slug: "{{ self.name + '!' }}" }, condition: "self.name != null" }
    rules: [ { rule: "self.points == null || self.points < 1000", message: "too many points", fieldPath: points } ]
    access:
      read: [ { role: clerk }, { role: member, fields: [id, email, name] } ]
      create: [ { role: clerk }, { role: member, fields: [email, name] } ]
      update: [ { role: clerk } ]
      delete: [ { role: clerk } ]
"""


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Shop:
    """Callers of one live tenant."""

    def __init__(self, live: Live, session: aiohttp.ClientSession) -> None:
        self.live, self.session = live, session

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        role: str | None = "clerk",
        sub: str = "",
        **headers: str,
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if role is not None:
            sent["Authorization"] = f"Bearer {self.live.token(SLUG, role, **({'sub': sub} if sub else {}))}"
        if isinstance(body, dict | list):
            body, sent["Content-Type"] = orjson.dumps(body), "application/json"
        async with self.session.request(
            method, f"{self.live.base(SLUG)}{path}", data=body, headers=sent
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def load(
        self, path: str, data: bytes | str, role: str = "clerk", prefer: str = "wait=20", **words: str
    ) -> Answer:
        """Import a file and wait for the end."""
        query = f"?{urlencode(words)}" if words else ""
        answer = await self.ask("POST", f"/{path}{query}", data, role, Prefer=prefer)
        while answer.status == 202 and "respond-async" not in prefer:
            await asyncio.sleep(0.05)
            answer = await self.ask("GET", f"/imports/v1/{answer.json['id']}")
            told = answer.json
            if told["state"] in {"waiting", "running"}:
                answer.status = 202
            elif told["state"] == "failed":  # what the first answer says when the machine is quick enough
                answer.status, answer.body = 422, orjson.dumps(told | told["problem"])
        return answer

    async def rows(self, query: str) -> Any:
        return (await self.ask("GET", f"/{query}")).json
