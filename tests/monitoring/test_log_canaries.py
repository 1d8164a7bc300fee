"""Functions, webhooks, work after commits and edits leave no secret in the log (docs/attacks.md H9)."""

import asyncio
import json
import time

import aiohttp
import pytest

from tests.conftest import StartLive
from tests.live import Live

HOOK, ROW, CODE, EDIT = "canary-hook-61e0", "canary-row-82aa", "canary-code-17fd", "canary-edit-90cc"
FILE = """
version: 1
service: { name: told-co }
functions:
  breaks: { trigger: rpc, roles: [public], timeout: 5s }
webhooks:
  away:
    url: "https://127.0.0.1/${HOOK_SECRET}"
    events: [notes.*]
    secret: "${HOOK_SECRET}"
    headers: { Authorization: "Bearer ${HOOK_SECRET}" }
    retries: 0
entities:
  notes:
    schema: { properties: { text: { type: string }, password: { type: string, maxLength: 4 } } }
    access: { read: [ { role: public } ], create: [ { role: public } ] }
"""
BAD = (
    FILE.replace("schema:", "shema:")
    + f"auth: {{ providers: {{ corp: {{ issuer: 'https://a.invalid', client_id: x, client_secret: {EDIT} }} }} }}\n"
)
FUNCTIONS = f"""
def breaks(args, ctx):
    api_key = "{CODE}"
    raise ValueError("it broke")
"""


@pytest.fixture(scope="module")
async def live(start_live: StartLive) -> Live:
    live = await start_live(
        BACKSAAS_LOG_FORMAT="json", BACKSAAS_LOG_LEVEL="debug", BACKSAAS_LOG_ACCESS="true", HOOK_SECRET=HOOK
    )
    (live.schemas / "told-co.py").write_text(FUNCTIONS)
    live.write("told-co", FILE)
    await live.until("told-co", state="serving", rejection=None)
    return live


def lines(live: Live, event: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in live.output().splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


async def until(live: Live, event: str) -> list[dict[str, object]]:
    deadline = time.monotonic() + 30
    while not lines(live, event):
        assert time.monotonic() < deadline, live.output()[-3000:]
        await asyncio.sleep(0.05)
    return lines(live, event)


async def test_no_secret_is_in_the_log(live: Live) -> None:
    base = live.base("told-co")
    sent = {"Authorization": f"Bearer {ROW}", "apikey": ROW, "Cookie": f"x={ROW}"}
    async with aiohttp.ClientSession() as session:
        for method, path, body, headers in (
            ("POST", "/notes", {"text": ROW}, {}),
            ("POST", "/notes", {"password": ROW}, {}),
            ("GET", f"/notes?text=eq.{ROW}", None, {}),
            ("GET", f"/notes/{ROW}", None, {}),
            ("GET", "/notes", None, sent),
            ("POST", "/rpc/breaks", {"token": ROW}, {}),
        ):
            async with session.request(method, f"{base}{path}", json=body, headers=headers) as answer:
                assert answer.status < 600
                await answer.read()
    dead = await until(live, "task.dead")
    assert (dead[0]["tenant"], dead[0]["name"]) == ("told-co", "away")
    live.write("told-co", BAD)
    refused = await until(live, "reload.refused")
    assert refused[0]["tenant"] == "told-co"
    assert len(lines(live, "request")) >= 6
    text = live.output()
    assert [secret for secret in (HOOK, ROW, CODE, EDIT) if secret in text] == []
