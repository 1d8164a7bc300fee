"""Signing in at another provider: strict oidc-provider on one side, a live process on the other."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from tests.live import Live, free_port
from tests.oidc.peers import browser, start_peer, walk

TENANT = """
version: 1
service: {{ name: corp-co }}
auth:
  signup: {signup}
  default_role: member
  redirects: ["https://app.example.com/back"]
  providers: {{ corp: {{ issuer: "http://127.0.0.1:{port}", client_id: backsaas, client_secret: "${{CORP_SECRET}}" }} }}
roles: {{ member: {{}} }}
entities:
  notes:
    schema: {{ properties: {{ text: {{ type: string }} }} }}
    access: {{ read: [ {{ role: member }} ] }}
"""
APP = "https://app.example.com/back"


class Corp:
    """A live tenant and its provider."""

    def __init__(self, live: Live, port: int) -> None:
        self.live, self.port = live, port
        self.auth = f"{live.base('corp-co')}/auth/v1"

    async def sign_in(self, login: str) -> tuple[int, Any]:
        """As an application with PKCE does; returns what the exchange answered."""
        verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        begin = (
            f"{self.auth}/authorize?provider=corp&redirect_to={APP}&code_challenge={challenge}"
            "&code_challenge_method=s256"
        )
        async with browser() as session:
            status, end = await walk(session, begin, APP, login)
            if not end.startswith(APP):
                return status, end
            code = parse_qs(urlsplit(end).query)["code"][0]
            body = {"auth_code": code, "code_verifier": verifier}
            async with session.post(f"{self.auth}/token?grant_type=pkce", json=body) as answer:
                return answer.status, await answer.json(content_type=None)


@pytest.fixture(scope="module")
async def corp(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Corp]:
    directory, port = tmp_path_factory.mktemp("corp"), free_port()
    live = Live(directory, BACKSAAS_ALLOW_PRIVATE_PROVIDERS="true", CORP_SECRET="the-secret-of-the-client")
    live.env["BACKSAAS_URL"] = live.url
    live.write("corp-co", TENANT.format(port=port, signup="open"))
    peer, _ = await start_peer("strict.mjs", str(port), f"{live.base('corp-co')}/auth/v1/callback")
    await live.start(str(directory))
    yield Corp(live, port)
    await live.stop()
    peer.terminate()
    await peer.wait()


async def test_an_application_signs_somebody_in(corp: Corp) -> None:
    status, session = await corp.sign_in("ann")
    assert status == 200, session
    assert (session["user"]["email"], session["user"]["role"]) == ("ann@corp.example", "member")
    assert session["user"]["app_metadata"]["providers"] == ["corp"]
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    async with aiohttp.ClientSession(headers=headers) as client:
        async with client.get(f"{corp.live.base('corp-co')}/notes") as answer:
            assert answer.status == 200
        async with client.get(f"{corp.auth}/user/identities") as answer:
            (identity,) = (await answer.json(content_type=None))["identities"]
        async with client.delete(f"{corp.auth}/user/identities/{identity['identity_id']}") as answer:
            assert answer.status == 422, "the last way to sign in stays"
    _, again = await corp.sign_in("ann")
    assert again["user"]["id"] == session["user"]["id"], "(issuer, subject) is the same person"


async def test_a_browser_gets_a_session_of_its_own(corp: Corp) -> None:
    async with browser() as session:
        begin = f"{corp.auth}/authorize?provider=corp&redirect_to=/app/corp-co/here"
        status, end = await walk(session, begin, f"{corp.live.url}/app/corp-co/here", "bea")
        assert (status, urlsplit(end).path) == (303, "/app/corp-co/here")
        async with session.get(f"{corp.live.base('corp-co')}/me") as answer:
            me = await answer.json(content_type=None)
        assert me["user"]["email"] == "bea@corp.example"
        assert me["csrf_token"]


async def test_an_address_the_provider_did_not_prove_is_nobodys(corp: Corp) -> None:
    status, text = await corp.sign_in("unproven-cy")
    assert status == 422, text


async def test_a_sign_in_ends_in_the_browser_that_began_it(corp: Corp) -> None:
    begin = f"{corp.auth}/authorize?provider=corp&redirect_to=/app/corp-co/"
    async with browser() as victim, browser() as attacker:
        status, callback = await walk(attacker, begin, f"{corp.auth}/callback", "mallory")
        assert status == 303
        async with victim.get(callback, allow_redirects=False) as answer:
            assert answer.status == 400
            assert "bs_corp-co" not in str(answer.headers)
        for other in (
            callback.replace("state=", "state=x"),
            f"{corp.auth}/callback?code=x",
            f"{corp.auth}/callback",
        ):
            async with attacker.get(other, allow_redirects=False) as answer:
                assert answer.status == 400


async def test_strangers_stay_out_where_nobody_signs_up(corp: Corp) -> None:
    await corp.sign_in("dee")
    text = TENANT.format(port=corp.port, signup="invite")
    corp.live.write("corp-co", text)
    for number in range(100):
        status, answer = await corp.sign_in(f"stranger{number}")
        if status == 422:
            break
    assert status == 422, answer
    assert (await corp.sign_in("dee"))[0] == 200, "who has an account signs in"


@pytest.mark.parametrize(
    "wanted", ["https://app.example.com/back/x", "https://app.example.com/bac", "https://app.example.com.evil/back", "https://app.example.com@evil.example/back", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http://app.example.com/back", "https://app.example.com/back#x"],
)  # fmt: skip
async def test_nobody_is_sent_elsewhere(corp: Corp, wanted: str) -> None:
    async with browser() as session:
        address = f"{corp.auth}/authorize?provider=corp"
        async with session.get(address, params={"redirect_to": wanted}, allow_redirects=False) as answer:
            location = answer.headers.get("Location", "")
            assert answer.status == 303, await answer.text()
            assert location.startswith(f"http://127.0.0.1:{corp.port}/")
            assert f"{corp.auth}/callback" in parse_qs(urlsplit(location).query)["redirect_uri"]
        status, end = await walk(session, location, f"{corp.live.url}/app/corp-co/", "dee")
        assert status == 303, end
        assert end == f"{corp.live.url}/app/corp-co/", "the default page"


async def test_the_secret_of_the_client_is_told_to_nobody(corp: Corp) -> None:
    async with aiohttp.ClientSession() as session:
        for path in ("auth/v1/settings", "schema", "openapi.json", "auth/v1/authorize?provider=nothing"):
            async with session.get(f"{corp.live.base('corp-co')}/{path}") as answer:
                assert "the-secret-of-the-client" not in await answer.text()
    assert "the-secret-of-the-client" not in corp.live.output()
    assert "the-secret-of-the-client" not in Path(corp.live.schemas / "corp-co.yaml").read_text()
