"""What mails say: one subject, text and page per kind, in the tenant's name.

Decides the words. Placeholders are ``{{ name }}`` of a fixed vocabulary and nothing else: what is put in is
plain text, never evaluated, escaped in the page. A tenant's file may say its own words in ``auth.mail``.
"""

import html
import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import NamedTuple

from actors.features.auth import accounts
from actors.tenant.generation import Generation
from schemas.compiler.sections.auth import MailWords

KINDS = (
    "signup",
    "invite",
    "recovery",
    "magiclink",
    "email_change",
    "reauthentication",
    "already",
    "email_changing",
)  # fmt: skip
_PLACE = re.compile(r"\{\{ *([a-z_]+) *\}\}", re.ASCII)
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
_FALLBACK_COLOR = "#0F766E"


class Words(NamedTuple):
    """A mail before its values are filled in."""

    subject: str
    text: str
    button: str = ""


WORDS: Mapping[str, Words] = {
    "signup": Words(
        "Confirm your address for {{ title }}",
        "Welcome to {{ title }}. Confirm that this address is yours, by the link or with the code "
        "{{ code }}.\n\n"
        "Both work once, for an hour. If you did not sign up, ignore this mail.",
        "Confirm my address",
    ),
    "invite": Words(
        "You are invited to {{ title }}",
        "You are invited to {{ title }}. The link lets you in and set a password; the code is {{ code }}.\n\n"
        "It works once.",
        "Accept the invitation",
    ),
    "recovery": Words(
        "Set a new password for {{ title }}",
        "Somebody, hopefully you, forgot the password of this account at {{ title }}. Set a new one by "
        "the link, or with the code {{ code }}.\n\nBoth work once, for an hour. If it was not you, ignore "
        "this mail.",
        "Set a new password",
    ),
    "magiclink": Words(
        "Sign in to {{ title }}",
        "Sign in to {{ title }} by the link, or with the code {{ code }}.\n\n"
        "Both work once, for an hour. If you did not ask for it, ignore this mail.",
        "Sign in",
    ),
    "email_change": Words(
        "Confirm your new address for {{ title }}",
        "Confirm that your account at {{ title }} shall use this address, by the link or with the code "
        "{{ code }}.",
        "Use this address",
    ),
    "reauthentication": Words(
        "Your code for {{ title }}",
        "{{ code }} confirms that it is you. It works once, for ten minutes. Tell it to nobody.",
    ),
    "already": Words(
        "You have an account at {{ title }}",
        "Somebody tried to sign up at {{ title }} with this address, which has an account already. If it "
        "was you, sign in, or ask for a new password. If not, nothing happened.",
    ),
    "email_changing": Words(
        "Your address at {{ title }} is being changed",
        "Somebody signed in to your account at {{ title }} asked to use another address from now on. If "
        "it was not you, sign in, end all sessions and set a new password.",
    ),
}


def compose(
    generation: Generation, kind: str, *, to: str, link: str = "", code: str = "", address: str = ""
) -> EmailMessage:
    """Return a mail ready to be sent.

    Args:
        generation: of the tenant whose words it says.
        kind: one of ``KINDS``.
        to: a canonical address.
        link: "" for a notice.
        code: "" for a notice.
        address: where it was asked for from.
    """
    words = accounts.settings_of(generation).mail.get(kind) or WORDS[kind]
    title = next(iter(generation.model.title.values()), "") or generation.identity.slug
    values = {"title": title, "link": link, "code": code, "email": to, "address": address}
    subject = " ".join(_fill(words.subject, values).split())[:200]
    text = _fill(words.text, values)
    message = EmailMessage()
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain="backsaas.invalid")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{text}\n\n{link}\n" if link else f"{text}\n")
    message.add_alternative(_page(generation, words, values), subtype="html")
    return message


def _page(generation: Generation, words: Words | MailWords, values: Mapping[str, str]) -> str:
    safe = {name: html.escape(value) for name, value in values.items()}
    color = getattr(generation.model.sections.get("branding"), "color", None) or _FALLBACK_COLOR
    color = color if _COLOR.fullmatch(color) else _FALLBACK_COLOR
    paragraphs = "".join(
        f'<p style="margin:0 0 16px">{_fill(html.escape(part, quote=False), safe)}</p>'
        for part in words.text.split("\n\n")
    )
    label = html.escape(getattr(words, "button", "") or "Open")
    button = (
        f'<p style="margin:24px 0"><a href="{safe["link"]}" style="background:{color};color:#fff;'
        f'padding:12px 20px;border-radius:6px;text-decoration:none;display:inline-block">{label}</a></p>'
        f'<p style="margin:0;color:#666;font-size:13px;word-break:break-all">{safe["link"]}</p>'
        if values["link"]
        else ""
    )
    return (
        '<!doctype html><html><body style="margin:0;padding:32px 16px;background:#f6f7f8;color:#1a1d21;'
        'font:16px/1.5 system-ui,sans-serif"><div style="max-width:480px;margin:auto;background:#fff;'
        f'padding:32px;border-radius:10px"><h1 style="font-size:20px;margin:0 0 16px">{safe["title"]}</h1>'
        f"{paragraphs}{button}"
        "</div></body></html>"
    )


def _fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in; a word that is no value stays as it is written."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)
