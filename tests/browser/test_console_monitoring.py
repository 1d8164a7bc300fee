"""The console's overview and monitoring: a refused file comes up by itself and goes when it is repaired."""

from playwright.async_api import expect

from tests.browser.conftest import ADMIN, Site, Visit

TEXT = """version: 1
service: { name: ledgers, title: Ledgers }
entities:
  notes:
    schema:
      properties:
        title: { type: string, maxLength: 100 }
    access:
      read: [ { role: authenticated } ]
"""


async def test_a_broken_file_is_seen_until_it_is_repaired(visit: Visit, site: Site) -> None:
    site.live.write("ledgers", TEXT)
    visitor = await visit("/admin", as_=ADMIN)
    page = visitor.page
    await page.get_by_role("link", name="Monitoring").click()
    await expect(page.get_by_role("cell", name="ledgers", exact=False).first).to_be_visible()
    await visitor.shoot("console-monitoring")
    await page.get_by_role("link", name="Overview").click()
    site.live.write("ledgers", TEXT.replace("maxLength", "maxLenth"))
    row = page.get_by_role("row").filter(has_text="ledgers").filter(has_text="was refused")
    await expect(row).to_contain_text("maxLenth")
    await visitor.shoot("console-overview")
    site.live.write("ledgers", TEXT.replace("100", "200"))
    await expect(row).to_have_count(0)


async def test_a_tenant_that_crashes_is_seen_to_come_back(visit: Visit, site: Site) -> None:
    site.live.write("crashing", TEXT.replace("ledgers", "crashing"))
    visitor = await visit("/admin", as_=ADMIN, path="/monitoring")
    page = visitor.page
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name="crashing", exact=True))
    await expect(row).to_contain_text("Running")
    await row.get_by_role("button", name="Restart crashing").click()
    await page.get_by_label("At once").check()
    await page.get_by_role("dialog").get_by_role("button", name="Restart", exact=True).click()
    await expect(row).to_contain_text("was killed")
    await expect(row).to_contain_text("Running")
    await visitor.shoot("console-actors")
    await page.get_by_role("tab", name="Log").click()
    await expect(
        page.get_by_role("listitem").filter(has_text="actor.failed").filter(has_text="crashing").first
    ).to_be_visible()
    await visitor.shoot("console-log")
    await page.get_by_role("tab", name="Reloads").click()
    reload = page.get_by_role("row").filter(has_text="crashing")
    await expect(reload).to_have_count(1)  # the start after the crash is none
    text = TEXT.replace("ledgers", "crashing").replace("100", "200")
    site.live.write("crashing", text)
    await expect(reload).to_have_count(2)
    await visitor.shoot("console-reloads")


async def test_a_tenant_that_gave_up_is_restarted_from_the_overview(visit: Visit, site: Site) -> None:
    await site.live.save("worn-out", TEXT.replace("ledgers", "worn-out"))
    visitor = await visit("/admin", as_=ADMIN)
    page = visitor.page
    await expect(page.get_by_role("heading", name="Needs attention", exact=True)).to_be_visible()
    row = page.get_by_role("row").filter(has_text="worn-out stands still")
    # killed whenever it runs, until its supervisor has had enough
    async for _ in site.until(60):
        state = await _state(site, "worn-out")
        if state == "parked":
            break
        if state == "running":
            status, told = await site.platform(
                "POST", "/rpc/restart_tenant", {"slug": "worn-out", "now": True}
            )
            assert status == 200, told
    await row.get_by_role("button", name="Restart worn-out").click()
    await page.get_by_role("dialog").get_by_role("button", name="Restart", exact=True).click()
    await expect(row).to_have_count(0)
    assert await _state(site, "worn-out") == "running"
    assert (await site.call("worn-out", "GET", "/notes"))[0] == 200


async def _state(site: Site, name: str) -> str:
    """What an actor does now, "" when there is none of that name."""
    _, shown = await site.platform("GET", "/runtime")
    waiting = [shown["actors"]]
    while waiting:
        actor = waiting.pop()
        if actor["name"] == name:
            return str(actor["state"])
        waiting += actor["children"]
    return ""
