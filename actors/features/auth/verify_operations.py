"""Using links and codes: verify.

Decides what using one proves and does. Looking at a link never uses it, because scanners of mail look first.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson
from msgspec import Struct
from msgspec.structs import replace

from actors.features.auth import accounts, links, one_time, pages, sessions
from actors.features.auth.account_values import Account
from actors.features.auth.audit import record
from actors.features.auth.bodies import query_of, read_object, text, wants_cookie
from actors.features.auth.links import Target, finish
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

KINDS: Mapping[str, tuple[str, ...]] = {
    "signup": ("signup",),
    "invite": ("invite",),
    "magiclink": ("magiclink", "signup"),
    "email": ("magiclink", "signup"),
    "recovery": ("recovery",),
    "email_change": ("email_change",),
}
"""Kinds of tokens a ``type`` of verify may use."""
LOOKED_AT = frozenset({kind for kinds in KINDS.values() for kind in kinds} | {"setup"})
METHODS = {"recovery": "recovery", "invite": "invite", "magiclink": "magiclink", "signup": "otp"}


class Entered(Struct, frozen=True):
    """Somebody with a session, and the page they wanted."""

    account: Account
    opened: sessions.Opened
    there: str


async def verify(generation: Generation, call: Call, principal: Principal) -> Result:
    """Use a link or code: GET shows a plain page, its form uses the link; JSON answers with the session.

    With ``"cookie": true`` a page of ours gets a browser's session, and where to go from there.
    """
    del principal
    if call.method in {"GET", "HEAD"}:
        return await _show_link(generation, call)
    body = read_object(call)
    realm = accounts.realm_of(generation)
    kind = text(body, "type", required=True)
    kinds = KINDS.get(kind)
    if kinds is None:
        raise ProblemError("auth.validation_failed", f"type is one of {', '.join(KINDS)}")
    cookie = wants_cookie(call, body)
    form = pages.is_form(call)
    if form:
        pages.check_form(call, body)
    email, token = text(body, "email", most=320), text(body, "token", most=one_time.MAX_TOKEN)
    hashed = text(body, "token_hash", most=one_time.MAX_TOKEN)

    if email:
        # before the transaction, which a wrong code undoes
        await one_time.count_try(realm, kinds, email)

    async def work(session: Session) -> Result | Entered:
        if email:
            ticket = await one_time.take(realm, session, kinds=kinds, email=email, code=token)
        else:
            ticket = await one_time.take(realm, session, kinds=kinds, token=hashed or token)
        account = await _prove(generation, session, ticket, call)
        return await _enter(generation, session, ticket, account, call, form=form, cookie=cookie)

    try:
        outcome = await realm.store.transaction(work)
    except ProblemError as error:
        if form and error.code == "auth.otp_expired":
            return _gone(generation, call)
        raise
    await realm.changed(None)
    if isinstance(outcome, Result):
        return outcome
    answer = await sessions.session_answer(generation, outcome.opened, outcome.account)
    if not cookie:
        return answer
    return replace(answer, body=orjson.dumps(orjson.loads(answer.body) | {"redirect_to": outcome.there}))


async def look(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say whose a link is and what for, without using it; ``application``: a program elsewhere waits."""
    del principal
    body = read_object(call)
    token = text(body, "token_hash", required=True, most=one_time.MAX_TOKEN)
    ticket = await one_time.look(accounts.realm_of(generation), token)
    if ticket is None or ticket.kind not in LOOKED_AT:
        raise one_time.expired()
    told = {"type": ticket.kind, "email": ticket.email, "application": bool(ticket.challenge)}
    return Result(200, orjson.dumps(told))


async def _enter(
    generation: Generation,
    session: Session,
    ticket: one_time.Ticket,
    account: Account,
    call: Call,
    *,
    form: bool,
    cookie: bool,
) -> "Result | Entered":
    """Open the session that a link gives, or send the browser to the application that waits for it."""
    realm = accounts.realm_of(generation)
    method = METHODS.get(ticket.kind, "otp")
    target = Target(ticket.redirect_to or links.default_page(realm), ticket.challenge)
    if form:
        if ticket.kind in {"recovery", "invite"} and not target.challenge:
            # a browser that came by mail has to set a password before anything else
            back = quote(target.redirect_to, safe="")
            target = Target(f"{call.base}/auth/v1/password?redirect_to={back}", "")
        return await finish(generation, session, account, call, target, method=method)
    if cookie and target.challenge:
        there = await links.with_code(realm, session, account, target, method=method)
        return Result(200, orjson.dumps({"redirect_to": there}))
    opened = await sessions.open_session(generation, session, account, call, method=method, cookie=cookie)
    return Entered(account, opened, target.redirect_to)


async def _prove(generation: Generation, session: Session, ticket: one_time.Ticket, call: Call) -> Account:
    """Note what the link proved; returns its account."""
    account = await accounts.find(session, generation, ticket.user_id)
    if account is None:
        raise one_time.expired()
    if ticket.kind == "email_change":
        if account.new_email.lower() != ticket.email:
            raise one_time.expired()
        account = await accounts.update(session, generation, account, email=account.new_email, new_email="")
    elif account.email.lower() != ticket.email:
        # the address changed since: the link proves nothing about the account any more
        raise one_time.expired()
    if account.confirmed_at is None:
        account = await accounts.confirm(
            session, account, keep_password=ticket.kind in {"signup", "email_change"}
        )
        await record(
            session,
            "user.confirmed",
            user_id=account.id,
            address=call.address,
            request_id=call.request_id,
            kind=ticket.kind,
        )
    if (
        account.banned_until is not None
        and account.banned_until > accounts.realm_of(generation).services.now()
    ):
        raise ProblemError("auth.user_banned", "User is banned")
    return account


async def _show_link(generation: Generation, call: Call) -> Result:
    query = query_of(call)
    token, kind = query.get("token", ""), query.get("type", "")
    ticket = await one_time.look(accounts.realm_of(generation), token)
    if ticket is None or ticket.kind not in KINDS.get(kind, ()):
        return _gone(generation, call)
    heading = {
        "signup": "Confirm your address",
        "invite": "Accept the invitation",
        "recovery": "Set a new password",
        "email_change": "Use this address",
    }.get(ticket.kind, "Sign in")
    form = pages.Form(
        "Continue", hidden=(("token", token), ("type", kind)), action=f"{call.base}/auth/v1/verify"
    )
    return pages.show(generation, call, heading, text=f"As {ticket.email}.", forms=(form,))


def _gone(generation: Generation, call: Call) -> Result:
    return pages.show(
        generation,
        call,
        "This link does not work any more",
        text="It was used, is too old, or a newer one was sent. Ask for another.",
        links=(("Sign in", f"{call.base}/auth/v1/login"),),
        status=410,
    )


OPERATIONS: "Mapping[str, Operation]" = {"auth.verify": verify, "auth.verify.look": look}
