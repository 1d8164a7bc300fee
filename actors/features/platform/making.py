"""Making a tenant of a text, and unmaking it: registry, place in PostgreSQL, tables, sample rows, file.

Decides the order, so that a crash at any point leaves something ``unmake`` takes away without a trace: the
file comes last, and only then do the watchers of all processes see a tenant. Called by ``creating``,
``copying`` and ``settling``.
"""

import asyncio
from collections.abc import Awaitable, Callable

from actors.features.platform import undertakings
from actors.features.platform.undertakings import Undertaking
from actors.messages import ProblemError, TenantIdentity
from actors.sources import Source, remove_source, write_tenant
from actors.tenant import closing, registry, reload
from actors.tenant.furniture import role_name
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from actors.tenant.provision import deprovision, provision
from actors.tenant.status import TenantStatus
from schemas.compiler.query.errors import QueryError

SERVING_SECONDS = 10.0
"""How long a new file may take to be noticed; below the time after which an idle transaction is ended."""
UNNOTICED_SECONDS = 5.0

Fill = Callable[[Generation], Awaitable[None]]


async def make(
    platform: Platform, undertaking: Undertaking, source: Source, author: str, fill: Fill | None = None
) -> TenantIdentity:
    """Make a tenant and let it serve.

    Args:
        platform: the hands.
        undertaking: begun.
        source: its files.
        author: for the history.
        fill: puts rows into its tables before anybody can see them.

    Raises:
        ProblemError: schema.refused, tenant.busy, tenant.not_made; ``unmake`` undoes what was made so far.
    """
    slug = undertaking.slug
    async with platform.database.owner() as connection:
        identity = await registry.ensure_tenant(connection, slug)
        await provision(connection, identity, platform.password(identity))
        await registry.record(
            connection,
            identity,
            text=source.text.decode(),
            digest=source.digest,
            author=author,
            code=source.code.decode(),
        )
    pool = platform.pool(identity)
    try:
        generation = await reload.deploy(platform, identity, pool, source, 1, reload.Stopwatch())
        if fill is not None:
            await fill(generation)
    except reload.RejectedError as error:
        raise refused(slug, error) from error
    except QueryError as error:
        raise ProblemError("tenant.not_made", f"its first rows do not fit: {error.message}") from error
    except (reload.NeedsConfirmationError, reload.BlockedError) as error:
        raise ProblemError("tenant.not_made", "the tenant could not be made; try again") from error
    finally:
        pool.close()
    async with platform.database.owner() as connection, connection.transaction():
        await undertakings.still_on(connection, undertaking)
        try:
            write_tenant(platform.file(slug), source, new=True)
        except FileExistsError:
            raise ProblemError("tenant.slug_taken", f"there is a file {slug}.yaml already") from None
        except OSError as error:
            raise ProblemError(
                "tenant.not_made", f"{slug}.yaml cannot be written: {error.strerror}"
            ) from error
    if platform.serves:
        await _served(platform, slug, source.digest)
    return identity


async def unmake(platform: Platform, slug: str, digest: str | None = None) -> None:
    """Take away everything of a tenant; safe to repeat, and at any point of its making.

    Args:
        platform: the hands.
        slug: the tenant.
        digest: only a file with this content is ours; None: whatever it says.
    """
    path = platform.file(slug)
    if digest is None or (path.is_file() and undertakings.digest_of(path.read_bytes()) == digest):
        remove_source(path)
    # an actor that starts while it still knows the file would make the tenant anew
    for _ in range(int(UNNOTICED_SECONDS / 0.05)):
        if not platform.serves or slug not in platform.sources:
            break
        await asyncio.sleep(0.05)
    async with platform.database.owner() as connection:
        identity = await registry.find_tenant(connection, slug)
        if identity is None:
            return
        await connection.execute(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = $1",
            role_name(identity),
        )
        await deprovision(connection, identity)
        if platform.files is not None:
            await platform.files.store.delete_tenant(identity.id)
        await closing.remove(connection, identity)


async def remains(platform: Platform, slug: str, identity: TenantIdentity) -> list[str]:
    """Return what is left of a tenant that should be gone; empty when it is."""
    async with platform.database.owner() as connection:
        found = await connection.fetchrow(
            """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname IN ($1, $2)) AS "its namespace",
              EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $3) AS "its role",
              EXISTS (SELECT FROM backsaas.tenants WHERE id = $4::text::uuid OR slug = $5) AS "its entry",
              EXISTS (SELECT FROM backsaas.versions WHERE tenant = $4::text::uuid) AS "its history"
            """,
            identity.namespace,
            identity.archive,
            role_name(identity),
            identity.id,
            slug,
        )
    left = [name for name, there in (found.items() if found is not None else ()) if there]
    return [*left, "its file"] if platform.file(slug).exists() else left


def refused(slug: str, error: reload.RejectedError) -> ProblemError:
    """Return a refused text as its author is told about it: every finding with its line."""
    return ProblemError(
        "schema.refused",
        str(error)[:500],
        errors=tuple(
            {
                "pointer": f"/{finding.path.replace('.', '/')}" if finding.path else "",
                "code": finding.code,
                "detail": finding.message,
                "hint": finding.hint,
                "file": finding.file or f"{slug}.yaml",
                "line": finding.position.line,
                "column": finding.position.column,
            }
            for finding in error.diagnostics
        ),
    )


async def _served(platform: Platform, slug: str, digest: str) -> None:
    def is_served(status: TenantStatus) -> bool:
        return status.digest == digest and status.state in {"serving", "cold"}

    try:
        await platform.book.until(slug, is_served, SERVING_SECONDS)
    except TimeoutError:
        reason = platform.book.get(slug).reason or "the file was not noticed in time"
        raise ProblemError("tenant.not_made", f"the tenant does not serve: {reason}") from None
