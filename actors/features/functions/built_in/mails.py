"""Mails that functions send: from a template of the file, or with words of their own.

Decides what a mail looks like. Values are put in as text: they can add no header, and no markup to a page.
"""

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from actors.addresses import canonical_email
from actors.features.functions.built_in.context import Context
from actors.features.functions.calls import Row, rejected
from actors.features.functions.rendering import Surroundings
from actors.messages import ProblemError
from schemas.compiler.model import Entity
from schemas.compiler.sections.mails import MailTemplate

MAX_RECIPIENTS = 50
MAX_SUBJECT = 200
_PAGE = (
    '<!doctype html><html><body style="margin:0;padding:32px 16px;background:#f6f7f8;color:#1a1d21;'
    'font:16px/1.5 system-ui,sans-serif"><div style="max-width:560px;margin:auto;background:#fff;'
    'padding:32px;border-radius:10px;border-top:4px solid {color}">'
    '<h1 style="font-size:20px;margin:0 0 16px">'
    "{title}</h1>{body}</div></body></html>"
)
_PARAGRAPH = '<p style="margin:0 0 16px">{}</p>'
_BUTTON = (
    '<p style="margin:24px 0"><a href="{link}" style="background:{color};color:#fff;padding:12px 20px;'
    'border-radius:6px;text-decoration:none;display:inline-block">{words}</a></p>'
)
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}", re.ASCII)
_FALLBACK_COLOR = "#0F766E"
_WEB = ("https://", "http://", "mailto:")


async def send_email(context: Context, record: Row, config: Mapping[str, Any]) -> None:
    """Send a mail."""
    del record
    await context.mailer.send(await compose(context, config))
    context.log.append("mail handed over")


async def compose(context: Context, config: Mapping[str, Any]) -> EmailMessage:
    """Return the mail a configuration describes.

    Args:
        context: of the function.
        config: to, cc, reply_to; template, with ``record`` for another row than the function's; or subject,
            text, html. What stands here goes before the template's.

    Raises:
        ProblemError: function.rejected when nobody can receive it, function.failed without its row.
    """
    model = context.generation.model
    title = next(iter(model.title.values()), "") or model.slug
    words = await _words(context, config) if config.get("template") else {}
    words |= {name: str(config[name]) for name in ("subject", "text", "html") if config.get(name)}
    message = EmailMessage()
    for header, key in (("To", "to"), ("Cc", "cc"), ("Reply-To", "reply_to")):
        named = config.get(key)
        listed = named if isinstance(named, list) else str(named).split(",") if named else []
        if listed:
            message[header] = ", ".join(_address(str(one)) for one in listed[:MAX_RECIPIENTS])
    if "To" not in message:
        raise rejected("the mail has nobody to go to")
    message["Subject"] = " ".join(words.get("subject", title).split())[:MAX_SUBJECT]
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain="backsaas.invalid")
    message["Auto-Submitted"] = "auto-generated"
    link = words.get("link", "")
    message.set_content(words.get("text", "") + (f"\n\n{link}\n" if link else "\n"))
    page = words.get("html")
    if page is not None and "<html" not in page.lower():
        page = _page(context, title, page)
    elif page is None and config.get("template"):
        page = _page(context, title, _body_of(context, words))
    if page is not None:
        message.add_alternative(page, subtype="html")
    return message


async def _words(context: Context, config: Mapping[str, Any]) -> dict[str, str]:
    """Return what a template says about a row."""
    generation, call, name = context.generation, context.call, str(config["template"])
    mails: Mapping[str, MailTemplate] = generation.model.sections.get("mails") or {}
    mail, record, old = mails.get(name), config.get("record"), None
    if record is None:
        record, old = call.record, call.old
    if mail is None:
        return _plain_words(generation.model.entities.get(call.entity), name, record)
    if mail.entity is not None and not isinstance(record, dict):
        raise ProblemError("function.failed", f"the mail '{name}' is about a row of {mail.entity}: give one")
    around = Surroundings(
        generation, mail.entity or "", record if mail.entity else None, old, call.principal,
        datetime.now(UTC), "", getattr(context.data, "connection", None),
    )  # fmt: skip
    texts = {"subject": mail.subject, "text": mail.text, "button": mail.button, "link": mail.link}
    words = {key: await around.text(value) for key, value in texts.items() if value.values is not None}
    if mail.html is not None:
        words["html"] = await around.text(mail.html, escape=True)
    return words


def _plain_words(entity: Entity | None, name: str, record: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what is said where the file has no such mail: what it is about, and which row."""
    subject = name.replace("_", " ").replace("-", " ").capitalize()
    if entity is None or record is None:
        return {"subject": subject, "text": subject}
    title = next(iter(entity.title.values()), entity.name)
    label = str(record.get((entity.label or entity.key).partition(".")[0]) or record.get(entity.key) or "")
    return {"subject": f"{subject}: {label}", "text": f"{subject}.\n\n{title}: {label}"}


def _color(context: Context) -> str:
    color = getattr(context.generation.model.sections.get("branding"), "color", "") or ""
    return color if _COLOR.fullmatch(color) else _FALLBACK_COLOR


def _body_of(context: Context, words: Mapping[str, str]) -> str:
    parts = re.split(r"\n[ \t]*\n", words.get("text", "").strip())
    body = "".join(_PARAGRAPH.format(html.escape(part).replace("\n", "<br>")) for part in parts)
    link = words.get("link", "").strip()
    if link.startswith(_WEB):
        label = html.escape(words.get("button", "").strip() or "Open")
        body += _BUTTON.format(link=html.escape(link), color=_color(context), words=label)
    return body


def _page(context: Context, title: str, body: str) -> str:
    return _PAGE.format(color=_color(context), title=html.escape(title), body=body)


def _address(text: str) -> str:
    try:
        return canonical_email(text)
    except ProblemError:
        raise rejected(f"'{text[:80]}' is no address that can receive mail") from None
