"""A provider that lies: what it may say about itself, about tokens and about addresses, and what comes of it."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import orjson
import pytest

from tests.live import Live, free_port
from tests.oidc.peers import browser, start_peer, walk

TENANT = """
version: 1
service: {{ name: forged-co }}
auth:
  signup: open
  default_role: member
  providers: {{ mock: {{ issuer: "{issuer}", client_id: backsaas, client_secret: x }}, liar: {{ issuer: "{issuer}/", client_id: backsaas }} }}
roles: {{ member: {{}} }}
"""
EMAIL = "ann@corp.example"
GOOD = {"aud": "backsaas", "sub": "ann", "email": EMAIL, "email_verified": True}


class Forged:
    """A live tenant whose provider says what a test wants."""

    def __init__(self, live: Live, issuer: str, control: int, key: str) -> None:
        self.live, self.issuer, self.control, self.key = live, issuer, control, key
        self.auth = f"{live.base('forged-co')}/auth/v1"

    async def forge(self, **said: Any) -> None:
        async with aiohttp.ClientSession() as session:
            await session.put(f"http://127.0.0.1:{self.control}/", data=orjson.dumps(said))

    async def sign_in(self, **said: Any) -> tuple[int, str]:
        """Sign a browser in; returns the last status, and the address it got to or what it was told."""
        await self.forge(**said)
        async with browser() as session:
            begin = f"{self.auth}/authorize?provider=mock&redirect_to=/app/forged-co/in"
            return await walk(session, begin, f"{self.live.url}/app/forged-co/in")

    async def identities(self) -> int:
        async with (
            aiohttp.ClientSession(headers={"apikey": self.key}) as session,
            session.get(f"{self.auth}/admin/users") as answer,
        ):
            users = (await answer.json(content_type=None))["users"]
        return sum(identity["provider"] == "mock" for user in users for identity in user["identities"])


@pytest.fixture(scope="module")
async def forged(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Forged]:
    directory, control = tmp_path_factory.mktemp("forged"), free_port()
    live = Live(directory, BACKSAAS_ALLOW_PRIVATE_PROVIDERS="true")
    live.env["BACKSAAS_URL"] = live.url
    peer, issuer = await start_peer("forging.mjs", str(free_port()), str(control))
    live.write("forged-co", TENANT.format(issuer=issuer))
    await live.start(str(directory))
    yield Forged(live, issuer, control, live.command("key", "forged-co").stdout.strip())
    await live.stop()
    peer.terminate()
    await peer.wait()


def unsigned(claims: dict[str, Any], alg: str, secret: bytes = b"") -> str:
    parts = [
        base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=")
        for part in ({"alg": alg, "typ": "JWT"}, claims)
    ]
    text = b".".join(parts)
    signature = (
        base64.urlsafe_b64encode(hmac.digest(secret, text, hashlib.sha256)).rstrip(b"=") if secret else b""
    )
    return (text + b"." + signature).decode()


NOW = int(time.time())


@pytest.mark.parametrize(
    "said",
    [{"claims": GOOD | {"aud": "another-client"}}, {"claims": GOOD | {"aud": ["backsaas", "another"]}}, {"claims": GOOD | {"iss": "https://accounts.google.com"}},
     {"claims": GOOD | {"nonce": "another"}}, {"claims": GOOD | {"exp": NOW - 120}}, {"claims": GOOD | {"iat": NOW + 7200}}, {"claims": GOOD | {"nbf": NOW + 7200}},
     {"claims": GOOD | {"sub": ""}}, {"claims": GOOD, "without": ["exp"]}, {"claims": GOOD, "without": ["nonce"]}, {"claims": GOOD, "without": ["sub"]}],
    ids=lambda said: str(said)[:60],
)  # fmt: skip
async def test_tokens_that_say_something_else(forged: Forged, said: dict[str, Any]) -> None:
    before = await forged.identities()
    status, told = await forged.sign_in(**said)
    assert status == 401, told
    assert await forged.identities() == before


async def test_tokens_that_nobody_signed(forged: Forged) -> None:
    claims = GOOD | {"iss": forged.issuer, "exp": NOW + 600, "iat": NOW}
    for token in (
        unsigned(claims, "none"),
        unsigned(claims, "HS256", b"x"),
        unsigned(claims, "HS256", b"backsaas"),
        "",
        "a.b.c",
    ):
        status, told = await forged.sign_in(claims=GOOD, idToken=token)
        assert status == 401, told


async def test_an_address_it_did_not_prove_links_nothing(forged: Forged) -> None:
    async with aiohttp.ClientSession() as session:
        person = {"email": "owner@corp.example", "password": "a long enough password 1"}
        body, headers = person | {"email_confirm": True}, {"apikey": forged.key}
        async with session.post(f"{forged.auth}/admin/users", json=body, headers=headers) as answer:
            assert answer.status in {200, 201}
        claims = GOOD | {"sub": "thief", "email": person["email"], "email_verified": False}
        status, told = await forged.sign_in(claims=claims)
        assert (status, orjson.loads(told)["error_code"]) == (409, "account_exists")
        async with session.post(f"{forged.auth}/token?grant_type=password", json=person) as answer:
            (own,) = (await answer.json(content_type=None))["user"]["identities"]
            assert own["provider"] == "email", "nothing was linked"


async def test_who_signed_up_with_an_address_of_others_loses_it(forged: Forged) -> None:
    thief = {"email": "victim@corp.example", "password": "the thief's own password 1"}
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{forged.auth}/signup", json=thief) as answer:
            assert answer.status == 200
        status, _ = await forged.sign_in(claims=GOOD | {"sub": "victim", "email": thief["email"]})
        assert status == 303
        async with session.post(f"{forged.auth}/token?grant_type=password", json=thief) as answer:
            assert (await answer.json(content_type=None))["error_code"] == "invalid_credentials"


async def test_an_answer_comes_back_once_and_from_its_issuer(forged: Forged) -> None:
    await forged.forge(claims=GOOD)
    async with browser() as session:
        begin = f"{forged.auth}/authorize?provider=mock&redirect_to=/app/forged-co/in"
        _, callback = await walk(session, begin, f"{forged.auth}/callback")
        async with session.get(
            f"{callback}&iss=https://accounts.google.com", allow_redirects=False
        ) as answer:
            assert answer.status == 400, "another issuer's answer, mixed up with ours (RFC 9207)"
        async with session.get(callback, allow_redirects=False) as answer:
            assert answer.status == 400, "a state is used once, whatever came of it"
        assert parse_qs(urlsplit(callback).query)["state"]


async def test_a_provider_speaks_for_itself_only(forged: Forged) -> None:
    async with aiohttp.ClientSession() as session:
        for provider, status in (("nothing", 400), ("google", 400)):
            async with session.get(
                f"{forged.auth}/authorize?provider={provider}", allow_redirects=False
            ) as answer:
                assert answer.status == status
                assert "Location" not in answer.headers
        token = {"provider": "mock", "id_token": unsigned(GOOD, "none")}
        async with session.post(f"{forged.auth}/token?grant_type=id_token", json=token) as answer:
            assert answer.status == 401
