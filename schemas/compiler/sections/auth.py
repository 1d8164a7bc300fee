"""``auth``: how people sign up and in, and what their tokens say.

Decides the forms and which roles they name. Signing in is a feature's; who may do what is ``access``.
"""

from collections.abc import Mapping as MappingType
from typing import Any

from msgspec import Struct, field
from typing_extensions import override

from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import Duration
from schemas.compiler.grammar.scalars import BOOLEAN, Choice, HttpUrl, Integer, Text
from schemas.compiler.grammar.slots import Cel, RoleName
from schemas.compiler.nodes import Mapping, Node, Scalar, pairs
from schemas.compiler.scope import Scope

USERS = "users"
PRESETS = ("google", "github", "microsoft", "gitlab")


class Password(Struct, frozen=True):
    """What a password must be."""

    min_length: int = 8
    check_breached: bool = False
    enabled: bool = True


class SecondFactor(Struct, frozen=True):
    """Whether one-time codes are used, and for whom they are required."""

    totp: str = "optional"
    required_for: tuple[str, ...] = ()


class Sessions(Struct, frozen=True):
    """Lifetimes in seconds."""

    access_ttl: float = 900
    refresh_ttl: float = 2_592_000
    reuse_window: float = 10
    idle: float | None = None


class Provider(Struct, frozen=True):
    """An identity provider; texts may hold ``${NAME}``."""

    client_id: str
    client_secret: str = ""
    issuer: str = ""
    scopes: tuple[str, ...] = ()
    title: MappingType[str, str] = field(default_factory=dict)


class MailWords(Struct, frozen=True):
    """What one kind of mail says."""

    subject: str
    text: str
    button: str = "Open"


class Auth(Struct, frozen=True):
    """How people sign up and in; ``claims`` are expressions over the users row."""

    signup: str = "invite"
    default_role: str | None = None
    password: Password = field(default_factory=Password)
    mfa: SecondFactor = field(default_factory=SecondFactor)
    sessions: Sessions = field(default_factory=Sessions)
    providers: MappingType[str, Provider] = field(default_factory=dict)
    claims: MappingType[str, Expression] = field(default_factory=dict)
    redirects: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    confirm: str = "required"
    mail: MappingType[str, MailWords] = field(default_factory=dict)


