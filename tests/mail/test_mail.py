"""Mails by a real SMTP server, by one that refuses, and by none: who asks for one never waits."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from actors.mail import Mailer
from config.settings import MailSettings
from tests.certificates import certificate
from tests.live import free_port


class Post:
    """What a server does with what it gets."""

    def __init__(self, answers: Callable[[int], str] = lambda _: "250 OK") -> None:
        self.got: list[EmailMessage] = []
        self.tries = 0
        self.answers = answers

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.tries += 1
        answer = self.answers(self.tries)
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.got.append(message_from_bytes(envelope.content, policy=policy.SMTP))  # type: ignore[arg-type]
        return answer


def login(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"poster", b"its password")
    return AuthResult(success=good)


def message(to: str = "ann@example.com", subject: str = "Hello") -> EmailMessage:
    made = EmailMessage()
    made["To"], made["Subject"] = to, subject
    made.set_content("plain words, code 123456")
    made.add_alternative("<p>words with a button</p>", subtype="html")
    return made


@asynccontextmanager
async def posting(post: Post, directory: Path, **settings: Any) -> AsyncIterator[Mailer]:
    server = Controller(post, "127.0.0.1", free_port(), **settings.pop("server", {}))
    server.start()
    mailer = Mailer(
        MailSettings(**{"host": "127.0.0.1", "port": server.port, "security": "none"} | settings), directory
    )
    running = asyncio.ensure_future(mailer.run())
    try:
        yield mailer
    finally:
        await ended(running)
        server.stop()


async def ended(running: asyncio.Future[None]) -> None:
    """End what sends; a library's time-out that ends in the same moment swallows the first word."""
    while not running.done():
        running.cancel()
        await asyncio.wait([running], timeout=1)


async def until(done: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_mail_arrives_as_text_and_page(tmp_path: Path) -> None:
    post = Post()
    async with posting(post, tmp_path, sender="Acme <post@acme.example>") as mailer:
        await mailer.send(message())
        await until(lambda: bool(post.got))
    (got,) = post.got
    assert (got["From"], got["To"], got["Subject"]) == (
        "Acme <post@acme.example>",
        "ann@example.com",
        "Hello",
    )
    text, page = got.get_body(("plain",)), got.get_body(("html",))
    assert text is not None
    assert "code 123456" in text.get_content()
    assert page is not None
    assert "<p>words" in page.get_content()


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
async def test_a_server_that_asks_who_posts(tmp_path: Path) -> None:
    post, server = Post(), {"authenticator": login, "auth_required": True, "auth_require_tls": False}
    async with posting(post, tmp_path, server=server, username="poster", password="its password") as mailer:
        await mailer.send(message())
        await until(lambda: len(post.got) == 1)


async def test_mail_leaves_encrypted_and_to_the_right_server_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    post, server = Post(), {"tls_context": certificate(tmp_path), "require_starttls": True}
    async with posting(post, tmp_path, server=server, security="starttls") as mailer:
        # nobody we trust signed for this server
        await mailer.send(message())
        await until(lambda: "mail.again" in capsys.readouterr().out)
        assert post.tries == 0
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        await mailer.send(message(subject="trusted"))
        await until(lambda: "trusted" in [got["Subject"] for got in post.got])
    # and one that knows no encryption gets nothing
    plain = Post()
    async with posting(plain, tmp_path, security="starttls") as mailer:
        await mailer.send(message())
        await until(lambda: "mail." in capsys.readouterr().out)
        assert plain.tries == 0


async def test_a_refusal_for_now_is_tried_again_and_one_for_good_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = Post(lambda tries: "451 not now" if tries == 1 else "250 OK")
    async with posting(later, tmp_path) as mailer:
        await mailer.send(message())
        await until(lambda: len(later.got) == 1)
    never = Post(lambda _: "550 never")
    async with posting(never, tmp_path) as mailer:
        await mailer.send(message())
        await until(lambda: never.tries == 1)
        await asyncio.sleep(0.3)
        assert (never.tries, never.got) == (1, [])
        await mailer.send(message(subject="the next one"))
        await until(lambda: never.tries == 2)
    said = capsys.readouterr().out
    assert "123456" not in said


async def test_nobody_waits_for_a_server_that_is_not_there(tmp_path: Path) -> None:
    mailer = Mailer(MailSettings(host="127.0.0.1", port=free_port(), security="none"), tmp_path)
    mail = message()
    async with asyncio.timeout(60):  # nobody takes them: who waited for room would wait for ever
        for _ in range(1200):
            await mailer.send(mail)


async def test_without_a_server_mails_are_files_for_their_owner_alone(tmp_path: Path) -> None:
    mailer = Mailer(MailSettings(), tmp_path / "mail")
    running = asyncio.ensure_future(mailer.run())
    await mailer.send(message())
    await until(lambda: bool(list((tmp_path / "mail").glob("*.eml"))))
    (file,) = (tmp_path / "mail").glob("*.eml")
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert b"code 123456" in file.read_bytes()
    await ended(running)


@pytest.mark.parametrize("evil", ["a@example.com\r\nBcc: b@example.com", "a@example.com\nX: y"])
def test_no_header_is_added_by_what_is_said(evil: str) -> None:
    with pytest.raises(ValueError, match=r"newline|linefeed"):
        message(to=evil)
    with pytest.raises(ValueError, match=r"newline|linefeed"):
        message(subject=evil)
