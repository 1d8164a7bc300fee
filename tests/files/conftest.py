"""One live process with a tenant that has files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from tests.live import Live

SLUG = "paper-co"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0000003010100"
    "18dd8db00000000049454e44ae426082"
)
TENANT = """
version: 1
service: { name: paper-co }
roles: { member: {}, clerk: {}, admin: { inherits: [member, clerk] } }
entities:
  invoices:
    schema:
      required: [number]
      properties:
        number: { type: string, maxLength: 40 }
        net: { type: number }
        owner: { type: string }
        pdf: { type: string, format: file, accept: [application/pdf], maxSize: 2MiB }
        photo: { type: string, format: file, accept: ["image/*"] }
        deed: { type: string, format: file, protected: true }
        stamp: { type: string, format: file, readOnly: true }
    access:
      read: [ { role: member, rule: self.owner == user.id, hide: [deed] }, { role: clerk } ]
      create: [ { role: member, fields: [number, net, owner, pdf, photo] }, { role: clerk } ]
      update: [ { role: member, rule: self.owner == user.id, fields: [number, pdf] }, { role: clerk } ]
      delete: [ { role: clerk } ]
  pages:
    schema:
      properties:
        invoice_id: { type: string, format: uuid, references: invoices, onDelete: cascade }
        scan: { type: string, format: file }
    access: { read: [ { role: clerk } ], create: [ { role: clerk } ], update: [ { role: clerk } ], delete: [ { role: clerk } ] }
"""


class Seen(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)


class Desk:
    """Callers of one live tenant."""

    def __init__(self, live: Live, session: aiohttp.ClientSession) -> None:
        self.live, self.session = live, session
        self.slug = SLUG
        self.base = live.base(SLUG)
        self.store = live.directory / "data" / "files"

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        role: str | None = "clerk",
        sub: str = "",
        **headers: str,
    ) -> Seen:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if role is not None:
            claims = {"sub": sub} if sub else {}
            sent["Authorization"] = f"Bearer {self.live.token(self.slug, role, **claims)}"
        if isinstance(body, dict | list):
            import json

            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        url = path if path.startswith("http") else f"{self.base}{path}"
        async with self.session.request(method, url, data=body, headers=sent) as answer:
            return Seen(answer.status, answer.headers, await answer.read())

    async def upload(
        self, field: str, data: bytes, role: str | None = "clerk", entity: str = "invoices", **headers: str
    ) -> Seen:
        return await self.ask("POST", f"/files/v1/{entity}/{field}", data, role, **headers)

    async def row(self, **values: Any) -> dict[str, Any]:
        made = await self.ask("POST", "/invoices", {"number": "1", **values}, Prefer="return=representation")
        assert made.status == 201, made
        return made.json[0]  # type: ignore[no-any-return]

    def objects(self) -> set[str]:
        """Names of everything in the store, finished or not."""
        return {path.name for path in self.store.rglob("*") if path.is_file()}


@asynccontextmanager
async def opened(directory: Path, text: str = TENANT, **settings: str) -> AsyncIterator[Desk]:
    """A process of its own that serves the tenant."""
    live = Live(directory, **settings)
    live.write(SLUG, text)
    await live.start("--dev", str(live.directory))
    try:
        async with aiohttp.ClientSession() as session:
            yield Desk(live, session)
    finally:
        await live.stop()


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("files"), BACKSAAS_DATABASE_URL=database_url) as desk:
        yield desk


async def until(condition: Any, seconds: float = 30) -> None:
    """Wait for something to become true."""
    import asyncio

    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
