"""The tenant itself: ``service``, ``locale``, ``branding``, ``roles``, ``let``.

Decides their forms and values; who may do what with rows is in ``access``.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from schemas.compiler.formulas import Use
from schemas.compiler.grammar.combinators import Many, Titles
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.quantities import ZONE
from schemas.compiler.grammar.scalars import Choice, Text
from schemas.compiler.grammar.slots import Cel

NAME = r"[a-z][a-z0-9_-]{0,62}"
NAME_SAYS = "lower-case letters, digits, '_' and '-', beginning with a letter"


class Branding(Struct, frozen=True):
    """How the tenant looks: typed tokens only, no free CSS."""

    color: str = ""
    logo: str = ""
    icon: str = ""
    theme: str = "auto"
    name: Mapping[str, str] = field(default_factory=dict)


SERVICE = Record(
    "service",
    "What this backend is called.",
    {
        "name": Key(Text("a slug", most=40), "The tenant's slug: the file's name without .yaml."),
        "title": Key(Titles(), "What people read."),
        "description": Key(Text("a text", most=10_000), "What it is for."),
    },
    shorthand="name",
)
LOCALE = Record(
    "locale",
    "Languages, time zone and currency.",
    {
        "languages": Key(
            Many(
                Text("a language", pattern=r"[a-z]{2,3}(-[A-Z][A-Za-z]{1,3})?", examples=("en", "pt-BR")),
                "languages",
                least=1,
                most=40,
                single=True,
            ),
            "Languages of titles; the first is the default.",
        ),
        "timezone": Key(ZONE, "Where a day begins and ends."),
        "currency": Key(
            Text("a currency code", pattern=r"[A-Z]{3}", examples=("EUR", "USD")), "Currency of amounts."
        ),
    },
)
BRANDING = Record(
    "branding",
    "How the tenant looks: a few tokens, no free CSS.",
    {
        "color": Key(
            Text("a colour", pattern=r"#[0-9a-fA-F]{6}", examples=("#0F766E",)),
            "Accent; ten shades are made from it.",
        ),
        "logo": Key(
            Text(
                "a file name or https address",
                # the host becomes part of the page's Content-Security-Policy
                pattern=r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s\"'<>\\()]*)?"
                r"|[A-Za-z0-9][A-Za-z0-9._-]*\.(svg|png|jpg|jpeg|webp)",
                examples=("logo.svg",),
            ),
            "Logo, beside the file or elsewhere.",
        ),
        "icon": Key(
            Text("a file name", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]*\.(svg|png|ico)", examples=("icon.png",)),
            "Browser icon.",
        ),
        "theme": Key(
            Choice({"auto": "as the device", "light": "always light", "dark": "always dark"}, "a theme"),
            "Light or dark.",
        ),
        "name": Key(Titles(), "Name shown in the app; the service's title by default."),
    },
    make=Branding,
)
ROLE = Record(
    "role",
    "A role people can have.",
    {
        "inherits": Key(
            Many(Text("a role's name", most=63), "role names", most=50, single=True),
            "Roles it includes.",
            examples=(["member"],),
        ),
        "title": Key(Titles(), "What people read."),
        "description": Key(Text("a text", most=2000), "What it is for."),
    },
)
ROLES = Keyed("role", ROLE, pattern=NAME, says=NAME_SAYS)
LET = Keyed(
    "named rule", Cel(Use("a named rule", "any")), pattern=r"[a-z][a-z0-9_]{0,62}", says="a-z, 0-9 and '_'"
)
ACCESS_RULES = Record(
    "access_rules",
    "Another spelling of let and roles.",
    {"rules": Key(LET, "The same as let."), "roles": Key(ROLES, "The same as roles.")},
)
