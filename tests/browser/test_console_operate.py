"""A tenant operated from the console: its rows, functions, webhooks and jobs."""

import re
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Site, Visit

TEXT = """version: 1
service: { name: workshop, title: Workshop }
roles: { member: {}, admin: { inherits: [member] } }
entities:
  orders:
    label: name
    schema:
      required: [name]
      properties:
        name: { type: string, maxLength: 80 }
        kind: { type: string, enum: [print, film], default: print }
        hours: { type: number, minimum: 0, multipleOf: 0.25, default: 0 }
    access: { read: [ { role: member } ], write: [ { role: member } ] }
    functions: { measure: { trigger: before_write } }
functions:
  quote:
    trigger: rpc
    roles: [member]
    args:
      required: [hours]
      properties: { hours: { type: number, title: Hours }, rush: { type: boolean } }
webhooks:
  told: { url: "URL/told", events: [orders.created] }
jobs:
  tidy: { every: 24h, function: sweep }
  settle: { every: 24h, function: sulk }
"""
CODE = """
def quote(args, ctx):
    print("quoted", args["hours"])
    return {"price": args["hours"] * (160 if args.get("rush") else 80)}

def measure(record, ctx):
    if record["name"] == "Nothing":
        return record["missing"]
    return record

def sweep(args, ctx):
    ctx.log("swept")

def sulk(args, ctx):
    raise ValueError("not today")
"""


