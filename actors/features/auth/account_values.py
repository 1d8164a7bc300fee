"""An account as a value, and as clients know it: GoTrue's user object.

Decides the shape of what is told about a person. It reads nothing; ``accounts`` does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from msgspec import Struct, field

from schemas.compiler.principal import AUTHENTICATED_ROLE


class Account(Struct, frozen=True):
    """A person who can sign in, or could.

    Attributes:
        id: key of the users row, as text.
        email: canonical or as an admin wrote it; "" for anonymous people.
        role: of the tenant's file, "" for none.
        row: the users row, without virtual fields.
        password_hash: None: no password yet.
        confirmed_at: when the address of the row was proven; None: it was not.
        has_record: whether there are credentials, or only the users row.
    """

    __repr__ = object.__repr__  # what it holds reaches no log

    id: str
    email: str
    role: str
    row: dict[str, Any]
    password_hash: str | None = None
    confirmed_at: datetime | None = None
    is_anonymous: bool = False
    banned_until: datetime | None = None
    app_metadata: Mapping[str, Any] = field(default_factory=dict)
    user_metadata: Mapping[str, Any] = field(default_factory=dict)
    invited_at: datetime | None = None
    new_email: str = ""
    last_sign_in_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    has_record: bool = False


def to_json(
    account: Account,
    identities: Sequence[Mapping[str, Any]] = (),
    factors: Sequence[Mapping[str, Any]] = (),
    *,
    audience: str = "",
) -> dict[str, Any]:
    """Return GoTrue's user object."""
    own = [_own_identity(account)] if account.email and (account.password_hash or not identities) else []
    shown = [*own, *identities]
    providers = list(dict.fromkeys(str(item["provider"]) for item in shown))
    answer: dict[str, Any] = {
        "id": account.id,
        "aud": audience,
        "role": account.role or AUTHENTICATED_ROLE,
        "email": account.email,
        "email_confirmed_at": time_json(account.confirmed_at),
        "confirmed_at": time_json(account.confirmed_at),
        "phone": "",
        "last_sign_in_at": time_json(account.last_sign_in_at),
        "app_metadata": {"provider": providers[0] if providers else "anonymous", "providers": providers}
        | dict(account.app_metadata),
        "user_metadata": dict(account.user_metadata),
        "identities": shown,
        "created_at": time_json(account.created_at),
        "updated_at": time_json(account.updated_at),
        "is_anonymous": account.is_anonymous,
    }
    optional = {
        "invited_at": time_json(account.invited_at),
        "new_email": account.new_email or None,
        "banned_until": time_json(account.banned_until),
        "factors": list(factors) or None,
    }
    return answer | {name: value for name, value in optional.items() if value is not None}


def _own_identity(account: Account) -> dict[str, Any]:
    created = time_json(account.created_at)
    return {
        "identity_id": account.id,
        "id": account.id,
        "user_id": account.id,
        "identity_data": {
            "email": account.email,
            "email_verified": account.confirmed_at is not None,
            "phone_verified": False,
            "sub": account.id,
        },
        "provider": "email",
        "last_sign_in_at": time_json(account.last_sign_in_at),
        "created_at": created,
        "updated_at": created,
        "email": account.email,
    }


def identity_json(account: Account, row: asyncpg.Record) -> dict[str, Any]:
    """Return an identity at another issuer."""
    return {
        "identity_id": str(row["id"]),
        "id": row["subject"],
        "user_id": account.id,
        "identity_data": orjson.loads(row["data"])
        | {"sub": row["subject"], "email": row["email"], "email_verified": row["email_verified"]},
        "provider": row["provider"],
        "last_sign_in_at": time_json(row["last_sign_in_at"]),
        "created_at": time_json(row["created_at"]),
        "updated_at": time_json(row["last_sign_in_at"] or row["created_at"]),
        "email": row["email"],
    }


def factor_json(row: asyncpg.Record) -> dict[str, Any]:
    """Return a second factor, without its secret."""
    return {
        "id": str(row["id"]),
        "friendly_name": row["name"],
        "factor_type": row["kind"],
        "status": "verified" if row["verified_at"] else "unverified",
        "created_at": time_json(row["created_at"]),
        "updated_at": time_json(row["updated_at"]),
    }


def time_json(moment: datetime | None) -> str | None:
    """Return a moment as clients read it."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
