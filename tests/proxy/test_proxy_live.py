"""A real process whose rules are edited while it serves: routes to another server appear, change and go."""

import asyncio
from pathlib import Path

import aiohttp

from tests.live import Live
from tests.proxy.conftest import Upstream

API = "  - {path: '/api/tenants/{slug}/*', target: 'tenant-api-{slug}'}\n"


async def _eventually(session: aiohttp.ClientSession, path: str, status: int) -> str:
    text = ""
    for _ in range(100):
        async with session.get(path) as answer:
            text = await answer.text()
            if answer.status == status:
                return text
        await asyncio.sleep(0.1)
    raise AssertionError(f"{path} never said {status}: {text}")


async def test_rules_change_while_it_serves(tmp_path: Path, database_url: str, upstream: Upstream) -> None:
    live = Live(tmp_path, BACKSAAS_DATABASE_URL=database_url)
    rules = live.config / "gateway.yaml"
    rules.write_text("routes:\n" + API)
    await live.start()
    try:
        async with aiohttp.ClientSession(live.url) as session:
            await _eventually(session, "/u/x", 404)
            target = f"http://127.0.0.1:{upstream.port}"
            rules.write_text(f"routes:\n{API}  - {{path: '/u/*', target: '{target}', strip_prefix: true}}\n")
            assert '"path": "/x"' in await _eventually(session, "/u/x", 200)
            async with session.ws_connect("/u/ws") as socket:
                await socket.send_str("live")
                assert await socket.receive_str(timeout=5) == "LIVE"
            # a mistake is told with its place and changes nothing
            rules.write_text(f"routes:\n{API}  - {{path: '/u/*', target: '{target}', timeout: soon}}\n")
            for _ in range(100):
                if "gateway.yaml:3:" in live.log.read_text():
                    break
                await asyncio.sleep(0.1)
            assert "gateway.timeout" in live.log.read_text()
            await _eventually(session, "/u/x", 200)
            rules.write_text(f"rules:\n{API}")
            await _eventually(session, "/u/x", 404)
    finally:
        await live.stop()
