"""What another issuer's answers do to accounts: keys, replays, pre-registered accounts, linking, GitHub (C13-C18)."""

import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from actors.features.auth import oidc_operations, sign_up, token_operations
from actors.features.auth.providers import PRESETS
from actors.messages import Credential, ProblemError, Result
from actors.tenant.operations import expand
from schemas.compiler.principal import ANONYMOUS, Principal
from tests.api.harness import open_world
from tests.auth.people import People, call, open_people

OPERATIONS = {**oidc_operations.OPERATIONS, **sign_up.OPERATIONS, **token_operations.OPERATIONS}
PASSWORD = "korrekt pferd batterie"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


class Peer:
    """A provider in this process that says what a test wants; also a small GitHub."""

    def __init__(self) -> None:
        self.url, self.id_token, self.asked = "", "", [""]
        self.emails: Any = [{"email": "octo@corp.example", "primary": True, "verified": True}]

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        said: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            },
            "/keys": {"keys": [jwk | {"kid": "k1"}]},
            "/token": {"id_token": self.id_token, "access_token": "at"},
            "/user": {"id": 583231, "login": "octo", "name": "Octo"},
            "/user/emails": self.emails,
        }  # fmt: skip
        return web.json_response(said[request.path])

    def sign(self, *, kid: str = "k1", **claims: Any) -> str:
        now = int(time.time())
        body = {"iss": self.url, "aud": "backsaas", "sub": "s", "exp": now + 300, "iat": now} | claims
        return jwt.encode(body, KEY, "RS256", {"kid": kid})


class Corp:
    """A tenant with people, and the provider they come from."""

    def __init__(self, people: People, peer: Peer) -> None:
        self.people, self.peer = people, peer

    async def do(self, name: str, who: Principal = ANONYMOUS, body: Any = None, **more: Any) -> Result:
        asked = call(name, body, **more)
        if name == "auth.identities.unlink":
            asked.entity = more["key"]
        return await OPERATIONS[name](self.people.generation, asked, expand(self.people.generation, who))

    async def begin(self, who: Principal | None = None, provider: str = "corp") -> tuple[str, str, str]:
        """Returns the state, the nonce and the browser's cookie."""
        name, query = "auth.authorize", f"provider={provider}"
        if who is not None:
            name = "auth.identities.link"
        result = await self.do(name, who or ANONYMOUS, method="GET", query=query)
        headers = dict(result.headers)
        asked = dict(parse_qsl(urlsplit(headers["Location"]).query))
        return asked["state"], asked["nonce"], headers["Set-Cookie"].split(";")[0]

    async def come_back(self, state: str, cookie: str, more: str = "") -> Result:
        name, _, value = cookie.partition("=")
        query = f"code=c&state={state}{more}"
        return await self.do("auth.callback", method="GET", query=query, cookies={name: value})

    async def sign_in(self, *, kid: str = "k1", who: Principal | None = None, **claims: Any) -> Result:
        state, nonce, cookie = await self.begin(who)
        self.peer.id_token = self.peer.sign(kid=kid, nonce=nonce, **claims)
        return await self.come_back(state, cookie)

    async def account(self, email: str) -> Any:
        rows = await self.people.sql(
            "SELECT u.id::text AS id, (SELECT count(*) FROM ns._auth_sessions s WHERE s.user_id = u.id::text) "
            "AS sessions, (SELECT count(*) FROM ns._auth_identities i WHERE i.user_id = u.id::text) AS identities "
            "FROM ns.users u WHERE u.email = $1",
            email,
        )
        return rows[0] if rows else None


