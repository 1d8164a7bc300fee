"""Looking after people: an invitation from mail to signed in, roles, keeping somebody out, keys of programs."""

import re
from email import message_from_bytes, policy

import aiohttp
from playwright.async_api import Page, expect

from tests.browser.conftest import PASSWORD, Site, Visit

APP = "/app/studio"
BOSS = "boss@studio.example"


async def mailed_link(site: Site, email: str, already: int = 0) -> str:
    """Return the link of the newest mail to somebody, at the address this process has."""
    folder = site.live.directory / "data" / "mail"
    async for _ in site.until():
        found = [
            mail
            for path in sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
            for mail in [message_from_bytes(path.read_bytes(), policy=policy.default)]
            if mail["To"] == email
        ]
        if len(found) > already:
            break
    part = found[-1].get_body(("plain",))
    assert part is not None
    (link,) = re.findall(r"https?://\S+/link#\S+", part.get_content())
    return re.sub(r"^https?://[^/]+", site.live.url, link)


async def open_person(page: Page, email: str) -> None:
    await page.get_by_role("button", name=email).click()
    await expect(page.get_by_role("dialog").get_by_role("heading", name=email)).to_be_visible()


async def test_an_invitation_leads_from_the_mail_into_the_tenant(site: Site, visit: Visit) -> None:
    await site.person("studio", BOSS, "admin")
    boss = await visit(APP, as_=BOSS, path="/people")
    page = boss.page
    await page.get_by_role("button", name="Invite somebody").click()
    await page.get_by_label("E-mail").fill(BOSS)
    await page.get_by_role("button", name="Send the invitation").click()
    await expect(page.get_by_role("dialog")).to_contain_text("already been registered")
    boss.complaints.clear()  # Chromium reports the refusal
    await page.get_by_label("E-mail").fill("petra@studio.example")
    await page.get_by_role("dialog").get_by_label("Role").select_option("lead")
    await boss.shoot("invite")
    await page.get_by_role("button", name="Send the invitation").click()
    row = page.get_by_role("row").filter(has_text="petra@studio.example")
    await expect(row).to_contain_text("Invited")

    link = await mailed_link(site, "petra@studio.example")
    token = re.findall(r"token=([\w-]+)", link)[0]
    guest = await visit(APP)
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url + str(request.headers)))
    await guest.page.goto(link)
    await expect(guest.page.get_by_role("heading", name="You are invited")).to_be_visible()
    assert token not in guest.page.url, "the address has forgotten the token"
    assert not [line for line in asked if token in line], "no address and no Referer tells the token"
    await guest.shoot("invited")
    await guest.page.get_by_label("New password").fill("short")
    await guest.page.get_by_label("New password").evaluate("input => input.removeAttribute('minlength')")
    await guest.page.get_by_role("button", name="Save and go in").click()
    await expect(guest.page.get_by_text("at least", exact=False).last).to_be_visible()
    guest.complaints.clear()
    await guest.page.get_by_label("New password").fill(PASSWORD)
    await guest.page.get_by_role("button", name="Save and go in").click()
    await expect(guest.page.locator("#content")).to_be_visible()
    await guest.page.get_by_role("button", name="Account").click()
    await expect(guest.page.get_by_role("menu")).to_contain_text("lead")
    await expect(guest.page.get_by_role("link", name="People")).to_have_count(0)
    await guest.go("/people")
    await expect(guest.page.get_by_role("heading", name="This page is for administrators")).to_be_visible()
    await guest.page.goto(link)
    await expect(guest.page.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    guest.complaints.clear()

    await page.reload()
    await expect(row).to_contain_text("Active")
    await page.get_by_label("Find by address…").fill("petra@")
    await expect(page.get_by_text("1 person")).to_be_visible()
    await boss.shoot("people")
    await open_person(page, "petra@studio.example")
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_role("button", name="Sign out there")).to_be_visible()
    await boss.shoot("person")
    await drawer.get_by_label("Role").select_option("member")
    await page.get_by_role("button", name="Undo").click()
    await expect(drawer.get_by_label("Role")).to_have_value("lead")
    await drawer.get_by_role("button", name="Sign out everywhere").click()
    await expect(drawer.get_by_text("Nowhere at the moment.")).to_be_visible()
    await guest.go("/")
    await expect(guest.page.get_by_role("heading", name="Sign in")).to_be_visible()
    guest.complaints.clear()
    await drawer.get_by_role("button", name="Deactivate").click()
    await expect(drawer.get_by_role("button", name="Activate again")).to_be_visible()
    await drawer.get_by_role("button", name="Remove").click()
    sure = page.get_by_role("dialog").filter(has_text="Remove petra@studio.example?")
    await expect(sure.get_by_role("button", name="Remove")).to_be_disabled()
    await sure.get_by_label("Type petra@studio.example to confirm").fill("petra@studio.example")
    await sure.get_by_role("button", name="Remove").click()
    await expect(page.get_by_text("Nobody like that")).to_be_visible()


async def test_a_key_is_made_for_a_program_and_ended(site: Site, visit: Visit) -> None:
    await site.person("studio", "keys@studio.example", "admin")
    boss = await visit(APP, as_="keys@studio.example", path="/keys")
    page = boss.page
    await expect(page.get_by_role("heading", name="No keys yet")).to_be_visible()
    await page.get_by_role("button", name="New key").first.click()
    await page.get_by_label("Name").fill("Nightly report")
    await page.get_by_label("Only some tables").check()
    await page.get_by_label("Jobs").select_option("read")
    await boss.shoot("new-key")
    await page.get_by_role("dialog").get_by_role("button", name="New key").click()
    shown = page.get_by_role("dialog").locator("code")
    await expect(shown).to_contain_text("bsk_sec_")
    key = await shown.inner_text()
    await boss.shoot("key-once")
    await page.get_by_role("button", name="I have it").click()

    async def use(method: str) -> int:
        async with (
            aiohttp.ClientSession(headers={"apikey": key}) as session,
            session.request(method, f"{site.live.base('studio')}/jobs", json={"name": "x"}) as answer,
        ):
            return answer.status

    assert (await use("GET"), await use("POST")) == (200, 403)
    await page.reload()
    row = page.get_by_role("row").filter(has_text="Nightly report")
    await expect(row).to_contain_text("jobs:read")
    await expect(row).not_to_contain_text("never used")
    await boss.shoot("keys")
    await page.get_by_role("button", name="Actions for Nightly report").click()
    await page.get_by_role("menuitem", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(row).to_contain_text("revoked")
    assert await use("GET") == 401
