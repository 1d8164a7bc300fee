"""API keys: what programs show instead of signing in.

Decides what a key looks like and what it may do. ``bsk_pub_`` keys name the tenant and may do what anybody
may; ``bsk_sec_`` keys have a role. A checksum at the end lets scanners for leaked secrets be sure, and lets
us refuse a mistyped key without asking the database. Kept as a hash; shown once.
"""

import secrets
import string
import zlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from actors.features.auth.audit import record
from actors.features.auth.sealing import digest
from actors.features.auth.store import Session
from actors.tenant.identifiers import new_key
from schemas.compiler.principal import ANONYMOUS_ROLE

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

KEY_PREFIX = "bsk_"
PUBLIC, SECRET = "bsk_pub_", "bsk_sec_"
SHOWN = len(SECRET) + 6
MAX_KEY = 100
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM = 40
_CHECK = 6
_SEEN_EVERY = timedelta(minutes=1)
COLUMNS = (
    "id::text, name, prefix, role, scopes, rate_limit, rate_window, created_by, created_at, expires_at, "
    "used_at, revoked_at, successor::text"
)


class ApiKey(Struct, frozen=True):
    """A key that may be used now.

    Attributes:
        id: of its row.
        role: that it acts as.
        scopes: ``entity:verb`` pairs it is limited to; None: whatever the role may.
        expires_at: when it ends by itself, or None.
        rate: its own limit and the seconds it counts over, or None.
    """

    id: str
    role: str
    scopes: frozenset[str] | None
    expires_at: datetime | None
    rate: tuple[int, float] | None


def make(*, public: bool) -> str:
    """Return a new key."""
    body = (PUBLIC if public else SECRET) + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def well_formed(key: str) -> bool:
    """Whether a text can be a key of ours at all."""
    if not key.startswith((PUBLIC, SECRET)) or len(key) > MAX_KEY or not key.isascii():
        return False
    return key[-_CHECK:] == _checksum(key[:-_CHECK])


async def create(  # noqa: PLR0913 - what a key is
    session: Session,
    *,
    now: datetime,
    name: str = "",
    role: str = ANONYMOUS_ROLE,
    public: bool = False,
    scopes: frozenset[str] | None = None,
    rate: tuple[int, float] | None = None,
    expires_at: datetime | None = None,
    created_by: str = "",
    address: str = "",
) -> tuple[str, str]:
    """Make a key.

    Returns:
        The key's id, and the key, which nobody can read again.
    """
    key, key_id = make(public=public), new_key()
    await session.run(
        "INSERT INTO {ns}._auth_api_keys (id, name, prefix, hash, role, scopes, rate_limit, rate_window, "
        "created_by, created_at, expires_at) VALUES ($1::text::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
        "$11)",
        key_id,
        name,
        key[:SHOWN],
        digest(key),
        ANONYMOUS_ROLE if public else role,
        None if scopes is None else sorted(scopes),
        rate[0] if rate else None,
        rate[1] if rate else None,
        created_by,
        now,
        expires_at,
    )
    await record(
        session, "api_key.created", actor=created_by, address=address, key=key_id, prefix=key[:SHOWN]
    )
    return key_id, key


async def use(realm: "Realm", key: str) -> ApiKey | None:
    """Return the key if it may be used now; notes, at most once a minute, that it was."""
    if not well_formed(key):
        return None
    now = realm.services.now()
    row = await realm.store.row(
        "SELECT id::text, role, scopes, expires_at, rate_limit, rate_window, used_at FROM "
        "{ns}._auth_api_keys WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > "
        "$2)",
        digest(key),
        now,
    )
    if row is None:
        return None
    if row["used_at"] is None or row["used_at"] < now - _SEEN_EVERY:
        await realm.store.run(
            "UPDATE {ns}._auth_api_keys SET used_at = $2 WHERE id::text = $1", row["id"], now
        )
    rate = (row["rate_limit"], row["rate_window"]) if row["rate_limit"] else None
    scopes = None if row["scopes"] is None else frozenset(row["scopes"])
    return ApiKey(row["id"], row["role"], scopes, row["expires_at"], rate)


def told(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a database row
    """Return a key as its administrators see it."""
    return {
        "id": row["id"],
        "name": row["name"],
        "prefix": row["prefix"],
        "role": row["role"],
        "scopes": row["scopes"],
        "rate_limit": {"limit": row["rate_limit"], "seconds": row["rate_window"]}
        if row["rate_limit"]
        else None,
        "created_by": row["created_by"],
        **{
            name: row[name].isoformat() if row[name] else None
            for name in ("created_at", "expires_at", "used_at", "revoked_at")
        },
        "successor": row["successor"],
    }


def _checksum(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK):
        number, rest = divmod(number, len(_ALPHABET))
        text += _ALPHABET[rest]
    return text
