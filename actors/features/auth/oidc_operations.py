"""A browser at another provider and back: authorize, callback, and the identities one has.

Decides that a sign-in ends only in the browser that began it: state, nonce, PKCE and a cookie belong together
(RFC 9700, section 2.1). The address one comes back to is always the configured one.
"""

import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import orjson

from actors.features.auth import accounts, identities, links, one_time
from actors.features.auth.audit import record
from actors.features.auth.bodies import query_of
from actors.features.auth.oidc import Client, Person, check_id_token, client_of, github_person, person_of
from actors.features.auth.sealing import digest, seal, unseal
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm
    from actors.tenant.operations import Operation

FLOW_MINUTES = 10
_PURPOSE = b"pkce verifier"


async def authorize(generation: Generation, call: Call, principal: Principal) -> Result:
    """Send a browser to a provider."""
    del principal
    return links.redirect(*await _begin(generation, call, link_to=""))


async def link_identity(generation: Generation, call: Call, principal: Principal) -> Result:
    """Begin to link a further identity to the caller's account."""
    if principal.id is None:
        raise ProblemError("auth.no_authorization", "This endpoint requires a valid Bearer token")
    shown = call.credential
    if shown is not None and shown.cookie and not shown.bearer and not shown.same_origin:
        # a foreign page could have its own identity linked to the account of whoever looks at it
        raise ProblemError("auth.csrf", "linking an identity begins on our own pages, or with a bearer token")
    address, cookie = await _begin(generation, call, link_to=principal.id)
    query = query_of(call)
    if query.get("skip_http_redirect") == "true":
        return Result(200, orjson.dumps({"url": address}), headers=(cookie,))
    return links.redirect(address, cookie)


async def come_back(generation: Generation, call: Call, principal: Principal) -> Result:
    """Take a browser back from a provider."""
    del principal
    query = query_of(call)
    realm = accounts.realm_of(generation)
    shown = call.web.cookies.get(_cookie_name(realm), "") if call.web is not None else ""
    flow = await realm.store.row(
        "DELETE FROM {ns}._auth_flows WHERE state_hash = $1 AND expires_at > $2 "
        "RETURNING provider, nonce, verifier_sealed, redirect_to, challenge, link_to, browser_hash",
        digest(query.get("state", "")[:200]),
        realm.services.now(),
    )
    if flow is None or not shown or not hmac.compare_digest(flow["browser_hash"], digest(shown)):
        raise ProblemError(
            "auth.bad_oauth_state", "this sign-in was not begun in this browser, or is too old"
        )
    target = links.Target(flow["redirect_to"] or links.default_page(realm), flow["challenge"])
    if "error" in query or not query.get("code"):
        glue = "&" if "?" in target.redirect_to else "?"
        reason = urlencode({"error": "access_denied", "error_description": "the provider did not let you in"})
        return links.redirect(f"{target.redirect_to}{glue}{reason}", _clear(realm))
    client = client_of(generation, flow["provider"])
    verifier = unseal(realm, _PURPOSE, flow["verifier_sealed"]).decode()
    person = await _person(realm, client, query, verifier, flow["nonce"])

    async def work(session: Session) -> Result:
        if flow["link_to"]:
            account = await accounts.find(session, generation, flow["link_to"])
            if account is None:
                raise ProblemError("auth.user_not_found", "the account is gone")
            await identities.link(generation, session, account, person, call)
            return links.redirect(target.redirect_to)
        account = await identities.account_of(generation, session, person, call)
        return await links.finish(generation, session, account, call, target, method="oauth")

    result = await realm.store.transaction(work)
    await realm.changed(None)
    return Result(result.status, result.body, result.content_type, (*result.headers, _clear(realm)))


