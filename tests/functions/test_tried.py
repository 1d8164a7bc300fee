"""Functions listed and tried out by admins in the real program: nothing of a trial stays."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.live import Live

FILE = """
version: 1
functions:
  quote: { trigger: rpc, roles: [public], args: { required: [hours], properties: { hours: { type: number } } } }
  stumble: { trigger: rpc }
entities:
  orders:
    schema:
      properties: { text: { type: string }, size: { type: integer, readOnly: true } }
    access: { read: [ { role: admin } ], write: [ { role: admin } ] }
    functions:
      measure: { trigger: before_write }
"""
CODE = """
async def quote(args, ctx):
    print("asked for", args["hours"])
    await ctx.data.create("orders", {"text": "from quote"})
    return {"price": args["hours"] * 80, "orders": await ctx.data.count("orders")}

def stumble(args, ctx):
    return 1 / 0

def measure(record, ctx):
    if record["text"] == "secret":
        ctx.reject("not here", field="text")
    record["size"] = len(record["text"] or "")
    return record
"""


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    live = Live(Path(tmp_path_factory.mktemp("tried")))
    (live.schemas / "tried.py").write_text(CODE)
    live.write("tried", FILE)
    await live.start()
    await live.until("tried", state="serving")
    yield live
    await live.stop()


async def ask(live: Live, method: str, path: str, body: Any = None, role: str = "admin") -> tuple[int, Any]:
    async with (
        live.session("tried", role=role) as session,
        session.request(method, f"{live.base('tried')}/{path}", json=body) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def test_functions_are_listed_with_what_they_take(live: Live) -> None:
    status, found = await ask(live, "GET", "functions/v1")
    assert status == 200
    by_name = {one["name"]: one for one in found}
    assert sorted(by_name) == ["measure", "quote", "stumble"]
    assert by_name["quote"]["args"]["required"] == ["hours"]
    assert by_name["measure"]["entities"] == ["orders"]
    assert by_name["measure"]["kind"] == "python"


async def test_a_trial_answers_what_came_out_and_leaves_nothing(live: Live) -> None:
    status, told = await ask(live, "POST", "trials/v1", {"function": "quote", "input": {"hours": 2}})
    assert (status, told["outcome"], told["value"]) == (200, "ok", {"price": 160, "orders": 1})
    assert told["log"] == ["asked for 2"]
    hook = {"function": "measure", "entity": "orders"}
    _, told = await ask(live, "POST", "trials/v1", hook | {"input": {"text": "four"}})
    assert told["value"]["size"] == 4
    _, told = await ask(live, "POST", "trials/v1", hook | {"input": {"text": "secret"}})
    assert (told["outcome"], told["errors"][0]["pointer"]) == ("rejected", "/text")
    _, told = await ask(live, "POST", "trials/v1", {"function": "stumble"})
    assert (told["outcome"], told["line"]) == ("failed", 8)
    assert "ZeroDivisionError" in told["error"]
    assert await ask(live, "GET", "orders") == (200, [])
    assert await ask(live, "GET", "function_executions") == (200, [])


@pytest.mark.parametrize(
    ("body", "role", "status"),
    [
        ({"function": "nothing"}, "admin", 404),
        ({"function": "measure"}, "admin", 404),
        ({"function": "quote", "input": [1]}, "admin", 400),
        ({"function": "quote", "input": {"hours": 1}, "old": 3}, "admin", 400),
        ({"function": "quote", "input": {"hours": 1}}, "member", 403),
    ],
)
async def test_what_is_no_trial_is_refused(live: Live, body: Any, role: str, status: int) -> None:
    assert (await ask(live, "POST", "trials/v1", body, role))[0] == status
