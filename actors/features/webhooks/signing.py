"""Signatures of webhooks: https://www.standardwebhooks.com, symmetric scheme.

Decides what a declared secret's key is. Pure; called by ``delivery``.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SecretMissingError(Exception):
    """A secret the file names has no value on this machine."""


def key_of(secret: str) -> bytes:
    """Return the key a secret stands for: base64 after ``whsec_``, else the text itself."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            pass
    return secret.encode()


def signature(keys: Sequence[bytes], identifier: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``: one signature per key, so that keys can be replaced.

    Args:
        keys: the new one first.
        identifier: ``webhook-id``, the same in every attempt.
        timestamp: ``webhook-timestamp``, seconds since the epoch of this attempt.
        body: exactly what is sent.
    """
    signed = b".".join((identifier.encode(), str(timestamp).encode(), body))
    made = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return " ".join(f"v1,{one}" for one in made)


def fill(text: str, secrets: Mapping[str, str]) -> str:
    """Return a text of the file with its ``${NAME}`` filled in.

    Raises:
        SecretMissingError: one has no value.
    """

    def value(found: re.Match[str]) -> str:
        if not secrets.get(found[1]):
            raise SecretMissingError(f"the secret {found[1]} is not set on this machine")
        return secrets[found[1]]

    return _REFERENCE.sub(value, text)
