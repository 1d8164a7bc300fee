"""One live process for the module's tests, with one small tenant per test."""

import pytest

from tests.conftest import StartLive
from tests.live import Live


@pytest.fixture(scope="module")
async def live(start_live: StartLive) -> Live:
    return await start_live()


def tenant(slug: str, fields: str = "", rest: str = "", *, required: str = "[name]") -> str:
    """A tenant with one entity ``items``; ``fields`` are further properties, one per line."""
    extra = "".join(f"        {line}\n" for line in fields.splitlines() if line.strip())
    return (
        f"version: 1\nservice: {{ name: {slug} }}\nentities:\n  items:\n    schema:\n      type: object\n"
        f"      required: {required}\n      properties:\n        name: {{ type: string, maxLength: 100 }}\n{extra}{rest}"
    )
