"""Tokens nobody of ours made, or made for something else: none is believed, none leads anywhere."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from actors.features.auth import accounts
from actors.features.auth.sessions import open_session
from actors.features.auth.store import Session
from actors.messages import Credential, ProblemError
from tests.api.harness import open_world
from tests.auth.people import People, call, open_people


class Two:
    """A tenant with a signed-in person, another tenant with the same, and the person's token."""

    def __init__(self, mine: People, theirs: People, token: str) -> None:
        self.mine, self.theirs, self.token = mine, theirs, token

    @property
    def claims(self) -> dict[str, Any]:
        return dict(jwt.decode(self.token, options={"verify_signature": False}))


async def signed_in(people: People) -> tuple[str, str]:
    async def work(session: Session) -> tuple[str, str]:
        account = await accounts.create(
            session, people.generation, email="ann@example.com", role="owner", confirmed=True
        )
        opened = await open_session(
            people.generation, session, account, call("auth.token"), method="password"
        )
        return opened.access_token, opened.refresh_token

    await people.realm.keys.current()
    return await people.realm.store.transaction(work)


@pytest.fixture(scope="module")
async def two(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        mine, theirs = await open_people(world), await open_people(world)
        token, _ = await signed_in(mine)
        await signed_in(theirs)
        yield Two(mine, theirs, token)


async def believed(people: People, token: str) -> bool:
    try:
        principal = await people.realm.principal(Credential(token), people.generation)
    except ProblemError as error:
        told = error
    else:
        return principal.id is not None
    assert told.code == "auth.invalid_token"
    assert token[-20:] not in told.message
    return False


async def signed(people: People, claims: dict[str, Any], **header: Any) -> str:
    """Sign with the tenant's real key: whatever is wrong is in what the token says."""
    key = await people.realm.keys.current()
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid} | header)


def raw(header: dict[str, Any], claims: dict[str, Any], sign: Any) -> str:
    parts = [base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=") for part in (header, claims)]
    text = b".".join(parts)
    return (text + b"." + base64.urlsafe_b64encode(sign(text)).rstrip(b"=")).decode()


async def test_the_real_one_is_believed_where_it_belongs(two: Two) -> None:
    assert await believed(two.mine, two.token)
    assert await believed(two.mine, await signed(two.mine, two.claims))
    assert not await believed(two.theirs, two.token)


async def test_algorithms_are_not_the_senders_to_choose(two: Two) -> None:
    key = await two.mine.realm.keys.current()
    pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = orjson.dumps(key.jwk)
    for secret in (pem, jwk, b"", b"secret"):
        forged = raw(
            {"alg": "HS256", "kid": key.kid, "typ": "JWT"}, two.claims,
            lambda text, secret=secret: hmac.digest(secret, text, hashlib.sha256),
        )  # fmt: skip
        assert not await believed(two.mine, forged)
    for alg in ("none", "None", "nOnE", "", "ES384", "RS256"):
        assert not await believed(two.mine, raw({"alg": alg, "kid": key.kid}, two.claims, lambda _: b""))
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert not await believed(
        two.mine, jwt.encode(two.claims, stranger, algorithm="ES256", headers={"kid": key.kid})
    )
    head, body, signature = two.token.split(".")
    assert not await believed(two.mine, f"{head}.{body}.")
    assert not await believed(two.mine, f"{head}.{body}.{signature[:-4]}AAAA")


@pytest.mark.parametrize(
    "header",
    [{"kid": "../../../etc/passwd"}, {"kid": "' OR 1=1 --"}, {"kid": "http://127.0.0.1:1/key"}, {"kid": "k" * 10_000},
     {"kid": ""}, {"jku": "http://127.0.0.1:1/jwks"}, {"x5u": "http://127.0.0.1:1/x"}, {"jwk": {"kty": "EC"}},
     {"crit": ["exp"]}, {"typ": "refresh"}, {"cty": "JWT"}],
    ids=str,
)  # fmt: skip
async def test_headers_lead_nowhere(two: Two, header: dict[str, Any]) -> None:
    if header == {"kid": ""}:
        header = {"kid": "0"}
    assert not await believed(two.mine, await signed(two.mine, two.claims, **header))


NOW = int(time.time())


@pytest.mark.parametrize(
    "change",
    [{"exp": NOW - 60}, {"iat": NOW + 3600}, {"nbf": NOW + 3600}, {"aud": ["mine", "other"]}, {"aud": "globex"}, {"aud": None},
     {"iss": "https://evil.example/auth/v1"}, {"tid": "00000000-0000-0000-0000-000000000000"}, {"typ": "refresh"},
     {"typ": None}, {"typ": "id"}, {"sub": ""}, {"sub": 7}, {"sub": None}, {"session_id": "00000000-0000-7000-8000-000000000000"},
     {"session_id": "' OR true --"}, {"session_id": None}, {"exp": "never"}, {"exp": 10**30}, {"iat": "now"}],
    ids=lambda change: re.sub(r"\d{10}", "TIME", str(change)),
)  # fmt: skip
async def test_what_a_token_has_to_say(two: Two, change: dict[str, Any]) -> None:
    assert not await believed(two.mine, await signed(two.mine, two.claims | change))


@pytest.mark.parametrize("missing", ["exp", "iat", "iss", "aud", "sub", "role", "session_id", "typ", "tid"])
async def test_nothing_may_be_missing(two: Two, missing: str) -> None:
    claims = {name: value for name, value in two.claims.items() if name != missing}
    assert not await believed(two.mine, await signed(two.mine, claims))


async def test_one_audience_exactly(two: Two) -> None:
    mine = two.mine.generation.identity.slug
    for audience in ([mine], [mine, two.theirs.generation.identity.slug], f" {mine}", mine.upper()):
        assert not await believed(two.mine, await signed(two.mine, two.claims | {"aud": audience}))


async def test_another_persons_session_is_not_mine(two: Two) -> None:
    assert not await believed(two.mine, await signed(two.mine, two.claims | {"sub": "somebody-else"}))


async def test_other_secrets_are_no_access_tokens(two: Two) -> None:
    _, refresh = await signed_in_again(two)
    for secret in (
        refresh,
        "a" * 1_000_000,
        "a.b.c",
        "..",
        "....",
        "é.é.é",
        "bsk_sec_nonsense",
        "bsk_pub_" + "0" * 46,
    ):
        assert not await believed(two.mine, secret), secret[:40]


async def signed_in_again(two: Two) -> tuple[str, str]:
    async def work(session: Session) -> tuple[str, str]:
        account = await accounts.find_by_email(session, two.mine.generation, "ann@example.com")
        assert account is not None
        opened = await open_session(
            two.mine.generation, session, account, call("auth.token"), method="password"
        )
        return opened.access_token, opened.refresh_token

    return await two.mine.realm.store.transaction(work)


async def test_keys_are_replaced_with_overlap(two: Two) -> None:
    realm = two.mine.realm
    before = {key["kid"] for key in await realm.keys.published()}
    fresh = await realm.keys.rotate("test")
    assert {key["kid"] for key in await realm.keys.published()} == {*before, fresh}, (
        "published before it signs"
    )
    assert (await realm.keys.current()).kid in before
    two.mine.clock.ahead += 601
    assert (await realm.keys.current()).kid == fresh
    token, _ = await signed_in_again(two)
    assert jwt.get_unverified_header(token)["kid"] == fresh
    two.mine.clock.ahead += 26 * 3600
    assert {key["kid"] for key in await realm.keys.published()} == {fresh}
    realm.forget()  # what was believed is remembered for a minute of real time
    assert not await believed(two.mine, two.token)
