"""Mail: by SMTP where a server is set, else as files that a person can open.

Decides when a mail is tried again and when it is given up. Who asks for a mail never waits for it, so that
the time of an answer tells nothing. ``run`` is spawned by an actor.
"""

import asyncio
import re
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING

import aiosmtplib
import structlog
from msgspec import Struct

from actors.tenant.identifiers import new_key

if TYPE_CHECKING:
    from config.settings import MailSettings

WAITING = 1000
TRIES = 5
PAUSE_SECONDS = 2.0
SMTP_SECONDS = 15.0
KEPT_FILES = 1000
_PORTS = {"none": 25, "starttls": 587, "tls": 465}
_LINE = re.compile(r"[\r\n]")

log = structlog.get_logger("mail")


class _Waiting(Struct, frozen=True):
    message: EmailMessage
    tries: int = 0


class Mailer:
    """Sends mails one after another.

    Args:
        settings: of the server; without a host, mails become files.
        directory: for those files.

    Attributes:
        counts: mails by how they ended: sent (or written), given_up, dropped.
    """

    def __init__(self, settings: "MailSettings", directory: Path) -> None:
        self._settings = settings
        self._directory = directory
        self.counts = dict.fromkeys(("sent", "given_up", "dropped"), 0)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(WAITING)

    @property
    def waiting(self) -> int:
        """Mails that wait for their turn."""
        return self._queue.qsize()

    async def send(self, message: EmailMessage) -> None:
        """Take a mail; it is lost, and that logged, when a thousand wait already."""
        del message["From"]
        message["From"] = self._settings.sender
        self._requeue(_Waiting(message))

    async def run(self) -> None:
        """Send what is asked for, for ever."""
        while True:
            waiting = await self._queue.get()
            try:
                await self._deliver(waiting.message)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                self._again(waiting, error)
            except Exception:
                self.counts["given_up"] += 1
                # one mail that cannot be made into bytes must not end all others
                log.exception("mail.failed")

    async def flush(self) -> None:
        """Send what waits, once: a command ends, and nobody tries again after it."""
        while not self._queue.empty():
            try:
                await self._deliver(self._queue.get_nowait().message)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                log.error("mail.given_up", tries=1, reason=_LINE.sub(" ", str(error))[:200])  # noqa: TRY400

    async def _deliver(self, message: EmailMessage) -> None:
        settings = self._settings
        if not settings.host:
            path = await asyncio.to_thread(self._write, message)
            self.counts["sent"] += 1
            log.info("mail.written", file=str(path), hint="set mail.host to send it")
            return
        await aiosmtplib.send(
            message,
            hostname=settings.host,
            port=settings.port or _PORTS[settings.security],
            username=settings.username or None,
            password=settings.password or None,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            timeout=SMTP_SECONDS,
        )
        self.counts["sent"] += 1
        log.info("mail.sent")

    def _again(self, waiting: _Waiting, error: Exception) -> None:
        tries = waiting.tries + 1
        lasting = _is_lasting(error)
        reason = _LINE.sub(" ", f"{type(error).__name__}: {error}")[:200]
        if lasting or tries >= TRIES:
            self.counts["given_up"] += 1
            log.error("mail.given_up", tries=tries, reason=reason)
            return
        log.warning("mail.again", tries=tries, reason=reason)
        # others go out meanwhile
        pause = min(PAUSE_SECONDS * tries, 10.0)
        asyncio.get_running_loop().call_later(pause, self._requeue, _Waiting(waiting.message, tries))

    def _requeue(self, waiting: _Waiting) -> None:
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            self.counts["dropped"] += 1
            log.error("mail.dropped", reason=f"{WAITING} mails wait already")  # noqa: TRY400 - one line is enough

    def _write(self, message: EmailMessage) -> Path:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / f"{new_key()}.eml"
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(message.as_bytes(policy=SMTP))
        part.replace(path)
        for old in sorted(self._directory.glob("*.eml"))[:-KEPT_FILES]:
            old.unlink(missing_ok=True)
        return path


def _is_lasting(error: Exception) -> bool:
    """Whether the server will say the same next time (RFC 5321, section 4.2.1)."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(500 <= refused.code < 600 for refused in error.recipients)
    return isinstance(error, aiosmtplib.SMTPResponseException) and 500 <= error.code < 600
