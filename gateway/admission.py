"""A rule's ``auth`` held against who asks, before anything behind the rule hears of the request.

Decides between going on, a refusal, and a browser sent to its sign-in page or shown who it is. Who somebody
is, the tenant says. Called by ``gateway.server`` for rules that ask for a credential.
"""

from urllib.parse import quote

from aiohttp.web_request import BaseRequest

from actors.messages import Call, Identify, ProblemError, Result
from gateway.credentials import prefers_html, read_credential, read_web
from gateway.places import Place
from gateway.ports import TenantPort


async def admit(
    place: Place,
    port: TenantPort,
    request: BaseRequest,
    deadline: float,
    *,
    secure: bool,
    own_page: bool = False,
) -> Result | None:
    """Check that a request may pass.

    Args:
        place: where it leads.
        port: the tenant whose people may pass.
        request: as received.
        deadline: event-loop time.
        secure: the client reached us by TLS.
        own_page: the place is a page that signs people in by itself.

    Returns:
        None to go on; else what a browser gets instead: the way to sign in, or a page that says who it is.

    Raises:
        ProblemError: auth.required, auth.forbidden, or the credential is not accepted.
    """
    browser = is_browser(request)
    try:
        credential = read_credential(request, place.slug, secure=secure)
        principal = await port.identify(Identify(credential, deadline))
    except ProblemError as error:
        if browser and error.code == "auth.invalid_token":
            return None if own_page else _sign_in(place, request)
        raise
    if not principal.known:
        if browser:
            return None if own_page else _sign_in(place, request)
        raise ProblemError("auth.required", "this address needs a credential")
    if not place.match.rule.required_roles <= principal.roles:
        if browser:
            return await _account_page(place, port, request, deadline, secure=secure, query="refused=1")
        refusal = ProblemError("auth.forbidden", "this address is for other roles")
        refusal.signed_in = True
        raise refusal
    return None


def is_browser(request: BaseRequest) -> bool:
    """Whether a person looks at the answer."""
    return request.method == "GET" and prefers_html(request.headers.get("Accept", ""))


async def _account_page(
    place: Place, port: TenantPort, request: BaseRequest, deadline: float, *, secure: bool, query: str = ""
) -> Result:
    credential = read_credential(request, place.slug, secure=secure)
    base = place.sign_in_base
    web = read_web(request, secure=secure)
    return await port.call(
        Call("auth.account", query=query, base=base, deadline=deadline, credential=credential, web=web)
    )


def _sign_in(place: Place, request: BaseRequest) -> Result:
    """Send a browser to the sign-in page, and back here afterwards."""
    back = quote(request._message.path, safe="")  # noqa: SLF001 - the raw target has no public name
    return Result(303, headers=(("Location", f"{place.sign_in_base}/auth/v1/login?redirect_to={back}"),))
