"""The tenant of these tests, and who asks it."""

import base64
import re
import zlib
from typing import Any

import aiohttp
import orjson

from tests.live import Live

SLUG = "ledger"
TENANT = """
version: 1
service: { name: ledger, title: { de: Kontor, en: Ledger } }
locale: { languages: [de, en], timezone: Europe/Berlin, currency: EUR }
auth: { signup: open, confirm: off, default_role: member }
roles: { member: {}, clerk: { inherits: [member] }, manager: { inherits: [clerk] }, admin: { inherits: [manager] } }
entities:
  regions:
    label: name
    schema: { properties: { name: { type: string } } }
    access: { read: [ { role: member } ], write: [ { role: admin } ] }
  customers:
    label: name
    title: { en: Customers, de: Kunden }
    schema: { properties: { name: { type: string }, region_id: { type: string, format: uuid, references: regions } } }
    access: { read: [ { role: member } ], write: [ { role: admin } ] }
  invoices:
    schema:
      properties:
        number: { type: string }
        customer_id: { type: string, format: uuid, references: customers, title: { en: Customer, de: Kunde } }
        status: { type: string, enum: [draft, sent, paid], default: sent }
        due_on: { type: string, format: date }
        net: { type: number, multipleOf: 0.01, currency: EUR, title: { en: Net, de: Netto } }
        tags: { type: array, items: { type: string } }
        owner_id: { type: string, format: uuid }
        margin: { type: number }
    access:
      read:
        - { role: manager, aggregate: true }
        - { role: clerk, aggregate: true, rule: "self.net < 500.0", hide: [margin] }
        - { role: member, rule: "self.net < 50.0", hide: [margin] }
      write: [ { role: admin } ]
reports:
  aging:
    title: { en: Unpaid, de: Offene Posten }
    entity: invoices
    params:
      until: { type: string, format: date, default: today(), title: { en: Until, de: Bis } }
      word: { type: string, maxLength: 40 }
      customer: { type: string, format: uuid, references: customers }
      least: { type: number, minimum: 0 }
      states: { type: array, items: { type: string, enum: [draft, sent, paid] }, default: [sent] }
    filter: 'due_on=lte.{until}&number=like.{word}*&customer_id=eq.{customer}&net=gte.{least}&status=in.({states})'
    group_by: customer.name
    columns: [net.sum(), count()]
    sort: -net.sum()
    roles: [clerk]
    schedule: { cron: "0 7 * * 1", zone: Europe/Berlin }
    email: [cfo@ledger.example, ceo@ledger.example]
    format: pdf
  regions: { entity: invoices, group_by: [customer.region.name, customer.name], columns: [net.sum(), net.avg(), due_on.max()] }
  margins: { entity: invoices, group_by: status, columns: margin.sum() }
  either: { entity: invoices, params: { word: { type: string } }, filter: 'or=(number.eq.{word},status.eq.{word})', columns: [number, customer.name], sort: -number }
  northern: { entity: invoices, params: { region: { type: string } }, filter: "customer.region.name=eq.{region}", columns: [net.sum(), count()] }
  plain: { entity: invoices, columns: [number, net], sort: number, limit: 3 }
  mine: { entity: invoices, params: { me: { type: string, default: user.id } }, filter: "owner_id=eq.{me}", columns: count() }
"""
ROWS = [
    ("A-1", "Nord GmbH", "sent", "2026-01-10", 100.10, 1),
    ("A-2", "Nord GmbH", "sent", "2026-02-10", 200.20, 2),
    ("B-1", "=SUM(A1)", "sent", "2026-01-20", 700.50, 3),
    ("C-1", "Süd & Söhne", "paid", "2026-01-05", 50, 4),
    ("C-2", "Süd & Söhne", "sent", "2026-03-01", 1234.56, 5),
    ("X-1", None, "sent", "2026-01-01", 10, 6),
]


class Ledger:
    """Callers of one live tenant."""

    def __init__(self, live: Live, session: aiohttp.ClientSession) -> None:
        self.live, self.session = live, session
        self.customers: dict[str, str] = {}

    async def ask(
        self, path: str, role: str | None = "manager", method: str = "GET", body: Any = None, **headers: str
    ) -> tuple[int, Any, aiohttp.typedefs.LooseHeaders]:
        """Return status, body (JSON as its value) and headers."""
        if role is not None:
            headers["Authorization"] = f"Bearer {self.live.token(SLUG, role)}"
        async with self.session.request(
            method, f"{self.live.base(SLUG)}{path}", json=body, headers=headers
        ) as answer:
            data = await answer.read()
            return (
                answer.status,
                orjson.loads(data) if "json" in answer.content_type else data,
                answer.headers,
            )

    async def fill(self) -> None:
        made: dict[str, str] = {}
        for name, region in (("Nord GmbH", "North"), ("=SUM(A1)", "North"), ("Süd & Söhne", "South")):
            if region not in made:
                made[region] = await self._make("regions", {"name": region})
            self.customers[name] = await self._make("customers", {"name": name, "region_id": made[region]})
        for number, customer, status, due, net, margin in ROWS:
            key = self.customers.get(customer) if customer else None
            await self._make(
                "invoices",
                {
                    "number": number,
                    "customer_id": key,
                    "status": status,
                    "due_on": due,
                    "net": net,
                    "margin": margin,
                },
            )

    async def _make(self, entity: str, row: dict[str, Any]) -> str:
        status, told, _ = await self.ask(f"/{entity}", "admin", "POST", row, Prefer="return=representation")
        assert status == 201, told
        return str((told[0] if isinstance(told, list) else told)["id"])


def text_of_pdf(data: bytes) -> str:
    """What a PDF of ReportLab shows, in drawing order (its streams are ASCII85 of zlib)."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)~>", data, re.DOTALL):
        content = zlib.decompress(base64.a85decode(stream.strip(), adobe=False))
        found += re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", content)
    octal = re.compile(rb"\\(\d{3})")
    return "\n".join(
        octal.sub(lambda one: bytes([int(one[1], 8)]), part).replace(rb"\(", b"(").replace(rb"\)", b")").decode("cp1252")
        for part in found
    )  # fmt: skip
