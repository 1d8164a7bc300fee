"""``tests:`` of a file that name transitions: judged by the statements that a request would run."""

from pathlib import Path

import pytest

from actors.tenant import rule_tests
from tests.api.harness import World, slug
from tests.workflow.test_transitions import FILE

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


async def judge(world: World, name: str) -> list[str]:
    """Return what came out differently."""
    async with world.database.owner() as owner, owner.transaction():
        try:
            await rule_tests.run(owner, world.ports[name].generation)
        except rule_tests.FailedError as error:
            return [finding.message for finding in error.diagnostics]
    return []


async def test_cases_name_transitions(world: World) -> None:
    good, bad = slug(), slug()
    await world.tenant(good, FILE)
    assert await judge(world, good) == []
    wrong = FILE.replace("may: [update, submit]", "may: [update, submit, approve]")
    wrong = wrong.replace("may_not: [submit] }", "may: [submit] }")
    wrong = wrong.replace("may_not: [approve, void] }", "may_not: [void] }")
    wrong += "      - { as: { role: admin }, given: { status: paid }, may: [update] }\n"
    await world.tenant(bad, wrong)
    assert await judge(world, bad) == [
        "member may not approve this row of 'bills'",
        "member may not submit this row of 'bills'",
        "admin may not update this row of 'bills'",
    ]


@pytest.mark.parametrize("name", ["acme-corp", "sample-crm"])
async def test_cases_of_the_examples(world: World, name: str) -> None:
    await world.tenant(name, (SCHEMAS / f"{name}.yaml").read_text())
    assert await judge(world, name) == []