@pytest.fixture(scope="module")
async def corp(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Corp]:
    peer, app = Peer(), web.Application()
    app.router.add_route("*", "/{path:.*}", peer.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    auth = (
        f'providers: {{ corp: {{ issuer: "{peer.url}", client_id: backsaas }}, github: {{ client_id: gh }} }}'
    )
    async with open_world(database_url, tmp_path_factory.mktemp("world")) as world:
        people = await open_people(world, auth)
        yield Corp(people, peer)
        await people.realm.services.providers.close()
    await runner.cleanup()


async def refused(awaited: Any) -> str:
    with pytest.raises(ProblemError) as caught:
        await awaited
    return caught.value.code


def proven(sub: str) -> dict[str, Any]:
    return {"sub": sub, "email": f"{sub}@corp.example", "email_verified": True}


async def caller(corp: Corp, sub: str) -> Principal:
    await corp.sign_in(**proven(sub))
    account = await corp.account(f"{sub}@corp.example")
    return Principal(id=account["id"], email="", roles=frozenset({"member", "authenticated", "public"}))


async def test_an_unknown_key_is_looked_for_every_ten_seconds_at_most(corp: Corp) -> None:
    assert (await corp.sign_in(**proven("kim"))).status == 303
    before = corp.peer.asked.count("/keys")
    for number in range(5):
        assert await refused(corp.sign_in(kid=f"unknown{number}", **proven("kim"))) == "auth.bad_id_token"
    assert corp.peer.asked.count("/keys") - before <= 1


async def test_the_public_key_is_no_secret_to_sign_with(corp: Corp) -> None:
    import base64
    import hashlib
    import hmac

    state, nonce, cookie = await corp.begin()
    claims = corp.peer.sign(nonce=nonce, **proven("hs")).split(".")[1]
    header = base64.urlsafe_b64encode(orjson.dumps({"alg": "HS256", "kid": "k1"})).rstrip(b"=").decode()
    signed = f"{header}.{claims}"
    mac = base64.urlsafe_b64encode(hmac.digest(PUBLIC, signed.encode(), hashlib.sha256)).rstrip(b"=")
    corp.peer.id_token = f"{signed}.{mac.decode()}"
    assert await refused(corp.come_back(state, cookie)) == "auth.bad_id_token"
    assert await corp.account("hs@corp.example") is None


async def test_a_callback_works_once(corp: Corp) -> None:
    state, nonce, cookie = await corp.begin()
    corp.peer.id_token = corp.peer.sign(nonce=nonce, **proven("rob"))
    assert (await corp.come_back(state, cookie)).status == 303
    sessions = (await corp.account("rob@corp.example"))["sessions"]
    assert await refused(corp.come_back(state, cookie)) == "auth.bad_oauth_state"
    assert (await corp.account("rob@corp.example"))["sessions"] == sessions
    state, _, cookie = await corp.begin()  # a token of an earlier sign-in has another nonce
    assert await refused(corp.come_back(state, cookie)) == "auth.bad_id_token"


async def test_an_email_in_the_query_is_nobodys(corp: Corp) -> None:
    state, nonce, cookie = await corp.begin()
    corp.peer.id_token = corp.peer.sign(nonce=nonce, **proven("sue"))
    await corp.come_back(state, cookie, "&email=boss@corp.example&sub=boss&email_verified=true")
    assert await corp.account("boss@corp.example") is None
    assert (await corp.account("sue@corp.example"))["identities"] == 1


async def test_what_somebody_left_behind_under_the_address_of_others_goes(corp: Corp) -> None:
    thief = {"email": "vic@corp.example", "password": PASSWORD}
    await corp.do("auth.signup", body=thief)
    account = await corp.account("vic@corp.example")
    await corp.people.sql(
        "UPDATE ns._auth_accounts SET confirmed_at = now(), confirmed_email = $2 WHERE user_id = $1",
        account["id"], thief["email"],
    )  # fmt: skip
    await corp.do("auth.token", body=thief, query="grant_type=password")
    await corp.people.sql(
        "UPDATE ns._auth_accounts SET confirmed_at = NULL WHERE user_id = $1", account["id"]
    )
    assert (await corp.account("vic@corp.example"))["sessions"] == 1
    assert (await corp.sign_in(**proven("vic"))).status == 303
    after = await corp.account("vic@corp.example")
    assert (after["id"], after["sessions"]) == (account["id"], 1), "only the session that was opened now"
    again = corp.do("auth.token", body=thief, query="grant_type=password")
    assert await refused(again) == "auth.invalid_credentials"


async def test_id_tokens_of_applications(corp: Corp) -> None:
    async def grant(token: str, **more: str) -> Result:
        body = {"provider": "corp", "id_token": token, "email": "boss@corp.example", **more}
        return await corp.do("auth.token", body=body, query="grant_type=id_token")

    plain, bound = (
        corp.peer.sign(**proven("ida")),
        corp.peer.sign(nonce=hashlib.sha256(b"n1").hexdigest(), **proven("ida")),
    )
    assert await refused(grant(bound)) == "auth.bad_id_token"
    assert await refused(grant(bound, nonce="n2")) == "auth.bad_id_token"
    assert await refused(grant(plain, nonce="n1")) == "auth.bad_id_token"
    assert await corp.account("ida@corp.example") is None
    # the token itself must not be enough: what it holds is the hash
    assert await refused(grant(bound, nonce=hashlib.sha256(b"n1").hexdigest())) == "auth.bad_id_token"
    assert orjson.loads((await grant(bound, nonce="n1")).body)["user"]["email"] == "ida@corp.example"
    assert (await grant(plain)).status == 200
    assert await corp.account("boss@corp.example") is None


async def test_linking_and_unlinking(corp: Corp) -> None:
    lin = await caller(corp, "lin")
    assert (await corp.sign_in(who=lin, sub="lin-2", email="other@corp.example")).status == 303
    listed = orjson.loads((await corp.do("auth.identities.list", lin, method="GET")).body)["identities"]
    rows = await corp.people.sql("SELECT id::text FROM ns._auth_identities WHERE user_id = $1", lin.id)
    assert len(rows) == 2, listed
    assert await corp.account("other@corp.example") is None, "the address of an identity makes no account"
    max_ = await caller(corp, "max")
    assert await refused(corp.sign_in(who=max_, sub="lin-2")) == "auth.identity_already_exists"
    first, last = rows[0]["id"], rows[1]["id"]
    taken = corp.do("auth.identities.unlink", max_, method="DELETE", key=first)
    assert await refused(taken) == "auth.identity_not_found"
    await corp.do("auth.identities.unlink", lin, method="DELETE", key=first)
    kept = corp.do("auth.identities.unlink", lin, method="DELETE", key=last)
    assert await refused(kept) == "auth.single_identity_not_deletable"
    assert await refused(corp.begin(ANONYMOUS)) == "auth.no_authorization"


async def test_a_foreign_page_links_nothing(corp: Corp) -> None:
    pia = await caller(corp, "pia")
    link = OPERATIONS["auth.identities.link"]
    before = await corp.people.sql("SELECT count(*) AS n FROM ns._auth_flows")
    for shown, wanted in (
        (Credential(cookie="c"), "auth.csrf"),
        (Credential(cookie="c", same_origin=True), ""),
        (Credential(bearer="b"), ""),
    ):
        asked = call("auth.identities.link", method="GET", query="provider=corp")
        asked.credential = shown
        begun = link(corp.people.generation, asked, expand(corp.people.generation, pia))
        if wanted:
            assert await refused(begun) == wanted
            assert await corp.people.sql("SELECT count(*) AS n FROM ns._auth_flows") == before
        else:
            assert (await begun).status == 303


async def test_who_is_banned_comes_in_nowhere(corp: Corp) -> None:
    ban = await caller(corp, "ban")
    await corp.people.sql(
        "UPDATE ns._auth_accounts SET banned_until = now() + interval '1 day' WHERE user_id = $1", ban.id
    )
    assert await refused(corp.sign_in(**proven("ban"))) == "auth.user_banned"


async def test_github(corp: Corp, monkeypatch: pytest.MonkeyPatch) -> None:
    url = corp.peer.url
    local = replace(
        PRESETS["github"], authorize=f"{url}/login", token=f"{url}/token", user=f"{url}/user", emails=f"{url}/user/emails"
    )  # fmt: skip
    monkeypatch.setitem(PRESETS, "github", local)
    state, _, cookie = await corp.begin(provider="github")
    assert (await corp.come_back(state, cookie)).status == 303
    (row,) = await corp.people.sql(
        "SELECT issuer, subject FROM ns._auth_identities WHERE provider = 'github'"
    )
    assert (row["issuer"], row["subject"]) == ("https://github.com", "583231")
    assert (await corp.account("octo@corp.example"))["identities"] == 1
    await corp.people.sql("DELETE FROM ns._auth_identities WHERE provider = 'github'")
    corp.peer.emails = [{"email": "octo@corp.example", "primary": True, "verified": False}]
    state, _, cookie = await corp.begin(provider="github")
    assert await refused(corp.come_back(state, cookie)) == "auth.account_exists"
    assert (await corp.account("octo@corp.example"))["identities"] == 0
