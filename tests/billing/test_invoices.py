"""From a plan to a paid invoice, and back: the rows, the papers, the numbers."""

import asyncio
import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.billing.conftest import FakeStripe
from tests.metering.conftest import add_notes, plan
from tests.platform.conftest import Platform


async def ask(platform: Platform, function: str, **arguments: object) -> Any:
    status, told = await platform.call("POST", f"rpc/{function}", arguments)
    assert status == 200, told
    return told


async def invoices(platform: Platform, slug: str) -> list[dict[str, Any]]:
    status, rows = await platform.call(
        "GET", f"invoices?slug=eq.{slug}&order=series&select=*,lines:invoice_lines(*)"
    )
    assert status == 200, rows
    return rows


async def age(platform: Platform, slug: str, days: int) -> None:
    """Let a subscription's period have begun so many days earlier."""
    async with platform.owner() as connection:
        namespace = await connection.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = 'system'")
        await connection.execute(
            f'UPDATE "{namespace}".subscriptions SET period_start = period_start - $2::int, '
            f"period_end = period_end - $2::int, metered_from = metered_from - $2::int, anchor = extract(day FROM "
            f'period_end - $2::int) WHERE tenant_id = (SELECT id FROM "{namespace}".tenants WHERE slug = $1)',
            slug,
            days,
        )


async def use(platform: Platform, slug: str, days_ago: int, requests: int) -> None:
    async with platform.owner() as connection:
        namespace = await connection.fetchval("SELECT namespace FROM backsaas.tenants WHERE slug = 'system'")
        await connection.execute(
            f'INSERT INTO "{namespace}".usage_records (id, tenant_id, day, metric, value) SELECT gen_random_uuid(), '
            f"id, current_date - $2::int, 'requests', $3 FROM \"{namespace}\".tenants WHERE slug = $1",
            slug,
            days_ago,
            requests,
        )


async def test_a_month_is_billed_once_with_what_was_used_beyond(platform: Platform) -> None:
    await add_notes(platform, "pays-more")
    await plan(platform, "pays-more", "metered")
    (first,) = await invoices(platform, "pays-more")
    assert (first["subtotal"], first["tax"], first["total"], first["status"]) == (10, 1.9, 11.9, "open")
    await age(platform, "pays-more", 31)
    await use(platform, "pays-more", 10, 105)
    await asyncio.gather(*(ask(platform, "run_billing") for _ in range(4)))
    _, second = await invoices(platform, "pays-more")
    lines = {line["kind"]: line for line in second["lines"]}
    assert lines["overage"]["amount"] == 1  # 100 beyond, a cent each
    assert (lines["plan"]["amount"], second["total"]) == (10, 13.09)
    period = (
        date.fromisoformat(lines["plan"]["period_start"]),
        date.fromisoformat(lines["plan"]["period_end"]),
    )
    assert period[0] <= datetime.now(UTC).date() < period[1]


async def test_a_change_is_prorated_onto_the_next_invoice(platform: Platform) -> None:
    await add_notes(platform, "changes-plan")
    first = await ask(platform, "preview_plan", tenant="changes-plan", plan="metered")
    assert [(line["kind"], line["amount"], line["invoiced"]) for line in first["lines"]] == [
        ("plan", "10.00", True)
    ]
    assert first["tax_rate"] == "0.1900"[: len(first["tax_rate"])]
    assert await invoices(platform, "changes-plan") == []  # a look changes nothing
    await plan(platform, "changes-plan", "metered")
    shown = await ask(platform, "preview_plan", tenant="changes-plan", plan="dear")
    assert [(line["amount"], line["invoiced"]) for line in shown["lines"]] == [
        ("-10.00", False),
        ("31.00", False),
    ]
    assert shown["subtotal"] == "21.00"
    await plan(platform, "changes-plan", "dear")
    await plan(platform, "changes-plan", "dear")  # again changes nothing
    told = await ask(platform, "issue_invoice", tenant="changes-plan")
    assert Decimal(str(told["invoice"]["subtotal"])) == 21  # on the first day: the difference
    await plan(platform, "changes-plan", "metered")
    back = await ask(platform, "issue_invoice", tenant="changes-plan")
    assert Decimal(str(back["invoice"]["total"])) == 0
    _, waiting = await platform.call("GET", "invoice_lines?invoice_id=is.null&select=amount,tenants(slug)")
    assert [line["amount"] for line in waiting if line["tenants"]["slug"] == "changes-plan"] == [-21]


