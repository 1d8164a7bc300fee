"""Comments on the page of a row: what one says, another one sees there without asking for the page again."""

from playwright.async_api import expect

from tests.browser.conftest import Site, Visit

APP = "/app/studio"


async def test_two_people_talk_about_a_row(site: Site, visit: Visit) -> None:
    for name in ("ines", "karl"):
        await site.person("studio", f"{name}@studio.example", "member")
    _, made = await site.call("studio", "POST", "/jobs", {"name": "Banner"}, Prefer="return=representation")
    path = f"/data/jobs/{made[0]['id']}"
    ines = await visit(APP, as_="ines@studio.example", path=path)
    karl = await visit(APP, as_="karl@studio.example", path=path)
    for visitor in (ines, karl):
        await visitor.page.get_by_role("tab", name="Comments").click()
        await expect(visitor.page.get_by_text("Nobody has said anything")).to_be_visible()
    field = ines.page.get_by_role("textbox", name="Say something about this")
    await field.fill("Is it **two** metres? <img src=x onerror=alert(1)>")
    # a look at another tab loses nothing of it
    await ines.page.get_by_role("tab", name="Workflow").click()
    await ines.page.get_by_role("tab", name="Comments").click()
    await field.press("Control+Enter")
    seen = karl.page.get_by_role("article").filter(has_text="ines@studio.example")
    await expect(seen).to_contain_text("Is it two metres?")
    await expect(seen.locator("strong")).to_have_text("two")
    await expect(seen.locator("img")).to_have_count(0)
    await expect(seen.get_by_role("button")).to_have_count(0)
    await karl.page.get_by_role("textbox", name="Say something about this").fill("Three.")
    await karl.page.get_by_role("button", name="Comment", exact=True).click()
    await expect(ines.page.get_by_role("article")).to_contain_text(["Three.", "Is it two metres?"])
    await expect(field).to_have_value("")
    await ines.shoot("comments")
    await ines.page.get_by_role("button", name="Delete the comment by Me").click()
    await ines.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(ines.page.get_by_role("article")).to_have_count(1)
    await expect(karl.page.get_by_role("article")).to_contain_text(["Three."])
    await expect(karl.page.get_by_role("article")).to_have_count(1)