class Heard:
    """A server that takes webhooks; ``bodies`` are what it heard."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        return web.Response(text="thanks")


@pytest.fixture(scope="module")
async def heard() -> AsyncIterator[Heard]:
    heard = Heard()
    app = web.Application()
    app.router.add_post("/told", heard.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    heard.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield heard
    await runner.cleanup()


@pytest.fixture(scope="module")
async def workshop(site: Site, heard: Heard) -> None:
    (site.live.schemas / "workshop.py").write_text(CODE)
    site.live.write("workshop", TEXT.replace("URL", heard.url))
    await site.live.until("workshop", state="serving")
    orders = [
        {"name": "Poster", "hours": 2},
        {"name": "Flyer", "hours": 5},
        {"name": "Trailer", "hours": 40, "kind": "film"},
    ]
    status, told = await site.call("workshop", "POST", "/orders", orders)
    assert status == 201, told


@pytest.mark.usefixtures("workshop")
async def test_rows_are_filtered_by_clicking_and_the_address_says_so(visit: Visit) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants/workshop")
    page = visitor.page
    await page.get_by_role("tab", name="Data").click()
    await expect(page.get_by_role("row").filter(has_text="/orders")).to_be_visible()
    await visitor.shoot("console-data")
    await page.get_by_role("link", name="Orders", exact=True).click()
    await expect(page.get_by_role("link", name="Trailer")).to_be_visible()
    address = page.get_by_role("region", name="What this page asks the API")
    await expect(address).to_contain_text("/api/tenants/workshop/orders?select=")

    await page.get_by_role("button", name="Filter", exact=True).click()
    await page.get_by_role("combobox", name="Field").click()
    await page.get_by_role("option", name="Hours").click()
    await page.get_by_role("combobox", name="Filter").click()
    await page.get_by_role("option", name="at least").click()
    await page.get_by_label("Value").fill("5")
    await page.get_by_role("button", name="Apply").click()
    await expect(page.get_by_role("link", name="Poster")).to_have_count(0)
    await expect(page.get_by_role("link", name="Flyer")).to_be_visible()
    await expect(address).to_contain_text("&hours=gte.5")
    await visitor.shoot("console-data-filtered")

    await page.get_by_role("link", name="Flyer").click()
    await expect(page).to_have_url(re.compile("/admin/tenants/workshop/data/orders/"))
    await page.get_by_role("link", name="Edit").click()
    await page.get_by_label("Name").fill("Folded flyer")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Folded flyer")).to_be_visible()
    await visitor.shoot("console-data-row")


@pytest.mark.usefixtures("workshop")
async def test_a_function_runs_with_an_input_and_a_trial_leaves_nothing(visit: Visit) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants/workshop")
    page = visitor.page
    await page.get_by_role("tab", name="Functions").click()
    await page.get_by_role("button", name="Run quote").click()
    await page.get_by_label("Hours").fill("2.5")
    await page.get_by_role("button", name="Try it").click()
    result = page.get_by_role("region", name="Result", exact=True).first
    await expect(result).to_contain_text("Worked")
    await expect(result).to_contain_text('"price": 200')
    await expect(result).to_contain_text("quoted 2.5")
    await page.get_by_text("JSON", exact=True).click()
    await expect(page.locator(".cm-content")).to_contain_text('"hours": 2.5')
    await visitor.shoot("console-function")
    await page.get_by_role("button", name="Run for real").click()
    await page.keyboard.press("Escape")
    runs = page.get_by_role("region", name="Function runs")
    await expect(runs.get_by_role("row").filter(has_text="rpc")).to_have_count(1)

    await page.get_by_role("button", name="Run measure").click()
    await page.get_by_label("Name").fill("Nothing")
    await page.get_by_role("button", name="Try it").click()
    await expect(page.get_by_text("workshop.py, line 8")).to_be_visible()
    await visitor.shoot("console-function-failed")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await visitor.shoot("console-functions")


@pytest.mark.usefixtures("workshop")
async def test_a_delivery_is_read_and_sent_again(visit: Visit, heard: Heard) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants/workshop/webhooks")
    page = visitor.page
    deliveries = page.get_by_role("region", name="Webhook deliveries")
    arrived = deliveries.get_by_role("row").filter(has_text="orders.created")
    await expect(arrived).to_have_count(3)
    await visitor.shoot("console-webhooks")
    await arrived.first.get_by_role("button", name="orders.created").click()
    panel = page.get_by_role("dialog")
    await expect(panel).to_contain_text('"type": "orders.created"')
    await expect(panel).to_contain_text("thanks")
    await visitor.shoot("console-delivery")
    await panel.get_by_role("button", name="Send again").click()
    await expect(panel.get_by_text("200", exact=True)).to_have_count(2)
    assert len(heard.bodies) == 4
    assert heard.bodies[3] in heard.bodies[:3]


@pytest.mark.usefixtures("workshop")
async def test_a_job_runs_now(visit: Visit) -> None:
    visitor = await visit("/admin", as_=ADMIN, path="/tenants/workshop/work")
    page = visitor.page
    job = page.get_by_role("row").filter(has_text="sweep")
    await job.get_by_role("button", name="Run now: tidy").click()
    await expect(job).to_contain_text("Done")
    await page.get_by_text("Done", exact=True).last.click()
    await expect(
        page.get_by_role("region", name="Tasks").get_by_role("row").filter(has_text="tidy")
    ).to_have_count(1)
    await visitor.shoot("console-jobs")

    # what fails is given up, and the overview leads to it until somebody has seen to it
    sulking = page.get_by_role("row").filter(has_text="sulk")
    await sulking.get_by_role("button", name="Run now: settle").click()
    await expect(sulking).to_contain_text("Gave up")
    await page.get_by_role("link", name="Overview").click()
    attention = page.get_by_role("region", name="Needs attention")
    given_up = attention.get_by_role("row").filter(has_text="workshop").filter(has_text="1 task gave up")
    await expect(given_up).to_be_visible()
    await visitor.shoot("console-attention")
    await given_up.get_by_role("link", name="workshop").click()
    await expect(page).to_have_url(re.compile("/admin/tenants/workshop/work$"))
    task = page.get_by_role("region", name="Tasks").get_by_role("row").filter(has_text="settle")
    await task.get_by_role("button", name="Forget").click()
    await expect(task).to_have_count(0)
    await page.get_by_role("link", name="Overview").click()
    await expect(page.get_by_role("heading", name="Needs attention", exact=True)).to_be_visible()
    await expect(given_up).to_have_count(0)
