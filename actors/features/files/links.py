"""Links that open one file for a while, for whoever has them.

Decides what a link says and proves it: tenant (by the key), file, what it allows and until when, under an
HMAC (SHA-256). A link ends before its time when the file does.
"""

import base64
import binascii
import hashlib
import hmac
import time
from typing import NamedTuple

import orjson

from actors.messages import ProblemError

LONGEST = 7 * 86400
"""Seconds a link may be good for."""
_MAC = 32


class Link(NamedTuple):
    """What a link allows: ``read`` one file, or ``write`` one place of a bucket.

    Attributes:
        action: read or write.
        target: id of the file; bucket and path where it is about a place.
        until: seconds since the epoch.
        more: what else it says.
    """

    action: str
    target: str
    until: int
    more: dict[str, str]


class Links:
    """Makes and reads the links of one tenant.

    Args:
        key: 32 secret bytes of this tenant alone.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, action: str, target: str, seconds: int, **more: str) -> str:
        """Return a token.

        Raises:
            ProblemError: validation.failed for a time that is none, or too long.
        """
        if not 1 <= seconds <= LONGEST:
            text = f"a link is good for 1 to {LONGEST} seconds"
            finding = {"pointer": "/expiresIn", "code": "range", "detail": text}
            raise ProblemError("validation.failed", text, errors=(finding,))
        said = orjson.dumps([action, target, int(time.time()) + seconds, more])
        return base64.urlsafe_b64encode(self._mac(said) + said).decode().rstrip("=")

    def read(self, token: str, action: str) -> Link:
        """Return what a token says.

        Raises:
            ProblemError: file.bad_link when it was not made here for this, or its time is over.
        """
        try:
            data = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise refused() from None
        mac, said = data[:_MAC], data[_MAC:]
        if not hmac.compare_digest(mac, self._mac(said)):
            raise refused()
        link = Link(*orjson.loads(said))
        if link.action != action or link.until <= time.time():
            raise refused()
        return link

    def _mac(self, said: bytes) -> bytes:
        return hmac.digest(self._key, said, hashlib.sha256)


def refused() -> ProblemError:
    """Return the refusal of a link, whatever is wrong with it."""
    return ProblemError("file.bad_link", "this link is not valid, or not any more", hint="ask for a new one")
