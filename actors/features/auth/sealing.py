"""Secrets that must be read again, encrypted for the table they lie in.

Decides the keys: one per tenant and purpose, derived from the secret that all processes of the database share
(HKDF, RFC 5869), so that a copy of a tenant's namespace is worth nothing elsewhere. AES-256-GCM.
"""

import hashlib
import hmac
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from actors.messages import ProblemError

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

_NONCE = 12


def seal(realm: "Realm", purpose: bytes, data: bytes) -> bytes:
    """Encrypt for one tenant and purpose."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(subkey(realm, purpose)).encrypt(nonce, data, purpose)


def unseal(realm: "Realm", purpose: bytes, sealed: bytes) -> bytes:
    """Decrypt what ``seal`` made.

    Raises:
        ProblemError: http.internal when it was sealed with another key or changed.
    """
    try:
        return AESGCM(subkey(realm, purpose)).decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose)
    except InvalidTag:
        raise ProblemError("http.internal", "a stored secret cannot be read with this key") from None


def subkey(realm: "Realm", purpose: bytes) -> bytes:
    """Return 32 secret bytes for one tenant and purpose."""
    return _derive(realm.services.key, realm.identity.id, purpose)


def mac(realm: "Realm", purpose: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA256 of data under the tenant's key for the purpose."""
    return hmac.digest(subkey(realm, purpose), data, "sha256")


def digest(secret: str) -> bytes:
    """Return what is stored of a random secret."""
    return hashlib.sha256(secret.encode()).digest()


@lru_cache(maxsize=4096)
def _derive(key: bytes, tenant: str, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=tenant.encode(), info=b"backsaas/" + purpose).derive(key)
