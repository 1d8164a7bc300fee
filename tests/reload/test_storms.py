"""A tenant whose file is saved again and again: the last save wins, few are compiled, others have their turn (D16)."""

import asyncio
import time

from tests.live import Live
from tests.reload.conftest import tenant

SAVES = 400
WINDOW = 0.1


async def test_a_storm_of_saves_costs_a_few_compilations(live: Live) -> None:
    for slug in ("stormy", "calm"):
        live.write(slug, tenant(slug))
        await live.until(slug, state="serving")
    first = (await live.status("stormy"))["version"]
    begun = time.monotonic()
    for number in range(SAVES):
        live.write("stormy", tenant("stormy", f"f{number}: {{ type: integer }}"))
        if number == SAVES // 2:
            live.write("calm", tenant("calm", "extra: { type: integer }"))
        await asyncio.sleep(0.002)
    took = time.monotonic() - begun
    await live.until("calm", version=2)
    async with live.session("stormy") as session:
        wanted = f"f{SAVES - 1}"
        for _ in range(300):
            async with session.get(f"{live.base('stormy')}/items?select={wanted}") as answer:
                if answer.status == 200:
                    break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError(await live.status("stormy"))
    versions = (await live.status("stormy"))["version"] - first
    assert versions <= 2 * took / WINDOW + 2
    assert versions < SAVES / 2
    async with live.session("calm") as session, session.get(f"{live.base('calm')}/items") as answer:
        assert answer.status == 200
