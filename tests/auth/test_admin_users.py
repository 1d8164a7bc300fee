"""Admins and accounts: shapes clients know, and nobody above themselves (C22, C23)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from msgspec.structs import replace

from actors.features.auth import accounts
from actors.features.auth.operations import OPERATIONS
from actors.features.auth.sessions import open_session
from actors.messages import Call, ProblemError, Result
from actors.tenant.operations import expand
from schemas.compiler.principal import ANONYMOUS, Principal
from tests.api.harness import open_world
from tests.auth.people import People, call, open_people

PASSWORD = "korrekt pferd batterie"
OWNER = Principal(
    id="00000000-0000-4000-8000-000000000001", roles=frozenset({"owner", "authenticated", "public"})
)
ADMIN = replace(OWNER, roles=frozenset({"admin", "authenticated", "public"}))
MEMBER = replace(OWNER, roles=frozenset({"member", "authenticated", "public"}))


@pytest.fixture(scope="module")
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        yield await open_people(world)


async def _ask(people: People, name: str, asked: Call, who: Principal = OWNER) -> Result:
    operation = OPERATIONS[f"auth.admin.{name}"]
    return await operation(people.generation, asked, expand(people.generation, who))


async def _do(
    people: People,
    name: str,
    body: Any = None,
    *,
    key: str | None = None,
    who: Principal = OWNER,
    query: str = "",
) -> Any:
    result = await _ask(people, name, call(f"auth.admin.{name}", body, key=key, query=query), who)
    assert result.status == 200
    return orjson.loads(result.body)


async def _refused(people: People, name: str, body: Any = None, **more: Any) -> str:
    with pytest.raises(ProblemError) as refused:
        await _do(people, name, body, **more)
    return refused.value.code


async def _user(people: People, email: str, **more: Any) -> dict[str, Any]:
    user: dict[str, Any] = await _do(people, "users.create", {"email": email, **more})
    return user


async def test_only_admins_get_in(people: People) -> None:
    made = await _user(people, "target@example.com")
    for name, body in (
        ("users.list", None),
        ("users.get", None),
        ("users.create", {"email": "x@example.com"}),
        ("users.update", {"role": "admin"}),
        ("users.delete", None),
        ("sessions.list", None),
        ("sessions.end", None),
        ("audit", None),
    ):
        assert await _refused(people, name, body, key=made["id"], who=MEMBER) == "auth.not_admin"
        assert await _refused(people, name, body, key=made["id"], who=ANONYMOUS) == "auth.no_authorization"
    limited = replace(OWNER, id=None, key="k", scopes=frozenset({"users:read"}))
    assert await _refused(people, "users.delete", key=made["id"], who=limited) == "auth.not_admin"
    assert (await _do(people, "users.get", key=made["id"], who=limited))["email"] == "target@example.com"


async def test_a_user_as_clients_know_it(people: People) -> None:
    made = await _user(
        people,
        "ada@example.com",
        password=PASSWORD,
        email_confirm=True,
        user_metadata={"name": "Ada"},
        app_metadata={"team": "x"},
    )
    UUID(made["id"])
    assert made["aud"] == people.generation.identity.slug
    assert made["role"] == "member"
    assert made["email_confirmed_at"].endswith("Z")
    assert made["app_metadata"] == {"provider": "email", "providers": ["email"], "team": "x"}
    assert made["identities"][0]["identity_data"]["email_verified"] is True
    assert "password" not in orjson.dumps(made).decode()
    assert await _do(people, "users.get", key=made["id"]) == made
    signed_in = await accounts.check_password(people.generation, call("x"), "ada@example.com", PASSWORD)
    assert (signed_in.id, signed_in.row["name"]) == (made["id"], "Ada")


async def test_a_list_goes_page_by_page(people: People) -> None:
    for number in range(5):
        await _user(people, f"listed{number}@example.com")
    total = (await people.sql("SELECT count(*) FROM ns.users"))[0][0]
    result = await _ask(people, "users.list", call("x", method="GET", query="page=1&per_page=2"))
    headers = dict(result.headers)
    assert headers["x-total-count"] == str(total)
    assert 'page=2&per_page=2>; rel="next"' in headers["Link"]
    assert f'page={-(-total // 2)}&per_page=2>; rel="last"' in headers["Link"]
    seen = []
    for page in range(1, -(-total // 2) + 1):
        answer = await _do(people, "users.list", query=f"page={page}&per_page=2")
        seen += [user["id"] for user in answer["users"]]
    assert len(seen) == len(set(seen)) == total
    assert await _refused(people, "users.list", query="page=x") == "auth.validation_failed"
    assert (await _do(people, "users.list", query="page=9999999"))["users"] == []


async def test_a_list_is_searched_by_address_role_and_state(people: People) -> None:
    async def found(query: str) -> list[str]:
        listed = await _do(people, "users.list", query=f"filter=%40sought&{query}")
        return sorted(user["email"] for user in listed["users"])

    await _user(people, "here@sought.example", email_confirm=True)
    await _user(people, "Waits_%@sought.example")
    await _user(people, "boss@sought.example", email_confirm=True, role="admin")
    await _user(people, "out@sought.example", email_confirm=True, ban_duration="24h")
    assert len(await found("")) == 4
    assert await found("role=admin") == ["boss@sought.example"]
    assert await found("state=active") == ["boss@sought.example", "here@sought.example"]
    assert await found("state=pending") == ["waits_%@sought.example"]
    assert await found("state=banned") == ["out@sought.example"]
    by_part = await _do(people, "users.list", query="filter=s_%25%40SOU")
    assert [user["email"] for user in by_part["users"]] == ["waits_%@sought.example"]
    assert await _refused(people, "users.list", query="state=x") == "auth.validation_failed"


async def test_admins_see_where_somebody_is_signed_in_and_sign_them_out(people: People) -> None:
    made = await _user(people, "open@example.com", password=PASSWORD, email_confirm=True, role="member")

    async def sign_in() -> str:
        account = await people.realm.store.transaction(
            lambda session: accounts.find(session, people.generation, made["id"]), reads=True
        )
        assert account is not None
        opened = await open_session(people.generation, None, account, call("x"), method="password")
        return opened.session_id

    async def left() -> set[str]:
        return {row["id"] for row in await _do(people, "sessions.list", key=made["id"])}

    one, two, three = [await sign_in() for _ in range(3)]
    assert await left() == {one, two, three}
    ended = await _ask(people, "sessions.end", call("x", key=made["id"], query=f"session={one}"))
    assert ended.status == 204
    assert await left() == {two, three}
    assert await _refused(people, "sessions.end", key=made["id"], query=f"session={one}") == "row.not_found"
    assert (await _ask(people, "sessions.end", call("x", key=made["id"]))).status == 204
    assert await left() == set()
    boss = await _user(people, "chief@example.com", role="owner")
    assert await _refused(people, "sessions.end", key=boss["id"], who=ADMIN) == "auth.forbidden"


async def test_nobody_writes_what_is_not_theirs_to_write(people: People) -> None:
    made = await _user(people, "massive@example.com")
    before = await people.sql("SELECT * FROM ns._auth_accounts WHERE user_id = $1", made["id"])
    for name in (
        "id",
        "password_hash",
        "confirmed_at",
        "created_at",
        "aal",
        "tenant",
        "is_super_admin",
        "is_anonymous",
    ):
        assert await _refused(people, "users.update", {name: "x"}, key=made["id"]) == "auth.validation_failed"
        assert (
            await _refused(people, "users.create", {"email": "n@example.com", name: "x"})
            == "auth.validation_failed"
        )
    assert before == await people.sql("SELECT * FROM ns._auth_accounts WHERE user_id = $1", made["id"])
    assert await people.sql("SELECT 1 FROM ns.users WHERE email = 'n@example.com'") == []


async def test_a_duplicate_or_bad_value_is_refused(people: People) -> None:
    await _user(people, "twice@example.com")
    assert await _refused(people, "users.create", {"email": "Twice@Example.com"}) == "auth.email_exists"
    assert await _refused(people, "users.create", {"email": "no"}) == "auth.email_address_invalid"
    assert (
        await _refused(people, "users.create", {"email": "w@example.com", "password": "x"})
        == "auth.weak_password"
    )
    assert (
        await _refused(people, "users.create", {"email": "w@example.com", "ban_duration": "soon"})
        == "auth.validation_failed"
    )
    assert (
        await _refused(people, "users.create", {"email": "w@example.com", "ban_duration": "9999999h" * 20})
        == "auth.validation_failed"
    )
    assert (
        await _refused(
            people, "users.create", {"email": "w@example.com", "user_metadata": {"a": "x" * 20_000}}
        )
        == "auth.validation_failed"
    )
    assert (
        await _refused(people, "users.get", key="00000000-0000-4000-8000-00000000dead")
        == "auth.user_not_found"
    )


async def test_nobody_gives_or_touches_a_role_above_their_own(people: People) -> None:
    boss = await _user(people, "boss@example.com", role="owner")
    worker = await _user(people, "worker@example.com")
    assert (
        await _refused(people, "users.create", {"email": "up@example.com", "role": "owner"}, who=ADMIN)
        == "auth.forbidden"
    )
    assert (
        await _refused(people, "users.update", {"role": "owner"}, key=worker["id"], who=ADMIN)
        == "auth.forbidden"
    )
    for name, body in (
        ("users.update", {"password": PASSWORD}),
        ("users.update", {"email": "eve@example.com"}),
        ("users.delete", None),
    ):
        assert await _refused(people, name, body, key=boss["id"], who=ADMIN) == "auth.forbidden"
    assert (await _do(people, "users.get", key=boss["id"]))["email"] == "boss@example.com"
    assert await _refused(people, "users.update", {"role": "root"}, key=worker["id"]) in {
        "auth.forbidden",
        "auth.validation_failed",
    }
    assert (await _do(people, "users.update", {"role": "admin"}, key=worker["id"], who=ADMIN))[
        "role"
    ] == "admin"


async def test_the_last_admin_stays(people: People) -> None:
    other = await open_people(people.world)
    first = await _user(other, "first@example.com", role="owner")
    for name, body in (
        ("users.delete", None),
        ("users.update", {"role": "member"}),
        ("users.update", {"role": ""}),
        ("users.update", {"ban_duration": "1h"}),
    ):
        assert await _refused(other, name, body, key=first["id"]) == "auth.last_admin"
    second = await _user(other, "second@example.com", role="admin")
    await _do(other, "users.update", {"ban_duration": "1h"}, key=second["id"])
    assert await _refused(other, "users.delete", key=first["id"]) == "auth.last_admin"  # a banned one is none
    await _do(other, "users.update", {"ban_duration": "none"}, key=second["id"])
    outcomes = await asyncio.gather(
        *(
            _do(other, "users.update", {"role": "member"}, key=one["id"])
            for one in (first, second)
            for _ in range(5)
        ),
        return_exceptions=True,
    )
    assert any(isinstance(one, ProblemError) and one.code == "auth.last_admin" for one in outcomes)
    left = await other.sql("SELECT 1 FROM ns.users WHERE role IN ('admin', 'owner')")
    assert len(left) == 1


async def test_a_change_reaches_other_processes_and_ends_sessions(people: People) -> None:
    made = await _user(people, "reached@example.com", password=PASSWORD, email_confirm=True)

    async def session() -> None:
        await people.sql("DELETE FROM ns._auth_sessions")
        await people.sql(
            "INSERT INTO ns._auth_sessions (id, user_id, expires_at) VALUES (gen_random_uuid(), $1, now() + '1 h')",
            made["id"],
        )

    async def alive() -> int:
        rows = await people.sql(
            "SELECT 1 FROM ns._auth_sessions WHERE user_id = $1 AND revoked_at IS NULL", made["id"]
        )
        return len(rows)

    for body, left in (
        ({"user_metadata": {"a": 1}}, 1),
        ({"role": "admin"}, 1),
        ({"password": "ganz anderes wort"}, 0),
        ({"ban_duration": "24h30m"}, 0),
    ):
        await session()
        before = len(people.announced)
        await _do(people, "users.update", body, key=made["id"])
        assert await alive() == left, body
        assert len(people.announced) > before
    with pytest.raises(ProblemError) as refused:
        await accounts.check_password(
            people.generation, call("x"), "reached@example.com", "ganz anderes wort"
        )
    assert refused.value.code == "auth.user_banned"


async def test_metadata_is_merged_and_null_removes(people: People) -> None:
    made = await _user(people, "meta@example.com", app_metadata={"a": 1, "b": 2}, user_metadata={"c": 3})
    changed = await _do(people, "users.update", {"app_metadata": {"a": None, "d": 4}}, key=made["id"])
    assert {name: changed["app_metadata"].get(name) for name in "abd"} == {"a": None, "b": 2, "d": 4}
    assert changed["user_metadata"] == {"c": 3}


async def test_a_new_address_kills_the_links_to_the_old_one(people: People) -> None:
    made = await _user(people, "moved@example.com", email_confirm=True)
    await people.sql(
        "INSERT INTO ns._auth_tokens (hash, kind, user_id, expires_at) VALUES ('moved', 'recovery', $1, now() + '1 h')",
        made["id"],
    )
    changed = await _do(people, "users.update", {"email": "moved2@example.com"}, key=made["id"])
    assert changed["email"] == "moved2@example.com"
    assert changed["email_confirmed_at"] is None
    assert await people.sql("SELECT 1 FROM ns._auth_tokens WHERE user_id = $1", made["id"]) == []


async def test_a_deleted_person_leaves_no_proof_but_a_trace(people: People) -> None:
    made = await _user(people, "gone@example.com", password=PASSWORD, email_confirm=True)
    assert await _do(people, "users.delete", {"should_soft_delete": False}, key=made["id"]) == {}
    for table in ("users WHERE id::text", "_auth_accounts WHERE user_id", "_auth_sessions WHERE user_id"):
        assert await people.sql(f"SELECT 1 FROM ns.{table} = $1", made["id"]) == []
    with pytest.raises(ProblemError):
        await accounts.check_password(people.generation, call("x"), "gone@example.com", PASSWORD)
    trace = await _do(people, "audit", query="per_page=5")
    assert trace[0]["payload"]["action"] == "user.deleted"
    assert trace[0]["payload"]["user_id"] == made["id"]
    assert trace[0]["payload"]["actor_id"] == OWNER.id
    assert trace[0]["ip_address"] == "192.0.2.1"
    assert PASSWORD not in orjson.dumps(await _do(people, "audit", query="per_page=1000")).decode()
