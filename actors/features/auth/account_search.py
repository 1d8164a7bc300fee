"""Finding accounts by address, role and state, page by page.

Decides what a state of an account means. Called by ``admin_lists``.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from actors.features.auth.account_rows import account_of, joined, people_of, select_accounts
from actors.features.auth.account_values import Account
from actors.features.auth.store import Session
from actors.tenant.generation import Generation
from schemas.compiler.model import SOFT_DELETE_FIELD
from schemas.compiler.sql import quote


class Wanted(Struct, frozen=True):
    """Whom a list of people is to hold.

    Attributes:
        part: of the address; "" for any.
        role: "" for any.
        state: one of STATES, "" for any.
        now: what bans are compared with.
    """

    part: str
    role: str
    state: str
    now: datetime


STATES: Mapping[str, str] = {
    "active": "a.confirmed_email IS NOT NULL AND lower(a.confirmed_email) = lower(u.email) AND NOT {banned}",
    "pending": "lower(a.confirmed_email) IS DISTINCT FROM lower(u.email) AND NOT {banned}",
    "banned": "{banned}",
}
"""What a state of an account means: address proven, not proven yet, kept out."""
_BANNED = "coalesce(a.banned_until > $3, false)"


async def find_page(
    session: Session, generation: Generation, wanted: Wanted, *, limit: int, offset: int
) -> tuple[int, list[Account]]:
    """Return how many people are wanted, and some of them, in the order of their keys."""
    entity = people_of(generation)
    conditions = [
        "($1 = '' OR strpos(lower(u.email), lower($1)) > 0)",
        "($2 = '' OR u.role = $2)",
        f"($3::timestamptz IS NULL OR {STATES.get(wanted.state, 'true').format(banned=_BANNED)})",
    ]
    if entity.soft_delete:
        conditions.append(f"u.{SOFT_DELETE_FIELD} IS NULL")
    where, values = " AND ".join(conditions), (wanted.part, wanted.role, wanted.now)
    counted = await session.row(
        f"SELECT count(*) AS n FROM {{ns}}.users u {joined(entity)} WHERE {where}",  # noqa: S608 - our own text
        *values,
    )
    found = await session.rows(
        f"{select_accounts(entity)} WHERE {where} ORDER BY u.{quote(entity.key)} LIMIT $4 OFFSET $5",
        *values,
        limit,
        offset,
    )
    return (0 if counted is None else counted["n"]), [account_of(row) for row in found]
