"""What has been begun with a tenant as a whole and must be ended: made or undone, deleted to the last row.

One row of the registry per slug while it is under way, written before anything else happens. Decides, after a
crash, which way an undertaking goes: what makes a tenant is done when its row in ``system`` was committed
(the transaction that inserts it is noted here), else it is undone; a deletion is always done to its end; a
tenant that was being restored serves what the registry says it has.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg
from msgspec import Struct

from actors.messages import ProblemError
from schemas.compiler.sql import quote

Connection: TypeAlias = "asyncpg.Connection[Any]"
MAKE, DELETE, RESTORE = "make", "delete", "restore"


class Undertaking(Struct, frozen=True):
    """One of them.

    Attributes:
        id: of this try.
        kind: make, delete or restore.
        tx: transaction that decides (of ``system``) or is open for as long as somebody works on it (restore),
            "" for a deletion.
        detail: what ending it needs to know.
    """

    slug: str
    id: str
    kind: str
    tx: str
    detail: Mapping[str, Any]


async def begin(connection: Connection, slug: str, kind: str, tx: str, **detail: Any) -> Undertaking:  # noqa: ANN401 - JSON values
    """Enter an undertaking.

    Raises:
        ProblemError: tenant.busy.
    """
    identity = uuid.uuid4()
    row = await connection.fetchval(
        "INSERT INTO backsaas.undertakings (slug, id, kind, tx, detail) "
        "VALUES ($1, $2, $3, $4, $5::text::jsonb) ON CONFLICT (slug) DO NOTHING RETURNING slug",
        slug,
        identity,
        kind,
        tx,
        json.dumps(detail),
    )
    if row is None:
        raise busy(slug)
    return Undertaking(slug, str(identity), kind, tx, detail)


async def still_on(connection: Connection, undertaking: Undertaking) -> None:
    """Hold an undertaking for the rest of a transaction: nobody ends it meanwhile.

    Raises:
        ProblemError: tenant.busy; somebody has ended it.
    """
    found = await connection.fetchval(
        "SELECT 1 FROM backsaas.undertakings WHERE slug = $1 AND id = $2 FOR UPDATE",
        undertaking.slug,
        uuid.UUID(undertaking.id),
    )
    if found is None:
        raise busy(undertaking.slug)


async def is_on(connection: Connection, undertaking: Undertaking) -> bool:
    """Whether nobody has ended it yet."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM backsaas.undertakings WHERE slug = $1 AND id = $2)",
        undertaking.slug,
        uuid.UUID(undertaking.id),
    )
    return found


async def end(connection: Connection, undertaking: Undertaking) -> None:
    """Strike it out."""
    await connection.execute(
        "DELETE FROM backsaas.undertakings WHERE slug = $1 AND id = $2",
        undertaking.slug,
        uuid.UUID(undertaking.id),
    )


async def under_way(connection: Connection) -> list[Undertaking]:
    """Return all of them."""
    rows = await connection.fetch(
        "SELECT slug, id::text AS id, kind, tx, detail::text AS detail FROM backsaas.undertakings"
    )
    return [
        Undertaking(row["slug"], row["id"], row["kind"], row["tx"], json.loads(row["detail"])) for row in rows
    ]


async def verdict(connection: Connection, undertaking: Undertaking, system: str) -> str:
    """Return how a tenant's making came out: ``done``, ``undone``, or ``open`` while that is not known.

    Args:
        connection: the owner's.
        undertaking: of kind make.
        system: namespace of the tenant ``system``.
    """
    state = await connection.fetchval("SELECT pg_catalog.pg_xact_status($1::text::xid8)", undertaking.tx)
    if state == "in progress":
        return "open"
    row = await connection.fetchval(
        f"SELECT 1 FROM {quote(system)}.tenants WHERE slug = $1",  # noqa: S608 - quoted
        undertaking.slug,
    )
    return "undone" if row is None else "done"


def busy(slug: str) -> ProblemError:
    """Return the refusal of a second undertaking."""
    return ProblemError(
        "tenant.busy", f"something else is under way with '{slug}'", headers=(("Retry-After", "1"),)
    )


def digest_of(text: bytes) -> str:
    """Return how versions are told apart."""
    return hashlib.sha256(text).hexdigest()
