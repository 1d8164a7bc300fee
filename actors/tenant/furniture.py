"""What features keep in a tenant's namespace: sets of tables and functions, each made at first use.

Decides what belongs together. A set is made when a statement misses one of its tables, when a migration
names a function of it, or before a relay begins: most tenants use few of the sets, and all of them are
most of what PostgreSQL would spend on a new tenant. A set is there wholly or not at all: it is made in one
transaction, by one process at a time. Called by ``provision``, the migrator, tenants' pools and the
platform's operations.
"""

import hashlib
import re
from collections.abc import Collection, Sequence

import asyncpg
from msgspec import Struct

from actors.features.auth.tables import AUTH_DDL, AUTH_TABLES
from actors.features.files.tables import FILES_DDL, FILES_FUNCTIONS, FILES_TABLES
from actors.features.outbox.tables import OUTBOX_DDL, OUTBOX_FUNCTIONS, OUTBOX_TABLES
from actors.features.realtime.tables import REALTIME_DDL, REALTIME_FUNCTIONS, REALTIME_TABLES
from actors.features.transfer.tables import TRANSFER_DDL, TRANSFER_TABLES
from actors.messages import TenantIdentity
from actors.tenant.audit import AUDIT_DDL, AUDIT_FUNCTIONS
from actors.tenant.idempotency import IDEMPOTENCY_DDL, IDEMPOTENCY_TABLE
from schemas.compiler.migrate.literals import text_literal
from schemas.compiler.sql import quote

NAMESPACE = re.compile(r"[ta]_[0-9a-f]{8,56}")
LOCK_CLASS = 0x62736C6B
_WORD = re.compile(r"\b_\w+")
_THERE = """
SELECT name FROM unnest($2::text[]) AS name
WHERE to_regclass($1 || name) IS NOT NULL OR to_regproc($1 || name) IS NOT NULL
"""


class Furnishing(Struct, frozen=True):
    """A set.

    Attributes:
        tables: no entity can be called so; the newest comes last.
        functions: of its triggers and other tables'.
        ddl: makes it, or mends what an earlier version made; run as the platform's owner. In it
            ``{namespace}`` and ``{role}`` are the tenant's, quoted, ``{role_text}`` is the role as a literal.
    """

    tables: tuple[str, ...]
    functions: tuple[str, ...]
    ddl: tuple[str, ...]

    @property
    def ends(self) -> tuple[str, str]:
        """What is there since the set is made, and what only when it is whole."""
        names = self.tables or self.functions
        return names[0], names[-1]


OUTBOX = Furnishing(OUTBOX_TABLES, OUTBOX_FUNCTIONS, (OUTBOX_DDL,))
ACCOUNTS = Furnishing(AUTH_TABLES, (), (AUTH_DDL,))
FURNITURE = (
    OUTBOX,
    # a file that is let go leaves a task behind
    Furnishing(FILES_TABLES, FILES_FUNCTIONS, (OUTBOX_DDL, FILES_DDL)),
    Furnishing((), AUDIT_FUNCTIONS, (AUDIT_DDL,)),
    Furnishing((IDEMPOTENCY_TABLE,), (), (IDEMPOTENCY_DDL,)),
    ACCOUNTS,
    Furnishing(REALTIME_TABLES, REALTIME_FUNCTIONS, (REALTIME_DDL,)),
    Furnishing(TRANSFER_TABLES, (), (TRANSFER_DDL,)),
)
TABLES = tuple(table for one in FURNITURE for table in one.tables)
_NAMES = frozenset(name for one in FURNITURE for name in (*one.tables, *one.functions))


def named_in(*texts: str) -> frozenset[str]:
    """Return the names of furniture that are words of a statement, or of what PostgreSQL says about one."""
    return _NAMES.intersection(word for text in texts for word in _WORD.findall(text))


async def furnished(
    connection: "asyncpg.Connection[asyncpg.Record]", namespace: str, names: Sequence[str]
) -> frozenset[str]:
    """Return those of a namespace's tables and functions that are there."""
    rows = await connection.fetch(_THERE, f"{quote(namespace)}.", list(names))
    return frozenset(row[0] for row in rows)


async def furnish(
    connection: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity, names: Collection[str]
) -> None:
    """Make the sets that have any of these names, unless they are there; safe to repeat."""
    wanted = [one for one in FURNITURE if not {*one.tables, *one.functions}.isdisjoint(names)]
    if not wanted:
        return
    async with connection.transaction():
        await lock(connection, identity)
        there = await furnished(connection, identity.namespace, [one.ends[1] for one in wanted])
        await run(connection, identity, [one for one in wanted if one.ends[1] not in there])


async def run(
    connection: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity, sets: Collection[Furnishing]
) -> None:
    """Make sets, or mend them; within a transaction that holds the lock."""
    role = role_name(identity)
    names = {
        "namespace": quote(checked(identity.namespace)),
        "role": quote(role),
        "role_text": text_literal(role),
    }
    texts = dict.fromkeys(text for one in sets for text in one.ddl)
    if texts:
        await connection.execute("".join(texts).format(**names))


async def lock(connection: "asyncpg.Connection[asyncpg.Record]", identity: TenantIdentity) -> None:
    """Let one process at a time make something in a tenant's place, until the transaction ends."""
    digest = hashlib.sha256(role_name(identity).encode()).digest()
    # any 31 bits but 0, which is the database's own
    await connection.execute(
        "SELECT pg_advisory_xact_lock($1, $2)", LOCK_CLASS, int.from_bytes(digest[:4]) >> 1 or 1
    )


def role_name(identity: TenantIdentity) -> str:
    """Return the login role of a tenant: named in its identity, else its namespace's name."""
    return checked(identity.role or identity.namespace)


def checked(name: str) -> str:
    """Return an opaque name as it is; these are created, granted and dropped: no other comes this far."""
    if not NAMESPACE.fullmatch(name):
        msg = f"{name!r} is no opaque tenant name"
        raise ValueError(msg)
    return name
