"""One archive of everything a tenant is, and a tenant made of one, here or elsewhere.

Decides who may have one, where it lies meanwhile, and what the new tenant is called; ``packing`` decides what
is in it. ``export_tenant`` and the operations beside it.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from msgspec.structs import replace

from actors.features.files.store import PIECE
from actors.features.platform import bundles, copying, creating, packing, plans
from actors.features.platform.bundles import Bundle, bad, bundle_of
from actors.features.platform.copying import Connection
from actors.features.platform.events import note
from actors.features.platform.rights import Request, require_admin, require_owner
from actors.features.platform.unpacking import adopt_history, unpack
from actors.messages import Call, ProblemError, Result, Stream, TenantIdentity
from actors.sources import Source, source_of
from actors.tenant import journal, registry
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.edit import EditError, set_value
from schemas.compiler.names import slug_problem

PATIENCE = 20.0
ANSWER_SECONDS = 3.0
TRIES = 5
"""A file that is deleted while the archive is written makes it begin anew."""


async def export_tenant(request: Request) -> dict[str, Any]:
    """Write an archive below the installation's data, readable by the operator alone."""
    slug = request.text("slug", required=True)
    identity = await exported(request, slug)
    path = folder_of(request.platform) / f"{slug}-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.zip"
    path.touch(mode=0o600, exist_ok=False)
    try:
        with path.open("r+b") as file:
            manifest = await _export(request, identity, file)
            size = file.seek(0, 2)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return {"file": path.name, "bytes": size, **told(manifest)}


async def download(request: Request, slug: str) -> Result:
    """Answer with an archive; nothing of it stays behind, also when the process ends meanwhile.

    A small one is made before it is answered. A large one is made while the client waits for its first byte,
    however long a request may take; what goes wrong then ends the connection.
    """
    identity = await exported(request, slug)
    file = tempfile.TemporaryFile(dir=folder_of(request.platform))  # noqa: SIM115 - the stream closes it
    work = asyncio.ensure_future(_export(request, identity, file))  # noqa: TID251 - it outlives this call
    try:
        await asyncio.wait({work}, timeout=ANSWER_SECONDS)
        if work.done():
            work.result()
    except BaseException:
        work.cancel()
        file.close()
        raise
    size = file.seek(0, 2) if work.done() else None
    name = f'attachment; filename="{slug}.zip"'
    return Result(
        200,
        content_type="application/zip",
        headers=(("Content-Disposition", name), ("Cache-Control", "no-store")),
        stream=Stream(_pieces(file, work), size),
    )


async def _pieces(opened: Any, work: asyncio.Future[Any]) -> AsyncGenerator[bytes, None]:  # noqa: ANN401 - a temporary file has no type
    with opened:
        try:
            await work
            opened.seek(0)
            while piece := await asyncio.to_thread(opened.read, PIECE):
                yield piece
        finally:
            work.cancel()


async def exported(request: Request, slug: str) -> TenantIdentity:
    """Find a tenant for somebody who may have everything of it.

    Raises:
        ProblemError: tenant.not_found, auth.forbidden.
    """
    await require_owner(request, slug)
    if slug == SYSTEM_SLUG:
        raise ProblemError("auth.forbidden", "the platform itself is backed up, not exported")
    async with request.platform.database.owner() as connection:
        identity = None if slug_problem(slug) else await registry.find_tenant(connection, slug)
    if identity is None:
        raise ProblemError("tenant.not_found", "there is no such tenant")
    return identity


async def _export(request: Request, identity: TenantIdentity, file: Any) -> dict[str, Any]:  # noqa: ANN401 - see above
    secrets = packing.HASHES if request.flag("hashes", default=False) else packing.NO_SECRETS
    manifest = await written(request.platform, identity, file, secrets)
    counted = {"rows": sum(manifest["rows"].values()), "secrets": secrets}
    await note(request.generation, "tenant.exported", identity.slug, request.who, **counted)
    return manifest


