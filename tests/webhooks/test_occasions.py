"""Functions of a tenant's own in the real program: sign-ups, logins, the clock, events, starts and stops."""

import asyncio
import secrets
from pathlib import Path

import aiohttp

from tests.live import Live

FILE = """
version: 1
service: { name: SLUG }
auth: { signup: open, confirm: "off" }
functions:
  welcome: { trigger: after_signup, function: create_record, config: { entity: notes, values: { text: "welcome {{ self.email }}", by: "{{ self.id }}" } } }
  seen: { trigger: after_login, function: create_record, condition: self.email != 'quiet@example.com', config: { entity: notes, values: { text: "login {{ self.email }}" } } }
  began: { trigger: on_start, function: on_start }
  ended: { trigger: on_stop, function: on_stop }
  tick: { trigger: schedule, every: 1s, function: create_record, config: { entity: notes, values: { text: tick } } }
  heard: { trigger: event, on: [orders.created], condition: "self.amount > 5", function: create_record, config: { entity: notes, values: { text: "order {{ self.amount }}" } } }
entities:
  notes: { schema: { properties: { text: { type: string }, by: { type: string } } } }
  orders: { schema: { properties: { amount: { type: integer } } } }
"""
CODE = """
async def on_start(args, ctx):
    print("hello")
    await ctx.data.create("notes", {"text": "started"})

async def on_stop(args, ctx):
    await ctx.data.create("notes", {"text": "stopped"})
"""


async def texts(live: Live, slug: str, wanted: dict[str, int], timeout: float = 30) -> None:
    """Wait until there are at least so many notes of each text."""
    found: list[str] = []
    async with asyncio.timeout(timeout), live.session(slug) as session:
        while True:
            async with session.get(f"{live.base(slug)}/notes?select=text&limit=1000") as answer:
                found = [row["text"] for row in await answer.json()] if answer.status == 200 else []
            if all(found.count(text) >= number for text, number in wanted.items()):
                return
            await asyncio.sleep(0.05)


async def test_functions_of_the_tenant_itself(tmp_path: Path) -> None:
    live = Live(tmp_path)
    slug = f"t-{secrets.token_hex(4)}"
    (live.schemas / f"{slug}.py").write_text(CODE)
    live.write(slug, FILE.replace("SLUG", slug))
    await live.start()
    try:
        await texts(live, slug, {"started": 1, "tick": 2})
        base = live.base(slug)
        async with aiohttp.ClientSession() as session:
            for email in ("ann@example.com", "quiet@example.com"):
                person = {"email": email, "password": "long enough 4 you"}
                async with session.post(f"{base}/auth/v1/signup", json=person) as answer:
                    assert answer.status == 200, await answer.text()
                async with session.post(f"{base}/auth/v1/token?grant_type=password", json=person) as answer:
                    assert answer.status == 200, await answer.text()
        await texts(
            live,
            slug,
            {"welcome ann@example.com": 1, "welcome quiet@example.com": 1, "login ann@example.com": 2},
        )
        async with live.session(slug) as session:
            async with session.post(f"{base}/orders", json=[{"amount": 3}, {"amount": 7}]) as answer:
                assert answer.status == 201, await answer.text()
            await texts(live, slug, {"order 7": 1})
            async with session.get(f"{base}/notes?text=in.(order+3,login+quiet@example.com)") as answer:
                assert await answer.json() == []
            async with session.get(f"{base}/jobs/v1") as answer:
                assert [job["name"] for job in await answer.json()] == ["tick"]
            async with session.get(
                f"{base}/function_executions?trigger=eq.on_start&select=log,outcome"
            ) as answer:
                assert await answer.json() == [{"log": ["hello"], "outcome": "ok"}]
        assert await live.stop() == 0
        await live.start()
        await texts(live, slug, {"started": 2, "stopped": 1})
        async with live.session(slug) as session, session.get(
            f"{live.base(slug)}/function_executions?trigger=eq.on_stop&select=outcome"
        ) as answer:  # fmt: skip
            assert await answer.json() == [{"outcome": "ok"}]
    finally:
        await live.stop()