async def test_a_trial_is_free_and_given_once(platform: Platform) -> None:
    await add_notes(platform, "tries-it")
    await plan(platform, "tries-it", "try")
    assert await invoices(platform, "tries-it") == []
    using = await ask(platform, "quota_usage")
    assert {one["tenant"]: one["plan"] for one in using}["tries-it"] == "try"
    await plan(platform, "tries-it", "dear")
    await age(platform, "tries-it", 14)
    await ask(platform, "run_billing", tenant="tries-it")
    (first,) = await invoices(platform, "tries-it")
    assert first["subtotal"] == 31
    await plan(platform, "tries-it", "try")
    _, (now,) = await platform.call(
        "GET", "subscriptions?select=status,tenants!inner(slug)&tenants.slug=eq.tries-it"
    )
    assert now["status"] == "active"


async def test_numbers_have_no_gaps_and_papers_say_what_rows_say(platform: Platform) -> None:
    slugs = [f"gap-{n}-co" for n in range(5)]
    for slug in slugs:
        await add_notes(platform, slug)
    bad = platform.call("POST", "rpc/set_plan", {"tenant": "gap-0-co", "plan": "nothing"})
    await asyncio.gather(bad, *(plan(platform, slug, "dear") for slug in slugs))
    _, rows = await platform.call("GET", "invoices?select=series,number,id,total&order=series")
    assert [row["series"] for row in rows] == list(range(1, len(rows) + 1))
    last = rows[-1]
    status, paper = await platform.client.send(
        "GET", f"/api/platform/invoices/{last['id']}/csv", **platform.admin
    )
    assert status == 200
    assert f"{last['total']:.2f}" in str(paper)
    status, told = await platform.client.send("GET", f"/api/platform/invoices/{last['id']}/csv")
    assert status == 401, told


async def test_the_shell_does_the_same(platform: Platform) -> None:
    await add_notes(platform, "by-shell")
    done = await asyncio.to_thread(platform.live.command, "usage", "by-shell", "--plan", "dear")
    assert done.returncode == 0, done.stderr
    assert "dear (active)" in done.stdout
    (bill,) = await invoices(platform, "by-shell")
    paper = platform.live.directory / "bill.pdf"
    done = await asyncio.to_thread(platform.live.command, "invoices", "save", bill["number"], str(paper))
    assert done.returncode == 0, done.stderr
    assert paper.read_bytes().startswith(b"%PDF-")
    done = await asyncio.to_thread(platform.live.command, "invoices", "paid", bill["number"])
    assert "paid" in done.stdout
    done = await asyncio.to_thread(platform.live.command, "invoices")
    assert bill["number"] in done.stdout
    done = await asyncio.to_thread(platform.live.command, "invoices", "paid", "2020-000001")
    assert (done.returncode, "there is no invoice" in done.stderr) == (2, True)


async def test_states_and_credit_notes(platform: Platform) -> None:
    await add_notes(platform, "gets-back")
    await plan(platform, "gets-back", "dear")
    (bill,) = await invoices(platform, "gets-back")
    status, told = await platform.call("PATCH", f"invoices/{bill['id']}", {"total": 1})
    assert status == 403, told
    assert (await ask(platform, "settle_invoice", invoice=bill["number"], reference="bank 7"))[
        "status"
    ] == "paid"
    assert (await ask(platform, "settle_invoice", invoice=bill["number"]))["status"] == "paid"
    status, told = await platform.call("POST", "rpc/void_invoice", {"invoice": bill["number"]})
    assert (status, told["code"]) == (409, "billing.wrong_state")
    races = [
        platform.call("POST", "rpc/credit_invoice", {"invoice": bill["number"], "amount": 20})
        for _ in range(3)
    ]
    assert sorted(status for status, _ in await asyncio.gather(*races)) == [200, 422, 422]
    note = await ask(platform, "credit_invoice", invoice=bill["number"], reason="sorry")
    assert (note["kind"], Decimal(str(note["total"]))) == ("credit_note", -(Decimal("36.89") - 20))
    bill, *notes = await invoices(platform, "gets-back")
    assert bill["status"] == "credited"
    assert sum(Decimal(str(one["tax"])) for one in notes) == -Decimal(str(bill["tax"]))


