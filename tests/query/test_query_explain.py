"""Why somebody may or may not: the entries one by one, and that they say what the compiler does."""

import json

import pytest
from msgspec.structs import replace

from schemas.compiler.compile import compile_source
from schemas.compiler.principal import Principal
from schemas.compiler.query.explain import KEY, AccessExplanation, explain_access
from tests.query.conftest import DENSE
from tests.query.kit import Tenant, uid, who

MODEL = compile_source(DENSE, "dense")


def explained(boss: Tenant, entity: str, caller: Principal) -> AccessExplanation:
    return explain_access(MODEL, boss.identity.namespace, MODEL.entities[entity], caller)


async def rules_of(
    boss: Tenant, explanation: AccessExplanation, key: str, caller: Principal
) -> dict[str, list[bool]] | None:
    slots: list[str | list[str | None] | None] = [None]
    slots[KEY] = key
    arguments = explanation.statement.arguments(slots, caller, "2026-11-23T08:00:00Z")
    row = await boss.own.fetchrow(explanation.statement.text, *arguments)
    return None if row is None else json.loads(row["rules"])


async def test_every_entry_is_told(boss: Tenant) -> None:
    caller = who(2, "member")
    explanation = explained(boss, "people", caller)
    rules = await rules_of(boss, explanation, uid(1), caller)
    assert rules is not None
    assert rules["read"] == [True, False, True]
    assert explanation.told(rules)[0] == (
        "read: entry 0 (role member): every row; "
        "entry 1 (role member): rule `self.id == user.id` does not hold; entry 2 (role boss): not your role"
    )
    assert "salary" not in explanation.verbs["read"][0].fields
    assert "pin" not in explanation.verbs["read"][2].fields
    own = await rules_of(boss, explanation, uid(2), caller)
    assert own is not None
    assert own["read"] == [True, True, True]


async def test_no_row_has_no_rules(boss: Tenant) -> None:
    caller = who(2, "member")
    explanation = explained(boss, "people", caller)
    assert await rules_of(boss, explanation, uid(999), caller) is None
    assert explanation.told({})[0].split("; ")[1] == "entry 1 (role member): where `self.id == user.id`"


async def test_scopes_are_told_first(boss: Tenant) -> None:
    caller = replace(who(1, "boss", "member"), scopes=frozenset({"people:read"}))
    told = explained(boss, "people", caller).told({})
    assert told[1:] == [
        f"{verb}: the key lacks the scope people:{verb}" for verb in ("create", "update", "delete")
    ]


@pytest.mark.parametrize("entity", ["projects", "people"])
@pytest.mark.parametrize("roles", [("member",), ("boss", "member"), ()])
async def test_what_is_told_is_what_is_done(boss: Tenant, entity: str, roles: tuple[str, ...]) -> None:
    caller = who(2, *roles)
    explanation = explained(boss, entity, caller)
    for row in await boss.get(entity, "select=id"):
        rules = await rules_of(boss, explanation, row["id"], caller)
        assert rules is not None
        told = any(
            entry.mine and holds
            for entry, holds in zip(explanation.verbs["read"], rules["read"], strict=True)
        )
        if any(entry.mine for entry in explanation.verbs["read"]):
            seen = await boss.as_(caller).get(entity, f"id=eq.{row['id']}&select=id")
            assert told == bool(seen)
        else:
            assert not told
