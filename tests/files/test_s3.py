"""Files in a bucket of a real S3 server (moto's), behind a live process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from actors.features.files.s3 import S3Store
from actors.features.files.store import Key, new_name
from config.settings import FileSettings
from tests.files.conftest import SLUG, TENANT, Desk
from tests.live import ENDS_WITH_US, Live, free_port

BUCKET = "of-tests"


@pytest.fixture(scope="module")
async def s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    port = free_port()
    log = (tmp_path_factory.mktemp("s3") / "log").open("wb")
    server = subprocess.Popen(
        [*ENDS_WITH_US, sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=log, stderr=log, env={"PATH": os.environ["PATH"], "HOME": str(Path(log.name).parent)},
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while True:
                try:
                    async with session.put(f"{url}/{BUCKET}") as answer:
                        assert answer.status == 200, await answer.text()
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        yield url
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
        log.close()


def settings(url: str) -> FileSettings:
    return FileSettings(s3_bucket=BUCKET, s3_endpoint=url, s3_key="test", s3_secret="test")


async def test_the_store(s3: str) -> None:
    store, tenant = S3Store(settings(s3)), "ab12"
    key = Key(tenant, new_name())
    data = os.urandom(9 << 20)  # more than one part
    writer = store.create(key)
    for start in range(0, len(data), 1 << 20):
        await writer.write(data[start : start + (1 << 20)])
    with pytest.raises(FileNotFoundError):
        await store.open(key, 0, 1)
    await writer.commit()
    assert b"".join([piece async for piece in await store.open(key, 0, len(data))]) == data
    assert b"".join([piece async for piece in await store.open(key, 5, 100)]) == data[5:105]
    other = Key(tenant, new_name())
    await store.copy(key, other)
    assert {stored.name async for stored in store.names(tenant)} == {key.name, other.name}
    await store.delete(key)
    await store.delete(key)
    with pytest.raises(FileNotFoundError):
        await store.open(key, 0, 1)
    broken = store.create(Key(tenant, new_name()))
    await broken.write(b"x")
    await broken.abort()
    assert [stored.name async for stored in store.names(tenant)] == [other.name]
    await store.delete_tenant(tenant)
    assert [stored.name async for stored in store.names(tenant)] == []


async def test_an_unreachable_service_is_an_error_of_the_store(s3: str) -> None:
    del s3
    store = S3Store(settings(f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(OSError, match=r"."):
        async with asyncio.timeout(60):
            [stored async for stored in store.names("ab12")]


async def test_files_of_rows_in_a_bucket(s3: str, tmp_path: Path, database_url: str) -> None:
    live = Live(
        tmp_path, BACKSAAS_DATABASE_URL=database_url, BACKSAAS_FILES_S3_BUCKET=BUCKET,
        BACKSAAS_FILES_S3_ENDPOINT=s3, BACKSAAS_FILES_S3_KEY="test", BACKSAAS_FILES_S3_SECRET="test",
    )  # fmt: skip
    live.write("bucket-co", TENANT.replace(SLUG, "bucket-co"))
    await live.start("--dev", str(live.directory))
    store = S3Store(settings(s3))
    try:
        async with aiohttp.ClientSession() as session:
            desk = Desk(live, session)
            desk.base = live.base("bucket-co")
            desk.slug = "bucket-co"
            data = b"%PDF-" + bytes(range(256)) * 1000
            up = await desk.upload("pdf", data)
            assert up.status == 201, up
            row = await desk.row(pdf=up.json["id"])
            got = await desk.ask("GET", f"/invoices/{row['id']}/pdf")
            assert (got.status, got.body) == (200, data)
            part = await desk.ask("GET", f"/invoices/{row['id']}/pdf", Range="bytes=100-199")
            assert (part.status, part.body) == (206, data[100:200])
            assert not desk.objects(), "nothing is on the disk"
            async with session.get(f"{s3}/{BUCKET}") as answer:
                assert row["pdf"] in await answer.text()
            await desk.ask("DELETE", f"/invoices/{row['id']}")

            async def gone() -> None:
                async with asyncio.timeout(30):
                    while True:
                        async with session.get(f"{s3}/{BUCKET}") as answer:
                            if row["pdf"] not in await answer.text():
                                return
                        await asyncio.sleep(0.05)

            await gone()
    finally:
        await live.stop()
        await store.close()
