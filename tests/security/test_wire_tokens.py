"""Forged, borrowed and misplaced credentials, sent over a socket: none is believed, nothing changes (A1, A9, A10, C1-C6, C24)."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from tests.security.wire import LEFT, RIGHT, House, bearer, claims_of


class Stolen:
    """What an attacker has: a token of a person, and what it says."""

    def __init__(self, house: House, session: dict[str, Any]) -> None:
        self.house, self.session = house, session
        self.token: str = session["access_token"]
        self.claims = claims_of(self.token)

    async def tried(self, token: str, slug: str = LEFT) -> None:
        """A token must be refused wherever it is shown."""
        for method, path, body in (
            ("GET", f"{self.house.rest(slug)}/notes", None),
            ("POST", f"{self.house.rest(slug)}/notes", {"text": "taken"}),
            ("PUT", f"{self.house.auth(slug)}/user", {"data": {"taken": True}}),
        ):
            seen = await self.house.send(method, path, body, **bearer(token))
            # what fits into no request at all is refused before anybody reads it
            assert seen.status == 401 or (seen.status == 431 and len(token) > 8000), (seen, token[:300])
            assert token[-20:] not in seen.text


@pytest.fixture(scope="module")
async def stolen(house: House) -> Stolen:
    for slug in (LEFT, RIGHT):
        await house.person("ann", slug)
    return Stolen(house, await house.sign_in("ann"))


def raw(header: dict[str, Any], claims: dict[str, Any], sign: Any = lambda _: b"") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    text = b".".join(parts)
    return (text + b"." + base64.urlsafe_b64encode(sign(text)).rstrip(b"=")).decode()


@pytest.mark.usefixtures("unharmed")
async def test_the_real_one_works_where_it_belongs(stolen: Stolen) -> None:
    assert await stolen.house.works(stolen.token)
    assert await stolen.house.works(await stolen.house.forge(stolen.claims))
    await stolen.tried(stolen.token, RIGHT)


@pytest.mark.usefixtures("unharmed")
async def test_c1_algorithms_are_not_the_senders_to_choose(stolen: Stolen) -> None:
    (jwk,) = (await stolen.house.send("GET", f"{stolen.house.auth()}/.well-known/jwks.json")).json["keys"]
    public: Any = ECAlgorithm.from_jwk(json.dumps(jwk))
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for alg in ("none", "None", "nOnE", "", "ES384", "RS256"):
        await stolen.tried(raw({"alg": alg, "kid": jwk["kid"]}, stolen.claims))
    for secret in (pem, json.dumps(jwk).encode(), b""):
        await stolen.tried(
            raw(
                {"alg": "HS256", "kid": jwk["kid"]}, stolen.claims,
                lambda text, secret=secret: hmac.digest(secret, text, hashlib.sha256),
            )
        )  # fmt: skip
    stranger = ec.generate_private_key(ec.SECP256R1())
    await stolen.tried(jwt.encode(stolen.claims, stranger, "ES256", headers={"kid": jwk["kid"]}))
    await stolen.tried(stolen.token.rpartition(".")[0] + ".")


@pytest.mark.parametrize("what", ["path", "sql", "long", "none", "jku", "x5u", "jwk", "crit"])
@pytest.mark.usefixtures("unharmed")
async def test_c2_headers_lead_nowhere(stolen: Stolen, what: str, unused_tcp_port: int) -> None:
    asked: list[bytes] = []

    async def hear(reader: Any, writer: Any) -> None:
        asked.append(await reader.read(100))
        writer.close()

    address = f"http://127.0.0.1:{unused_tcp_port}/keys"
    header: dict[str, Any] = {
        "path": {"kid": "../../../etc/passwd"}, "sql": {"kid": "' OR 1=1 --"}, "long": {"kid": "k" * 5000},
        "none": {"kid": "0"}, "jku": {"jku": address}, "x5u": {"x5u": address},
        "jwk": {"jwk": {"kty": "EC"}}, "crit": {"crit": ["exp"], "exp": 1},
    }[what]  # fmt: skip
    async with await asyncio.start_server(hear, "127.0.0.1", unused_tcp_port):
        await stolen.tried(await stolen.house.forge(stolen.claims, **header))
    assert asked == [], "nobody was asked for a key"


@pytest.mark.usefixtures("unharmed")
async def test_c3_c4_c5_what_a_token_has_to_say(stolen: Stolen) -> None:
    now, house = int(time.time()), stolen.house
    right = claims_of((await house.sign_in("ann", RIGHT))["access_token"])
    wrong: list[dict[str, Any]] = [
        {"exp": now - 60}, {"exp": now + 10**9}, {"iat": now + 600}, {"nbf": now + 600}, {"exp": "never"},
        {"typ": "refresh"}, {"typ": "reset"}, {"typ": "id"}, {"typ": ""},
        {"aud": [LEFT, RIGHT]}, {"aud": [LEFT]}, {"aud": RIGHT}, {"aud": "*"},
        {"iss": right["iss"]}, {"iss": stolen.claims["iss"] + "/"}, {"tid": right["tid"]},
        {"sub": right["sub"]}, {"session_id": right["session_id"]}, {"sub": "' OR true --"},
    ]  # fmt: skip
    for changes in wrong:
        await stolen.tried(await house.forge(stolen.claims | changes))
    for name in ("exp", "iat", "sub", "iss", "aud", "typ", "tid", "role", "session_id"):
        missing = {key: value for key, value in stolen.claims.items() if key != name}
        await stolen.tried(await house.forge(missing))


@pytest.mark.usefixtures("unharmed")
async def test_c4_other_secrets_are_no_access_tokens(stolen: Stolen) -> None:
    house = stolen.house
    body = {"type": "recovery", "email": "ann@example.com"}
    link = await house.send("POST", f"{house.auth()}/admin/generate_link", body, apikey=house.keys[LEFT])
    assert link.status == 200, link
    cookie = (await house.browser("ann"))["Cookie"].partition("=")[2].partition(";")[0]
    for secret in (
        stolen.session["refresh_token"], link.json["hashed_token"], link.json["email_otp"], cookie, "x", "a.b.c",
    ):  # fmt: skip
        await stolen.tried(secret)


@pytest.mark.usefixtures("unharmed")
async def test_c6_a_token_without_end_is_refused_unread(stolen: Stolen) -> None:
    for size in (8_200, 1_000_000):
        await stolen.tried(stolen.token + "A" * size)


async def test_c6_every_tenant_has_a_strong_key_of_its_own(stolen: Stolen) -> None:
    house, kids = stolen.house, set()
    for slug in (LEFT, RIGHT):
        keys = (await house.send("GET", f"{house.auth(slug)}/.well-known/jwks.json")).json["keys"]
        assert all((key["kty"], key["crv"], key["alg"]) == ("EC", "P-256", "ES256") for key in keys)
        assert all("d" not in key for key in keys), "the private half is nobody's"
        kids |= {key["kid"] for key in keys}
    assert len(kids) == 2


async def test_a9_c24_keys(stolen: Stolen) -> None:
    house = stolen.house
    keys = f"{house.auth()}/keys"
    owner = {"apikey": house.keys[LEFT]}

    async def make(**body: Any) -> tuple[str, str]:
        seen = await house.send("POST", keys, {"role": "admin", **body}, **owner)
        assert seen.status == 201, seen
        return seen.json["id"], seen.json["key"]

    narrow_id, narrow = await make(scopes=["notes:read"])
    revoked_id, revoked = await make()
    ended_id, ended = await make()
    notes = f"{house.rest()}/notes"
    for key in (narrow, revoked, ended):
        assert (await house.send("GET", notes, apikey=key)).status == 200
        assert (await house.send("GET", notes, **bearer(key))).status == 200
    assert (await house.send("DELETE", f"{keys}/{revoked_id}", **owner)).status == 204
    await house.sql("UPDATE ns._auth_api_keys SET expires_at = now() WHERE id::text = $1", ended_id)
    await house.send("PATCH", f"{keys}/{narrow_id}", {"name": "makes this process look again"}, **owner)
    before = await house.checksum(LEFT)
    unknown = revoked[:-8] + "AAAAAAAA"
    answers = set()
    for key in (revoked, ended, unknown, "garbage", house.keys[RIGHT]):
        for headers in ({"apikey": key}, bearer(key), {"apikey": key, **bearer(key)}):
            if key == "garbage" and "apikey" not in headers:
                continue
            seen = await house.send("GET", notes, **headers)
            answers.add(seen.told())
            assert seen.status == 401, (key[:12], seen)
        assert (await house.send("POST", notes, {"text": "taken"}, apikey=key)).status == 401
    assert len(answers) == 1, "a key of elsewhere, an old one and none at all look alike"
    assert (await house.send("POST", notes, {"text": "taken"}, apikey=narrow)).status == 403
    assert (await house.send("GET", f"{house.auth()}/admin/users", apikey=narrow)).status == 403
    assert (await house.send("POST", keys, {"role": "admin"}, apikey=narrow)).status == 403
    assert (await house.try_password("ann", password=house.keys[LEFT])).status == 400, "no key is a password"
    for target in (f"{notes}?apikey={narrow}", f"{notes}?x=1#{narrow}", f"{notes}/{narrow}"):
        seen = await house.send("GET", target)
        assert seen.status == 400, seen
        assert narrow not in seen.text
    assert narrow not in house.live.output()
    assert await house.checksum(LEFT) == before
    typo = await house.send("POST", keys, {"role": "admin", "expires": "2030-01-01"}, **owner)
    assert (typo.status, typo.code) == (422, "validation_failed"), "a key must not live for ever by a typo"


async def test_c24_a_key_is_replaced_with_overlap_and_has_its_own_limit(stolen: Stolen) -> None:
    house = stolen.house
    keys, owner, notes = f"{house.auth()}/keys", {"apikey": house.keys[LEFT]}, f"{house.rest()}/notes"
    body = {"role": "admin", "scopes": ["notes:read"], "rate_limit": {"limit": 3, "seconds": 3600}}
    first = (await house.send("POST", keys, body, **owner)).json
    made = (await house.send("POST", f"{keys}/{first['id']}/rotate", {}, **owner)).json
    assert made["key"] != first["key"]
    assert (made["scopes"], made["rate_limit"]["limit"]) == (["notes:read"], 3)
    old = (await house.send("GET", f"{keys}/{first['id']}", **owner)).json
    assert (old["successor"], "key" in old) == (made["id"], False)
    assert old["expires_at"]
    for key in (first["key"], made["key"]):
        assert [(await house.send("GET", notes, apikey=key)).status for _ in range(4)] == [200] * 3 + [429]
    listed = {one["id"]: one for one in (await house.send("GET", keys, **owner)).json}
    assert listed[made["id"]]["used_at"]
    kept = await house.sql("SELECT count(*) FROM ns._auth_api_keys WHERE hash = $1", made["key"].encode())
    assert kept[0][0] == 0, "not kept as it is"


async def test_a10_a_cookie_is_its_tenants(stolen: Stolen) -> None:
    house = stolen.house
    left = await house.browser("ann")
    assert (await house.send("GET", f"{house.rest()}/me", **left)).json["user"]["email"] == "ann@example.com"
    before = await house.checksum()
    as_it_is = await house.send("GET", f"{house.rest(RIGHT)}/me", **left)
    assert as_it_is.json["user"] is None, "the browser sends it; the neighbour does not read it"
    renamed = left | {"Cookie": left["Cookie"].replace(LEFT, RIGHT)}
    for method, path in (("GET", "/me"), ("GET", "/notes"), ("POST", "/notes"), ("PUT", "/auth/v1/user")):
        seen = await house.send(
            method, f"{house.rest(RIGHT)}{path}", {} if method != "GET" else None, **renamed
        )
        assert seen.status == 401
        assert f"bs_{RIGHT}=; Path=/; Max-Age=0" in str(seen.headers), "and it is taken away"
    assert await house.checksum() == before


async def test_keys_are_replaced_with_overlap(stolen: Stolen) -> None:
    house = stolen.house
    rotated = await house.send(
        "POST", f"{house.auth(RIGHT)}/signing-keys/rotate", {}, apikey=house.keys[RIGHT]
    )
    assert rotated.status == 200, rotated
    jwks = await house.send("GET", f"{house.auth(RIGHT)}/.well-known/jwks.json")
    assert len(jwks.json["keys"]) == 2, "published before it signs"
    token = (await house.sign_in("ann", RIGHT))["access_token"]
    assert jwt.get_unverified_header(token)["kid"] != rotated.json["kid"]
    # ten minutes later, told by the database's own clock
    await house.sql(
        "UPDATE ns._auth_signing_keys SET signs_from = signs_from - interval '11 min'", slug=RIGHT
    )
    await house.live.stop()
    await house.live.start(str(house.live.directory))
    fresh = (await house.sign_in("ann", RIGHT))["access_token"]
    assert jwt.get_unverified_header(fresh)["kid"] == rotated.json["kid"]
    assert await house.works(fresh, RIGHT)
    assert await house.works(token, RIGHT), "what the old one signed is believed until it ends"
    await house.sql(
        "UPDATE ns._auth_signing_keys SET retired_at = now() WHERE kid <> $1", rotated.json["kid"], slug=RIGHT
    )
    await house.live.stop()
    await house.live.start(str(house.live.directory))
    assert not await house.works(token, RIGHT)
    assert await house.works(fresh, RIGHT)
