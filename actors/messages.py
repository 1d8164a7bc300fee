"""What travels between gateway and tenants: calls, results and their errors. Values only."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field
from typing_extensions import override

from runtime.ref import Interleaved
from schemas.compiler.principal import ANONYMOUS, Principal


class Stream(NamedTuple):
    """A body that is made while it is sent, so that its size costs no memory.

    Whoever takes it closes ``pieces``, also when it is not read to its end.

    Attributes:
        pieces: the body in order; raising ends the connection, so that the client sees that it is not whole.
        length: in bytes, when that is known.
        endless: it has no end of its own (events): it is ended when the process stops.
    """

    pieces: AsyncGenerator[bytes, None]
    length: int | None = None
    endless: bool = False


class Part(NamedTuple):
    """A piece of a body that is taken while it arrives.

    Attributes:
        name: of the form's field; "" for a body that is one file.
        filename: as the client calls it, None for what is no file.
        content_type: as the client says, "" for nothing.
        pieces: its bytes; read to the end, or left, before the next part is asked for.
    """

    name: str
    filename: str | None
    content_type: str
    pieces: AsyncIterator[bytes]


class Sending(NamedTuple):
    """What only operations on files need to know of a request.

    Attributes:
        parts: the body, which nobody holds as a whole; None where there is none.
        length: bytes of the body, when the client says so.
        headers: those that are about files, by name in lower case.
    """

    parts: AsyncIterator[Part] | None = None
    length: int | None = None
    headers: Mapping[str, str] = {}


class Socket(Protocol):
    """A conversation: messages both ways until one side ends it. Whoever takes it closes it.

    Attributes:
        code, reason: how it ended (RFC 6455, 7.4); 0 while it goes on.
    """

    code: int
    reason: str

    async def take(self, message: str | bytes) -> None:
        """Take a message of the client."""
        ...

    async def next(self) -> str | bytes | None:
        """Return the next message for the client; None at the end."""
        ...

    def end(self, code: int, reason: str) -> None:
        """End it from our side."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class Result(Struct, frozen=True):
    """The answer to a Call: status, body (or stream, or socket) and the headers that depend on the data."""

    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    stream: Stream | None = None
    socket: Socket | None = None


class Credential(NamedTuple):
    """What a request brought to prove who asks; believed by nobody until the tenant's realm looked at it.

    Attributes:
        bearer: the token of ``Authorization: Bearer``, or "".
        apikey: that header, or "".
        cookie: value of the tenant's own session cookie, or "".
        csrf: the ``X-CSRF-Token`` header, or "".
        same_origin: the browser says that a page of this very origin sent it (Origin, Sec-Fetch-Site).
        safe: the method promises to change nothing.
    """

    bearer: str = ""
    apikey: str = ""
    cookie: str = ""
    csrf: str = ""
    same_origin: bool = False
    safe: bool = True

    @override
    def __repr__(self) -> str:
        return "Credential(...)"  # logs and errors show what they hold


class Web(Struct, frozen=True):
    """What only signing in needs to know of a request.

    Attributes:
        agent: the User-Agent, cut to 200 characters.
        secure: the client reached us by TLS.
        html: a browser wants a page, not JSON.
        version: the ``X-Supabase-Api-Version`` header, or "".
        cookies: by name.
        authority: host and port as the client addressed us, canonical.
        same_origin: as in ``Credential``; for forms, which have no credential yet.
    """

    __repr__ = object.__repr__  # what it holds reaches no log

    agent: str = ""
    secure: bool = False
    html: bool = False
    version: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict)
    authority: str = ""
    same_origin: bool = False


class Call(Struct, Interleaved[Result]):
    """One request to one tenant, as the gateway decoded it; nothing in it is HTTP any more but the words.

    Nobody changes one but who takes in its body: a form with files is a plain one when it runs again.

    Attributes:
        operation: name in ``actors.tenant.operations.OPERATIONS``.
        method: the verb in upper case (GET, HEAD, POST, ...), for operations that serve several.
        entity: entity or function name from the path, "" when the operation has none.
        key: row id from the path, or None.
        query: the raw, undecoded query string without ``?``.
        body: the request body as received; b"" when there is none.
        content_type: media type of the body in lower case without parameters.
        accept: the Accept header as received.
        prefer: all Prefer headers joined with ``,``.
        range: the Range header (items) as received, or "".
        profile: Accept-Profile or Content-Profile, or "".
        if_match, if_none_match: those headers as received, or "".
        idempotency_key: that header, or "".
        principal: who asks, when somebody already knows; else ``credential`` says.
        base: the tenant's API root as the client addressed it, e.g. ``/api/tenants/acme-corp``.
        request_id: for logs and problems.
        deadline: event-loop time after which nobody waits for the answer.
        credential: what the request brought to prove who asks; None: ``principal`` counts.
        address: the client's network address, "" inside the process.
        web: for operations of ``auth`` only.
        action: what to do with the row: a transition's name; "" otherwise.
        signature: of a notice by a payment provider.
        last_event: the ``Last-Event-ID`` header of who follows again, or "".
        sending: for operations on files, and for writes with files in their body.
    """

    operation: str
    method: str = "GET"
    entity: str = ""
    key: str | None = None
    query: str = ""
    body: bytes = b""
    content_type: str = ""
    accept: str = ""
    prefer: str = ""
    range: str = ""
    profile: str = ""
    if_match: str = ""
    if_none_match: str = ""
    idempotency_key: str = ""
    principal: Principal = ANONYMOUS
    base: str = ""
    request_id: str = ""
    deadline: float = 0.0
    credential: Credential | None = None
    address: str = ""
    web: Web | None = None
    action: str = ""
    signature: str = ""
    last_event: str = ""
    sending: Sending | None = None


class Identify(Struct, Interleaved[Principal], frozen=True):
    """Asks a tenant who somebody is, without asking it for anything else.

    Attributes:
        credential: what the request brought.
        deadline: event-loop time after which nobody waits for the answer.
    """

    credential: Credential
    deadline: float = 0.0


class ProblemError(Exception):
    """A refusal the caller is told about.

    Attributes:
        code: documented error code, ``PGRSTnnn``, a SQLSTATE, or ``area.reason``.
        message: one sentence for the caller.
        details, hint: PostgREST's fields; "" when there is nothing to say.
        errors: one ``{pointer, code, detail}`` per failed field.
        headers: headers the answer carries, e.g. Retry-After.
        more: further members of the document, e.g. ``weak_password``.
        signed_in: whether the caller is known: then "not allowed" is 403, else 401; None: nobody looked.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: str = "",
        hint: str = "",
        errors: tuple[dict[str, Any], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.errors = errors
        self.headers = headers
        self.more = more or {}
        self.signed_in: bool | None = None


class TenantIdentity(Struct, frozen=True):
    """A tenant's names in PostgreSQL; opaque, fixed for life."""

    id: str
    slug: str
    namespace: str
    archive: str
    role: str = field(default="")
