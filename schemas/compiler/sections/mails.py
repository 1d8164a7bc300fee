"""``mails``: what mails say, by name, for ``send_email`` and ``ctx.mail``.

Decides that every template in a mail compiles, for the rows the mail is about. Sending is a feature's.
"""

from msgspec import Struct, field
from typing_extensions import override

from schemas.compiler.findings import Findings
from schemas.compiler.grammar.config import Config, ConfigValue
from schemas.compiler.grammar.containers import Key, Keyed, Record
from schemas.compiler.grammar.slots import EntityName
from schemas.compiler.nodes import Node, Scalar
from schemas.compiler.sections.tenant import NAME, NAME_SAYS


class MailTemplate(Struct, frozen=True):
    """A mail before its values are filled in; ``html`` None: a page is made of the text."""

    subject: Config
    text: Config
    entity: str | None = None
    html: Config | None = None
    button: Config = field(default_factory=Config)
    link: Config = field(default_factory=Config)


class MailText(ConfigValue):
    """A text with ``{{ CEL }}`` in it."""

    expects = "a text"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            self.wrong_kind(node, findings)
            return None
        return super().check(node, findings)


MAIL = Record(
    "mail",
    "What a mail says; {{ CEL }} in it is filled in, as text, and escaped in HTML.",
    {
        "entity": Key(EntityName(), "Whose rows it is about: self in its templates."),
        "subject": Key(MailText(), "The subject.", required=True, examples=("Invoice {{ self.number }}",)),
        "text": Key(MailText(), "What it says; paragraphs are separated by an empty line.", required=True),
        "button": Key(MailText(), "Words on the button that leads to 'link'."),
        "link": Key(MailText(), "Address of the button."),
        "html": Key(MailText(), "The page, where the one made of the text will not do."),
    },
    make=MailTemplate,
    of_entity="entity",
    suggest={"body": "write text: ...", "to": "who gets it is said where it is sent"},
)
MAILS = Keyed("mail", MAIL, pattern=NAME, says=NAME_SAYS)
