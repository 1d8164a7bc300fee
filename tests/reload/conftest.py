"""One live process for the module's tests, with one small tenant per test."""

from collections.abc import AsyncIterator

import pytest

from tests.live import Live


@pytest.fixture(scope="module")
async def live(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    process = Live(tmp_path_factory.mktemp("live"))
    await process.start()
    yield process
    assert await process.stop() == 0, process.output()[-3000:]


def tenant(slug: str, fields: str = "", rest: str = "", *, required: str = "[name]") -> str:
    """A tenant with one entity ``items``; ``fields`` are further properties, one per line."""
    extra = "".join(f"        {line}\n" for line in fields.splitlines() if line.strip())
    return (
        f"version: 1\nservice: {{ name: {slug} }}\nentities:\n  items:\n    schema:\n      type: object\n"
        f"      required: {required}\n      properties:\n        name: {{ type: string, maxLength: 100 }}\n{extra}{rest}"
    )
