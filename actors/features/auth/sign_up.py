"""``POST auth/v1/signup``: new people, and people who stay nobody.

Decides who may sign up. Where an address must be proven, the answer does not tell whether somebody has it
already: the account of a new person and the pretended one of a known person look the same.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from msgspec.structs import replace

from actors.features.auth import accounts, links
from actors.features.auth.account_values import Account, time_json
from actors.features.auth.audit import record
from actors.features.auth.bodies import metadata, only, read_object, secret, text, wants_cookie
from actors.features.auth.guard import device_cookie
from actors.features.auth.passwords import check_strength
from actors.features.auth.sessions import Opened, open_session, session_answer
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.principal import Principal
from schemas.compiler.sections.auth import Auth

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_MEMBERS = frozenset(
    {
        "email",
        "password",
        "phone",
        "data",
        "channel",
        "gotrue_meta_security",
        "code_challenge",
        "code_challenge_method",
        "redirect_to",
        "cookie",
    }
)


async def sign_up(generation: Generation, call: Call, principal: Principal) -> Result:
    """Make an account, or look as if."""
    del principal
    body = read_object(call)
    only(body, _MEMBERS)
    cookie = wants_cookie(call, body)
    settings = accounts.settings_of(generation)
    accounts.people_of(generation)
    said = metadata(body, "data")
    if not (text(body, "email") or secret(body) or text(body, "phone")):
        return await _nobody(generation, call, settings, said)
    if not settings.password.enabled:
        raise ProblemError("auth.email_provider_disabled", "Email signups are disabled")
    email = accounts.canonical_email(text(body, "email", required=True))
    _admit(settings, email)
    password = secret(body)
    check_strength(
        settings.password, password, (email, *(value for value in said.values() if isinstance(value, str)))
    )
    realm = accounts.realm_of(generation)
    if settings.confirm == "off":
        hashed = await realm.services.hasher.hash(password)
        return await _at_once(generation, call, email, hashed, said, cookie=cookie)
    target = links.link_target(generation, call, body)
    links.count_mail(realm, email)
    hashed = await realm.services.hasher.hash(password)
    shown, mailed = await _unproven(generation, call, email, hashed, said)
    if mailed is None:
        await links.pretend_link(generation, email=email, kind="signup", target=target)
        await links.send_notice(generation, call, email=email, kind="already")
    else:
        await links.send_link(generation, call, mailed, kind="signup", target=target)
    user = accounts.to_json(shown, audience=generation.identity.slug)
    return Result(200, orjson.dumps(user | {"confirmation_sent_at": time_json(shown.created_at)}))


def _admit(settings: Auth, email: str) -> None:
    allowed = settings.signup == "open" or (
        settings.signup == "domains" and email.rpartition("@")[2] in settings.domains
    )
    if not allowed:
        raise ProblemError("auth.signup_disabled", "Signups not allowed for this instance")


async def _nobody(generation: Generation, call: Call, settings: Auth, said: dict[str, Any]) -> Result:
    if settings.signup != "open":
        raise ProblemError("auth.anonymous_provider_disabled", "Anonymous sign-ins are disabled")

    async def work(session: Session) -> tuple[Account, Opened]:
        account = await accounts.create(
            session, generation, email="", role="", user_metadata=said, anonymous=True
        )
        await record(
            session, "user.anonymous", user_id=account.id, address=call.address, request_id=call.request_id
        )
        return account, await open_session(generation, session, account, call, method="anonymous")

    account, opened = await accounts.realm_of(generation).store.transaction(work)
    return await session_answer(generation, opened, account)


async def _at_once(
    generation: Generation, call: Call, email: str, hashed: str, said: dict[str, Any], *, cookie: bool
) -> Result:
    """Sign up where addresses are not proven; then it cannot be hidden which ones are taken."""
    realm = accounts.realm_of(generation)

    async def work(session: Session) -> tuple[Account, Opened]:
        account = await _new(session, generation, call, email, hashed, said)
        opened = await open_session(generation, session, account, call, method="password", cookie=cookie)
        return account, opened

    try:
        account, opened = await realm.store.transaction(work)
    except ProblemError as error:
        if error.code != "auth.email_exists":
            raise
        raise ProblemError("auth.user_already_exists", "User already registered") from error
    result = await session_answer(generation, opened, account)
    return replace(result, headers=(*result.headers, device_cookie(realm, email, call.web)))


async def _unproven(
    generation: Generation, call: Call, email: str, hashed: str, said: dict[str, Any]
) -> tuple[Account, Account | None]:
    """Return the account to show, and the one to send a link; None when its owner has proven it already."""
    realm = accounts.realm_of(generation)
    now = realm.services.now()
    pretended = Account(
        id=new_key(),
        email=email,
        role=accounts.settings_of(generation).default_role or "",
        row={},
        user_metadata=said,
        created_at=now,
        updated_at=now,
    )

    async def work(session: Session) -> tuple[Account, Account | None]:
        known = await accounts.find_by_email(session, generation, email)
        if known is None:
            account = await _new(session, generation, call, email, hashed, said)
            shown = replace(pretended, id=account.id) if _same_kind(account.id, pretended.id) else pretended
            return shown, account
        if known.confirmed_at is not None:
            await _pretend(session, generation, call, hashed, said)
            return pretended, None
        # nobody has proven it: whoever signs up last, and then opens the mail, sets the password
        known = await accounts.disown(session, known)
        known = await accounts.update(session, generation, known, password_hash=hashed, user_metadata=said)
        await record(
            session,
            "user.signed_up_again",
            user_id=known.id,
            address=call.address,
            request_id=call.request_id,
        )
        return pretended, known

    try:
        shown, mailed = await realm.store.transaction(work)
    except ProblemError as error:
        if error.code != "auth.email_exists":
            raise
        return pretended, None
    if mailed is not None and mailed.id != shown.id:
        await realm.changed(mailed.id)
    return shown, mailed


async def _new(
    session: Session, generation: Generation, call: Call, email: str, hashed: str, said: dict[str, Any]
) -> Account:
    account = await accounts.create(
        session,
        generation,
        email=email,
        role=accounts.settings_of(generation).default_role or "",
        user_metadata=said,
        password_hash=hashed,
    )
    await record(
        session, "user.signed_up", user_id=account.id, address=call.address, request_id=call.request_id
    )
    return account


async def _pretend(
    session: Session, generation: Generation, call: Call, hashed: str, said: dict[str, Any]
) -> None:
    """Do the work of a new account for one there is already: the time of the answer tells nothing."""
    await session.run("SAVEPOINT pretended")
    await _new(session, generation, call, f"{new_key()}@nobody.invalid", hashed, said)
    await session.run("ROLLBACK TO SAVEPOINT pretended")


def _same_kind(real: str, made_up: str) -> bool:
    """Whether a real key looks like a made-up one; a number would tell how many people there are."""
    return len(real) == len(made_up)


OPERATIONS: "Mapping[str, Operation]" = {"auth.signup": sign_up}
