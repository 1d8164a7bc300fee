"""The pages of signing in: address and password, the second factor, a new password.

Decides which page comes next. They serve browsers that have no application yet; applications talk JSON.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec.structs import replace

from actors.features.auth import accounts, first_start, links, pages, sessions, totp
from actors.features.auth.account_values import Account
from actors.features.auth.bodies import query_of, read_object, text
from actors.features.auth.cookies import set_session
from actors.features.auth.guard import device_cookie
from actors.features.auth.passwords import check_strength
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_EMAIL = pages.Field("email", "Email", "email", complete="username")
_PASSWORD = pages.Field("password", "Password", "password", complete="current-password")
_NEW_PASSWORD = pages.Field("password", "New password", "password", complete="new-password")
_CODE = pages.Field("code", "Six digits of your authenticator", complete="one-time-code")
_TOLD = frozenset(
    {
        "auth.invalid_credentials",
        "auth.over_request_rate_limit",
        "auth.email_not_confirmed",
        "auth.user_banned",
        "auth.weak_password",
        "auth.same_password",
        "auth.validation_failed",
        "auth.email_address_invalid",
        "auth.mfa_verification_failed",
        "auth.hashing_busy",
        "auth.over_email_send_rate_limit",
    }
)
"""Refusals that are shown on the form instead of ending it."""


async def log_in(generation: Generation, call: Call, principal: Principal) -> Result:
    """Sign a browser in; asks for the second factor where there is one."""
    back = links.allowed(generation, query_of(call).get("redirect_to", ""))
    if call.method in {"GET", "HEAD"}:
        if principal.id is not None and await _factor(generation, principal) is None:
            return links.redirect(back)
        return await _sign_in_page(generation, call, principal, back)
    body = read_object(call)
    pages.check_form(call, body)
    try:
        if "code" in body:
            return await _second_factor(generation, call, principal, text(body, "code"), back)
        if "magic" in body:
            return await _by_mail(generation, call, body, back)
        account = await accounts.check_password(
            generation, call, text(body, "email", required=True), str(body.get("password") or "")
        )
    except ProblemError as error:
        if error.code not in _TOLD:
            raise
        return await _sign_in_page(generation, call, principal, back, error=error.message, status=400)
    opened = await sessions.open_session(generation, None, account, call, method="password", cookie=True)
    headers = (
        _cookie(generation, opened),
        device_cookie(accounts.realm_of(generation), account.email.lower(), call.web),
    )
    known = Principal(account.id, account.email, session=opened.session_id)
    if await _factor(generation, known) is not None:
        page = await _sign_in_page(generation, call, known, back)
        return replace(page, headers=(*page.headers, *headers))
    return links.redirect(back, *headers)


async def set_password(generation: Generation, call: Call, principal: Principal) -> Result:
    """Let a browser that came by a mailed link set a password."""
    back = links.allowed(generation, query_of(call).get("redirect_to", ""))
    if principal.id is None:
        return links.redirect(f"{call.base}/auth/v1/login?redirect_to={quote(back, safe='')}")
    if await _factor(generation, principal) is not None:
        # a mail proves the address only: who has a second factor shows it before the password changes
        here = f"{call.base}/auth/v1/password?redirect_to={quote(back, safe='')}"
        return links.redirect(f"{call.base}/auth/v1/login?redirect_to={quote(here, safe='')}")
    if call.method in {"GET", "HEAD"}:
        return _password_page(generation, call)
    body = read_object(call)
    pages.check_form(call, body)
    user_id, password = principal.id, str(body.get("password") or "")
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> sessions.Opened:
        account = await accounts.find(session, generation, user_id)
        if account is None:
            raise ProblemError("auth.user_not_found", "the account is gone")
        await _require_fresh_proof(generation, session, principal)
        account = await accounts.update(session, generation, account, password_hash=hashed)
        await sessions.end_sessions(realm, user_id, session=session)
        return await sessions.open_session(
            generation, session, account, call, method="password", aal=principal.aal, cookie=True
        )

    try:
        check_strength(accounts.settings_of(generation).password, password, (principal.email or "",))
        hashed = await realm.services.hasher.hash(password)
        opened = await realm.store.transaction(work)
    except ProblemError as error:
        if error.code not in _TOLD:
            raise
        return _password_page(generation, call, error.message)
    await realm.changed(user_id)
    return links.redirect(back, _cookie(generation, opened))


async def _sign_in_page(
    generation: Generation, call: Call, principal: Principal, back: str, *, error: str = "", status: int = 200
) -> Result:
    here = f"{call.base}/auth/v1/login?redirect_to={quote(back, safe='')}"
    if principal.id is not None and await _factor(generation, principal) is not None:
        form = pages.Form("Continue", (_CODE,), action=here)
        return pages.show(generation, call, "One more step", error=error, forms=(form,), status=status)
    settings = accounts.settings_of(generation)
    forms: list[pages.Form] = []
    if settings.password.enabled:
        forms.append(pages.Form("Sign in", (_EMAIL, _PASSWORD), action=here))
    forms.append(pages.Form("Mail me a link", (_EMAIL,), (("magic", "1"),), action=here, plain=True))
    providers = [
        (
            f"Continue with {next(iter(provider.title.values()), name.capitalize())}",
            f"{call.base}/auth/v1/authorize?provider={quote(name)}&redirect_to={quote(back, safe='')}",
        )
        for name, provider in settings.providers.items()
    ]
    return pages.show(generation, call, "Sign in", error=error, forms=forms, links=providers, status=status)


async def _by_mail(generation: Generation, call: Call, body: dict[str, Any], back: str) -> Result:
    email = accounts.canonical_email(text(body, "email", required=True))
    realm = accounts.realm_of(generation)
    links.count_mail(realm, email)
    account: Account | None = await realm.store.transaction(
        lambda session: accounts.find_by_email(session, generation, email), reads=True
    )
    target = links.Target(back, "")
    if account is None:
        await links.pretend_link(generation, email=email, kind="magiclink", target=target)
    else:
        await links.send_link(generation, call, account, kind="magiclink", target=target)
    return pages.show(
        generation, call, "Look into your mail", text="If there is an account, a link is on its way."
    )


async def _second_factor(
    generation: Generation, call: Call, principal: Principal, code: str, back: str
) -> Result:
    factor = await _factor(generation, principal)
    if principal.id is None or factor is None:
        raise ProblemError("auth.invalid_credentials", "sign in first")
    realm = accounts.realm_of(generation)
    realm.services.guard.check(realm, f"totp {principal.id}", call.address, False)
    if not await realm.store.transaction(lambda session: totp.use_code(realm, session, factor, code)):
        raise ProblemError("auth.mfa_verification_failed", "the code is not right, or was used already")
    realm.services.guard.succeeded(realm, f"totp {principal.id}", call.address, False)
    opened = await sessions.raise_aal(generation, principal, call, "totp")
    return links.redirect(back, _cookie(generation, opened))


async def _factor(generation: Generation, principal: Principal) -> str | None:
    """Return the factor a session still has to prove, None when it has or there is none."""
    if principal.aal == "aal2" or principal.id is None:
        return None
    row = await accounts.realm_of(generation).store.row(
        "SELECT id::text FROM {ns}._auth_factors WHERE user_id = $1 AND verified_at IS NOT NULL "
        "ORDER BY verified_at LIMIT 1",
        principal.id,
    )
    return None if row is None else str(row["id"])


async def _require_fresh_proof(generation: Generation, session: Session, principal: Principal) -> None:
    """Only a session that a mail has just opened sets a password without the old one."""
    since = accounts.realm_of(generation).services.now() - first_start.FRESH
    row = await session.row(
        "SELECT 1 FROM {ns}._auth_sessions s, jsonb_array_elements(s.amr) AS proof WHERE s.id::text = $1 "
        "AND proof->>'method' = ANY($2::text[]) AND (proof->>'timestamp')::bigint > $3",
        principal.session,
        ["recovery", "invite", "magiclink", "otp"],
        int(since.timestamp()),
    )
    if row is None:
        raise ProblemError("auth.reauthentication_needed", "ask for a new link to set a password")


def _password_page(generation: Generation, call: Call, error: str = "") -> Result:
    form = pages.Form(
        "Set the password", (_NEW_PASSWORD,), action=f"{call.base}/auth/v1/password?{call.query}"
    )
    return pages.show(
        generation, call, "Set a password", error=error, forms=(form,), status=400 if error else 200
    )


def _cookie(generation: Generation, opened: sessions.Opened) -> tuple[str, str]:
    realm = accounts.realm_of(generation)
    return set_session(
        realm.identity.slug,
        opened.cookie,
        secure=realm.services.url.startswith("https:"),
        seconds=opened.expires_in,
    )


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.login": log_in,
    "auth.password": set_password,
}
