"""Where a link or another provider leads a browser back to, and how a sign-in by one ends.

Decides which addresses one may be sent back to: exactly those of the file's ``auth.redirects`` and pages of
this installation. Everything else becomes the default page, before anybody is looked up.
"""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from msgspec import Struct

from actors.features.auth import accounts, one_time, sessions
from actors.features.auth.account_values import Account
from actors.features.auth.bodies import query_of, text
from actors.features.auth.cookies import set_session
from actors.features.auth.mail_texts import compose
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.compile import SYSTEM_SLUG

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

MAILS = (12, 3600.0)
"""Mails to one address, and the seconds they are counted over."""
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*", re.ASCII)


class Target(Struct, frozen=True):
    """Where a browser goes after a link.

    Attributes:
        redirect_to: an allowed address, or a path of this installation.
        challenge: PKCE's, "" for a browser's own session.
    """

    redirect_to: str
    challenge: str


def link_target(generation: Generation, call: Call, body: dict[str, Any]) -> Target:
    """Return where the link that is asked for will lead.

    Raises:
        ProblemError: auth.implicit_flow, auth.validation_failed.
    """
    query = query_of(call)
    wanted = query.get("redirect_to", "") or text(body, "redirect_to")
    challenge = text(body, "code_challenge") or query.get("code_challenge", "")
    method = text(body, "code_challenge_method") or query.get("code_challenge_method", "")
    if challenge and (method.lower() != "s256" or not _CHALLENGE.fullmatch(challenge)):
        raise ProblemError("auth.validation_failed", "code_challenge is 43 characters, by the method s256")
    redirect = allowed(generation, wanted)
    if not challenge and not _is_ours(accounts.realm_of(generation), redirect):
        raise ProblemError(
            "auth.implicit_flow",
            "links to other applications need PKCE: create the client with auth: { flowType: 'pkce' }",
        )
    return Target(redirect, challenge)


def allowed(generation: Generation, wanted: str) -> str:
    """Return an address one may be sent back to: the one that is wanted, or the default page."""
    realm = accounts.realm_of(generation)
    if wanted in accounts.settings_of(generation).redirects:
        return wanted
    if _PATH.fullmatch(wanted):
        return wanted
    if not wanted.startswith("/") and _is_ours(realm, wanted):
        parts = urlsplit(wanted)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if _PATH.fullmatch(path):
            return path
    return default_page(realm)


def default_page(realm: "Realm") -> str:
    """Return where somebody lands who asked for no place."""
    return "/admin/" if realm.identity.slug == SYSTEM_SLUG else f"/app/{realm.identity.slug}/"


async def send_link(
    generation: Generation, call: Call, account: Account, *, kind: str, target: Target
) -> None:
    """Mail somebody a link and code."""
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> one_time.Issued:
        return await one_time.issue(
            realm,
            session,
            kind=kind,
            user_id=account.id,
            email=account.email,
            redirect_to=target.redirect_to,
            challenge=target.challenge,
        )

    issued = await realm.store.transaction(work)
    link = link_of(realm, issued.token, kind)
    await realm.services.mailer.send(
        compose(generation, kind, to=account.email, link=link, code=issued.code, address=call.address)
    )


async def pretend_link(generation: Generation, *, email: str, kind: str, target: Target) -> None:
    """Do for an address nobody has what ``send_link`` does for one: the time of the answer tells nothing."""
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> None:
        await one_time.issue(
            realm,
            session,
            kind=kind,
            user_id=new_key(),  # nobody's, and as quickly looked for as a real one
            email=email,
            redirect_to=target.redirect_to,
            challenge=target.challenge,
        )

    await realm.store.transaction(work)


async def send_notice(generation: Generation, call: Call, *, email: str, kind: str) -> None:
    """Mail somebody what happened, without a link."""
    await accounts.realm_of(generation).services.mailer.send(
        compose(generation, kind, to=email, address=call.address)
    )


async def request_email_change(
    generation: Generation, call: Call, account: Account, email: str, *, target: Target
) -> None:
    """Mail a new address its proof, and tell the old one."""
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> one_time.Issued | None:
        if await accounts.find_by_email(session, generation, email) is not None:
            return None
        await accounts.update(session, generation, account, new_email=email)
        return await one_time.issue(
            realm,
            session,
            kind="email_change",
            user_id=account.id,
            email=email,
            redirect_to=target.redirect_to,
            challenge=target.challenge,
        )

    issued = await realm.store.transaction(work)
    if issued is None:
        # as at sign-up: who has the address learns of it, who asks does not
        await send_notice(generation, call, email=email, kind="already")
        return
    link = link_of(realm, issued.token, "email_change")
    await realm.services.mailer.send(
        compose(generation, "email_change", to=email, link=link, code=issued.code, address=call.address)
    )
    if account.email:
        await send_notice(generation, call, email=account.email, kind="email_changing")


def count_mail(realm: "Realm", email: str) -> None:
    """Count a mail to an address, whether or not anybody has it.

    Raises:
        ProblemError: auth.over_email_send_rate_limit.
    """
    taken = realm.mails.take(email.lower(), *MAILS)
    if not taken.allowed:
        raise ProblemError(
            "auth.over_email_send_rate_limit",
            "email rate limit exceeded",
            headers=(("Retry-After", str(int(taken.retry_after) + 1)),),
        )


def link_of(realm: "Realm", token: str, kind: str) -> str:
    """Return the address a mail shows: a page of the tenant.

    The token stands behind ``#``, which browsers tell no server: it reaches no log and no Referer, and the
    page takes it out of the browser's history.
    """
    return f"{realm.services.url}{default_page(realm)}link#token={token}&type={kind}"


async def finish(
    generation: Generation, session: Session, account: Account, call: Call, target: Target, *, method: str
) -> Result:
    """Send a browser back signed in: with a code for an application, or with a session of its own."""
    realm = accounts.realm_of(generation)
    if target.challenge:
        return redirect(await with_code(realm, session, account, target, method=method))
    opened = await sessions.open_session(generation, session, account, call, method=method, cookie=True)
    secure = realm.services.url.startswith("https:")
    cookie = set_session(realm.identity.slug, opened.cookie, secure=secure, seconds=opened.expires_in)
    return redirect(target.redirect_to, cookie)


async def with_code(
    realm: "Realm", session: Session, account: Account, target: Target, *, method: str
) -> str:
    """Return the address of an application, with the code it exchanges for a session (RFC 7636)."""
    issued = await one_time.issue(
        realm,
        session,
        kind="pkce",
        user_id=account.id,
        email="",
        challenge=target.challenge,
        minutes=one_time.PKCE_MINUTES,
        data={"method": method},
    )
    glue = "&" if "?" in target.redirect_to else "?"
    return f"{target.redirect_to}{glue}code={quote(issued.token)}"


def redirect(to: str, *headers: tuple[str, str]) -> Result:
    """Return the answer that sends a browser elsewhere, without telling from where."""
    return Result(303, headers=(("Location", to), ("Referrer-Policy", "no-referrer"), *headers))


def _is_ours(realm: "Realm", address: str) -> bool:
    if address.startswith("/"):
        return True
    try:
        wanted, own = urlsplit(address), urlsplit(realm.services.url)
    except ValueError:
        return False
    return (wanted.scheme, wanted.netloc) == (own.scheme, own.netloc)
