"""Files that never reach their tenant: badly named, or not to be read.

Decides what is said of them, and that a version in force needs no file to serve. Called by the directory.
"""

import asyncpg
import structlog

from actors.connections import ConnectError
from actors.sources import Source
from actors.tenant import registry
from actors.tenant.platform import Platform
from actors.tenant.status import Rejection
from schemas.compiler.diagnostics import Diagnostic, Position

log = structlog.get_logger("directory")


def refuse_name(platform: Platform, slug: str, problem: str, digest: str, *, known: bool) -> None:
    """Say that no tenant can have a file's name; ``known``: a tenant has it all the same, and serves on."""
    message = f"'{slug[:80]}' cannot be a tenant: {problem}"
    finding = Diagnostic("names.slug", message, Position(1, 1), "", "rename the file")
    platform.book.update(
        slug, rejection=_told(platform, slug, digest, finding), **_state(message, known=known)
    )


def refuse_unreadable(platform: Platform, slug: str, reason: str, *, known: bool) -> None:
    """Say that a file cannot be read; ``known``: its tenant is there, and serves on."""
    finding = Diagnostic("source.unreadable", reason, Position(1, 1))
    platform.book.update(slug, unreadable=_told(platform, slug, "", finding), **_state(reason, known=known))


async def version_in_force(platform: Platform, slug: str) -> Source | None:
    """Return what a tenant's file said when it was last taken; None without one, or without the database."""
    try:
        async with platform.database.owner() as connection:
            identity = await registry.find_tenant(connection, slug)
            if identity is None:
                return None
            deployed = await registry.current(connection, identity)
            version = await registry.version(connection, identity, deployed.version)
    except (OSError, ConnectError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("source.not_recalled", tenant=slug, reason=str(error))
        return None
    if version is None:
        return None
    return Source(version.text.encode(), version.digest, code=version.code.encode())


def _told(platform: Platform, slug: str, digest: str, finding: Diagnostic) -> Rejection:
    log.warning("source.refused", file=f"{slug}.yaml", diagnostic=finding.render(f"{slug}.yaml"))
    return Rejection(platform.now(), digest, (finding,))


def _state(reason: str, *, known: bool) -> dict[str, str]:
    return {} if known else {"state": "failed", "reason": reason}
