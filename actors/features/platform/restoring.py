"""Tenants brought back from archives: beside the others to see whether it works, or into their own place.

Decides that nothing of what a tenant has is touched before what is restored is complete, and that it goes
only when that serves. A crash at any point leaves the one or the other, whole. Called by ``backups``.
"""

import asyncio
import hmac
import tempfile
from hashlib import sha256
from typing import Any

import structlog
from msgspec.structs import replace

from actors.features.files.store import Key
from actors.features.platform import exchange, packing, settling, undertakings
from actors.features.platform.archive import folder_of, written
from actors.features.platform.beside import Beside, beside
from actors.features.platform.bundles import Bundle
from actors.features.platform.events import note
from actors.features.platform.rights import Request, hands
from actors.messages import ProblemError, TenantIdentity
from actors.tenant import closing
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from actors.tenant.status import TenantStatus

SERVING_SECONDS = 30.0
PAUSING_SECONDS = 5.0
RESTORING = "the tenant is being restored"

log = structlog.get_logger("platform")


def seal_of(platform: Platform, identity: TenantIdentity) -> str:
    """Return what tells a tenant of this installation from all others, and nothing else."""
    return hmac.digest(bytes.fromhex(platform.cluster_key), b"bundle\0" + identity.id.encode(), sha256).hex()[
        :32
    ]


async def verify(system: Generation, bundle: Bundle) -> None:
    """Restore an archive beside the others and compare what that gives with it, to the last sum.

    Raises:
        ProblemError: tenant.bad_archive, tenant.not_restored.
    """
    platform = hands(system)
    await asyncio.to_thread(bundle.verify)
    secrets = str(bundle.manifest["secrets"])
    async with beside(system, bundle, secrets=secrets) as found:
        with tempfile.TemporaryFile(dir=folder_of(platform)) as again:
            seal = bundle.manifest.get("seal", "")
            manifest = await written(platform, found.made.identity, again, secrets, seal)
    wanted = bundle.manifest["members"]
    other = [
        name
        for name in sorted(wanted | manifest["members"])
        if manifest["members"].get(name) != wanted.get(name)
    ]
    if other:
        raise ProblemError("tenant.not_restored", f"restored, it is another: {', '.join(other[:5])}")


async def restore_over(request: Request, identity: TenantIdentity, bundle: Bundle) -> dict[str, Any]:
    """Put an archive in the place of what a tenant has.

    Args:
        request: who asks.
        identity: the tenant.
        bundle: verified, of a tenant of that slug.

    Raises:
        ProblemError: tenant.bad_archive, tenant.busy, tenant.not_restored; the tenant is what it was, or what
            it was is kept under the name the refusal says.
    """
    system, platform = request.generation, request.platform
    own = bundle.manifest.get("seal") == seal_of(platform, identity)
    secrets = packing.EVERYTHING if own else packing.HASHES
    async with beside(system, bundle, secrets=secrets) as found:
        await _bring_files(platform, found, identity)
        async with platform.database.owner() as owner:
            undertaking = await undertakings.begin(
                owner,
                identity.slug,
                undertakings.RESTORE,
                found.tx,
                namespace=found.row.namespace,
                text=found.source.text.decode(),
                code=found.source.code.decode(),
            )
            await closing.set_state(owner, identity, "suspended", RESTORING)
        try:
            await _paused(platform, identity.slug)
            now = await exchange.exchange(platform, bundle, found.source, identity, found.row)
        finally:
            # the open transaction says that somebody works on it; here nobody else may
            await settling.settle(system, replace(undertaking, tx=""))
        if platform.serves and not await _serves(platform, identity.slug, found.source.digest):
            found.kept = True
            raise ProblemError(
                "tenant.not_restored", f"it does not serve; what it was is kept in {identity.namespace}"
            )
    log.info("tenant.restored", tenant=identity.slug, namespace=now.namespace)
    rows = sum(bundle.manifest["rows"].values())
    await note(system, "tenant.restored", identity.slug, request.who, rows=rows, secrets=secrets)
    return {"slug": identity.slug, "rows": rows, "version": bundle.manifest["version"]}


async def _bring_files(platform: Platform, found: Beside, identity: TenantIdentity) -> None:
    if platform.files is None:
        return
    store = platform.files.store
    async for stored in store.names(found.row.id):
        await store.copy(Key(found.row.id, stored.name), Key(identity.id, stored.name))


async def _paused(platform: Platform, slug: str) -> None:
    """Wait a moment until this process takes no more writes that would be lost."""
    if not platform.serves:
        return
    try:
        await platform.book.until(slug, lambda status: status.state == "suspended", PAUSING_SECONDS)
    except TimeoutError:
        return


async def _serves(platform: Platform, slug: str, digest: str) -> bool:
    def takes(status: TenantStatus) -> bool:
        return status.digest == digest and status.state in {"serving", "cold"}

    try:
        await platform.book.until(slug, takes, SERVING_SECONDS)
    except TimeoutError:
        return False
    return True
