"""Dropping for good what removed fields and entities left behind; until then a rollback brings it back.

Decides that it takes an administrator, an age, a second look and a dump: the first call lists what would go,
the second repeats the word it answered, and nothing is dropped that was not written down and read back. A
function of the platform.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import asdict

from actors.features.platform.dumping import dump
from actors.features.platform.events import note
from actors.features.platform.rights import Request, invalid, require_admin
from actors.features.platform.undertakings import busy, digest_of
from actors.messages import ProblemError
from actors.tenant import pruning, registry
from actors.tenant.migrator import MigrationBusyError
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.names import slug_problem

MOST_DAYS = 3650


async def prune_archive(request: Request) -> dict[str, Any]:
    """Drop what was archived ``older_than_days`` ago or before; ``confirm`` is the word for just that."""
    require_admin(request)
    slug, confirm = request.text("slug", required=True), request.text("confirm")
    days = request.arguments.get("older_than_days")
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= MOST_DAYS:
        raise invalid("older_than_days", f"a whole number from 0 to {MOST_DAYS}")
    known = slug == SYSTEM_SLUG or not slug_problem(slug)
    connection = await request.platform.database.dedicated()
    try:
        identity = await registry.find_tenant(connection, slug) if known else None
        if identity is None:
            raise ProblemError("tenant.not_found", "there is no such tenant")
        before = datetime.now(UTC) - timedelta(days=days)
        found = await pruning.archived(connection, identity, before)
        names = [f"{thing.table}.{thing.name}" if thing.table else thing.name for thing in found]
        word = digest_of("\n".join(names).encode())[:16]
        if confirm and confirm != word:
            raise ProblemError("tenant.confirm", "this is not what was confirmed: look at it again")
        dumped = ""
        if confirm and found:
            kept = await dump(connection, identity, found, request.platform.data_dir / "exports")
            dumped = kept.name
            try:
                await pruning.drop(connection, identity, found)
            except MigrationBusyError:
                raise busy(slug) from None
    finally:
        await connection.close()
    if confirm and found:
        told = {"dropped": names, "days": days, "dump": dumped}
        await note(request.generation, "archive.pruned", slug, request.who, **told)
    return {
        "dropped": bool(confirm and found),
        "dump": dumped,
        "confirm": word,
        "archived": [asdict(thing) for thing in found],
    }