async def written(
    platform: Platform, identity: TenantIdentity, file: BinaryIO, secrets: str, seal: str = ""
) -> dict[str, Any]:
    """Write a tenant's archive into a file; returns its manifest.

    Raises:
        ProblemError: as ``packing.pack``, tenant.busy where files come and go too fast.
    """
    connection = await platform.database.dedicated()
    try:
        await _quiet(connection, identity)
        for _ in range(TRIES):
            try:
                return await packing.pack(connection, platform.files, file, identity, secrets, seal)
            except FileNotFoundError:
                file.seek(0)
                file.truncate()
        raise ProblemError("tenant.busy", "files were deleted while they were read; try again")
    finally:
        await connection.close()


async def _quiet(connection: Connection, identity: TenantIdentity) -> None:
    """Wait until no migration is under way; most end at once."""
    for _ in range(int(PATIENCE / 0.05)):
        if await journal.open_migration(connection, identity) is None:
            return
        await asyncio.sleep(0.05)


async def import_tenant(request: Request, slug: str) -> Result:
    """Make a tenant of an archive, which is the body.

    Args:
        request: with ``owner_email``, if somebody is to be invited.
        slug: what it will be called; ``-``: as in the archive.

    Raises:
        ProblemError: tenant.bad_archive, or what making a tenant may be refused for.
    """
    require_admin(request)
    async with received(request.call, folder_of(request.platform)) as file:
        with bundle_of(file) as bundle:
            await asyncio.to_thread(bundle.verify)
            email = request.text("owner_email", most=200)
            return await make_of(request, bundle, "" if slug == "-" else slug, owner_email=email)


async def make_of(request: Request, bundle: Bundle, slug: str, *, owner_email: str = "") -> Result:
    """Make a tenant of a verified archive.

    Args:
        request: who asks.
        bundle: the archive.
        slug: "": as in the archive.
        owner_email: invited as its owner.

    Raises:
        ProblemError: tenant.bad_archive, or what making a tenant may be refused for.
    """
    was = bundle.manifest["slug"]
    free = await creating.free_slug(request.platform, slug or was)
    source = source_in(bundle)
    if free != was:
        # whoever edited the text since it was exported is told its errors
        await plans.compiled(request.platform, str(was), source)
        try:
            text = set_value(source.text.decode(), ("service", "name"), free)
        except (EditError, ValueError) as error:
            raise bad("its file cannot be given another name") from error
        source = source_of(text.encode(), source.code)

    async def fill(made: Generation) -> None:
        connection = await request.platform.database.dedicated()
        try:
            await unpack(connection, bundle, made, request.platform.files, secrets=packing.HASHES)
            async with connection.transaction():
                await adopt_history(connection, bundle, made.identity, source)
        finally:
            await connection.close()

    wanted = creating.Wanted(
        free,
        source.text,
        fill,
        creating.owner_address(owner_email),
        code=source.code,
        origin={"imported": was},
    )
    call = copying.row_call(replace(request, arguments={"name": bundle.manifest.get("name") or ""}), free)
    return await creating.create(request.generation, call, request.principal, wanted)


def told(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a manifest is told to people: there may be a hundred thousand members."""
    return {name: value for name, value in manifest.items() if name != "members"}


def source_in(bundle: Bundle) -> Source:
    """Return the tenant's file in an archive."""
    return source_of(bundle.read(bundles.SCHEMA), bundle.read(bundles.CODE))


def folder_of(platform: Platform) -> Path:
    """Return where archives lie: readable by the operator alone."""
    folder = platform.data_dir / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextlib.asynccontextmanager
async def received(call: Call, folder: Path) -> AsyncIterator[Any]:
    """Take a body into a file without a name, which is gone with the process.

    Raises:
        ProblemError: tenant.bad_archive, there is no body.
    """
    if call.sending is None or call.sending.parts is None:
        raise bad("send its bytes as the body")
    with tempfile.TemporaryFile(dir=folder) as file:
        part = await anext(call.sending.parts, None)
        if part is not None:
            async for piece in part.pieces:
                await asyncio.to_thread(file.write, piece)
        yield file
