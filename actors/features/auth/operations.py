"""Every operation of ``auth``, by name; the routes that lead to them are the gateway's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from actors.features.auth import (
    account_page,
    admin_lists,
    admin_operations,
    factor_operations,
    first_start,
    key_operations,
    link_operations,
    oidc_operations,
    page_operations,
    session_operations,
    settings_operations,
    sign_up,
    token_operations,
    user_operations,
    verify_operations,
)
from actors.messages import Call, ProblemError
from actors.tenant.generation import Generation
from schemas.compiler.principal import ANONYMOUS, Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

OPERATIONS: "Mapping[str, Operation]" = {
    **sign_up.OPERATIONS,
    **token_operations.OPERATIONS,
    **user_operations.OPERATIONS,
    **admin_operations.OPERATIONS,
    **admin_lists.OPERATIONS,
    **settings_operations.OPERATIONS,
    **session_operations.OPERATIONS,
    **key_operations.OPERATIONS,
    **link_operations.OPERATIONS,
    **verify_operations.OPERATIONS,
    **page_operations.OPERATIONS,
    **account_page.OPERATIONS,
    **factor_operations.OPERATIONS,
    **oidc_operations.OPERATIONS,
    **first_start.OPERATIONS,
}
WITHOUT_SESSION = frozenset(
    {
        "auth.signup", "auth.token", "auth.recover", "auth.otp", "auth.magiclink", "auth.resend",
        "auth.authorize", "auth.callback", "auth.settings", "auth.health", "auth.jwks",
        "auth.openid_configuration", "auth.setup", "auth.verify.look",
    }
)  # fmt: skip
"""Asked by people who are nobody yet: a browser's session says nothing there."""
WITH_EFFECT = frozenset({"auth.reauthenticate"})
"""Asked with GET by GoTrue's clients although it does something: a browser's session needs its token."""
PAGES = frozenset({"auth.login", "auth.account", "auth.password", "auth.verify"})
"""Their forms carry a token of their own; a session that ended is none: one comes to begin another."""

IMPERSONATED = frozenset({"auth.user", "auth.logout", "auth.session.end"})
"""All that somebody who stands in for a user does with the account: look at it, and leave."""


async def caller_of(generation: Generation, call: Call) -> Principal:
    """Return who asks, by what the request brought.

    Raises:
        ProblemError: auth.invalid_token, auth.csrf, auth.forbidden.
    """
    credential, realm = call.credential, generation.realm
    if realm is not None and call.operation.startswith("auth."):
        # read here, because inside a transaction it would need a second connection
        await realm.keys.current()
    if credential is None or realm is None:
        return call.principal
    if credential.cookie and call.operation in WITHOUT_SESSION:
        credential = credential._replace(cookie="")
    if call.operation in WITH_EFFECT:
        credential = credential._replace(safe=False)
    if not credential.cookie or call.operation not in PAGES:
        principal = await realm.principal(credential, generation)
        if principal.impersonator and call.operation.startswith("auth."):
            _check_impersonated(call)
        return principal
    try:
        return await realm.principal(credential._replace(safe=True), generation)
    except ProblemError as error:
        if error.code != "auth.invalid_token" or credential.bearer or credential.apikey:
            raise
        return ANONYMOUS


def _check_impersonated(call: Call) -> None:
    if call.operation not in IMPERSONATED:
        refused = ProblemError(
            "auth.forbidden", "who stands in for somebody changes nothing about the account"
        )
        refused.signed_in = True
        raise refused
