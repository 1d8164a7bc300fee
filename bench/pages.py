"""A table of ten thousand rows in Chromium: how long after an input the page is painted anew.

A real tenant, opened as a person does, scrolled until every row is fetched. Times are those of Event Timing
(W3C): from the input to the next paint, told in steps of 8 ms from 16 ms on; 0 is less than that. The wheel
is no event of it: there it is the longest time between two frames. Browser, server and database share this
machine's cores.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from playwright.async_api import Page, async_playwright

from bench.processes import Platform

CHROMIUM = shutil.which("chromium") or ""
SLUG, EMAIL, PASSWORD = "shelves", "ada@shelves.example", "correct horse battery 9"
SHOP = "00000000-0000-4000-8000-000000000001"
TENANT = """\
version: 1
service: { name: shelves }
roles: { admin: {} }
entities:
  shops:
    label: name
    schema: { properties: { name: { type: string } } }
    access: { read: [ { role: admin } ], write: [ { role: admin } ] }
  things:
    label: name
    schema:
      properties:
        name: { type: string, searchable: true }
        shop_id: { references: shops }
        state: { type: string, enum: [new, used, broken] }
        count: { type: integer }
        price: { type: number, multipleOf: 0.01 }
        rare: { type: boolean }
        made_on: { type: string, format: date }
        note: { type: string }
    access: { read: [ { role: admin } ], write: [ { role: admin } ], delete: [ { role: admin } ] }
    views:
      list: { columns: [name, shop.name, state, count, price, rare, made_on, note], count: exact }
"""
WATCH = """
window.timed = [];
new PerformanceObserver(list => {
  for (const each of list.getEntries()) if (each.interactionId) timed.push([each.name, each.duration]);
}).observe({ type: "event", durationThreshold: 16 });
"""
TO_THE_END = """async total => {
  const box = document.querySelector("main [role=region] > table").parentElement;
  while (Number(box.firstElementChild.getAttribute("aria-rowcount")) < total) {
    box.scrollTop = box.scrollHeight;
    await new Promise(done => setTimeout(done, 10));
  }
  box.scrollTop = box.scrollHeight / 2;
}"""
FRAMES = """() => {
  window.frames_ = []; let before = performance.now(); window.framing = true;
  const next = now => { frames_.push(now - before); before = now; if (framing) requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""
SETTLED = "new Promise(done => setTimeout(done, 300))"


def measure(dsn: str, folder: Path, *, quick: bool) -> dict:
    """Return milliseconds per kind of input."""
    place = folder / "pages"
    place.mkdir()
    (place / f"{SLUG}.yaml").write_text(TENANT)
    platform = Platform("pages", place, folder / "data-pages", dsn)
    try:
        platform.wait_for("/readyz", platform.admin_port, 120)
        rows, rounds = (2000, 1) if quick else (10_000, 3)
        key = platform.key(SLUG)
        return {"rows": rows} | asyncio.run(_measure(platform.port, key, rows, rounds))
    finally:
        platform.stop()


async def _fill(port: int, key: str, rows: int) -> None:
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}/api/tenants/{SLUG}/", headers={"apikey": key}, raise_for_status=True
    ) as session:
        person = {"email": EMAIL, "password": PASSWORD, "email_confirm": True, "role": "admin"}
        await session.post("auth/v1/admin/users", json=person)
        await session.post("shops", json={"id": SHOP, "name": "Aurora"})
        for first in range(0, rows, 1000):
            await session.post("things", json=[_thing(number) for number in range(first, first + 1000)])


def _thing(number: int) -> dict:
    return {
        "name": f"Kettle {number:05}",
        "shop_id": SHOP,
        "state": ("new", "used", "broken")[number % 3],
        "count": number * 7919 % 10_007,
        "price": number % 977 + 0.99,
        "rare": number % 7 == 0,
        "made_on": f"20{number % 25:02}-0{number % 9 + 1}-11",
        "note": f"from batch {number // 100}",
    }


async def _measure(port: int, key: str, rows: int, rounds: int) -> dict:
    await _fill(port, key, rows)
    found: dict[str, list[float]] = {}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        await context.add_init_script(WATCH)
        page = await context.new_page()
        await page.goto(f"http://127.0.0.1:{port}/app/{SLUG}/data/things")
        await page.get_by_label("E-mail").fill(EMAIL)
        await page.locator("input[name=password]").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        for _ in range(rounds):
            await _round(page, rows, found)
            await page.reload()
        await browser.close()
    return {"inputs": {name: _figures(times) for name, times in found.items()}}


async def _round(page: Page, rows: int, found: dict[str, list[float]]) -> None:
    await page.locator("tbody a").first.wait_for()
    await page.evaluate(TO_THE_END, rows)
    await page.evaluate(SETTLED)

    async def timed(name: str, act: Callable[[], Awaitable[None]]) -> None:
        await page.evaluate("timed.length = 0")
        await act()
        await page.evaluate(SETTLED)
        told = await page.evaluate("timed")
        found.setdefault(name, []).append(max((duration for _, duration in told), default=0))

    cells, boxes = page.locator("tbody td[tabindex]"), page.locator("tbody input[type=checkbox]")
    columns, every = page.get_by_role("button", name="Columns"), page.locator("thead input[type=checkbox]")
    for number in range(15, 20):
        await timed("select a row", boxes.nth(number).click)
    await timed("select every row", every.click)
    await timed("select none", every.click)
    for number in range(5):
        await timed("edit in place", cells.nth(90 + number * 6).dblclick)
        await page.keyboard.press("Escape")
        await timed("open the columns", columns.click)
        await page.keyboard.press("Escape")
    await page.locator("main [role=region]").first.focus()
    for _ in range(10):
        await timed("page down", lambda: page.keyboard.press("PageDown"))
    await page.mouse.move(700, 500)
    await page.evaluate(FRAMES)
    for _ in range(30):
        await page.mouse.wheel(0, 900)
    await page.evaluate(SETTLED)
    frames = await page.evaluate("framing = false, frames_")
    found.setdefault("turn the wheel", []).append(round(max(frames), 1))
    head = page.get_by_role("columnheader").filter(has_text="Count").get_by_role("button").first
    for _ in range(2):
        await timed("sort", head.click)


def _figures(times: list[float]) -> dict:
    ordered = sorted(times)
    return {"times": len(ordered), "p50_ms": ordered[len(ordered) // 2], "max_ms": ordered[-1]}
