"""Asking for links and codes: recover, otp, magiclink, resend, invite, reauthenticate.

Decides what each asks for. Known and unknown addresses get the same answer in the same time: mails are sent
by another task. Using one is ``verify_operations``.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from actors.features.auth import accounts, links, one_time
from actors.features.auth.account_values import Account
from actors.features.auth.admin_rules import may_give, may_touch, require_admin
from actors.features.auth.audit import record
from actors.features.auth.bodies import metadata, query_of, read_object, text
from actors.features.auth.links import Target, allowed, count_mail, link_target, send_link
from actors.features.auth.mail_texts import compose
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

REAUTHENTICATION_MINUTES = 10
_ASKED = Result(200, b"{}")


async def recover(generation: Generation, call: Call, principal: Principal) -> Result:
    """Mail a link that sets a new password."""
    del principal
    return await _ask(generation, call, "recovery")


async def sign_in_by_mail(generation: Generation, call: Call, principal: Principal) -> Result:
    """Mail a link and code that sign in; where anyone may sign up, also a new person."""
    del principal
    return await _ask(generation, call, "magiclink")


async def resend(generation: Generation, call: Call, principal: Principal) -> Result:
    """Mail the link of a sign-up or of a new address again."""
    del principal
    body = read_object(call)
    kind = text(body, "type", required=True)
    if kind not in {"signup", "email_change"}:
        raise ProblemError("auth.validation_failed", "type is signup or email_change")
    email = accounts.canonical_email(text(body, "email", required=True))
    target = link_target(generation, call, body)
    realm = accounts.realm_of(generation)
    count_mail(realm, email)
    known = await _find(generation, email)
    if kind == "signup" and known is not None and known.confirmed_at is None:
        await send_link(generation, call, known, kind="signup", target=target)
    elif kind == "email_change" and known is not None and known.new_email:
        await links.request_email_change(generation, call, known, known.new_email, target=target)
    else:
        await links.pretend_link(generation, email=email, kind=kind, target=target)
    return _ASKED


async def invite(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make an account for somebody and mail them the way in; for admins."""
    require_admin(principal, "create")
    body = read_object(call)
    email = accounts.canonical_email(text(body, "email", required=True))
    # whoever is invited has no application yet that could have made a challenge: a page of ours ends it
    wanted = query_of(call).get("redirect_to", "") or text(body, "redirect_to")
    target = Target(allowed(generation, wanted), "")
    account = await _invited(generation, call, principal, body, email)
    await send_link(generation, call, account, kind="invite", target=target)
    return Result(200, orjson.dumps(accounts.to_json(account, audience=generation.identity.slug)))


