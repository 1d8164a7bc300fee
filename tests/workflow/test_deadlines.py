"""Deadlines of states in the real program, and the diagram of a workflow."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.live import Live

FILE = """
version: 1
entities:
  notes:
    schema: { properties: { text: { type: string } } }
    access: { read: [ { role: admin } ] }
  claims:
    schema: { properties: { title: { type: string }, status: { type: string, enum: [new, open, late, done], default: new } } }
    access: { read: [ { role: admin } ], create: [ { role: admin } ], update: [ { role: admin } ] }
    workflow:
      field: status
      states:
        open: { deadline: 1500ms, on_deadline: escalate }
        late: { deadline: 100ms, on_deadline: remind, lock: title }
      transitions:
        begin: { from: new, to: open }
        escalate: { from: open, to: late, comment: required }
        finish: { from: [open, late], to: done, guard: "self.title != 'no \\"way\\"'" }
    functions:
      remind: { trigger: on_deadline, function: create_record, config: { entity: notes, values: { text: "late {{ self.title }}" } } }
      told: { trigger: after_transition, condition: "self.status == 'done'", function: create_record, config: { entity: notes, values: { text: "done {{ self.title }}" } } }
"""


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    live = Live(tmp_path_factory.mktemp("deadlines"))
    await live.start()
    yield live
    await live.stop()


async def ask(live: Live, slug: str, method: str, path: str, body: object = None, **headers: str) -> Any:
    async with (
        live.session(slug) as session,
        session.request(method, f"{live.base(slug)}/{path}", json=body, headers=headers) as answer,
    ):
        text = await answer.text()
        assert answer.status < 300, text
        return json.loads(text) if "json" in answer.content_type else text


async def found(live: Live, slug: str, path: str, number: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    async with asyncio.timeout(20):
        while len(rows) < number:
            rows = await ask(live, slug, "GET", path)
            await asyncio.sleep(0.02)
    return rows


@pytest.fixture(scope="module")
async def tenant(live: Live) -> str:
    slug = f"t-{secrets.token_hex(4)}"
    live.write(slug, FILE)
    async with asyncio.timeout(30):
        while f'"tenant":"{slug}"' not in live.output():
            await asyncio.sleep(0.02)
    await live.until(slug, state="serving", timeout=30)
    return slug


async def made(live: Live, slug: str, title: str) -> str:
    rows = await ask(live, slug, "POST", "claims", {"title": title}, Prefer="return=representation")
    await ask(live, slug, "POST", f"claims/{rows[0]['id']}/transitions/begin", {})
    return str(rows[0]["id"])


async def test_a_row_that_stays_too_long_is_moved_and_somebody_told(live: Live, tenant: str) -> None:
    claim = await made(live, tenant, "a")
    assert (await found(live, tenant, "notes", 1))[0]["text"] == "late a"
    seen = await ask(live, tenant, "GET", f"claims/{claim}/transitions")
    assert seen["state"] == "late"
    assert [(step["transition"], step["comment"]) for step in seen["history"]] == [
        ("escalate", "the deadline has passed"), ("begin", None),
    ]  # fmt: skip
    assert seen["history"][0]["user_id"] is None


async def test_a_row_that_left_in_time_is_left_alone(live: Live, tenant: str) -> None:
    claim = await made(live, tenant, "b")
    await ask(live, tenant, "POST", f"claims/{claim}/transitions/finish", {})
    await made(live, tenant, "c")
    texts = [row["text"] for row in await found(live, tenant, "notes?text=neq.late%20a", 2)]
    assert sorted(texts) == ["done b", "late c"]
    assert (await ask(live, tenant, "GET", f"claims/{claim}"))["status"] == "done"


async def test_the_diagram(live: Live, tenant: str) -> None:
    drawn = await ask(live, tenant, "GET", "claims/workflow", Accept="text/vnd.mermaid")
    assert drawn.splitlines() == [
        "stateDiagram-v2",
        '    state "new" as s0', '    state "open" as s1', '    state "late" as s2', '    state "done" as s3',
        "    [*] --> s0",
        "    s0 --> s1 : begin",
        "    s1 --> s2 : escalate",
        "    s1 --> s3 : finish (if self.title #33;#61; #39;no #34;way#34;#39;)",
        "    s2 --> s3 : finish (if self.title #33;#61; #39;no #34;way#34;#39;)",
        "    note right of s1 : after 1.5s#58; escalate",
        "    note right of s2 : locked#58; title#59; after 0.1s#58; remind",
        "    s3 --> [*]",
    ]  # fmt: skip
    told = await ask(live, tenant, "GET", "claims/workflow")
    assert told["transitions"]["finish"]["from"] == ["open", "late"]
    assert told["mermaid"] == drawn