async def list_identities(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the caller's identities."""
    del call
    if principal.id is None:
        raise ProblemError("auth.no_authorization", "This endpoint requires a valid Bearer token")
    user_id = principal.id

    async def work(session: Session) -> list[object]:
        account = await accounts.find(session, generation, user_id)
        if account is None:
            raise ProblemError("auth.user_not_found", "the account is gone")
        return list((await accounts.user_json(session, generation, account))["identities"])

    found = await accounts.realm_of(generation).store.transaction(work, reads=True)
    return Result(200, orjson.dumps({"identities": found}))


async def unlink(generation: Generation, call: Call, principal: Principal) -> Result:
    """Unlink an identity; never the last way to sign in."""
    if principal.id is None:
        raise ProblemError("auth.no_authorization", "This endpoint requires a valid Bearer token")
    user_id = principal.id
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> None:
        account = await accounts.find(session, generation, user_id)
        rows = await session.rows(
            "SELECT id::text FROM {ns}._auth_identities WHERE user_id = $1 FOR UPDATE", user_id
        )
        if account is None or call.entity not in {row["id"] for row in rows}:
            raise ProblemError("auth.identity_not_found", "Identity doesn't exist")
        if len(rows) == 1 and account.password_hash is None:
            raise ProblemError(
                "auth.single_identity_not_deletable", "User must have at least 1 identity after unlinking"
            )
        await session.run("DELETE FROM {ns}._auth_identities WHERE id::text = $1", call.entity)
        await record(
            session, "identity.unlinked", user_id=user_id, address=call.address, request_id=call.request_id
        )

    await realm.store.transaction(work)
    return Result(200, b"{}")


async def _begin(generation: Generation, call: Call, *, link_to: str) -> tuple[str, tuple[str, str]]:
    query = query_of(call)
    client = client_of(generation, query.get("provider", ""))
    target = links.link_target(generation, call, {})
    realm = accounts.realm_of(generation)
    if client.issuer:
        metadata = await realm.services.providers.discover(client.issuer)
        endpoint = str(metadata["authorization_endpoint"])
    else:
        endpoint = client.preset.authorize
    state, nonce, browser = (secrets.token_urlsafe(32) for _ in range(3))
    verifier = secrets.token_urlsafe(48)
    now = realm.services.now()

    async def work(session: Session) -> None:
        await session.run("DELETE FROM {ns}._auth_flows WHERE expires_at < $1", now)
        await session.run(
            "INSERT INTO {ns}._auth_flows (state_hash, browser_hash, provider, nonce, verifier_sealed, "
            "redirect_to, challenge, link_to, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, "
            "$8, $9, $10)",
            digest(state),
            digest(browser),
            client.name,
            nonce,
            seal(realm, _PURPOSE, verifier.encode()),
            target.redirect_to,
            target.challenge,
            link_to,
            now,
            now + timedelta(minutes=FLOW_MINUTES),
        )

    await realm.store.transaction(work)
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": _callback(realm),
        "scope": " ".join(client.scopes or ("openid", "email", "profile")),
        "state": state,
        "nonce": nonce,
        "code_challenge": one_time.challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    glue = "&" if "?" in endpoint else "?"
    secure = "; Secure" if realm.services.url.startswith("https:") else ""
    seconds = FLOW_MINUTES * 60
    cookie = (
        "Set-Cookie",
        f"{_cookie_name(realm)}={browser}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}",
    )
    return f"{endpoint}{glue}{urlencode(asked)}", cookie


async def _person(
    realm: "Realm", client: Client, query: Mapping[str, str], verifier: str, nonce: str
) -> Person:
    form = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "redirect_uri": _callback(realm),
        "client_id": client.client_id,
        "code_verifier": verifier,
    }
    if client.client_secret:
        form["client_secret"] = client.client_secret
    providers = realm.services.providers
    if not client.issuer:
        tokens = await providers.exchange(client.preset.token, form)
        return await github_person(realm, client, str(tokens.get("access_token", "")))
    metadata = await providers.discover(client.issuer)
    said_issuer = query.get("iss")
    if said_issuer is not None and said_issuer != metadata["issuer"] and not client.preset.any_tenant:
        # RFC 9207: the answer of another issuer, mixed up with ours
        raise ProblemError("auth.bad_oauth_state", "the answer is another issuer's")
    tokens = await providers.exchange(str(metadata["token_endpoint"]), form)
    said = await check_id_token(realm, client, str(tokens.get("id_token", "")), nonce=nonce)
    person = person_of(client, said)
    address = metadata.get("userinfo_endpoint")
    if not person.email and isinstance(address, str) and isinstance(tokens.get("access_token"), str):
        more = await providers.fetch(address, tokens["access_token"])
        if isinstance(more, dict) and more.get("sub") == person.subject:
            person = person_of(client, {**more, "iss": person.issuer, "sub": person.subject})
    return person


def _callback(realm: "Realm") -> str:
    return f"{realm.issuer}/callback"


def _cookie_name(realm: "Realm") -> str:
    return f"bsf_{realm.identity.slug}"


def _clear(realm: "Realm") -> tuple[str, str]:
    return "Set-Cookie", f"{_cookie_name(realm)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.authorize": authorize,
    "auth.callback": come_back,
    "auth.identities.list": list_identities,
    "auth.identities.link": link_identity,
    "auth.identities.unlink": unlink,
}
