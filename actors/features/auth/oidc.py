"""What another issuer says about a person, checked (OpenID Connect Core 1.0, sections 3.1.3.7 and 5.3).

Decides which ID tokens are believed: signed with an asymmetric key of the pinned issuer, for us, now, and for
the sign-in we began. Who that person is here, ``identities`` decides.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jwt
from msgspec import Struct

from actors.features.auth import accounts, identities, sessions
from actors.features.auth.bodies import text
from actors.features.auth.providers import PRESETS, Preset
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.sections.auth import Provider

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm
    from actors.features.auth.store import Session

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LEEWAY = 30
_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


class Client(Struct, frozen=True):
    """A provider as a tenant's file names it, with its secrets filled in.

    Attributes:
        issuer: "" for one that speaks OAuth 2.0 only.
    """

    name: str
    client_id: str
    client_secret: str
    issuer: str
    scopes: tuple[str, ...]
    preset: Preset


class Person(Struct, frozen=True):
    """Who somebody is at an issuer."""

    issuer: str
    subject: str
    provider: str
    email: str
    email_verified: bool
    data: Mapping[str, Any]


def client_of(generation: Generation, name: str) -> Client:
    """Return a provider of the file.

    Raises:
        ProblemError: auth.provider_disabled.
    """
    declared: Provider | None = accounts.settings_of(generation).providers.get(name)
    if declared is None:
        raise ProblemError("auth.provider_disabled", f"Unsupported provider: '{name[:60]}' is not enabled")

    def fill(value: str) -> str:
        return _SECRET.sub(lambda found: generation.secrets.get(found[1], ""), value)

    preset = PRESETS.get(name, Preset(""))
    client_id = fill(declared.client_id)
    if not client_id:
        raise ProblemError(
            "auth.provider_disabled", f"the provider '{name}' has no client_id on this machine"
        )
    return Client(
        name,
        client_id,
        fill(declared.client_secret),
        fill(declared.issuer) or preset.issuer,
        declared.scopes or preset.scopes,
        preset,
    )


async def check_id_token(realm: "Realm", client: Client, token: str, *, nonce: str | None) -> dict[str, Any]:
    """Return what an ID token says.

    Args:
        realm: of the tenant.
        client: that the token is for.
        token: as received.
        nonce: of the sign-in we began; None where an application began it.

    Raises:
        ProblemError: auth.bad_id_token.
    """
    metadata = await realm.services.providers.discover(client.issuer)
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        raise _refused() from None
    listed = metadata.get("id_token_signing_alg_values_supported")
    algorithms = sorted(ASYMMETRIC & set(listed if isinstance(listed, list) else ["RS256"]))
    kid = header.get("kid", "")
    if header.get("alg") not in algorithms or not isinstance(kid, str) or len(kid) > 256:
        raise _refused()
    jwk = await realm.services.providers.key(client.issuer, kid)
    if jwk is None:
        raise _refused()
    try:
        body: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(jwk, algorithm=header["alg"]),
            algorithms=algorithms,
            audience=client.client_id,
            issuer=None if client.preset.any_tenant else metadata["issuer"],
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "iss", "aud"]},
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        raise _refused() from None
    if client.preset.any_tenant and body["iss"] != str(metadata["issuer"]).replace(
        "{tenantid}", str(body.get("tid", ""))
    ):
        raise _refused()
    audience = body["aud"]
    if isinstance(audience, list) and len(audience) > 1 and body.get("azp") != client.client_id:
        raise _refused()
    said = body.get("nonce")
    if nonce is not None and not (
        isinstance(said, str) and hmac.compare_digest(said.encode(), nonce.encode())
    ):
        raise _refused()
    if not isinstance(body["sub"], str) or not 0 < len(body["sub"]) <= 255 or "\0" in body["sub"]:
        raise _refused()
    return body


def person_of(client: Client, body: Mapping[str, Any]) -> Person:
    """Return the person an ID token is about."""
    email = body.get("email")
    verified = body.get("email_verified")
    # Microsoft says nothing about addresses being proven: then they are not
    return Person(
        str(body["iss"]),
        str(body["sub"]),
        client.name,
        email if isinstance(email, str) else "",
        verified is True or verified == "true",
        {
            name: body[name]
            for name in ("name", "picture", "preferred_username", "given_name", "family_name")
            if isinstance(body.get(name), str) and len(body[name]) <= 1024
        },
    )


async def github_person(realm: "Realm", client: Client, access_token: str) -> Person:
    """Return who an access token of GitHub's is for; it has no ID tokens.

    Raises:
        ProblemError: auth.bad_oauth_callback.
    """
    fetch = realm.services.providers.fetch
    user = await fetch(client.preset.user, access_token)
    emails = await fetch(client.preset.emails, access_token)
    if not isinstance(user, dict) or type(user.get("id")) is not int or not isinstance(emails, list):
        raise ProblemError("auth.bad_oauth_callback", "the provider's answer is not understood")
    primary = next((item for item in emails if isinstance(item, dict) and item.get("primary") is True), {})
    data = {
        "name": user.get("name"),
        "picture": user.get("avatar_url"),
        "preferred_username": user.get("login"),
    }
    return Person(
        "https://github.com",
        str(user["id"]),
        client.name,
        str(primary.get("email") or ""),
        primary.get("verified") is True,
        {name: value for name, value in data.items() if isinstance(value, str)},
    )


async def grant_id_token(generation: Generation, call: Call, body: dict[str, Any]) -> Result:
    """Exchange an ID token that an application got by itself for a session."""
    client = client_of(generation, text(body, "provider", required=True, most=63))
    if not client.issuer:
        raise ProblemError("auth.provider_disabled", "this provider has no ID tokens")
    realm = accounts.realm_of(generation)
    token = text(body, "id_token", required=True, most=8192)
    nonce = text(body, "nonce", most=512)
    # as GoTrue: the provider was shown the hash, so that who sees the token does not know the nonce
    hashed = hashlib.sha256(nonce.encode()).hexdigest() if nonce else None
    said = await check_id_token(realm, client, token, nonce=hashed)
    if hashed is None and "nonce" in said:
        raise _refused()
    person = person_of(client, said)

    async def work(session: "Session") -> tuple[Any, sessions.Opened]:
        account = await identities.account_of(generation, session, person, call)
        return account, await sessions.open_session(generation, session, account, call, method="oauth")

    account, opened = await realm.store.transaction(work)
    await realm.changed(account.id)
    return await sessions.session_answer(generation, opened, account)


def _refused() -> ProblemError:
    return ProblemError("auth.bad_id_token", "the provider's ID token is not accepted")
