"""What the console shows of hostile texts besides a tenant's file and rows: what the platform keeps, and where it stands.

``furnish`` fills an installation that has the hostile tenant; ``PAGES`` are the console's pages by address.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import yaml
from aiohttp import web

from tests.browser import hostile
from tests.browser.conftest import Site
from tests.browser.payloads import PAYLOADS

TENANT = "/tenants/hostile"
SMALL = """version: 1
service: {{ name: {slug}, title: {slug} }}
entities: {{ notes: {{ schema: {{ properties: {{ text: {{ type: string }} }} }}, access: {{ read: [ {{ role: authenticated }} ] }} }} }}
"""
PAGES = {
    "/": 10,
    "/tenants": 10,
    TENANT: 5,
    f"{TENANT}/users": 5,
    f"{TENANT}/usage": 5,
    f"{TENANT}/billing": 5,
    f"{TENANT}/settings": 5,
    f"{TENANT}/data": 150,
    f"{TENANT}/data/makers": 100,
    f"{TENANT}/data/wares": 100,
    "/tenants/shut-off": 5,
    "/tenants/gone-wrong": 150,
    "/tenants/gone-wrong/schema": 5,
    "/analytics?tenants=hostile": 0,
    "/billing/revenue": 0,
    "/billing/invoices": 0,
    "/billing/subscriptions": 0,
    "/billing/quotas": 0,
    "/billing/plans": 5,
    "/monitoring/now": 0,
    "/monitoring/log": 5,
    "/monitoring/slow": 0,
    "/monitoring/reloads": 0,
}
"""Addresses of the console, and how many payloads stand there at least; 0: it names tenants by their slugs."""


@asynccontextmanager
async def hook() -> AsyncIterator[str]:
    """A server that answers with every payload; its address."""

    async def take(_: web.Request) -> web.Response:
        return web.Response(
            text=hostile.ALL,
            content_type="text/html",
            headers={"X-Told": hostile.printed(hostile.fitting(600))},
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def furnish(site: Site, maker: str) -> str:
    """Give the platform hostile names, plans, reasons, runs, deliveries and invoices; the id of the invoice."""
    short, longer = hostile.fitting(120), hostile.fitting(300)
    plan: dict[str, Any] = {
        "title": short,
        "description": longer,
        "price": 3,
        "quotas": {"requests": 1000000},
    }
    seller = {"name": hostile.ALL, "address": hostile.ALL, "tax_number": short}
    (site.live.config / "plans.yaml").write_text(
        yaml.safe_dump({"seller": seller, "plans": {"hostile": plan}})
    )
    await _told(site, "PATCH", "/tenants?slug=eq.hostile", {"name": short})
    for email in (
        "x'onerror=__xss`1`'@hostile.example",
        "{{__xss}}@hostile.example",
        "`__xss`/@hostile.example",
    ):
        await site.person("hostile", email, "member")
    await site.live.save("shut-off", SMALL.format(slug="shut-off"))
    await _told(site, "POST", "/rpc/suspend_tenant", {"slug": "shut-off", "reason": longer})
    await site.live.save("gone-wrong", SMALL.format(slug="gone-wrong"))
    wrong = yaml.safe_dump(
        {key: {PAYLOADS[at + 1]: key} for at, key in enumerate(PAYLOADS[:-1])}, width=10**9
    )
    site.live.write("gone-wrong", f"version: 1\nservice: {{ name: gone-wrong }}\n{wrong}")

    first = (site.live.schemas / "hostile.yaml").read_text()
    site.live.write(
        "hostile", first.replace("mood: { type: string, enum: [", "mood: { type: string, enum: [spare, ")
    )
    await site.live.until("hostile", version=2, state="serving")
    for name in ("say", "fail"):
        await site.call("hostile", "POST", f"/rpc/{name}", {"word": short})
    await site.call("hostile", "POST", "/jobs/v1/always/run", {})
    assert (await site.call("hostile", "PATCH", f"/makers/{maker}", {"name": PAYLOADS[0]}))[0] < 300
    await _told(site, "POST", "/rpc/set_plan", {"tenant": "hostile", "plan": "hostile"})
    customer = {
        "customer_name": hostile.fitting(200),
        "customer_address": longer,
        "customer_tax_number": hostile.fitting(60),
    }
    _, (subscription,) = await site.platform(
        "GET", "/subscriptions?select=id,tenant:tenants!inner(slug)&tenant.slug=eq.hostile"
    )
    await _told(site, "PATCH", f"/subscriptions/{subscription['id']}", customer)
    _, invoices = await site.platform("GET", "/invoices?slug=eq.hostile&order=number")
    await _told(
        site, "POST", "/rpc/credit_invoice", {"invoice": invoices[0]["number"], "amount": 1, "reason": longer}
    )
    await _told(site, "POST", "/rpc/cancel_plan", {"tenant": "hostile", "now": True})  # others count who pays
    async for _ in site.until():
        _, deliveries = await site.call("hostile", "GET", "/webhook_deliveries")
        _, dead = await site.call("hostile", "GET", "/tasks/v1?state=dead")
        if deliveries and dead:
            break
    return str(invoices[0]["id"])


async def _told(site: Site, method: str, path: str, body: dict[str, Any]) -> None:
    """Ask the platform until it agrees: it hears of files a moment after they are in force."""
    async for _ in site.until():
        status, _ = await site.platform(method, path, body)
        if status < 300:
            return
