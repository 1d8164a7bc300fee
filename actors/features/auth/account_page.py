"""The page of somebody who signed in and has no application here yet: who they are, and the way out.

Decides what it shows. The gateway answers browsers with it where the console's or a tenant's pages would be,
and where somebody signed in may not go; a person can always sign out and in again as somebody else.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from actors.features.auth import accounts, links, pages, sessions
from actors.features.auth.bodies import query_of, read_object
from actors.features.auth.cookies import clear_session
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation


async def account_page(generation: Generation, call: Call, principal: Principal) -> Result:
    """Show who is signed in (GET), or sign them out (POST).

    ``refused`` in the query says that they came from a page for other roles.
    """
    sign_in = f"{call.base}/auth/v1/login"
    if principal.id is None:
        return links.redirect(f"{sign_in}?redirect_to={quote(f'{call.base}/auth/v1/account', safe='')}")
    if call.method not in {"GET", "HEAD"}:
        pages.check_form(call, read_object(call))
        realm = accounts.realm_of(generation)
        await sessions.end_sessions(realm, principal.id, only=principal.session)
        secure = realm.services.url.startswith("https:")
        return links.redirect(sign_in, clear_session(realm.identity.slug, secure=secure))
    refused = "refused" in query_of(call)
    api = "/api/platform" if generation.identity.slug == SYSTEM_SLUG else call.base
    return pages.show(
        generation,
        call,
        "Not for you" if refused else "You are signed in",
        text=f"You are {principal.email or 'signed in'}.",
        error="This page is for other roles than yours." if refused else "",
        forms=(pages.Form("Sign out", action=f"{call.base}/auth/v1/account", plain=True),),
        links=() if refused else (("What the API offers", f"{api}/rest/v1/"),),
        status=403 if refused else 200,
    )


OPERATIONS: "Mapping[str, Operation]" = {"auth.account": account_page}
