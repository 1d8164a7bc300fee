"""The second factor: what a session may before it is shown, how it is shown, and what ends with it."""

import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import orjson
import pyotp
import pytest

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.store import Session
from actors.messages import Credential, ProblemError
from actors.tenant.operations import execute
from tests.api.harness import open_world
from tests.auth.people import FILE, People, call, open_people

PASSWORD = "korrekt pferd batterie"


@pytest.fixture(scope="module")
async def people(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        opened = await open_people(world, "mfa: { totp: optional, required_for: [admin] }", text=FILE)
        opened.generation.limits = None
        yield opened


class Person:
    """Somebody signed in; ``token`` is of the newest session."""

    def __init__(self, people: People, account: Account, token: str) -> None:
        self.people, self.account, self.token = people, account, token

    async def ask(
        self, operation: str, body: Any = None, key: str = "", method: str = "POST", token: str = ""
    ) -> Any:
        made = call(operation, body, key=key, method=method)
        made.credential = Credential(token or self.token)
        answer = (await execute(self.people.generation, made)).body
        return orjson.loads(answer) if answer else None

    async def refused(self, *arguments: Any, **more: Any) -> str:
        with pytest.raises(ProblemError) as refusal:
            await self.ask(*arguments, **more)
        return refusal.value.code

    async def enrol(self) -> tuple[str, pyotp.TOTP]:
        made = await self.ask("auth.factors.enroll", {"factor_type": "totp", "friendly_name": "phone"})
        return made["id"], pyotp.TOTP(made["totp"]["secret"])

    async def challenge(self, factor: str) -> str:
        return str((await self.ask("auth.factors.challenge", {}, factor))["id"])

    async def prove(self, factor: str, code: str) -> dict[str, Any]:
        body = {"challenge_id": await self.challenge(factor), "code": code}
        return dict(await self.ask("auth.factors.verify", body, factor))


async def person(people: People, name: str, role: str = "member") -> Person:
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

    account = await people.realm.store.transaction(work)
    return Person(people, account, await sign_in(people, name))


async def sign_in(people: People, name: str) -> str:
    made = call(
        "auth.token", {"email": f"{name}@example.com", "password": PASSWORD}, query="grant_type=password"
    )
    return str(orjson.loads((await execute(people.generation, made)).body)["access_token"])


def now_code(totp: pyotp.TOTP, steps: int = 0) -> str:
    return totp.generate_otp(int(time.time()) // 30 + steps)


async def test_a_factor_is_added_proven_and_removed(people: People) -> None:
    ann = await person(people, "ann")
    made = await ann.ask("auth.factors.enroll", {"factor_type": "totp"})
    picture = made["totp"]["qr_code"]
    assert picture.startswith("data:image/svg+xml;utf-8,")
    assert ET.fromstring(unquote(picture.partition(",")[2])).tag.endswith("svg")
    assert made["totp"]["secret"] in made["totp"]["uri"]
    (row,) = await people.sql("SELECT secret_sealed FROM ns._auth_factors WHERE user_id = $1", ann.account.id)
    assert made["totp"]["secret"].encode() not in row["secret_sealed"]
    other_session = await sign_in(people, "ann")
    old, totp = ann.token, pyotp.TOTP(made["totp"]["secret"])
    session = await ann.prove(made["id"], now_code(totp))
    ann.token = session["access_token"]
    assert (await ann.ask("me", method="GET"))["aal"] == "aal2"
    assert session["user"]["factors"][0]["status"] == "verified"
    for ended in (old, other_session):
        assert await ann.refused("me", method="GET", token=ended) == "auth.invalid_token"
    weak = await sign_in(people, "ann")
    assert (
        await ann.refused("auth.factors.unenroll", None, made["id"], "DELETE", token=weak)
        == "auth.insufficient_aal"
    )
    assert (
        await ann.refused("auth.factors.enroll", {"factor_type": "totp"}, token=weak)
        == "auth.insufficient_aal"
    )
    assert (await ann.ask("auth.factors.unenroll", None, made["id"], "DELETE"))["id"] == made["id"]
    assert await ann.ask("auth.factors.list", method="GET") == []


async def test_a_code_works_once_and_not_after_a_later_one(people: People) -> None:
    bob = await person(people, "bob")
    factor, totp = await bob.enrol()
    code = now_code(totp)
    bob.token = (await bob.prove(factor, code))["access_token"]
    for used in (code, now_code(totp, -1)):
        body = {"challenge_id": await bob.challenge(factor), "code": used}
        assert await bob.refused("auth.factors.verify", body, factor) == "auth.mfa_verification_failed"


async def test_five_tries_are_all_a_challenge_has(people: People) -> None:
    cy = await person(people, "cy")
    factor, totp = await cy.enrol()
    challenge = await cy.challenge(factor)
    wrong = f"{(int(now_code(totp)) + 1) % 10**6:06}"
    codes = [
        await cy.refused("auth.factors.verify", {"challenge_id": challenge, "code": wrong}, factor)
        for _ in range(5)
    ]
    assert set(codes) == {"auth.mfa_verification_failed"}
    right = {"challenge_id": challenge, "code": now_code(totp)}
    assert await cy.refused("auth.factors.verify", right, factor) in {
        "auth.mfa_challenge_expired", "auth.over_request_rate_limit",
    }  # fmt: skip


async def test_factors_are_their_owners(people: People) -> None:
    dee, eve = await person(people, "dee"), await person(people, "eve")
    factor, totp = await dee.enrol()
    challenge = await dee.challenge(factor)
    assert await eve.refused("auth.factors.challenge", {}, factor) == "auth.mfa_factor_not_found"
    assert await eve.refused("auth.factors.unenroll", None, factor, "DELETE") == "auth.mfa_factor_not_found"
    body = {"challenge_id": challenge, "code": now_code(totp)}
    assert await eve.refused("auth.factors.verify", body, factor) == "auth.mfa_factor_not_found"


async def test_a_role_that_asks_for_it_counts_after_it_is_shown(people: People) -> None:
    fay = await person(people, "fay", "owner")
    before = await fay.ask("me", method="GET")
    assert (before["roles"], before["mfa"]) == (
        ["authenticated", "public"], {"required": True, "enrolled": False},
    )  # fmt: skip
    assert await fay.refused("list", method="GET", key="notes") == "42501"
    factor, totp = await fay.enrol()
    fay.token = (await fay.prove(factor, now_code(totp)))["access_token"]
    assert {"owner", "admin"} <= set((await fay.ask("me", method="GET"))["roles"])
    assert await fay.ask("list", method="GET", key="notes") == []
