"""One edit of a tenant's file, from content to outcome: what is logged, remembered and tried again.

Decides what people are told about it. How a version comes into force is ``reload``'s. Called by the tenant
actor.
"""

import time
from typing import Any

import structlog
from msgspec import Struct, field

from actors.messages import TenantIdentity
from actors.pool import TenantPool
from actors.sources import Source
from actors.tenant import reload, rollbacks
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from actors.tenant.status import Pending, Rejection, ReloadTimes
from schemas.compiler.diagnostics import Diagnostic, Position

LOGGED_FINDINGS = 20

log = structlog.get_logger("tenant")


class Outcome(Struct, frozen=True):
    """How it came out.

    Attributes:
        generation: what to serve now, None when the version before goes on.
        changes: for the tenant's status.
        again: try the same content again in a moment.
        final: the same content would be refused again.
    """

    generation: Generation | None
    changes: dict[str, Any] = field(default_factory=dict)
    again: bool = False
    final: bool = False


async def take(
    platform: Platform,
    identity: TenantIdentity,
    pool: TenantPool,
    source: Source,
    number: int,
    *,
    found: bool,
) -> Outcome:
    """Bring a source into force in the database, or say why not.

    Args:
        platform: the surroundings.
        identity: the tenant.
        pool: its connections.
        source: the file's content.
        number: of the generation to make.
        found: the file was there when the tenant woke, and nobody saved it since.
    """
    if found and (refused := await _overtaken(platform, identity, source)):
        return refused
    watch, began = reload.Stopwatch(), time.perf_counter()
    # a file that was there before the process is no save somebody waits for
    watch.phases_ms["notice"] = source.age_ms() if source.saved_at > platform.started_at else 0.0
    try:
        fresh = await reload.deploy(platform, identity, pool, source, number, watch)
    except reload.RejectedError as error:
        platform.book.reloads["refused"] += 1
        for finding in error.diagnostics[:LOGGED_FINDINGS]:
            log.warning(
                "reload.refused", tenant=identity.slug, diagnostic=finding.render(f"{identity.slug}.yaml")
            )
        await reload.note_rejection(platform, identity, source, error.diagnostics)
        rejection = Rejection(platform.now(), source.digest, error.diagnostics)
        return Outcome(None, {"rejection": rejection, "pending": None}, final=True)
    except reload.NeedsConfirmationError as error:
        platform.book.reloads["waiting"] += 1
        log.warning(
            "reload.needs_confirmation", tenant=identity.slug, plan=error.plan_id, summary=error.summary
        )
        return Outcome(
            None, {"pending": Pending(error.plan_id, source.digest, error.summary), "rejection": None}
        )
    except reload.BlockedError as error:
        platform.book.reloads["blocked"] += 1
        log.warning("reload.blocked", tenant=identity.slug, reason=str(error))
        return Outcome(None, {"reason": f"the migration waits: {error}"}, again=True)
    if found and "migrate" not in watch.phases_ms:
        # the actor woke to the version in force: nobody edited anything
        return Outcome(fresh, {"rejection": None, "pending": None})
    total = watch.phases_ms["notice"] + (time.perf_counter() - began) * 1000
    platform.book.reloads["live"] += 1
    platform.book.reload_seconds.add(total / 1000)
    rounded = {name: round(value, 1) for name, value in watch.phases_ms.items()}
    log.info("reload.live", tenant=identity.slug, version=fresh.version, ms=round(total, 1), **rounded)
    times = ReloadTimes(platform.now(), fresh.version, total, watch.phases_ms)
    return Outcome(fresh, {"rejection": None, "pending": None, "last_reload": times})


async def _overtaken(platform: Platform, identity: TenantIdentity, source: Source) -> Outcome | None:
    """Refuse a file nobody touched since another process replaced its version: it is no rollback.

    Two installations can share a database, each with its own files.
    """
    async with platform.database.owner() as connection:
        numbers = await rollbacks.replaced_by(connection, identity, source.digest, source.saved_at)
    if numbers is None:
        return None
    was, now = numbers
    finding = Diagnostic(
        "source.overtaken",
        f"this is version {was}, which version {now} replaced after this file was last saved; "
        f"version {now} serves",
        Position(1, 1),
        hint=f"save the file to go back to version {was}, or give it the text of version {now}",
    )
    log.warning("reload.refused", tenant=identity.slug, diagnostic=finding.render(f"{identity.slug}.yaml"))
    rejection = Rejection(platform.now(), source.digest, (finding,))
    return Outcome(None, {"rejection": rejection, "pending": None}, final=True)


async def recorded(
    platform: Platform, identity: TenantIdentity, pool: TenantPool, source: Source, number: int, version: int
) -> Generation | None:
    """Return the generation of a version that is in force already; None when it compiles no more."""
    try:
        compiled = await reload.compile_file(platform, identity.slug, source)
    except reload.RejectedError as error:
        facts = {"tenant": identity.slug, "version": version, "reason": str(error)}
        log.error("tenant.recorded_version_refused", **facts)  # noqa: TRY400 - a finding about the file
        return None
    return reload.build_generation(
        platform, identity, pool, compiled, number=number, version=version, source=source
    )


async def finish(platform: Platform, identity: TenantIdentity) -> bool:
    """Do what had to wait until no request used the old version; returns whether it has to be tried again."""
    try:
        notes = await reload.contract(platform, identity)
    except reload.BlockedError as error:
        log.warning("reload.blocked", tenant=identity.slug, reason=str(error))
        return True
    for note in notes:
        log.warning("reload.note", tenant=identity.slug, note=note)
    return False