async def test_stripe_collects_once_and_only_its_signed_notices_count(
    platform: Platform, stripe: FakeStripe
) -> None:
    await add_notes(platform, "by-card")
    await plan(platform, "by-card", "tiny")
    _, rows = await platform.call(
        "GET", "subscriptions?select=id,tenants!inner(slug)&tenants.slug=eq.by-card"
    )
    status, told = await platform.call("PATCH", f"subscriptions/{rows[0]['id']}", {"provider": "stripe"})
    assert status in {200, 204}, told
    await plan(platform, "by-card", "dear")
    stripe.down = True
    await ask(platform, "issue_invoice", tenant="by-card")
    stripe.down = False
    await asyncio.gather(*(ask(platform, "run_billing") for _ in range(3)))
    (bill,) = await invoices(platform, "by-card")
    assert bill["payment_url"].startswith("https://pay.example/")
    (asked,) = [one for key, one in stripe.asked.items() if key == f"collect-{bill['id']}"]
    assert asked["line_items[0][price_data][unit_amount]"] == "3689"
    assert asked["success_url"] == f"http://localhost:{platform.live.port}/"

    def notice(amount: int = 3689) -> bytes:
        told = {
            "object": "checkout.session", "client_reference_id": bill["id"], "payment_status": "paid",
            "amount_total": amount, "currency": "eur", "payment_intent": "pi_1",
        }  # fmt: skip
        return json.dumps({"type": "checkout.session.completed", "data": {"object": told}}).encode()

    async def tell(body: bytes, signature: str) -> int:
        status, _ = await platform.client.send(
            "POST",
            "/api/platform/webhooks/stripe/notices",
            json.loads(body),
            **{"Stripe-Signature": signature},
        )
        return int(status)

    for body, signature, expected in (
        (notice(), "", 400),
        (notice(), stripe.sign(notice(), secret="whsec_other"), 400),
        (notice(), stripe.sign(notice(), at=time.time() - 600), 400),
        (notice(1), stripe.sign(notice(1)), 204),
    ):
        assert await tell(body, signature) == expected
        assert (await invoices(platform, "by-card"))[0]["status"] == "open"
    assert await tell(notice(), stripe.sign(notice())) == 204
    assert await tell(notice(), stripe.sign(notice())) == 204
    assert (await invoices(platform, "by-card"))[0]["status"] == "paid"
    await ask(platform, "credit_invoice", invoice=bill["number"], amount=5)
    notes = [one for one in await invoices(platform, "by-card") if one["kind"] == "credit_note"]
    assert [note["status"] for note in notes] == ["refunded"]
    (refund,) = [one for key, one in stripe.asked.items() if key == f"refund-{notes[0]['id']}"]
    assert (refund["payment_intent"], refund["amount"]) == ("pi_1", "500")


async def test_owners_choose_their_plan_and_nobody_elses(platform: Platform) -> None:
    await add_notes(platform, "mine-own")
    await add_notes(platform, "not-mine")
    owner = await platform.person("own@example.com")
    _, me = await platform.client.send("GET", "/auth/v1/user", **owner)
    await platform.call("PATCH", "tenants?slug=eq.mine-own", {"owner_id": me["id"]})
    for slug, expected in (("mine-own", 200), ("not-mine", 404)):
        body = {"tenant": slug, "plan": "dear"}
        status, told = await platform.client.send("POST", "/api/platform/rpc/set_plan", body, **owner)
        assert status == expected, told
    for function, body in (
        ("cancel_plan", {"tenant": "mine-own", "now": True}), ("settle_invoice", {"invoice": "x"}),
        ("credit_invoice", {"invoice": "x"}), ("run_billing", {}), ("issue_invoice", {"tenant": "mine-own"}),
    ):  # fmt: skip
        status, told = await platform.client.send("POST", f"/api/platform/rpc/{function}", body, **owner)
        assert status == 403, (function, told)
    _, rows = await platform.client.send("GET", "/api/platform/invoices?select=slug", **owner)
    assert {row["slug"] for row in rows} == {"mine-own"}
