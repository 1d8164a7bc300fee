"""kill -9 under load: whatever was answered has its effects, and what was refused has none."""

import asyncio
import secrets
import signal
from collections import Counter
from pathlib import Path

import aiohttp
import psutil
from receiver import Receiver
from test_work import ALL, FILE, NOTE

from tests.live import Live

KILLS, WRITERS = 2, 8


async def write_until_killed(live: Live, slug: str, number: int, answered: set[str]) -> None:
    session = live.session(slug)
    count = 0
    async with session:
        while True:
            title = f"{number}-{count}-{secrets.token_hex(3)}"
            try:
                async with session.post(f"{live.base(slug)}/orders", json={"title": title}) as answer:
                    if answer.status == 201:
                        answered.add(title)
            except (aiohttp.ClientError, OSError):
                return
            count += 1


async def test_nothing_answered_loses_its_effects(tmp_path: Path) -> None:
    slug = f"t-{secrets.token_hex(4)}"
    async with Receiver() as receiver:
        live = Live(tmp_path, BACKSAAS_PRIVATE_NETWORKS="127.0.0.0/8")
        hooks = f"webhooks: {{ out: {{ url: '{receiver.url}/out', events: [orders.created] }} }}"
        live.write(
            slug,
            FILE.format(
                slug=slug,
                all=ALL,
                functions="      n: " + NOTE % ("after_create", "{{ self.title }}"),
                more=hooks,
            ),
        )
        answered: set[str] = set()
        try:
            for kill in range(KILLS):
                await live.start()
                writers = [
                    asyncio.ensure_future(write_until_killed(live, slug, kill * WRITERS + n, answered))
                    for n in range(WRITERS)
                ]
                await asyncio.sleep(1.0 + kill * 0.3)
                await live.stop(signal.SIGKILL)
                await asyncio.gather(*writers)
            await live.start()
            noted: Counter[str] = Counter()
            told: Counter[str] = Counter()
            async with asyncio.timeout(120), live.session(slug) as session:
                while True:
                    waiting: list[object] = []
                    for state in (
                        "ready",
                        "running",
                    ):  # what a killed process ran is running until its lease ends
                        async with session.get(f"{live.base(slug)}/tasks/v1?state={state}&limit=1") as answer:
                            waiting += await answer.json()
                    told = Counter(one.json["data"]["record"]["title"] for one in receiver.on("/out"))
                    if not waiting and answered <= told.keys():
                        break
                    await asyncio.sleep(0.1)
                async with session.get(f"{live.base(slug)}/notes?select=text&order=id&limit=1000") as answer:
                    notes = await answer.json()
                for offset in range(1000, 100_000, 1000):
                    if len(notes) < offset:
                        break
                    async with session.get(
                        f"{live.base(slug)}/notes?select=text&order=id&limit=1000&offset={offset}"
                    ) as answer:
                        notes += await answer.json()
                noted = Counter(note["text"] for note in notes)
                kept: set[str] = set()
                for offset in range(0, 100_000, 1000):
                    async with session.get(
                        f"{live.base(slug)}/orders?select=title&order=id&limit=1000&offset={offset}"
                    ) as answer:
                        page = await answer.json()
                    kept |= {row["title"] for row in page}
                    if len(page) < 1000:
                        break
            assert answered <= kept
            assert kept == noted.keys(), "each row that is there, and no other, set its function off"
            assert kept == told.keys()
            twice = sum(count - 1 for count in noted.values()), sum(count - 1 for count in told.values())
            ids = {one.json["data"]["record"]["title"]: one.id for one in receiver.on("/out")}
            assert len(set(ids.values())) == len(ids)
            print(
                f"{len(answered)} answered, {len(kept)} kept; done twice: {twice[0]} functions, {twice[1]} webhooks"
            )
            assert sum(twice) <= 2 * KILLS * 16, "at most what was being run when it was killed"
        finally:
            if live.process is not None and live.process.poll() is None:
                for child in psutil.Process(live.process.pid).children(recursive=True):
                    child.kill()
                live.process.kill()
                live.process.wait()
