"""Who a person of another issuer is here: the one rule of linking, and what is linked.

Decides that an identity is ``(issuer, subject)`` and nothing else, and that it joins an account only when
both sides proved the same address. Called by the operations of other providers.
"""

from typing import TYPE_CHECKING

import orjson

from actors.features.auth import accounts
from actors.features.auth.account_values import Account
from actors.features.auth.audit import record
from actors.features.auth.store import Session
from actors.messages import Call, ProblemError
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key

if TYPE_CHECKING:
    from actors.features.auth.oidc import Person


async def account_of(generation: Generation, session: Session, person: "Person", call: Call) -> Account:
    """Return the account of a person, linking or making one where that is safe.

    Raises:
        ProblemError: auth.account_exists when the address belongs to an account and the provider did not
            prove it; auth.signup_disabled; auth.email_address_invalid; auth.user_banned.
    """
    known = await session.row(
        "SELECT user_id FROM {ns}._auth_identities WHERE issuer = $1 AND subject = $2 FOR UPDATE",
        person.issuer,
        person.subject,
    )
    if known is not None:
        account = await accounts.find(session, generation, known["user_id"])
        if account is not None:
            await session.run(
                "UPDATE {ns}._auth_identities SET last_sign_in_at = $3, email = $4, email_verified = $5, "
                "data = $6::text::jsonb WHERE issuer = $1 AND subject = $2",
                person.issuer,
                person.subject,
                accounts.realm_of(generation).services.now(),
                person.email,
                person.email_verified,
                orjson.dumps(dict(person.data)).decode(),
            )
            return account
        await session.run(
            "DELETE FROM {ns}._auth_identities WHERE issuer = $1 AND subject = $2",
            person.issuer,
            person.subject,
        )
    account = await _by_address(generation, session, person)
    if account is None:
        account = await _new(generation, session, person)
    await link(generation, session, account, person, call)
    return account


async def link(
    generation: Generation, session: Session, account: Account, person: "Person", call: Call
) -> None:
    """Let an identity stand for an account from now on.

    Raises:
        ProblemError: auth.identity_already_exists.
    """
    made = await session.run(
        "INSERT INTO {ns}._auth_identities (id, issuer, subject, provider, user_id, email, "
        "email_verified, data, last_sign_in_at) VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $7, "
        "$8::text::jsonb, $9) "
        "ON CONFLICT (issuer, subject) DO NOTHING",
        new_key(),
        person.issuer,
        person.subject,
        person.provider,
        account.id,
        person.email,
        person.email_verified,
        orjson.dumps(dict(person.data)).decode(),
        accounts.realm_of(generation).services.now(),
    )
    if not made:
        raise ProblemError("auth.identity_already_exists", "Identity is already linked")
    await record(
        session,
        "identity.linked",
        user_id=account.id,
        address=call.address,
        request_id=call.request_id,
        provider=person.provider,
    )


async def _by_address(generation: Generation, session: Session, person: "Person") -> Account | None:
    if not person.email:
        return None
    email = accounts.canonical_email(person.email)
    account = await accounts.find_by_email(session, generation, email)
    if account is None:
        return None
    if not person.email_verified:
        raise ProblemError(
            "auth.account_exists",
            "there is an account with this address, which the provider did not prove",
            hint="sign in as before and link the provider from there",
        )
    if account.confirmed_at is None:
        # whoever signed up with the address never proved it: what they left behind goes
        account = await accounts.confirm(session, account, keep_password=False)
    return account


async def _new(generation: Generation, session: Session, person: "Person") -> Account:
    settings = accounts.settings_of(generation)
    email = accounts.canonical_email(person.email) if person.email else ""
    opens = settings.signup == "open" or (
        settings.signup == "domains"
        and person.email_verified
        and email.rpartition("@")[2] in settings.domains
    )
    if not opens:
        raise ProblemError("auth.signup_disabled", "Signups not allowed for this instance")
    if not email or not person.email_verified:
        raise ProblemError(
            "auth.email_address_invalid",
            "the provider gave no address that it proved; sign up by mail instead",
        )
    return await accounts.create(
        session,
        generation,
        email=email,
        role=settings.default_role or "",
        user_metadata=dict(person.data),
        app_metadata={"provider": person.provider, "providers": [person.provider]},
        confirmed=True,
    )
