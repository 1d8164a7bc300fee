"""Functions after commits, events and jobs in the real program; what people see of them and do with them."""

import asyncio
import secrets
from typing import Any

from receiver import Receiver
from test_webhooks import ask, create

from tests.live import Live

ALL = "access: { read: [ { role: admin } ], create: [ { role: admin } ], update: [ { role: admin } ], delete: [ { role: admin } ] }"
FILE = """
version: 1
service: {{ name: {slug} }}
entities:
  orders:
    schema: {{ properties: {{ title: {{ type: string }}, state: {{ type: string, default: open }}, amount: {{ type: integer }} }} }}
    {all}
    functions:
{functions}
  notes:
    schema: {{ properties: {{ text: {{ type: string }}, order_id: {{ type: string }} }} }}
    {all}
{more}
"""
NOTE = '{ trigger: %s, function: create_record, config: { entity: notes, values: { text: "%s", order_id: "{{ self.id }}" } } }'


async def tenant(live: Live, functions: str, more: str = "") -> str:
    slug = f"t-{secrets.token_hex(4)}"
    text = FILE.format(slug=slug, all=ALL, functions=functions, more=more)
    live.write(slug, text)
    async with asyncio.timeout(20):
        while f'"tenant":"{slug}"' not in live.output():
            await asyncio.sleep(0.02)
    await live.until(slug, state="serving")
    return slug


async def found(live: Live, slug: str, path: str, number: int, timeout: float = 20) -> list[dict[str, Any]]:
    """Wait until a list has so many entries."""
    rows: list[dict[str, Any]] = []
    async with asyncio.timeout(timeout):
        while len(rows) < number:
            rows = await ask(live, slug, "GET", path)
            await asyncio.sleep(0.02)
    return rows


async def test_functions_run_after_the_commit_for_the_rows_they_are_for(live: Live) -> None:
    functions = "\n".join((
        "      made: " + NOTE % ("after_create", "made {{ self.title }}"),
        "      paid: " + (NOTE % ("after_update", "{{ old.state }} to {{ self.state }}"))[:-2] + ", condition: \"self.state == 'paid' && old.state != 'paid'\" }",
        "      gone: " + NOTE % ("after_delete", "gone {{ self.title }}"),
    ))  # fmt: skip
    slug = await tenant(live, functions)
    row = await create(live, slug, "orders", title="a")
    await ask(live, slug, "PATCH", f"orders/{row['id']}", {"amount": 1})
    await ask(live, slug, "PATCH", f"orders/{row['id']}", {"state": "paid"})
    await ask(live, slug, "DELETE", f"orders/{row['id']}")
    await ask(live, slug, "POST", "orders", {"title": "dry"}, Prefer="tx=rollback")
    notes = await found(live, slug, "notes?order=created_at", 3)
    assert sorted(note["text"] for note in notes) == ["gone a", "made a", "open to paid"]
    async with asyncio.timeout(10):
        while await ask(live, slug, "GET", "tasks/v1"):
            await asyncio.sleep(0.02)
    assert len(await ask(live, slug, "GET", "notes")) == 3


async def test_a_function_that_sets_itself_off_is_stopped(live: Live) -> None:
    slug = await tenant(
        live,
        '      count: { trigger: after_update, function: set_fields, config: { amount: "{{ self.amount + 1 }}" } }',
    )
    row = await create(live, slug, "orders", title="a", amount=0)
    await ask(live, slug, "PATCH", f"orders/{row['id']}", {"title": "b"})
    [dead] = await found(live, slug, "tasks/v1?state=dead", 1)
    assert "too_deep" in dead["error"]
    assert (await ask(live, slug, "GET", f"orders/{row['id']}"))["amount"] == 5


