"""One process with an administrator for the tests of a module; each test takes slugs of its own."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from actors.commands.installation import opened
from config.parse import parse
from tests.live import ROOT, Live
from tests.process.test_platform import EMAIL, PASSWORD, Client, bearer


class Platform:
    """The administrator's way in; ``calls`` are at the platform's API."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.client = Client(live)
        self.admin: dict[str, str] = {}

    async def start(self) -> None:
        await self.live.start(str(self.live.directory))
        self.admin = bearer(await self.client.sign_in())

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return await self.client.send(method, f"/api/platform/{path}", body, **{**self.admin, **headers})

    async def rpc(self, function: str, **arguments: Any) -> tuple[int, Any]:
        return await self.call("POST", f"rpc/{function}", arguments)

    async def create(self, slug: str, **values: Any) -> tuple[int, Any]:
        return await self.call("POST", "tenants", {"slug": slug, **values}, Prefer="return=representation")

    async def enter(self, slug: str) -> dict[str, str]:
        """Return the administrator's credential inside a tenant."""
        status, entered = await self.client.send("POST", f"/auth/v1/tenants/{slug}/session", {}, **self.admin)
        assert status == 200, entered
        return bearer(entered["access_token"])

    async def inside(
        self, slug: str, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        return await self.client.send(method, f"/api/tenants/{slug}/{path}", body, **headers)

    async def person(self, email: str, role: str = "") -> dict[str, str]:
        """Make somebody of the platform and return their credential."""
        body = {
            "email": email,
            "password": PASSWORD,
            "email_confirm": True,
            **({"role": role} if role else {}),
        }
        status, made = await self.client.send("POST", "/auth/v1/admin/users", body, **self.admin)
        assert status in {200, 201}, made
        return bearer(await self.client.sign_in(email))

    @contextlib.asynccontextmanager
    async def owner(self) -> AsyncIterator[Any]:
        """The database as its owner."""
        settings = parse({}, self.live.env, self.live.directory)
        async with opened(settings) as installation_, installation_.database.owner() as connection:
            yield connection

    async def mails(self, address: str, count: int = 1) -> list[str]:
        """What was sent to somebody, once so many have come: a mail goes out after its request was answered."""
        folder = self.live.directory / "data" / "mail"
        for _ in range(200):
            found = [
                path.read_text() for path in folder.glob("*.eml") if f"To: {address}" in path.read_text()
            ]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.05)
        return found


def installation(directory: Path) -> Live:
    """An installation with the platform's file and an administrator of the settings."""
    live = Live(directory, BACKSAAS_ADMIN_EMAIL=EMAIL, BACKSAAS_ADMIN_PASSWORD=PASSWORD)
    shutil.copy(ROOT / "schemas" / "platform.yaml", live.schemas)
    return live


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    live = installation(tmp_path_factory.mktemp("platform"))
    platform = Platform(live)
    await platform.start()
    yield platform
    await live.stop()
