"""Mails of a live process by a real SMTP server: a tenant's own words, never evaluated; docs/attacks.md A4, B12, B13."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.live import Live, free_port

TENANT = """
version: 1
service:
  name: acme-co
  title: { en: "Acme <b>&</b> {{ code }}" }
auth:
  signup: open
  mail:
    signup:
      subject: "{{7*7}} for {{ email }} at {{ title }}"
      text: "Hello {{ email }}, {{ title.__class__ }} {{ config }} $HOME %s {0} <i>now</i>\\n\\nCode {{ code }}, {{link}}"
      button: "Yes <b>"
entities:
  notes: { schema: { properties: { text: { type: string } } } }
"""


class Box:
    """A server that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[EmailMessage] = []
        self.recipients: list[list[str]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.got.append(message_from_bytes(envelope.content, policy=policy.SMTP))  # type: ignore[arg-type]
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"


@pytest.fixture
async def mailed(tmp_path: Path, database_url: str) -> AsyncIterator[tuple[Live, Box]]:
    box = Box()
    server = Controller(box, "127.0.0.1", free_port())
    server.start()
    live = Live(
        tmp_path, BACKSAAS_DATABASE_URL=database_url, BACKSAAS_URL="https://app.example.org", BACKSAAS_MAIL_HOST="127.0.0.1",
        BACKSAAS_MAIL_PORT=str(server.port), BACKSAAS_MAIL_SECURITY="none", BACKSAAS_MAIL_SENDER="Acme <post@acme.example>",
    )  # fmt: skip
    live.write("acme-co", TENANT)
    await live.start(str(tmp_path))
    yield live, box
    await live.stop()
    server.stop()


async def test_a_tenants_words_are_filled_in_and_never_evaluated(mailed: tuple[Live, Box]) -> None:
    live, box = mailed
    poisoned = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    async with aiohttp.ClientSession() as session:
        person = {"email": "o'neil+<x>@example.com", "password": "a long enough password 1"}
        for email in (
            "ann+news@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com, b@example.com",
            person["email"],
        ):
            async with session.post(
                f"{live.base('acme-co')}/auth/v1/signup", json=person | {"email": email}, headers=poisoned
            ) as answer:
                assert answer.status in {200, 400, 422}, await answer.text()
    deadline = time.monotonic() + 20
    while not box.got and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    (got,) = box.got  # B12: the others are no addresses
    assert box.recipients == [["ann+news@example.com"]]
    assert (got["From"], got["To"], got["Bcc"]) == ("Acme <post@acme.example>", "ann+news@example.com", None)
    assert got["Subject"] == "{{7*7}} for ann+news@example.com at Acme <b>&</b> {{ code }}"
    text, page = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None
    assert page is not None
    words, html = text.get_content(), page.get_content()
    for said in (words, html):
        assert "{{ title.__class__ }} {{ config }} $HOME %s {0}" in said
        assert re.search(r"Code \d{6,}", said)
        assert "evil.example" not in said  # A4
        assert "https://app.example.org/app/acme-co/link#token=" in said
    assert "<i>now</i>" in words
    assert "&lt;i&gt;now" in html
    assert "Acme &lt;b&gt;&amp;&lt;/b&gt; {{ code }}" in html
    assert "Yes &lt;b&gt;" in html
    assert "<script" not in html
