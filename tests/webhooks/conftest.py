"""One real process and one receiver for the module."""

import os
from collections.abc import AsyncIterator

import psutil
import pytest
from receiver import Receiver

from tests.live import Live


@pytest.fixture(scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as opened:
        yield opened


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    live = Live(
        tmp_path_factory.mktemp("webhooks"),
        BACKSAAS_PRIVATE_NETWORKS="127.0.0.0/8",
        HOOK_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        OLD_SECRET="old secret",
    )
    await live.start()
    yield live
    assert live.process is not None
    if live.process.poll() is None:
        for child in psutil.Process(live.process.pid).children(recursive=True):
            child.kill()
        live.process.kill()
        live.process.wait()
    if os.environ.get("SHOW_LOG"):
        print(live.output())
