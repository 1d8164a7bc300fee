"""``api``: which origins may call, how often, and how much at once.

Decides the forms; the gateway enforces them.
"""

from msgspec import Struct
from typing_extensions import override

from schemas.compiler.findings import did_you_mean
from schemas.compiler.grammar.combinators import Many
from schemas.compiler.grammar.containers import Key, Record
from schemas.compiler.grammar.quantities import RATE, Rate
from schemas.compiler.grammar.scalars import Choice, Integer, Text
from schemas.compiler.nodes import Node, plain
from schemas.compiler.scope import Scope

PER = {
    "user": "each signed-in user",
    "ip": "each network address",
    "key": "each API key",
    "tenant": "all callers together",
}
_VERBS = ("read", "create", "update", "delete", "write", "*")
_AREAS = ("auth", "rpc", "batch", "files", "realtime")


class RateLimit(Struct, frozen=True):
    """At most ``limit`` requests that match, per ``per``."""

    match: str
    limit: Rate
    per: str = "user"


class Api(Struct, frozen=True):
    """The tenant's own limits."""

    origins: tuple[str, ...] = ()
    rate_limit: tuple[RateLimit, ...] = ()
    max_requests: int = 50
    page_size: int = 100
    max_page_size: int = 1000


class Match(Text):
    """``invoices:create``, ``invoices:*``, ``auth:login`` or ``*``."""

    def __init__(self) -> None:
        super().__init__(
            "a match", pattern=r"\*|[A-Za-z][A-Za-z0-9_]*(:(\*|[a-z_]+))?", examples=("invoices:create", "*")
        )

    @override
    def build(self, node: Node, scope: Scope) -> str:
        text = str(plain(node))
        name, _, verb = text.partition(":")
        if name == "*" or name in _AREAS:
            return text
        if scope.check_entity(node, name) and verb and verb not in _VERBS:
            scope.findings.error("api.match", f"'{verb}' is no verb", node, did_you_mean(verb, _VERBS))
        return text


_ORIGIN = Text(
    "an origin", pattern=r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", examples=("https://acme.example",)
)
_CORS = Record(
    "cors", "Which web pages may call.", {"origins": Key(Many(_ORIGIN, "origins", most=50), "Exact origins.")}
)
_LIMIT = Record(
    "rate limit",
    "How often something may be called.",
    {
        "match": Key(Match(), "What it is about: entity:verb, or *.", required=True),
        "per": Key(Choice(PER, "user, ip, key or tenant"), "Who is counted."),
        "limit": Key(RATE, "How often.", required=True),
    },
    make=RateLimit,
)
_BATCH = Record(
    "batch", "Several operations in one request.", {"max_requests": Key(Integer(1, 1000), "Most operations.")}
)
_PAGE = Record(
    "page",
    "Sizes of pages.",
    {
        "default": Key(Integer(1, 1000), "Rows without limit=."),
        "max": Key(Integer(1, 1000), "Most rows a page may have."),
    },
)


class ApiRecord(Record):
    """Flattens the parts into one value."""

    @override
    def build(self, node: Node, scope: Scope) -> Api:
        values = super().build(node, scope)
        page = values.get("page", {})
        return Api(
            values.get("cors", {}).get("origins", ()),
            values.get("rate_limit", ()),
            values.get("batch", {}).get("max_requests", 50),
            page.get("default", 100),
            page.get("max", 1000),
        )


API = ApiRecord(
    "api",
    "Who may call from where, and how much.",
    {
        "cors": Key(_CORS, "Origins of web pages."),
        "rate_limit": Key(Many(_LIMIT, "rate limits", most=50), "Limits; the first match counts."),
        "batch": Key(_BATCH, "Several operations at once."),
        "page": Key(_PAGE, "Sizes of pages."),
    },
)
