"""The keys a tenant signs its tokens with: ES256, one pair per tenant, replaced with overlap.

Decides which key signs and which are believed. A new key is published ten minutes before it signs, because
clients keep the published set that long; an old one is believed until the last token it signed has ended.
ES256 (RFC 7518, section 3.4) is what browsers' WebCrypto can check.
"""

import asyncio
import base64
import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from msgspec import Struct

from actors.features.auth.audit import record
from actors.features.auth.sealing import seal, unseal
from actors.features.auth.store import Session

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

ALGORITHM = "ES256"
PUBLISHED_BEFORE = timedelta(minutes=10)
BELIEVED_AFTER = timedelta(days=1, hours=1)
"""Longer than any access token lives."""
LOOK_AGAIN_SECONDS = 60.0
"""Another process may have made or replaced a key."""
_PURPOSE = b"signing key"


class SigningKey(Struct, frozen=True):
    """One pair.

    Attributes:
        kid: thumbprint of the public key (RFC 7638).
        private: signs.
        public: checks.
        jwk: the public key as published.
        signs_from: when it starts to sign.
        retires: when it stops being believed, None while it is the newest.
    """

    __repr__ = object.__repr__  # what it holds reaches no log

    kid: str
    private: ec.EllipticCurvePrivateKey
    public: ec.EllipticCurvePublicKey
    jwk: dict[str, Any]
    signs_from: datetime
    retires: datetime | None


class KeyRing:
    """A tenant's keys as this process knows them.

    Args:
        realm: whose.
    """

    def __init__(self, realm: "Realm") -> None:
        self._realm = realm
        self._keys: dict[str, SigningKey] = {}
        self._looked_at = 0.0
        self._looking = asyncio.Lock()

    def find(self, kid: str) -> SigningKey | None:
        """Return a key that is known and still believed."""
        key = self._keys.get(kid)
        if key is None or (key.retires is not None and key.retires <= self._realm.services.now()):
            return None
        return key

    async def current(self) -> SigningKey:
        """Return the key that signs now; the first one is made when it is first needed."""
        await self.look()
        if not self._keys:
            async with self._looking:
                if not self._keys:
                    await self._make(self._realm.services.now())
        return self._newest()

    async def at_hand(self) -> SigningKey:
        """Return the key that signs as far as is known here: inside a transaction nothing is looked up."""
        return self._newest() if self._keys else await self.current()

    def _newest(self) -> SigningKey:
        now = self._realm.services.now()
        ready = [key for key in self._keys.values() if key.signs_from <= now]
        return max(ready or self._keys.values(), key=lambda key: key.signs_from)

    async def published(self) -> list[dict[str, Any]]:
        """Return the public keys clients may meet, as a JWK set's members (RFC 7517)."""
        await self.current()
        return [key.jwk for key in self._keys.values() if self.find(key.kid) is not None]

    async def rotate(self, actor: str) -> str:
        """Make a new key that signs in ten minutes; returns its id."""
        await self.current()
        async with self._looking:
            return await self._make(self._realm.services.now() + PUBLISHED_BEFORE, actor)

    async def look(self, *, again: bool = False) -> None:
        """Read the keys if it is time, or if somebody shows one we do not know."""
        now = self._realm.services.now().timestamp()
        if self._keys and now - self._looked_at < (2.0 if again else LOOK_AGAIN_SECONDS):
            return
        if self._keys and not again:
            # whoever comes while somebody looks goes on with what is known, and waits for no connection
            if self._looking.locked():
                return
            self._looked_at = now
        async with self._looking:
            await self._read(now)

    async def _read(self, now: float) -> None:
        if self._keys and self._looked_at > now:
            return
        rows = await self._realm.store.rows(
            "SELECT kid, private_sealed, public::text, signs_from, retired_at FROM {ns}._auth_signing_keys "
            "WHERE retired_at IS NULL OR retired_at > $1",
            self._realm.services.now(),
        )
        keys: dict[str, SigningKey] = {}
        for row in rows:
            known = self._keys.get(row["kid"])
            same = known is not None and known.retires == row["retired_at"]
            keys[row["kid"]] = known if known is not None and same else self._open(row)
        self._keys = keys
        self._looked_at = now

    def _open(self, row: Any) -> SigningKey:  # noqa: ANN401 - a database row
        private = load_der_private_key(unseal(self._realm, _PURPOSE, row["private_sealed"]), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError("a stored signing key is of another kind")
        jwk = orjson.loads(row["public"])
        return SigningKey(
            row["kid"], private, private.public_key(), jwk, row["signs_from"], row["retired_at"]
        )

    async def _make(self, signs_from: datetime, actor: str = "") -> str:
        private = ec.generate_private_key(ec.SECP256R1())
        jwk = _jwk(private.public_key())
        sealed = seal(
            self._realm, _PURPOSE, private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        )
        first = not self._keys

        async def work(session: Session) -> None:
            # processes that start together make one first key between them
            await session.run("LOCK TABLE {ns}._auth_signing_keys IN SHARE ROW EXCLUSIVE MODE")
            if first and await session.row("SELECT 1 FROM {ns}._auth_signing_keys WHERE retired_at IS NULL"):
                return
            await session.run(
                "UPDATE {ns}._auth_signing_keys SET retired_at = $1 WHERE retired_at IS NULL",
                signs_from + BELIEVED_AFTER,
            )
            await session.run(
                "INSERT INTO {ns}._auth_signing_keys (kid, private_sealed, public, signs_from) "
                "VALUES ($1, $2, $3::text::jsonb, $4)",
                jwk["kid"],
                sealed,
                orjson.dumps(jwk).decode(),
                signs_from,
            )
            await record(session, "signing_key.made", actor=actor, kid=jwk["kid"])

        await self._realm.store.transaction(work)
        self._keys = {}
        await self._read(self._realm.services.now().timestamp())
        return str(jwk["kid"])


def _jwk(public: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    numbers = public.public_numbers()
    x, y = (
        base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
        for number in (numbers.x, numbers.y)
    )
    members = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    thumbprint = hashlib.sha256(orjson.dumps(members, option=orjson.OPT_SORT_KEYS)).digest()
    kid = base64.urlsafe_b64encode(thumbprint).rstrip(b"=").decode()
    return {**members, "kid": kid, "alg": ALGORITHM, "use": "sig", "key_ops": ["verify"], "ext": True}
