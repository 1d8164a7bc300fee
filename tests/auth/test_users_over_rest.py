"""Accounts are rows: over the data API the same limits hold as for whoever manages accounts (C22, C23)."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError
from actors.tenant.operations import execute
from schemas.compiler.principal import Principal
from tests.api.harness import open_world
from tests.auth.people import FILE, People, open_people

ADMIN = Principal("boss", "boss@example.com", frozenset({"admin", "authenticated", "public"}))
OWNER = Principal("owner", "owner@example.com", frozenset({"owner", "authenticated", "public"}))


@pytest.fixture
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        yield await open_people(world)


async def make(people: People, name: str, role: str) -> Account:
    async def work(session: Session) -> Account:
        return await accounts.create(
            session, people.generation, email=f"{name}@example.com", role=role, confirmed=True
        )

    return await people.realm.store.transaction(work)


async def write(people: People, who: Principal, method: str, body: Any = None, **more: str) -> int:
    operation = {"POST": "create", "PATCH": "update", "DELETE": "delete", "BATCH": "batch"}[method]
    call = Call(
        operation, "POST" if method == "BATCH" else method, "" if method == "BATCH" else "users", more.pop("key", None),
        body=orjson.dumps(body) if body is not None else b"", content_type="application/json", principal=who, **more,
    )  # fmt: skip
    return (await execute(people.generation, call)).status


async def refused(people: People, who: Principal, *arguments: Any, **more: str) -> str:
    before = await people.sql("SELECT id, email, role FROM ns.users ORDER BY id")
    with pytest.raises(ProblemError) as refusal:
        await write(people, who, *arguments, **more)
    assert await people.sql("SELECT id, email, role FROM ns.users ORDER BY id") == before
    return refusal.value.code


async def test_nobody_gives_a_role_above_their_own(people: People) -> None:
    await make(people, "owner", "owner")
    plain = await make(people, "plain", "member")
    for body in (
        {"email": "new@example.com", "role": "owner"},
        [{"email": "a@example.com"}, {"email": "b@example.com", "role": "owner"}],
    ):
        assert await refused(people, ADMIN, "POST", body) == "auth.forbidden"
    assert await refused(people, ADMIN, "PATCH", {"role": "owner"}, key=plain.id) == "auth.forbidden"
    upsert = {"query": "on_conflict=id", "prefer": "resolution=merge-duplicates"}
    assert (
        await refused(
            people, ADMIN, "POST", {"id": plain.id, "email": plain.email, "role": "owner"}, **upsert
        )
        == "auth.forbidden"
    )
    batch = {"operations": [{"method": "PATCH", "path": f"users/{plain.id}", "body": {"role": "owner"}}]}
    assert await refused(people, ADMIN, "BATCH", batch) == "auth.forbidden"
    keyed = await refused(people, ADMIN, "PATCH", {"role": "owner"}, key=plain.id, idempotency_key="k1")
    assert keyed == "auth.forbidden"
    assert await write(people, OWNER, "PATCH", {"role": "admin"}, key=plain.id) == 204


async def test_nobody_takes_over_an_account_above_theirs(people: People) -> None:
    owner = await make(people, "owner", "owner")
    await make(people, "second", "owner")
    for method, body in (
        ("PATCH", {"email": "mine@example.com"}),
        ("PATCH", {"role": "member"}),
        ("DELETE", None),
    ):
        assert await refused(people, ADMIN, method, body, key=owner.id) == "auth.forbidden"
    assert (
        await refused(people, ADMIN, "PATCH", {"role": "member"}, query="email=like.*example*")
        == "auth.forbidden"
    )
    assert await write(people, ADMIN, "PATCH", {"name": "Someone"}, key=owner.id) == 204


async def test_somebody_always_administers(people: People) -> None:
    only = await make(people, "only", "admin")
    for method, body in (("PATCH", {"role": "member"}), ("DELETE", None)):
        assert await refused(people, ADMIN, method, body, key=only.id) == "auth.last_admin"
    second = await make(people, "second", "admin")
    assert await write(people, ADMIN, "DELETE", key=only.id) == 204
    assert await refused(people, ADMIN, "DELETE", key=second.id) == "auth.last_admin"


async def test_the_name_people_had_before_opens_nothing(people: People) -> None:
    """An entity answers by its old name for a while: the limits answer with it."""
    renamed = FILE.replace(
        "  users:\n", "  users:\n    renamed_from: staff\n    alias_until: 2099-12-31\n", 1
    )
    other = await open_people(people.world, text=renamed)
    await make(other, "owner", "owner")
    plain = await make(other, "plain", "member")
    role = {"role": "owner"}
    for method, entity, path, body in (
        ("update", "staff", "", role),
        ("batch", "", f"/staff/{plain.id}", {"operations": [{"method": "PATCH", "path": f"/staff/{plain.id}", "body": role}]}),
    ):  # fmt: skip
        call = Call(
            method, "POST" if path else "PATCH", entity, None if path else plain.id,
            body=orjson.dumps(body), content_type="application/json", principal=ADMIN,
        )  # fmt: skip
        with pytest.raises(ProblemError) as refusal:
            await execute(other.generation, call)
        assert refusal.value.code == "auth.forbidden"
    announced = len(other.announced)
    named = Call(
        "update", "PATCH", "staff", plain.id, body=b'{"name": "P"}', content_type="application/json", principal=ADMIN
    )  # fmt: skip
    assert (await execute(other.generation, named)).status < 300
    assert len(other.announced) == announced + 1, "who they are is looked at again"