class Claims(Keyed):
    """CEL over the users row, there called ``user``."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Expression]:
        formulas = scope.formulas.with_rule("user", "self")
        users = scope.tenant.entities.get(USERS)
        built: dict[str, Expression] = {}
        for key, value in pairs(node):
            if isinstance(value, Scalar) and users is not None:
                expression = formulas.compile(value, users, Use("a claim", "any"))
                if expression is not None:
                    built[key.text] = expression
        return built


class Providers(Keyed):
    """Providers by name; one without a preset needs its issuer."""

    @override
    def build(self, node: Node, scope: Scope) -> dict[str, Any]:
        for key, value in pairs(node):
            if key.text not in PRESETS and isinstance(value, Mapping) and "issuer" not in value.entries:
                scope.findings.error(
                    "auth.provider",
                    f"the provider '{key.text}' needs its 'issuer'",
                    key,
                    f"known without: {', '.join(PRESETS)}",
                )
        built: dict[str, Any] = super().build(node, scope)
        return built


_RESERVED_CLAIMS = (
    r"(?!(?:iss|aud|sub|exp|iat|nbf|jti|tid|role|roles|typ|id|email|phone|aal|amr|session_id|claims"
    r"|app_metadata|user_metadata|is_anonymous)$)[a-z][a-z0-9_]{0,62}"
)
_PROVIDER = Record(
    "provider",
    "An identity provider.",
    {
        "client_id": Key(Text("a client id", secret=True), "Our name there.", required=True),
        "client_secret": Key(Text("a secret", secret=True), 'Our password there, as "${NAME}".'),
        "issuer": Key(HttpUrl(), "Address whose OpenID configuration is read."),
        "scopes": Key(
            Many(Text("a scope", pattern=r"[\x21\x23-\x5b\x5d-\x7e]{1,100}"), "scopes", most=30),
            "What is asked for.",
        ),
        "title": Key(Titles(), "Words on the button."),
    },
    make=Provider,
)
_MAIL = Record(
    "mail",
    "One kind of mail; {{ title }}, {{ link }}, {{ code }} and {{ email }} are filled in.",
    {
        "subject": Key(Text("a subject", most=150), "Its subject.", required=True),
        "text": Key(Text("a text", most=5000), "Its text; an empty line begins a paragraph.", required=True),
        "button": Key(Text("a label", most=60), "Words on the button."),
    },
    make=MailWords,
)
AUTH = Record(
    "auth",
    "How people sign up and in.",
    {
        "signup": Key(
            Choice(
                {
                    "open": "anyone",
                    "invite": "who is invited; the default",
                    "closed": "nobody",
                    "domains": "addresses of the listed domains",
                },
                "open, invite, closed or domains",
            ),
            "Who may sign up.",
        ),
        "domains": Key(
            Many(Text("a domain", pattern=r"[a-z0-9.-]{3,253}"), "domains", most=100, single=True),
            "Mail domains that may sign up.",
        ),
        "default_role": Key(RoleName(), "Role of who signs up."),
        "password": Key(
            Record(
                "password",
                "What a password must be.",
                {
                    "min_length": Key(Integer(8, 128), "Least characters."),
                    "check_breached": Key(BOOLEAN, "Refuse known leaked ones."),
                    "enabled": Key(BOOLEAN, "false: providers only."),
                },
                make=Password,
            ),
            "Passwords.",
        ),
        "mfa": Key(
            Record(
                "mfa",
                "A second factor.",
                {
                    "totp": Key(
                        Choice(
                            {"off": "never", "optional": "who wants", "required": "everyone"},
                            "off, optional or required",
                        ),
                        "One-time codes.",
                    ),
                    "required_for": Key(Many(RoleName(), "role names", single=True), "Roles that must."),
                },
                make=SecondFactor,
            ),
            "Second factor.",
        ),
        "sessions": Key(
            Record(
                "sessions",
                "How long one stays signed in.",
                {
                    "access_ttl": Key(Duration("1s", "1d", ("15m", "1h")), "Life of an access token."),
                    "refresh_ttl": Key(Duration("1m", "400d", ("30d",)), "Life of a refresh token."),
                    "reuse_window": Key(
                        Duration("1ms", "1m", ("10s",)),
                        "How long a used refresh token answers the same successor.",
                    ),
                    "idle": Key(
                        Duration("10s", "400d", ("12h",)), "Signed out after so long without a request."
                    ),
                },
                make=Sessions,
            ),
            "Lifetimes.",
        ),
        "providers": Key(
            Providers("provider", _PROVIDER, pattern=r"[a-z][a-z0-9_-]{0,62}", says="a-z, 0-9, '_' and '-'"),
            "Identity providers: google, github, microsoft, gitlab, or any with an issuer.",
        ),
        "claims": Key(
            Claims(
                "claim",
                Cel(Use("a claim", "any")),
                pattern=_RESERVED_CLAIMS,
                says="a-z, 0-9 and '_', and none of the standard claims",
            ),
            "Further values in the token: CEL over the users row.",
        ),
        "confirm": Key(
            Choice(
                {"required": "by a link in a mail; the default", "off": "not at all"},
                "required or off",
            ),
            "Whether an address must be proven before its owner may sign in with a password.",
        ),
        "mail": Key(
            Record(
                "mail",
                "Words of our own in mails.",
                {
                    kind: Key(_MAIL, f"The mail of {says}.")
                    for kind, says in {
                        "signup": "a sign-up",
                        "invite": "an invitation",
                        "recovery": "a forgotten password",
                        "magiclink": "a sign-in by mail",
                        "email_change": "a new address",
                        "reauthentication": "a code that confirms who asks",
                    }.items()
                },
                make=dict,
            ),
            "What mails say.",
        ),
        "redirects": Key(
            Many(HttpUrl(secret=False), "addresses", most=50), "Exact addresses one may be sent back to."
        ),
    },
    make=Auth,
)
