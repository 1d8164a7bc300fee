"""``POST auth/v1/token``: a proof for a session.

Decides which grant is asked for; the password grant is here, each other one with what proves it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from actors.features.auth.accounts import check_password, realm_of
from actors.features.auth.bodies import query_of, read_object, secret, text
from actors.features.auth.guard import device_cookie
from actors.features.auth.oidc import grant_id_token
from actors.features.auth.one_time import grant_pkce
from actors.features.auth.session_operations import grant_refresh
from actors.features.auth.sessions import open_session, session_answer
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_GRANTS = {"refresh_token": grant_refresh, "pkce": grant_pkce, "id_token": grant_id_token}


async def token(generation: Generation, call: Call, principal: Principal) -> Result:
    """Exchange a password, refresh token, code or ID token for a session."""
    del principal
    body = read_object(call)
    named = query_of(call).get("grant_type") or text(body, "grant_type")
    if named == "password":
        return await _grant_password(generation, call, body)
    grant = _GRANTS.get(named)
    if grant is None:
        raise ProblemError("auth.validation_failed", "unsupported_grant_type")
    return await grant(generation, call, body)


async def _grant_password(generation: Generation, call: Call, body: dict[str, Any]) -> Result:
    account = await check_password(generation, call, text(body, "email"), secret(body))
    opened = await open_session(generation, None, account, call, method="password")
    result = await session_answer(generation, opened, account)
    cookie = device_cookie(realm_of(generation), account.email.lower(), call.web)
    return replace(result, headers=(*result.headers, cookie))


OPERATIONS: "Mapping[str, Operation]" = {"auth.token": token}
