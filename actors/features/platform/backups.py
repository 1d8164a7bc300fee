"""Backups of tenants: an archive each with everything in it, tried out, and as many kept as the settings say.

Decides when one counts (it was restored beside the others and gave the same sums), which go, and that the
folder is the truth: what is told about a backup lies beside it, so that it can be used when no database is
left. Functions of the platform; ``run`` is asked for by the clock.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any

import orjson
import structlog

from actors.features.platform import archive, packing, restoring
from actors.features.platform.bundles import bundle_of
from actors.features.platform.events import note
from actors.features.platform.rights import Request, invalid, require_admin
from actors.messages import ProblemError, Result, TenantIdentity
from actors.tenant import registry
from actors.tenant.platform import Platform
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.names import slug_problem

UNFINISHED, TOLD = ".part", ".json"

log = structlog.get_logger("platform")


async def backup_tenant(request: Request) -> dict[str, Any]:
    """Back a tenant up now, and try the backup out unless ``verify`` is false."""
    require_admin(request)
    identity = await archive.exported(request, request.text("slug", required=True))
    to = request.text("to", most=1000)
    if to and request.platform.serves:
        raise invalid("to", "backups lie where the settings say; a command puts them elsewhere")
    folder = Path(to) if to else request.platform.backups.folder
    return await backup(request, identity, folder, verify=request.flag("verify", default=True))


async def list_backups(request: Request) -> list[dict[str, Any]]:
    """List backups, the newest first; of one tenant or of all."""
    require_admin(request)
    slug = request.text("slug")
    found = await asyncio.to_thread(lambda: list(kept(request.platform.backups.folder)))
    return [told for told in found if slug in {"", told["slug"]}]


async def restore_tenant(request: Request) -> dict[str, Any] | Result:
    """Make a tenant of a backup: again, under another name (``as``), or in place of itself (``replace``)."""
    require_admin(request)
    name = request.text("file", required=True, most=1000)
    path = request.platform.backups.folder / name
    if request.platform.serves and path.name != name:
        raise invalid("file", "the name of a backup; a command takes any archive")
    slug, over = request.text("as", most=40), request.flag("replace", default=False)
    try:
        file = path.open("rb")
    except OSError as error:
        raise ProblemError("tenant.no_backup", f"{path.name}: {error.strerror}") from error
    with file, bundle_of(file) as bundle:
        await asyncio.to_thread(bundle.verify)
        target = slug or str(bundle.manifest["slug"])
        if not over:
            return await archive.make_of(request, bundle, target)
        if target != bundle.manifest["slug"]:
            raise invalid("as", "an archive replaces only the tenant it is of")
        async with request.platform.database.owner() as connection:
            identity = await registry.find_tenant(connection, target)
        if identity is None:
            return await archive.make_of(request, bundle, target)
        return await restoring.restore_over(request, identity, bundle)


async def run(request: Request) -> dict[str, Any]:
    """Back up every tenant, one after another; what fails is told and keeps nobody from the next."""
    require_admin(request)
    done: list[str] = []
    failed: dict[str, str] = {}
    async with request.platform.database.owner() as connection:
        found = [tenant for tenant in await registry.tenants(connection) if tenant.version]
    for tenant in found:
        slug = tenant.identity.slug
        if slug == SYSTEM_SLUG:
            continue
        try:
            await backup(request, tenant.identity, request.platform.backups.folder, verify=True)
            done.append(slug)
        except (ProblemError, OSError) as error:
            failed[slug] = str(error)
            log.error("tenant.not_backed_up", tenant=slug, reason=str(error))  # noqa: TRY400 - one line says it
    return {"done": done, "failed": failed}


async def backup(request: Request, identity: TenantIdentity, folder: Path, *, verify: bool) -> dict[str, Any]:
    """Write, sync and try out one backup, then let the oldest go.

    Raises:
        ProblemError: tenant.busy, tenant.not_restored; the file is gone then.
    """
    platform, slug = request.platform, identity.slug
    await asyncio.to_thread(partial(folder.mkdir, mode=0o700, parents=True, exist_ok=True))
    at = datetime.now(UTC)
    path = folder / f"{slug}-{at:%Y%m%dT%H%M%S%f}Z.zip"
    unfinished = path.with_suffix(UNFINISHED)
    try:
        unfinished.touch(mode=0o600, exist_ok=False)
        with unfinished.open("r+b") as file:
            seal = restoring.seal_of(platform, identity)
            manifest = await archive.written(platform, identity, file, packing.EVERYTHING, seal)
            await asyncio.to_thread(os.fsync, file.fileno())
        told: dict[str, Any] = {
            "slug": slug,
            "file": path.name,
            "at": at.isoformat(),
            "bytes": unfinished.stat().st_size,
            "sha256": await asyncio.to_thread(_sum, unfinished),
            "version": manifest["version"],
            "rows": sum(manifest["rows"].values()),
            "files": manifest["files"],
            "verified_at": None,
        }
        if verify:
            with unfinished.open("rb") as again, bundle_of(again) as bundle:
                await restoring.verify(request.generation, bundle)
            told["verified_at"] = datetime.now(UTC).isoformat()
        _write(path.with_suffix(TOLD), orjson.dumps(told, option=orjson.OPT_INDENT_2))
        unfinished.replace(path)
        _sync_folder(folder)
    finally:
        unfinished.unlink(missing_ok=True)
    await asyncio.to_thread(_let_go, folder, slug, platform.backups.keep)
    seconds = round((datetime.now(UTC) - at).total_seconds(), 1)
    log.info("tenant.backed_up", tenant=slug, file=path.name, bytes=told["bytes"], seconds=seconds)
    await note(request.generation, "tenant.backed_up", slug, request.who, file=path.name, rows=told["rows"])
    return told


def kept(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what is told about the backups of a folder, the newest first."""
    for path in sorted(folder.glob(f"*{TOLD}"), key=lambda one: one.stem.rpartition("-")[2], reverse=True):
        with suppress(OSError, ValueError):
            told = orjson.loads(path.read_bytes())
            if path.with_suffix(".zip").exists() and not slug_problem(told["slug"]):
                yield told


def _let_go(folder: Path, slug: str, keep: int) -> None:
    """Remove the oldest beyond ``keep``, never the newest that was tried out; and what a crash left."""
    own = [told for told in kept(folder) if told["slug"] == slug]
    proven = [told["file"] for told in own if told["verified_at"]][:1]
    for told in own[keep:]:
        if told["file"] not in proven:
            path = folder / Path(told["file"]).name
            path.unlink(missing_ok=True)
            path.with_suffix(TOLD).unlink(missing_ok=True)
    for left in folder.glob(f"{slug}-*{UNFINISHED}"):
        if left.stat().st_mtime < datetime.now(UTC).timestamp() - 86400:
            left.unlink(missing_ok=True)


def newest(platform: Platform) -> datetime | None:
    """Return when the newest backup was made."""
    first = next(kept(platform.backups.folder), None)
    return None if first is None else datetime.fromisoformat(first["at"])


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
