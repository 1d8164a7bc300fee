"""Sessions, tokens and keys after something changed: who was believed a moment ago is not any more."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import jwt
import orjson
import pytest

from actors.features.auth import accounts, api_keys
from actors.features.auth.account_values import Account
from actors.features.auth.sessions import open_session
from actors.features.auth.store import Session
from actors.messages import Call, Credential, ProblemError, Result
from actors.tenant.operations import execute
from schemas.compiler.principal import SERVICE
from tests.api.harness import open_world
from tests.auth.people import People, call, open_people

PASSWORD = "korrekt pferd batterie"


@pytest.fixture(scope="module")
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        yield await open_people(world)


async def make(people: People, name: str, role: str = "member") -> Account:
    hashed = await people.realm.services.hasher.hash(PASSWORD)

    async def work(session: Session) -> Account:
        return await accounts.create(
            session,
            people.generation,
            email=f"{name}@example.com",
            role=role,
            password_hash=hashed,
            confirmed=True,
        )

    return await people.realm.store.transaction(work)


async def ask(people: People, operation: str, token: str = "", **more: Any) -> Result:
    made = call(operation, more.pop("body", None), **more)
    made.credential = Credential(token)
    return await execute(people.generation, made)


async def sign_in(people: People, name: str) -> dict[str, Any]:
    body = {"email": f"{name}@example.com", "password": PASSWORD}
    result = await ask(people, "auth.token", body=body, query="grant_type=password")
    return dict(orjson.loads(result.body))


async def refresh(people: People, token: str) -> dict[str, Any]:
    result = await ask(people, "auth.token", body={"refresh_token": token}, query="grant_type=refresh_token")
    return dict(orjson.loads(result.body))


async def refused(people: People, token: str) -> str:
    """The code a token is refused with, "" when it is believed."""
    try:
        principal = await people.realm.principal(Credential(token), people.generation)
    except ProblemError as error:
        return error.code
    assert principal.id
    return ""


async def write(people: People, method: str, user: str, body: Any) -> None:
    verb = {"PATCH": "update", "DELETE": "delete"}[method]
    made = Call(verb, method, "users", user, body=orjson.dumps(body) if body else b"", content_type="application/json", principal=SERVICE)  # fmt: skip
    await execute(people.generation, made)


async def test_a_refresh_token_works_once_and_reuse_ends_the_session(people: People) -> None:
    await make(people, "ruth")
    first = await sign_in(people, "ruth")
    second = await refresh(people, first["refresh_token"])
    again = await refresh(people, first["refresh_token"])
    assert again["refresh_token"] == second["refresh_token"], "two tabs get the same successor"
    people.clock.ahead += 11
    with pytest.raises(ProblemError) as reused:
        await refresh(people, first["refresh_token"])
    assert reused.value.code == "auth.refresh_token_already_used"
    assert await refused(people, second["access_token"]) == "auth.invalid_token"
    with pytest.raises(ProblemError) as ended:
        await refresh(people, second["refresh_token"])
    assert ended.value.code == "auth.session_expired"
    rows = await people.sql("SELECT count(*) FROM ns._auth_audit WHERE event = 'refresh_token.reused'")
    assert rows[0][0] == 1


async def test_parallel_refreshes_have_one_child(people: People) -> None:
    account = await make(people, "para")
    first = await sign_in(people, "para")
    found = await asyncio.gather(*(refresh(people, first["refresh_token"]) for _ in range(20)))
    assert len({one["refresh_token"] for one in found}) == 1
    rows = await people.sql(
        "SELECT count(*) FROM ns._auth_refresh r JOIN ns._auth_sessions s ON s.id = r.session "
        "WHERE s.user_id = $1 AND r.used_at IS NULL", account.id,
    )  # fmt: skip
    assert rows[0][0] == 1


@pytest.mark.parametrize("how", ["logout", "ban", "delete", "soft", "password", "session"])
async def test_a_believed_token_ends_with_what_it_stands_on(people: People, how: str) -> None:
    account = await make(people, f"ends-{how}")
    session = await sign_in(people, f"ends-{how}")
    token = session["access_token"]
    assert await refused(people, token) == ""
    admin = await make(people, f"admin-{how}", "owner")
    boss = (await sign_in(people, f"admin-{how}"))["access_token"]
    match how:
        case "logout":
            await ask(people, "auth.logout", token)
        case "ban":
            await ask(
                people,
                "auth.admin.users.update",
                boss,
                method="PUT",
                key=account.id,
                body={"ban_duration": "1h"},
            )
        case "delete":
            await ask(people, "auth.admin.users.delete", boss, method="DELETE", key=account.id)
        case "soft":
            await write(people, "DELETE", account.id, None)
        case "password":
            await ask(
                people,
                "auth.admin.users.update",
                boss,
                method="PUT",
                key=account.id,
                body={"password": "another pferd batterie"},
            )
        case "session":
            listed = orjson.loads((await ask(people, "auth.sessions.list", token, method="GET")).body)
            assert [one["current"] for one in listed] == [True]
            await ask(people, "auth.sessions.revoke", token, method="DELETE", key=listed[0]["id"])
        case _:
            raise AssertionError(how)
    assert await refused(people, token) == "auth.invalid_token"
    assert admin.id
    assert people.announced, "other processes hear of it"
    with pytest.raises(ProblemError):
        await refresh(people, session["refresh_token"])


async def test_a_role_counts_from_the_moment_it_is_written(people: People) -> None:
    account = await make(people, "role")
    token = (await sign_in(people, "role"))["access_token"]
    principal = await people.realm.principal(Credential(token), people.generation)
    assert "member" in principal.roles
    await write(people, "PATCH", account.id, {"role": "owner"})
    principal = await people.realm.principal(Credential(token), people.generation)
    assert {"owner", "admin"} <= principal.roles
    assert jwt.decode(token, options={"verify_signature": False})["role"] == "member"


async def test_many_sign_ins_while_keys_are_read_again(people: People) -> None:
    await make(people, "many")
    await sign_in(people, "many")
    people.clock.ahead += 61
    account = await people.realm.store.transaction(
        lambda session: accounts.find_by_email(session, people.generation, "many@example.com")
    )
    assert account is not None

    async def one() -> str:
        opened = await open_session(people.generation, None, account, call("auth.token"), method="password")
        return opened.access_token

    assert all(await asyncio.gather(*(one() for _ in range(40))))


async def test_a_scoped_key_stays_within_its_scopes(people: People) -> None:
    async def work(session: Session) -> tuple[str, str, str]:
        now = people.realm.services.now()
        free, _ = await api_keys.create(session, now=now, role="admin")
        bound, key = await api_keys.create(
            session, now=now, role="admin", scopes=frozenset({"notes:read"}), rate=(1, 60.0)
        )
        return free, bound, key

    free, bound, key = await people.realm.store.transaction(work)
    people.generation.limits = None
    for operation, method, target, body in (
        ("auth.keys.rotate", "POST", free, None), ("auth.keys.update", "PATCH", bound, {"rate_limit": None}),
        ("auth.keys.revoke", "DELETE", free, None), ("auth.keys.create", "POST", "", {"role": "admin"}),
        ("auth.keys.rotate_signing", "POST", "", None), ("auth.keys.list", "GET", "", None),
    ):  # fmt: skip
        with pytest.raises(ProblemError) as refusal:
            await ask(people, operation, key, method=method, key=target, body=body)
        assert refusal.value.code == "auth.forbidden"
    rows = await people.sql("SELECT count(*) FROM ns._auth_api_keys WHERE revoked_at IS NULL")
    assert rows[0][0] == 2