async def generate_link(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make a link without mailing it; for admins."""
    require_admin(principal, "update")
    body = read_object(call)
    kind = text(body, "type", required=True)
    if kind not in {"signup", "invite", "magiclink", "recovery"}:
        raise ProblemError("auth.validation_failed", "type is signup, invite, magiclink or recovery")
    email = accounts.canonical_email(text(body, "email", required=True))
    redirect_to = allowed(generation, query_of(call).get("redirect_to", "") or text(body, "redirect_to"))
    realm = accounts.realm_of(generation)
    account = await _find(generation, email)
    if account is None:
        if kind in {"magiclink", "recovery"}:
            raise ProblemError("auth.user_not_found", "there is no account with this address")
        account = await _invited(generation, call, principal, body, email)
    may_touch(generation, principal, account)
    user_id = account.id

    async def work(session: Session) -> one_time.Issued:
        await record(
            session, "link.made", user_id=user_id, actor=principal.id or principal.key or "", kind=kind
        )
        return await one_time.issue(
            realm, session, kind=kind, user_id=user_id, email=email, redirect_to=redirect_to
        )

    issued = await realm.store.transaction(work)
    answer = accounts.to_json(account, audience=generation.identity.slug) | {
        # GoTrue's clients read it: the plain page, which needs no application
        "action_link": f"{realm.issuer}/verify?token={issued.token}&type={kind}",
        "email_otp": issued.code,
        "hashed_token": issued.token,
        "verification_type": kind,
        "redirect_to": redirect_to,
    }
    return Result(200, orjson.dumps(answer))


async def reauthenticate(generation: Generation, call: Call, principal: Principal) -> Result:
    """Mail the caller a code that confirms it is them."""
    if principal.id is None:
        raise ProblemError("auth.no_authorization", "This endpoint requires a valid Bearer token")
    user_id = principal.id
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> tuple[Account, one_time.Issued] | None:
        account = await accounts.find(session, generation, user_id)
        if account is None or not account.email:
            return None
        count_mail(realm, account.email)
        issued = await one_time.issue(
            realm,
            session,
            kind="reauthentication",
            user_id=user_id,
            email=account.email,
            minutes=REAUTHENTICATION_MINUTES,
        )
        return account, issued

    made = await realm.store.transaction(work)
    if made is not None:
        account, issued = made
        await realm.services.mailer.send(
            compose(generation, "reauthentication", to=account.email, code=issued.code, address=call.address)
        )
    return _ASKED


async def _ask(generation: Generation, call: Call, kind: str) -> Result:
    body = read_object(call)
    email = accounts.canonical_email(text(body, "email", required=True))
    target = link_target(generation, call, body)
    settings = accounts.settings_of(generation)
    realm = accounts.realm_of(generation)
    count_mail(realm, email)
    account = await _find(generation, email)
    if account is None and kind == "magiclink" and body.get("create_user", True) is not False:
        opens = settings.signup == "open" or (
            settings.signup == "domains" and email.rpartition("@")[2] in settings.domains
        )
        if opens:
            account = await _new(generation, call, email, metadata(body, "data"))
            kind = "signup"
    if account is None:
        await links.pretend_link(generation, email=email, kind=kind, target=target)
    else:
        await send_link(generation, call, account, kind=kind, target=target)
    return _ASKED


async def _new(generation: Generation, call: Call, email: str, said: dict[str, Any]) -> Account:
    async def work(session: Session) -> Account:
        account = await accounts.create(
            session,
            generation,
            email=email,
            role=accounts.settings_of(generation).default_role or "",
            user_metadata=said,
        )
        await record(
            session, "user.signed_up", user_id=account.id, address=call.address, request_id=call.request_id
        )
        return account

    return await accounts.realm_of(generation).store.transaction(work)


async def _invited(
    generation: Generation, call: Call, principal: Principal, body: dict[str, Any], email: str
) -> Account:
    if accounts.settings_of(generation).signup == "closed":
        raise ProblemError("auth.signup_disabled", "auth.signup is closed: nobody is invited")
    role = text(body, "role", most=63)
    fresh_role = role or accounts.settings_of(generation).default_role or ""
    for given in {role, fresh_role} - {""}:
        may_give(generation, principal, given)
    said = metadata(body, "data")

    async def work(session: Session) -> Account:
        account = await accounts.find_by_email(session, generation, email)
        if account is not None and account.confirmed_at is not None:
            raise ProblemError(
                "auth.email_exists", "A user with this email address has already been registered"
            )
        if account is not None:
            may_touch(generation, principal, account)
        if account is None:
            account = await accounts.create(
                session, generation, email=email, role=fresh_role, user_metadata=said, invited=True
            )
        else:
            account = await accounts.update(session, generation, account, role=role or None, invited=True)
        await record(
            session,
            "user.invited",
            user_id=account.id,
            actor=principal.id or principal.key or "",
            address=call.address,
            request_id=call.request_id,
        )
        return account

    return await accounts.realm_of(generation).store.transaction(work)


async def _find(generation: Generation, email: str) -> Account | None:
    return await accounts.realm_of(generation).store.transaction(
        lambda session: accounts.find_by_email(session, generation, email), reads=True
    )


OPERATIONS: "Mapping[str, Operation]" = {
    "auth.recover": recover,
    "auth.otp": sign_in_by_mail,
    "auth.magiclink": sign_in_by_mail,
    "auth.resend": resend,
    "auth.invite": invite,
    "auth.generate_link": generate_link,
    "auth.reauthenticate": reauthenticate,
}