async def test_what_was_given_up_is_seen_and_runs_again_when_told_to(live: Live) -> None:
    functions = "      bad: { trigger: after_create, function: create_record, retries: 0, config: { entity: notes, values: { nonsense: 1 } } }"
    slug = await tenant(live, functions)
    await create(live, slug, "orders", title="a")
    [dead] = await found(live, slug, "tasks/v1?state=dead&kind=function", 1)
    assert dead["name"] == "orders.bad"
    assert dead["error"]
    shown = await ask(live, slug, "GET", f"tasks/v1/{dead['id']}")
    assert shown["payload"]["record"]["title"] == "a"
    assert await create(live, slug, "notes", text="the next row is not held up")
    listed = await asyncio.to_thread(live.command, "tasks", slug, "--state", "dead")
    assert listed.stdout.startswith(f"{dead['id']}  dead"), listed.stdout + listed.stderr
    assert "orders.bad" in listed.stdout
    fixed = FILE.format(
        slug=slug, all=ALL, functions=functions.replace("nonsense: 1", "text: fixed"), more=""
    )
    await live.save(slug, fixed)
    assert (await ask(live, slug, "POST", f"tasks/v1/{dead['id']}/replay"))["replayed"] == 1
    await found(live, slug, "notes?text=eq.fixed", 1)
    await live.save(slug, FILE.format(slug=slug, all=ALL, functions=functions, more=""))
    await create(live, slug, "orders", title="b")
    [again] = await found(live, slug, "tasks/v1?state=dead&kind=function", 1)
    await live.save(slug, fixed)
    replayed = await asyncio.to_thread(live.command, "tasks", slug, "--replay", "all", "--kind", "function")
    assert replayed.stdout == "1 to run again\n", replayed.stdout + replayed.stderr
    await found(live, slug, "notes?text=eq.fixed", 2)
    assert again["id"] != dead["id"]
    async with live.session(slug, role="authenticated") as session:
        for path in ("tasks/v1", "jobs/v1", f"tasks/v1/{dead['id']}"):
            async with session.get(f"{live.base(slug)}/{path}") as answer:
                assert answer.status == 403


async def test_events_are_published_heard_across_entities_and_delayed(live: Live, receiver: Receiver) -> None:
    functions = '      low: { trigger: after_create, function: publish_event, config: { event: stock_low, data: { of: "{{ self.title }}" } } }\n      later: { trigger: after_create, function: publish_event, config: { event: stock_later, delay: 1 } }'
    more = "\n".join((
        "events:",
        "  hear: { on: [stock_low, stock_later], function: create_record, config: { entity: notes, values: { text: heard } } }",
        "  rows: { on: [orders.created, notes.deleted], function: create_record, config: { entity: notes, values: { text: row } } }",
        f"webhooks: {{ out: {{ url: '{receiver.url}/event', events: [stock_low] }} }}",
    ))  # fmt: skip
    slug = await tenant(live, functions, more)
    await create(live, slug, "orders", title="nuts")
    [told] = await receiver.until("/event", 1)
    assert told.json["type"] == "stock_low"
    assert told.json["data"] == {"of": "nuts"}
    await found(live, slug, "notes?text=eq.row", 1)
    await found(live, slug, "notes?text=eq.heard", 2)


async def test_jobs_run_by_the_clock_and_when_told_to(live: Live) -> None:
    more = "\n".join((
        "jobs:",
        "  often: { every: 1s, function: create_record, config: { entity: notes, values: { text: often } } }",
        "  daily: { schedule: { cron: '0 6 * * *', zone: Europe/Berlin }, function: create_record, config: { entity: notes, values: { text: daily } } }",
    ))  # fmt: skip
    slug = await tenant(
        live, "      none: { trigger: after_delete, function: publish_event, config: { event: x } }", more
    )
    await found(live, slug, "notes?text=eq.often", 2)
    jobs = {job["name"]: job for job in await ask(live, slug, "GET", "jobs/v1")}
    assert jobs["daily"]["last"] is None
    assert jobs["daily"]["next_at"][11:16] in {"04:00", "05:00"}
    assert jobs["often"]["last"]["state"] in {"done", "running"}
    await found(live, slug, "tasks/v1?kind=job&name=often&state=done", 1)
    await ask(live, slug, "POST", "jobs/v1/daily/run")
    await found(live, slug, "notes?text=eq.daily", 1)
    assert len(await found(live, slug, "tasks/v1?kind=job&name=daily&state=done", 1)) == 1


async def test_a_delivery_that_arrived_is_sent_again_under_its_id(live: Live, receiver: Receiver) -> None:
    hook = f"webhooks:\n  told: {{ url: '{receiver.url}/again', events: [orders.created] }}"
    slug = await tenant(live, "      none: " + NOTE % ("after_delete", "x"), hook)
    await create(live, slug, "orders", title="a")
    [first] = await receiver.until("/again", 1)
    [sent] = await found(live, slug, "webhook_deliveries", 1)
    await ask(live, slug, "POST", f"webhooks/v1/deliveries/{sent['id']}/replay", {})
    both = await receiver.until("/again", 2)
    assert (both[1].id, both[1].body) == (first.id, first.body)
    await found(live, slug, "webhook_deliveries", 2)
    [hook_now] = await ask(live, slug, "GET", "webhooks/v1")
    assert (hook_now["name"], hook_now["last"]["status"], hook_now["dead"]) == ("told", "delivered", 0)
