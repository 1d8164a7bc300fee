"""A rule's ``auth`` held against who asks, before anything behind the rule hears of the request.

Decides between going on, a refusal, and a browser sent to its sign-in page. Who somebody is, the tenant says.
Called by ``gateway.server`` for rules that ask for a credential.
"""

from urllib.parse import quote

from aiohttp.web_request import BaseRequest

from actors.messages import Identify, ProblemError, Result
from gateway.credentials import prefers_html, read_credential
from gateway.places import Place
from gateway.ports import TenantPort


async def admit(
    place: Place, port: TenantPort, request: BaseRequest, deadline: float, *, secure: bool
) -> Result | None:
    """Check that a request may pass.

    Args:
        place: where it leads.
        port: the tenant whose people may pass.
        request: as received.
        deadline: event-loop time.
        secure: the client reached us by TLS.

    Returns:
        None to go on; else where a browser has to sign in first.

    Raises:
        ProblemError: auth.required, auth.forbidden, or the credential is not accepted.
    """
    browser = request.method == "GET" and prefers_html(request.headers.get("Accept", ""))
    try:
        credential = read_credential(request, place.slug, secure=secure)
        principal = await port.identify(Identify(credential, deadline))
    except ProblemError as error:
        if browser and error.code == "auth.invalid_token":
            return _sign_in(place, request)
        raise
    if not principal.known:
        if browser:
            return _sign_in(place, request)
        raise ProblemError("auth.required", "this address needs a credential")
    if not place.match.rule.required_roles <= principal.roles:
        refusal = ProblemError("auth.forbidden", "this address is for other roles")
        refusal.signed_in = True
        raise refusal
    return None


def _sign_in(place: Place, request: BaseRequest) -> Result:
    """Send a browser to the sign-in page, and back here afterwards."""
    back = quote(request._message.path, safe="")  # noqa: SLF001 - the raw target has no public name
    return Result(303, headers=(("Location", f"{place.sign_in}?redirect_to={back}"),))
