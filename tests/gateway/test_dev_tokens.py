"""Development tokens: docs/attacks.md C1 to C6 and that they do not exist without ``--dev``."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from actors.features.auth.dev_tokens import TokenError, mint, verify
from tests.gateway.conftest import KEY, Serve

NOW = time.time()
GOOD: dict[str, Any] = {
    "iss": "acme-corp", "aud": "acme-corp", "tid": "acme-corp", "sub": "u1", "role": "member", "typ": "dev",
    "iat": int(NOW), "exp": int(NOW) + 3600, "region": "EU", "teams": ["a"],
}  # fmt: skip


def signed(claims: Any, header: Any = None, key: bytes = KEY, algorithm: str = "sha256") -> str:
    def encode(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = (
        encode(json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode())
        + "."
        + encode(json.dumps(claims).encode())
    )
    return f"{head}.{encode(hmac.new(key, head.encode(), algorithm).digest())}"


def test_a_good_token_says_who() -> None:
    principal = verify(KEY, signed(GOOD), "acme-corp", NOW).principal
    assert (principal.id, principal.roles) == ("u1", frozenset({"member", "authenticated", "public"}))
    assert principal.claims == {"region": "EU", "teams": ["a"]}


def test_a_minted_token_is_good() -> None:
    token = mint(
        KEY,
        "acme-corp",
        now=NOW,
        role="manager",
        subject="u2",
        claims={"email": "a@b.example", "region": "EU", "iss": "x"},
    )
    principal = verify(KEY, token, "acme-corp", NOW).principal
    assert (principal.id, principal.email, principal.claims) == ("u2", "a@b.example", {"region": "EU"})


@pytest.mark.parametrize(
    "token",
    [
        signed(GOOD, {"alg": "none"}), signed(GOOD, {"alg": "None", "typ": "JWT"}), signed(GOOD, {"alg": "RS256"}),
        signed(GOOD, {"alg": "HS512"}, algorithm="sha512"), signed(GOOD)[:-5], signed(GOOD).rsplit(".", 1)[0] + ".",
        signed(GOOD, {"alg": "HS256", "kid": "../../key"}), signed(GOOD, {"alg": "HS256", "kid": "a" * 10_000}),
        signed(GOOD, {"alg": "HS256", "jku": "https://evil.example"}), signed(GOOD, {"alg": "HS256", "crit": ["b64"], "b64": False}),
        signed(GOOD, {"alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}}), signed(GOOD, {"alg": "HS256", "typ": "at+jwt"}),
        signed(GOOD, key=b"secret"), signed([1]), signed("x"), "a.b", "a.b.c.d", "", "..", "\xff.\xff.\xff", "a" * 9000,
        *(signed({name: value for name, value in GOOD.items() if name != missing}) for missing in ("iss", "aud", "tid", "sub", "role", "typ", "iat", "exp")),
        *(signed(GOOD | change) for change in (
            {"exp": NOW - 40}, {"iat": NOW + 60}, {"nbf": NOW + 60}, {"exp": "9999999999"}, {"exp": True}, {"iat": None},
            {"exp": NOW + 10**9}, {"aud": ["acme-corp"]}, {"aud": ["acme-corp", "globex"]}, {"iss": "globex"}, {"tid": "globex"},
            {"typ": "refresh"}, {"typ": "id"}, {"sub": 1}, {"sub": ""}, {"sub": "a\0b"}, {"role": ["admin"]}, {"role": "ad min"}, {"email": 1},
        )),
    ],
)  # fmt: skip
def test_any_doubt_is_a_no(token: str) -> None:
    with pytest.raises(TokenError) as refused:
        verify(KEY, token, "acme-corp", NOW)
    assert token[:12] == "" or token[:12] not in str(refused.value)


def test_a_weak_key_is_no_key() -> None:
    with pytest.raises(TokenError):
        verify(b"short", signed(GOOD, key=b"short"), "acme-corp", NOW)


def test_the_signature_covers_every_byte() -> None:
    token = signed(GOOD)
    body = token.split(".")[1]
    other = base64.urlsafe_b64encode(json.dumps(GOOD | {"role": "admin"}).encode()).rstrip(b"=").decode()
    with pytest.raises(TokenError):
        verify(KEY, token.replace(body, other), "acme-corp", NOW)
    assert hashlib.sha256(KEY).digest() != KEY


async def test_without_dev_there_are_no_tokens(serve: Serve) -> None:
    served = await serve(dev=False)
    path = "/api/tenants/acme-corp/x"
    for header in (
        f"Authorization: Bearer {signed(GOOD)}",
        "Authorization: Bearer x",
        "Authorization: Basic YTpi",
        "apikey: bsk_pub_x",
    ):
        status, headers, document = await served.get(path, header)
        assert (status, document["code"]) == (401, "auth.invalid_token")
        assert headers["www-authenticate"].startswith("Bearer")
    status, _, document = await served.get(path)
    assert (status, document["user"], document["roles"]) == (200, None, ["public"])


async def test_a_client_without_session_repeats_its_key(serve: Serve) -> None:
    served = await serve()
    path = "/api/tenants/acme-corp/x"
    status, _, document = await served.get(path, "apikey: anon", "Authorization: Bearer anon")
    assert (status, document["roles"]) == (200, ["public"])
    status, _, document = await served.get(path, "apikey: anon", f"Authorization: Bearer {signed(GOOD)}")
    assert (status, document["user"]) == (200, "u1")
    token = signed(GOOD)
    status, _, document = await served.get(path, f"apikey: {token}", f"Authorization: Bearer {token}")
    assert (status, document["user"]) == (200, "u1")
    assert (await served.get(path, "apikey: other", "Authorization: Bearer anon"))[0] == 401


async def test_a_remembered_token_still_expires(serve: Serve) -> None:
    served = await serve()
    dying = signed(GOOD | {"iat": int(NOW) - 100, "exp": time.time() - 29})
    path = "/api/tenants/acme-corp/x"
    assert (await served.get(path, f"Authorization: Bearer {dying}"))[0] == 200
    time.sleep(1.2)
    assert (await served.get(path, f"Authorization: Bearer {dying}"))[0] == 401


async def test_a_missing_right_asks_the_anonymous_to_sign_in(serve: Serve) -> None:
    served = await serve()
    path = "/api/tenants/acme-corp/forbidden"
    assert (await served.get(path))[0] == 401
    assert (await served.get(path, f"Authorization: Bearer {signed(GOOD)}"))[0] == 403
