"""Brute force: attackers are locked out by account, network and tenant; owners get in (C19)."""

from collections.abc import AsyncIterator

import pytest

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.guard import ACCOUNT, FRIEND, NETWORK, STRANGER, device_cookie, is_known
from actors.features.auth.store import Session
from actors.messages import ProblemError, Web
from tests.api.harness import open_world
from tests.auth.people import People, call, open_people

PASSWORD = "korrekt pferd batterie"


@pytest.fixture(scope="module")
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        opened = await open_people(world)
        hashed = await opened.realm.services.hasher.hash(PASSWORD)
        for name in ("owner", "other", "rotated", "near", "six"):

            async def work(session: Session, name: str = name) -> Account:
                return await accounts.create(
                    session,
                    opened.generation,
                    email=f"{name}@example.com",
                    role="member",
                    password_hash=hashed,
                    confirmed=True,
                )

            await opened.realm.store.transaction(work)
        yield opened


async def _try(
    people: People, email: str, password: str, address: str, cookie: str = ""
) -> ProblemError | None:
    cookies = {f"bsd_{people.generation.identity.slug}": cookie} if cookie else {}
    asked = call("auth.token", address=address, cookies=cookies)
    try:
        await accounts.check_password(people.generation, asked, email, password)
    except ProblemError as error:
        return error
    return None


async def _fail(people: People, email: str, address: str, times: int) -> None:
    for _ in range(times):
        refused = await _try(people, email, "wrong", address)
        assert refused is not None
        assert refused.code == "auth.invalid_credentials"


def _limited(refused: ProblemError | None) -> int:
    assert refused is not None
    assert refused.code == "auth.over_request_rate_limit"
    return int(dict(refused.headers)["Retry-After"])


def _cookie(people: People, email: str) -> str:
    header = device_cookie(people.realm, email, None)[1]
    return header.partition(";")[0].partition("=")[2]


async def test_an_attacker_is_locked_out_and_the_owner_is_not(people: People) -> None:
    email, attacker, home = "owner@example.com", "203.0.113.9", "198.51.100.1"
    assert await _try(people, email, PASSWORD, home) is None
    await _fail(people, email, attacker, STRANGER[0])
    assert 0 < _limited(await _try(people, email, PASSWORD, attacker)) <= STRANGER[1]  # even the right one
    assert await _try(people, email, PASSWORD, home) is None  # the owner's network signed in before
    cookie = _cookie(people, email)
    assert await _try(people, email, PASSWORD, attacker, cookie) is None  # the owner's device, anywhere
    people.clock.ahead += STRANGER[1]
    assert await _try(people, email, PASSWORD, attacker) is None


async def test_parallel_tries_cannot_overtake_the_count(people: People) -> None:
    guard, realm = people.realm.services.guard, people.realm
    for _ in range(STRANGER[0]):
        guard.check(realm, "parallel@example.com", "203.0.113.50", False)
    with pytest.raises(ProblemError):
        guard.check(realm, "parallel@example.com", "203.0.113.50", False)


async def test_unknown_people_are_limited_like_known_ones(people: People) -> None:
    await _fail(people, "nobody@example.com", "203.0.113.60", STRANGER[0])
    _limited(await _try(people, "nobody@example.com", "wrong", "203.0.113.60"))
    await _fail(people, "NOBODY2@example.com", "203.0.113.61", 2)
    await _fail(people, "nobody2@example.com", "203.0.113.61", 3)
    _limited(await _try(people, "Nobody2@Example.com", "wrong", "203.0.113.61"))


async def test_changing_the_address_does_not_help(people: People) -> None:
    email, home = "rotated@example.com", "198.51.100.2"
    assert await _try(people, email, PASSWORD, home) is None
    guard, realm = people.realm.services.guard, people.realm
    for number in range(ACCOUNT[0]):
        guard.check(realm, email, f"10.1.{number}.1", False)
    _limited(await _try(people, email, PASSWORD, "10.2.2.2"))
    assert await _try(people, email, PASSWORD, home) is None
    cookie = _cookie(people, email)
    assert await _try(people, email, PASSWORD, "10.2.2.2", cookie) is None


async def test_one_customer_of_ipv6_is_one_network(people: People) -> None:
    for number in range(STRANGER[0]):
        await _fail(people, "six@example.com", f"2001:db8:1:2:{number}::1", 1)
    _limited(await _try(people, "six@example.com", PASSWORD, "2001:db8:1:2:ffff::9"))
    assert await _try(people, "six@example.com", PASSWORD, "2001:db8:1:3::1") is None


async def test_a_list_of_stolen_passwords_ends_at_the_network(people: People) -> None:
    guard, realm = people.realm.services.guard, people.realm
    for number in range(NETWORK[0]):
        guard.check(realm, f"listed{number}@example.com", "203.0.113.70", False)
    _limited(await _try(people, "other@example.com", PASSWORD, "203.0.113.70"))
    assert await _try(people, "other@example.com", PASSWORD, "203.0.113.71") is None


async def test_another_tenant_does_not_notice(people: People) -> None:
    other = await open_people(people.world)
    guard = people.realm.services.guard
    for _ in range(STRANGER[0]):
        guard.check(people.realm, "shared@example.com", "203.0.113.80", False)
    guard.check(other.realm, "shared@example.com", "203.0.113.80", False)


async def test_a_known_device_has_a_count_too(people: People) -> None:
    email = "near@example.com"
    cookie = _cookie(people, email)
    for _ in range(FRIEND[0]):
        assert (await _try(people, email, "wrong", "203.0.113.90", cookie)) is not None
    _limited(await _try(people, email, PASSWORD, "203.0.113.90", cookie))


def test_a_device_is_known_for_its_own_account_only(people: People) -> None:
    name = f"bsd_{people.generation.identity.slug}"
    mine = _cookie(people, "a@example.com")

    def known(email: str, value: str) -> bool:
        return is_known(people.realm, email, Web(cookies={name: value}))

    assert known("a@example.com", mine)
    assert not known("b@example.com", mine)
    nonce, _, proof = mine.partition(".")
    for forged in ("", ".", nonce, f"{nonce}.", f".{proof}", f"x{nonce}.{proof}", "caf\u00e9.caf\u00e9"):
        assert not known("a@example.com", forged)
    assert not is_known(people.realm, "a@example.com", None)
    header, value = device_cookie(people.realm, "a@example.com", Web(secure=True))
    assert header == "Set-Cookie"
    assert value.endswith("; HttpOnly; SameSite=Lax; Secure")
    assert "a@example.com" not in value
