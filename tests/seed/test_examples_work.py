"""The two example tenants do what their files say: in the real program, with a receiver for their webhooks."""

import asyncio
import email
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.live import ROOT, Live

NEXT = "return=representation"
ADMINS: dict[str, str] = {}
"""Who asks when nobody is named, by tenant."""


@pytest.fixture(scope="module")
async def heard() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Somebody who listens to webhooks."""
    told: list[dict[str, Any]] = []

    async def hear(request: web.Request) -> web.Response:
        told.append({**await request.json(), "signed": "webhook-signature" in request.headers})
        return web.Response()

    application = web.Application()
    application.router.add_post("/{name}", hear)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", told
    await runner.cleanup()


@pytest.fixture(scope="module")
async def live(
    tmp_path_factory: pytest.TempPathFactory, heard: tuple[str, list[dict[str, Any]]]
) -> AsyncIterator[Live]:
    url, _ = heard
    live = Live(tmp_path_factory.mktemp("examples"), BACKSAAS_PRIVATE_NETWORKS="127.0.0.0/8")
    for file in (ROOT / "schemas").glob("*-*.py"):
        shutil.copy(file, live.schemas)
    for slug, address in (
        ("acme-corp", "https://books.acme.example/in"),
        ("sample-crm", "https://chat.crm.example/hooks/won"),
    ):
        text = (ROOT / "schemas" / f"{slug}.yaml").read_text()
        assert address in text
        text = text.replace(address, f"{url}/{slug}").replace(
            "enabled: false", "enabled: true\n    secret: not a secret"
        )
        live.write(slug, text)
    await live.start()
    yield live
    await live.stop()


async def ask(
    live: Live,
    slug: str,
    method: str,
    path: str,
    body: object = None,
    *,
    role: str = "admin",
    user: str | None = None,
) -> Any:
    who = {"sub": found} if (found := user or ADMINS.get(slug)) else {}
    async with live.session(slug, role=role, **who) as session, session.request(
        method, f"{live.base(slug)}/{path}", json=body, headers={"Prefer": NEXT}
    ) as answer:  # fmt: skip
        told = await answer.json()
        assert answer.status < 300, (path, answer.status, told)
        return told


async def made(live: Live, slug: str, entity: str, **row: object) -> dict[str, Any]:
    return (await ask(live, slug, "POST", entity, row))[0]


async def until(look: Any, wanted: Any, seconds: float = 30) -> Any:
    """Wait until a look says what is wanted."""
    async with asyncio.timeout(seconds):
        while not wanted(found := await look()):
            await asyncio.sleep(0.05)
    return found


def mails(live: Live) -> str:
    """Subject and text of every mail."""
    told = []
    for file in sorted(Path(live.env["BACKSAAS_DATA_DIR"]).rglob("*.eml")):
        mail = email.message_from_bytes(file.read_bytes(), policy=default)
        text = mail.get_body(("plain",))
        told.append(f"{mail['Subject']}\n{text.get_content() if text else ''}")
    return "\n".join(told)


async def test_an_invoice_from_its_lines_to_the_money(
    live: Live, heard: tuple[str, list[dict[str, Any]]]
) -> None:
    slug, (_, told) = "acme-corp", heard
    ADMINS[slug] = (await made(live, slug, "users", email="root@acme.example", role="admin"))["id"]
    people = [
        await made(live, slug, "users", email=f"{name}@acme.example", role="manager", name=name)
        for name in ("ann", "bob", "cyd")
    ]
    customer = await made(
        live, slug, "customers", name="Lamp & Sons", email="pay@lamp.example", vat_no="DE123456789"
    )
    lines = [{"text": "Advice", "net": 1500.5}, {"text": "Travel", "net": 99.5}]
    invoice = await made(
        live, slug, "invoices", customer_id=customer["id"], lines=lines, owner_id=people[0]["id"]
    )
    assert invoice["number"].startswith("INV-")
    assert (invoice["net"], invoice["total"]) == (1600, 1904)
    assert invoice["due_on"] == str(date.fromisoformat(invoice["issued_on"]) + timedelta(days=14))
    path = f"invoices/{invoice['id']}"
    await ask(live, slug, "POST", f"{path}/transitions/submit", {})
    first = await ask(
        live,
        slug,
        "POST",
        f"{path}/transitions/approve",
        {"comment": "fine"},
        role="manager",
        user=people[1]["id"],
    )
    assert (first["approvals"], first["quorum"]) == (1, 2)
    await ask(
        live,
        slug,
        "POST",
        f"{path}/transitions/approve",
        {"comment": "fine"},
        role="manager",
        user=people[2]["id"],
    )
    assert (await ask(live, slug, "GET", path))["status"] == "sent"
    # overdue: the job reminds once, and not again on the same day
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    await ask(live, slug, "PATCH", path, {"issued_on": yesterday, "due_on": yesterday})
    for _ in range(2):
        await ask(live, slug, "POST", "jobs/v1/dunning/run")

    async def runs() -> Any:
        return await ask(live, slug, "GET", "tasks/v1?kind=job&name=dunning&state=done")

    await until(runs, lambda found: len(found) == 2)
    row = await ask(live, slug, "GET", path)
    assert row["reminders"] == 1, row
    # a payment settles it; the customer is thanked
    await made(live, slug, "payments", invoice_id=invoice["id"], amount=1904)

    async def settled() -> Any:
        return await ask(live, slug, "GET", path)

    await until(settled, lambda found: found["status"] == "paid")
    sums = await ask(live, slug, "GET", f"rpc/revenue?year={yesterday[:4]}", role="manager")
    assert (sums["invoiced"], sums["paid"], sums["open"]) == (1600, 1600, 0)

    async def written() -> Any:
        return mails(live)

    text = await until(written, lambda found: "Thank you for paying" in found and "is overdue" in found)
    assert "1904 EUR are still open" in text

    async def events() -> Any:
        return [one["data"]["record"]["status"] for one in told if one["type"].startswith("invoices.")]

    await until(events, lambda found: "paid" in found)
    assert "invoices.created" in {one["type"] for one in told}
    assert all(one["signed"] for one in told)
    assert told[0]["data"]["record"]["customer"]["vat_no"] == "DE123456789"


async def test_a_deal_through_its_stages(live: Live, heard: tuple[str, list[dict[str, Any]]]) -> None:
    slug, (_, told) = "sample-crm", heard
    ADMINS[slug] = (await made(live, slug, "users", email="root@crm.example", role="admin"))["id"]
    seller = await made(live, slug, "users", email="sue@crm.example", role="sales", name="Sue")
    company = await made(live, slug, "companies", name="Nova")
    stages = []
    for name in ("New business", "Renewals"):
        pipeline = await made(live, slug, "pipelines", name=name)
        stages += [
            await made(live, slug, "stages", pipeline_id=pipeline["id"], name=name, position=place)
            for place in (1, 2)
        ]
    deal = await made(
        live,
        slug,
        "deals",
        name="Lamps",
        company_id=company["id"],
        stage_id=stages[0]["id"],
        amount=60000,
        owner_id=seller["id"],
    )
    unplaced = await made(live, slug, "deals", name="Bulbs", company_id=company["id"])
    assert unplaced["stage_id"] in {stages[0]["id"], stages[2]["id"]}, "it begins in a first stage"
    path = f"deals/{deal['id']}"
    moved = await ask(live, slug, "PATCH", path, {"stage_id": stages[1]["id"]})
    assert moved["stage_id"] == stages[1]["id"]
    async with (
        live.session(slug) as session,
        session.patch(f"{live.base(slug)}/{path}", json={"stage_id": stages[2]["id"]}) as answer,
    ):
        refused = await answer.json()
        assert answer.status == 422
        assert refused["errors"][0]["pointer"] == "/stage_id"
    await ask(live, slug, "POST", f"{path}/transitions/win", {})
    won = await ask(live, slug, "GET", path)
    assert (won["status"], won["closed_on"]) == ("won", won["closed_on"] or "a day")

    async def tasks() -> Any:
        return await ask(live, slug, "GET", f"activities?deal_id=eq.{deal['id']}")

    (task,) = await until(tasks, lambda found: len(found) == 1)
    assert (task["subject"], task["owner_id"]) == ("Hand over Lamps", seller["id"])

    async def wins() -> Any:
        return [one for one in told if one["type"] == "deals.win"]

    (win,) = await until(wins, lambda found: len(found) == 1)
    assert win["data"]["record"] == {
        "number": deal["number"],
        "name": "Lamps",
        "amount": 60000,
        "company": {"name": "Nova"},
    }
    await ask(live, slug, "POST", f"{path}/transitions/reopen", {})
    assert (await ask(live, slug, "GET", path))["closed_on"] is None
    await ask(live, slug, "PATCH", f"activities/{task['id']}", {"due_at": "2026-01-01T09:00:00Z"})
    await ask(live, slug, "POST", "jobs/v1/follow_up/run")

    async def written() -> Any:
        return mails(live)

    assert "- Hand over Lamps (2026-01-01)" in await until(
        written, lambda found: "activities waiting: 1" in found
    )
