"""``{base}/me``: who I am, what I am here, and what I may do; also for nobody.

Decides nothing. Interfaces are built on it, so that they offer what will be allowed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from actors.features.auth import accounts
from actors.features.auth.cookies import csrf_token
from actors.features.auth.principals import role_and_included
from actors.features.auth.store import Session
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.emit.capabilities import capabilities
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_UNTIL = "SELECT expires_at AS until FROM {ns}._auth_sessions WHERE id::text = $1"


async def show_me(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say who asks and what they may do."""
    user, second = None, {"required": False, "enrolled": False}
    standing: dict[str, Any] | None = None
    if principal.id is not None and generation.realm is not None:
        user_id = principal.id

        async def work(session: Session) -> tuple[dict[str, Any] | None, bool, dict[str, Any] | None]:
            account = await accounts.find(session, generation, user_id)
            if account is None:
                return None, False, None
            factor = await session.row(
                "SELECT 1 FROM {ns}._auth_factors WHERE user_id = $1 AND verified_at IS NOT NULL LIMIT 1",
                user_id,
            )
            told = {
                "id": account.id,
                "email": account.email or None,
                "role": account.role or None,
                "is_anonymous": account.is_anonymous,
            }
            row = await session.row(_UNTIL, principal.session) if principal.impersonator else None
            until = None if row is None else {"by": principal.impersonator, "until": row["until"]}
            return told, factor is not None, until

        user, enrolled, standing = await generation.realm.store.transaction(work, reads=True)
        role = str(user["role"]) if user is not None and user["role"] else ""
        second = {"required": _asked(generation, role), "enrolled": enrolled}
        user = user or {"id": principal.id, "email": principal.email, "role": None, "is_anonymous": False}
    title = next(iter(generation.model.title.values()), "") or generation.identity.slug
    document: dict[str, Any] = {
        "user": user,
        "roles": sorted(principal.roles),
        "claims": dict(principal.claims),
        "aal": principal.aal,
        "session": principal.session,
        "key": principal.key,
        "scopes": None if principal.scopes is None else sorted(principal.scopes),
        "mfa": second,
        "standing_in": standing,
        "tenant": {"slug": generation.identity.slug, "title": title},
        "can": capabilities(generation.model, principal),
    }
    credential = call.credential
    if (
        credential is not None
        and credential.cookie
        and not credential.bearer
        and generation.realm is not None
    ):
        document["csrf_token"] = csrf_token(generation.realm, credential.cookie)
    return Result(200, orjson.dumps(document, default=str))


def _asked(generation: Generation, role: str) -> bool:
    settings = accounts.settings_of(generation).mfa
    return settings.totp == "required" or bool(
        role_and_included(generation, role) & set(settings.required_for)
    )


OPERATIONS: "Mapping[str, Operation]" = {"me": show_me}
