"""The clients people already have, against a running tenant: postgrest-py here, postgrest-js in node."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from postgrest import APIError, AsyncPostgrestClient, CountMethod

from tests.api.harness import World, open_world
from tests.api.test_rows import SHOP

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as opened:
        await opened.tenant("client-co", SHOP.replace("name: shop", "name: client-co"))
        yield opened


@pytest.fixture
async def client(world: World) -> AsyncIterator[AsyncPostgrestClient]:
    caller = world.client("client-co", region="EU")
    headers = {"apikey": str(caller.token), "Authorization": f"Bearer {caller.token}"}
    async with AsyncPostgrestClient(f"{caller.base}/rest/v1", headers=headers) as made:
        yield made


async def test_python_writes_and_reads(client: AsyncPostgrestClient) -> None:
    made = await client.from_("customers").insert({"name": "py one"}).execute()
    assert made.data[0]["name"] == "py one"
    key = made.data[0]["id"]
    changed = await client.from_("customers").update({"name": "py two"}).eq("id", key).execute()
    assert changed.data[0]["name"] == "py two"
    read = await client.from_("customers").select("name", count=CountMethod.exact).eq("id", key).execute()
    assert (read.data, read.count) == ([{"name": "py two"}], 1)
    gone = await client.from_("customers").delete().eq("id", key).execute()
    assert gone.data[0]["id"] == key
    assert (await client.from_("customers").select("*").eq("id", key).maybe_single().execute()) is None


async def test_python_bulk_and_upsert(client: AsyncPostgrestClient) -> None:
    rows = [{"name": "py b1", "code": "py1"}, {"name": "py b2", "code": "py2"}]
    assert len((await client.from_("customers").insert(rows).execute()).data) == 2
    merged = (
        await client.from_("customers")
        .upsert({"name": "py b1 again", "code": "py1"}, on_conflict="code")
        .execute()
    )
    assert merged.data[0]["name"] == "py b1 again"
    page = (
        await client.from_("customers")
        .select("name")
        .like("name", "py b%")
        .order("name", desc=True)
        .limit(1)
        .execute()
    )
    assert page.data == [{"name": "py b2"}]
    either = await client.from_("customers").select("name").or_("name.eq.py b2,code.eq.py1").execute()
    assert len(either.data) == 2


async def test_python_embeds(client: AsyncPostgrestClient) -> None:
    parent = (await client.from_("customers").insert({"name": "py parent"}).execute()).data[0]
    await client.from_("orders").insert({"customer_id": parent["id"], "net": 3}).execute()
    answer = (
        await client.from_("orders")
        .select("net, customers(name)")
        .eq("customer_id", parent["id"])
        .single()
        .execute()
    )
    assert answer.data == {"net": 3, "customers": {"name": "py parent"}}
    csv = await client.from_("orders").select("net").eq("customer_id", parent["id"]).csv().execute()
    assert csv.data == "net\n3.00\n"


async def test_python_reads_our_errors(client: AsyncPostgrestClient) -> None:
    for query, code in (
        (client.from_("nothing").select("*"), "PGRST205"),
        (client.from_("customers").select("nope"), "PGRST204"),
        (client.from_("customers").insert({"name": 5}), "validation.failed"),
        (client.from_("customers").select("*").eq("name", "nobody").single(), "PGRST116"),
        (client.rpc("nothing", {}), "PGRST202"),
    ):
        with pytest.raises(APIError) as refused:
            await query.execute()
        assert refused.value.code == code
        assert refused.value.message


async def test_javascript(world: World) -> None:
    """Needs node; installs the client once."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not on this machine")
    if not (HERE / "node_modules" / ".package-lock.json").is_file():
        installing = await asyncio.create_subprocess_exec(
            npm, "ci", "--no-audit", "--no-fund", "--silent", cwd=HERE
        )
        assert await installing.wait() == 0, "npm ci failed"
    caller = world.client("client-co", region="EU")
    process = await asyncio.create_subprocess_exec(
        node, "--test", "client.test.mjs", cwd=HERE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "BASE": caller.base, "TOKEN": str(caller.token)},
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, output.decode()[-4000:]
