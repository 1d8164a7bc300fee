"""As whom an import writes, though nobody waits any more: who began it, with the rights they have by then.

Decides that an account that is gone or blocked, and a key that is revoked, write nothing more; a session that
ended by itself does not stop what it began. Called when an import begins, and by its run.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from actors.features.auth import account_rows
from actors.features.auth.principals import SIGNED_IN, principal_of
from actors.features.auth.realm import Realm
from actors.features.auth.store import Session
from actors.messages import Call
from actors.tenant.generation import Generation
from schemas.compiler.principal import ANONYMOUS_ROLE, Principal

_KEY = """
SELECT role, scopes FROM {ns}._auth_api_keys
WHERE id::text = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)
"""


def kept(call: Call, principal: Principal) -> dict[str, Any]:
    """Return what is kept of who asks."""
    return {
        "id": principal.id, "email": principal.email, "roles": sorted(principal.roles),
        "claims": dict(principal.claims), "session": principal.session, "key": principal.key,
        "aal": principal.aal, "scopes": None if principal.scopes is None else sorted(principal.scopes),
        "impersonator": principal.impersonator, "address": call.address,
    }  # fmt: skip


async def again(generation: Generation, who: Mapping[str, Any]) -> Principal | None:
    """Return who asked, as they are now; None when they may nothing more."""
    scopes = None if who["scopes"] is None else frozenset(who["scopes"])
    was = Principal(
        who["id"], who["email"], frozenset(who["roles"]), who["claims"], who["session"], who["key"],
        who["aal"], scopes, impersonator=who["impersonator"],
    )  # fmt: skip
    realm = generation.realm
    if realm is None:
        return was
    if was.id is not None and was.session is not None:
        return await realm.store.transaction(lambda session: _account(session, generation, was, realm))
    if was.id is None and was.key is not None:
        row = await realm.store.row(_KEY, was.key, realm.services.now())
        if row is None:
            return None
        role = generation.model.roles.get(row["role"])
        includes = frozenset({row["role"]}) | (role.includes if role is not None else frozenset())
        roles = frozenset({ANONYMOUS_ROLE}) if row["role"] == ANONYMOUS_ROLE else SIGNED_IN | includes
        found = None if row["scopes"] is None else frozenset(row["scopes"])
        return replace(was, roles=roles, scopes=found)
    return was


async def _account(
    session: Session, generation: Generation, was: Principal, realm: Realm
) -> Principal | None:
    account = await account_rows.find(session, generation, was.id or "")
    if account is None or (account.banned_until is not None and account.banned_until > realm.services.now()):
        return None
    now = await principal_of(session, generation, account, was.session or "", was.aal)
    return replace(now, impersonator=was.impersonator)
