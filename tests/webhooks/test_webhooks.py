"""Webhooks of the real program, heard by a real server."""

import asyncio
import base64
import json
import secrets
from collections.abc import Callable
from typing import Any

from receiver import Receiver

from tests.live import Live

KEY = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
FILE = """
version: 1
service: {{ name: {slug} }}
entities:
  customers:
    schema: {{ properties: {{ name: {{ type: string }} }} }}
    access: {{ read: [ {{ role: admin }} ], create: [ {{ role: admin }} ], update: [ {{ role: admin }} ], delete: [ {{ role: admin }} ] }}
  invoices:
    schema:
      properties:
        number: {{ type: string }}
        net: {{ type: number, multipleOf: 0.01 }}
        total: {{ type: number, computed: self.net * 1.19 }}
        pin: {{ type: string, writeOnly: true }}
        customer_id: {{ type: string, format: uuid, references: customers }}
    access: {{ read: [ {{ role: admin }} ], create: [ {{ role: admin }} ], update: [ {{ role: admin }} ], delete: [ {{ role: admin }} ] }}
webhooks:
{hooks}
"""


async def tenant(live: Live, hooks: str) -> str:
    slug = f"t-{secrets.token_hex(4)}"
    live.write(slug, FILE.format(slug=slug, hooks=hooks))
    await until(lambda: slug in live.output())
    await live.until(slug, state="serving")
    return slug


async def until(holds: Callable[[], Any], timeout: float = 15) -> None:
    async with asyncio.timeout(timeout):
        while not holds():
            await asyncio.sleep(0.02)


async def ask(live: Live, slug: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
    async with (
        live.session(slug) as session,
        session.request(method, f"{live.base(slug)}/{path}", json=body, headers=headers) as answer,
    ):
        text = await answer.text()
        assert answer.status < 300, text
        return json.loads(text) if text else None


async def create(live: Live, slug: str, entity: str, **values: Any) -> dict[str, Any]:
    made = await ask(live, slug, "POST", entity, values, Prefer="return=representation")
    row: dict[str, Any] = made[0] if isinstance(made, list) else made
    return row


async def deliveries(live: Live, slug: str, number: int, query: str = "") -> list[dict[str, Any]]:
    async with asyncio.timeout(15):
        while True:
            found: list[dict[str, Any]] = await ask(live, slug, "GET", f"webhook_deliveries?order=at{query}")
            if len(found) >= number:
                return found
            await asyncio.sleep(0.02)


async def test_every_change_is_told_once_signed_and_in_order(live: Live, receiver: Receiver) -> None:
    hooks = f'  all: {{ url: \'{receiver.url}/all\', events: [invoices.*], secret: ["${{HOOK_SECRET}}", "${{OLD_SECRET}}"], headers: {{ X-Team: "a-${{OLD_SECRET}}" }} }}'
    slug = await tenant(live, hooks)
    row = await create(live, slug, "invoices", number="1", net=10.1, pin="hush")
    await ask(live, slug, "PATCH", f"invoices/{row['id']}", {"net": 20.2})
    await ask(live, slug, "DELETE", f"invoices/{row['id']}")
    made, changed, gone = await receiver.until("/all", 3)
    assert [one.json["type"] for one in (made, changed, gone)] == [
        "invoices.created", "invoices.updated", "invoices.deleted",
    ]  # fmt: skip
    assert len({one.id for one in (made, changed, gone)}) == 3
    for one in (made, changed, gone):
        assert one.is_signed_with(KEY)
        assert one.is_signed_with(b"old secret"), "while a secret is replaced, both count"
        assert one.headers["x-team"] == "a-old secret"
        assert b"hush" not in one.body
    data = changed.json["data"]
    assert b'"total":24.038' in changed.body
    assert (data["record"]["net"], data["old_record"]["net"]) == (20.2, 10.1)
    assert {"net", "total", "row_version"} <= set(data["changed"])
    assert gone.json["data"]["record"]["number"] == "1"
    log = await deliveries(live, slug, 3)
    assert [one["status"] for one in log] == ["delivered"] * 3
    assert log[0]["response_body"] == "thanks"
    assert log[0]["response_status"] == 200
    assert log[0]["request_headers"]["x-team"] == "(hidden)"
    assert log[0]["request_body"].encode() == made.body
    assert "old secret" not in json.dumps(log)


async def test_a_condition_and_a_selection(live: Live, receiver: Receiver) -> None:
    hooks = f"  big: {{ url: '{receiver.url}/big', events: [invoices.created, invoices.deleted], when: self.net > 100.0, select: 'number,customer(name)' }}"
    slug = await tenant(live, hooks)
    customer = await create(live, slug, "customers", name="Ada")
    await create(live, slug, "invoices", number="small", net=1)
    row = await create(live, slug, "invoices", number="large", net=1000, customer_id=customer["id"])
    [heard] = await receiver.until("/big", 1)
    assert heard.json["data"]["record"] == {"number": "large", "customer": {"name": "Ada"}}
    assert "webhook-signature" not in heard.headers
    await ask(live, slug, "DELETE", f"invoices/{row['id']}")
    assert (await receiver.until("/big", 2))[1].json["data"]["record"] == {"number": "large"}


async def test_what_was_undone_is_not_told(live: Live, receiver: Receiver) -> None:
    slug = await tenant(live, f"  all: {{ url: '{receiver.url}/undone', events: '*' }}")
    await ask(live, slug, "POST", "invoices", {"number": "dry"}, Prefer="tx=rollback")
    await create(live, slug, "customers", name="last")
    [heard] = await receiver.until("/undone", 1)
    assert heard.json["type"] == "customers.created"


async def test_a_failing_endpoint_is_tried_again_with_the_same_id_and_bytes(
    live: Live, receiver: Receiver
) -> None:
    receiver.answers["/weak"] = 500
    slug = await tenant(live, f"  weak: {{ url: '{receiver.url}/weak', events: [invoices.*], retries: 3 }}")
    await create(live, slug, "invoices", number="1")
    await receiver.until("/weak", 1)
    [failed] = await deliveries(live, slug, 1)
    assert failed["status"] == "failed"
    assert "500" in failed["error"]
    receiver.answers["/weak"] = 200
    first, second = await receiver.until("/weak", 2, timeout=20)
    assert first.id == second.id
    assert first.body == second.body
    assert second.headers["webhook-timestamp"] > first.headers["webhook-timestamp"]


async def test_addresses_of_one_s_own_network_are_not_reached(live: Live, receiver: Receiver) -> None:
    hooks = "\n".join(
        f"  h{number}: {{ url: '{url}', events: [customers.*], retries: 0 }}"
        for number, url in enumerate((
            "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://[::1]:8000/", "http://0x0a000001/",
            "http://100.64.0.1/", "http://[::ffff:10.0.0.1]/",
        ))
    )  # fmt: skip
    slug = await tenant(live, hooks)
    await create(live, slug, "customers", name="x")
    log = await deliveries(live, slug, 6)
    assert {one["status"] for one in log} == {"failed"}
    assert all(one["response_status"] is None for one in log)
    receiver.answers["/moved"] = 302
    receiver.headers["Location"] = f"{receiver.url}/secret"
    slug = await tenant(
        live, f"  moved: {{ url: '{receiver.url}/moved', events: [customers.*], retries: 0 }}"
    )
    await create(live, slug, "customers", name="x")
    [moved] = await deliveries(live, slug, 1)
    assert "redirect" in moved["error"]
    assert not receiver.on("/secret")
