"""A request's headers to a ``Call``: the words a tenant needs, none of HTTP's forms.

Decides which media types and encodings are read at all. It never interprets a query or a body. Called by
``gateway.server``.
"""

from urllib.parse import parse_qs

from aiohttp.web_request import BaseRequest
from multidict import CIMultiDictProxy, istr

from actors.features.auth.api_keys import PUBLIC
from actors.messages import Call, Credential, ProblemError, Sending, Web
from gateway.routes import Found
from schemas.compiler.principal import ANONYMOUS

JSON = "application/json"
CSV = "text/csv"
FORM = "application/x-www-form-urlencoded"
_READABLE = frozenset(
    {
        JSON,
        CSV,
        FORM,
        "application/vnd.pgrst.object+json",
        "application/vnd.pgrst.array+json",
        "application/merge-patch+json",
    }
)
_NO_OTHERS: frozenset[str] = frozenset()
_WHOLE_FILES = {
    "platform.schema.write": frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/plain"}),
}
"""Operations whose body is no JSON, and the media types it may say it is."""
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})
_ENCODINGS = frozenset({"identity", "gzip", "deflate"})
_ACCEPT, _PREFER, _RANGE, _UNIT = istr("Accept"), istr("Prefer"), istr("Range"), istr("Range-Unit")
_TYPE, _ENCODING = istr("Content-Type"), istr("Content-Encoding")
_IF_MATCH, _IF_NONE_MATCH, _KEY = istr("If-Match"), istr("If-None-Match"), istr("Idempotency-Key")
_LAST_EVENT = istr("Last-Event-ID")
_ACCEPT_PROFILE, _CONTENT_PROFILE = istr("Accept-Profile"), istr("Content-Profile")
SINGLE = frozenset(
    istr(name)
    for name in (
        "Content-Type",
        "Authorization",
        "apikey",
        "Idempotency-Key",
        "If-Match",
        "Range",
        "Content-Length",
    )
)


def media_type(header: str | None, also: frozenset[str] = frozenset()) -> str:
    """Return the media type of a body, lower case and without parameters; JSON when the header is absent.

    Raises:
        ProblemError: http.media_type for what is not read here.
    """
    if header is None or header == JSON:
        return JSON
    name, _, parameters = header.partition(";")
    media = name.strip().lower()
    for parameter in parameters.split(";") if parameters else ():
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset" and value.strip().strip('"').lower() not in _CHARSETS:
            raise ProblemError("http.media_type", "text is read as UTF-8 only")
    if media not in _READABLE and media not in also:
        raise ProblemError(
            "http.media_type", "this media type is not read here", hint="send application/json"
        )
    return media


def check_encoding(headers: CIMultiDictProxy[str]) -> None:
    """Refuse a content coding that nobody decodes.

    Raises:
        ProblemError: http.media_type.
    """
    coding = headers.get(_ENCODING)
    if coding is not None and coding.strip().lower() not in _ENCODINGS:
        raise ProblemError(
            "http.media_type", "this content coding is not read here", hint="send gzip or none"
        )


def check_single(headers: CIMultiDictProxy[str]) -> None:
    """Refuse headers that are there twice although they have one value.

    Raises:
        ProblemError: http.bad_header.
    """
    if len(headers) != len(set(headers)):
        for name in SINGLE:
            if len(headers.getall(name, ())) > 1:
                raise ProblemError("http.bad_header", f"the header {name} may be sent once")


def socket_credential(query: str, credential: Credential) -> Credential:
    """Return what a websocket brought: browsers send no headers, so the key is in its address.

    Raises:
        ProblemError: auth.key_in_url for anything that proves more than a project.
    """
    key = parse_qs(query).get("apikey", [""])[-1]
    if key and not key.startswith(PUBLIC):
        raise ProblemError(
            "auth.key_in_url",
            "only a public key belongs into an address",
            hint="connect with the public key; send the token when you join",
        )
    return credential if credential.apikey or not key else credential._replace(apikey=key)


def make_call(  # noqa: PLR0913, PLR0917 - the parts of a request, each from another place
    request: BaseRequest,
    operation: str,
    found: Found,
    query: str,
    body: bytes,
    base: str,
    request_id: str,
    deadline: float,
    credential: Credential,
    address: str,
    web: Web | None,
    sending: Sending | None = None,
) -> Call:
    """Return the call a request stands for.

    Raises:
        ProblemError: http.media_type, http.bad_header.
    """
    headers = request.headers
    get = headers.get
    if operation == "realtime.socket":
        credential = socket_credential(query, credential)
    method = request.method
    prefer = get(_PREFER, "")
    if prefer:
        prefer = ",".join(headers.getall(_PREFER))
    accept = get(_ACCEPT, "")
    if accept:
        accept = ",".join(headers.getall(_ACCEPT))
    reading = method in {"GET", "HEAD"}
    if not reading or len(headers) > 12:
        check_single(headers)
    items = get(_RANGE, "")
    if items and get(_UNIT, "items").lower() != "items":
        items = ""
    return Call(
        operation,
        method,
        found.entity,
        found.key,
        query,
        body,
        media_type(get(_TYPE), _WHOLE_FILES.get(operation, _NO_OTHERS)) if body else "",
        accept,
        prefer,
        items,
        get(_ACCEPT_PROFILE if reading else _CONTENT_PROFILE, ""),
        get(_IF_MATCH, ""),
        get(_IF_NONE_MATCH, ""),
        "" if reading else get(_KEY, ""),
        ANONYMOUS,
        base,
        request_id,
        deadline,
        credential,
        address,
        web,
        found.action,
        get("Stripe-Signature", "") if operation == "billing.webhook" else "",
        get(_LAST_EVENT, "") if "event-stream" in accept else "",
        sending,
    )
