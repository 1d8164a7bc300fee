"""One archive of everything a tenant is, and a tenant made of one, here or elsewhere.

Decides what is in it: the file, its versions, every row, the people and the files rows name; no
password, session, key or other secret. A zip of JSON lines and files, so that it can be read without us.
``export_tenant`` and the operations beside it.
"""

import asyncio
import contextlib
import io
import json
import zipfile
from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from msgspec.structs import asdict, replace

from actors.features.files.keeper import Files
from actors.features.files.store import PIECE
from actors.features.platform import carrying, copying, creating, files, plans
from actors.features.platform.copying import Connection
from actors.features.platform.events import note
from actors.features.platform.rights import Request, require_admin, require_owner
from actors.messages import ProblemError, Result, Stream
from actors.sources import source_of
from actors.tenant import registry
from actors.tenant.generation import Generation
from schemas.compiler.compile import SYSTEM_SLUG, compile_source
from schemas.compiler.edit import EditError, set_value
from schemas.compiler.model import TenantModel
from schemas.compiler.sql import quote

FORMAT = 1
BATCH = 1000
MAX_ENTRIES = 200_000
MAX_BYTES = 4 << 30
"""Of what an archive unpacks to; more is no tenant but an attack."""


async def export_tenant(request: Request) -> dict[str, Any]:
    """Write an archive below the installation's data, readable by the operator alone."""
    slug = request.text("slug", required=True)
    path, manifest = await _export(request, slug)
    return {"file": path.name, "bytes": path.stat().st_size, **manifest}


async def download(request: Request, slug: str) -> Result:
    """Answer with an archive; nothing of it stays behind."""
    path, _ = await _export(request, slug)
    try:
        size, opened = path.stat().st_size, path.open("rb")
    finally:
        path.unlink(missing_ok=True)
    name = f'attachment; filename="{slug}.zip"'
    return Result(
        200,
        content_type="application/zip",
        headers=(("Content-Disposition", name), ("Cache-Control", "no-store")),
        stream=Stream(_pieces(opened), size),
    )


async def _pieces(opened: BinaryIO) -> AsyncGenerator[bytes, None]:
    with opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


async def import_tenant(request: Request, slug: str, body: bytes) -> Result:
    """Make a tenant of an archive.

    Args:
        request: with ``owner_email``, if somebody is to be invited.
        slug: what it will be called; ``-``: as in the archive.
        body: the archive.

    Raises:
        ProblemError: tenant.bad_archive, or what making a tenant may be refused for.
    """
    require_admin(request)
    with _opened(body) as archive:
        try:
            manifest = orjson.loads(archive.read("manifest.json"))
            text = archive.read("schema.yaml").decode()
            code = archive.read("functions.py") if "functions.py" in archive.namelist() else b""
            name = manifest["slug"] if slug == "-" else slug
            if manifest["format"] != FORMAT:
                raise ProblemError("tenant.bad_archive", f"this reads archives of format {FORMAT}")
            free = await creating.free_slug(request.platform, name)
            if free != manifest["slug"]:
                # the text was accepted by a compiler once, and whoever edited it since is told its errors
                await plans.compiled(request.platform, manifest["slug"], source_of(text.encode(), code))
                text = set_value(text, ("service", "name"), free)
        except (KeyError, TypeError, ValueError, EditError) as error:
            raise ProblemError("tenant.bad_archive", "this is no tenant's archive") from error

        async def fill(made: Generation) -> None:
            async with request.platform.database.owner() as connection:
                await _load(connection, archive, made, request.platform.files)

        email = request.text("owner_email", most=200)
        wanted = creating.Wanted(
            free,
            text.encode(),
            fill,
            creating.owner_address(email),
            code=code,
            origin={"imported": manifest["slug"], "exported_at": manifest.get("exported_at")},
        )
        call = copying.row_call(replace(request, arguments={"name": manifest.get("name") or ""}), free)
        return await creating.create(request.generation, call, request.principal, wanted)


async def _export(request: Request, slug: str) -> tuple[Path, dict[str, Any]]:
    await require_owner(request, slug)
    if slug == SYSTEM_SLUG:
        raise ProblemError("auth.forbidden", "the platform itself is backed up, not exported")
    file = await files.opened(request, slug)
    async with request.platform.database.owner() as connection:
        deployed = await registry.current(connection, file.identity)
        version = await registry.version(connection, file.identity, deployed.version)
        if version is None:
            raise ProblemError("schema.unknown_version", f"{slug} has no version in force")
        moment = datetime.now(UTC)
        folder = request.platform.data_dir / "exports"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{slug}-{moment:%Y%m%d-%H%M%S-%f}.zip"
        path.touch(mode=0o600, exist_ok=False)
        model = await asyncio.to_thread(compile_source, version.text, slug)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                tables = await _dump(connection, archive, file.identity.namespace, model)
                stored = request.platform.files
                number = await carrying.dump_files(connection, archive, stored, file.identity, model)
            history = await registry.history(connection, file.identity, 10_000)
            archive.writestr("versions.jsonl", _lines(asdict(item) for item in history))
            archive.writestr("schema.yaml", version.text)
            if version.code:
                archive.writestr("functions.py", version.code)
            name = next(iter(model.title.values()), "")
            manifest = {
                "format": FORMAT,
                "slug": slug,
                "name": name,
                "version": version.number,
                "exported_at": moment.isoformat(),
                "rows": tables,
                "files": number,
            }
            archive.writestr("manifest.json", json.dumps(manifest, indent=2))
    await note(request.generation, "tenant.exported", slug, request.who, rows=sum(tables.values()))
    return path, manifest


async def _dump(
    connection: Connection, archive: zipfile.ZipFile, namespace: str, model: TenantModel
) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in sorted(row["name"] for row in await connection.fetch(copying.TABLES, namespace)):
        entity = model.entities.get(name)
        secret = [field.name for field in entity.fields.values() if field.write_only] if entity else []
        query = f"SELECT (to_jsonb(t) - $1::text[])::text FROM {quote(namespace)}.{quote(name)} t"  # noqa: S608 - quoted
        counts[name] = await write_rows(connection, archive, f"data/{name}.jsonl", query, secret)
    query = (
        f"SELECT to_jsonb(t)::text FROM (SELECT {copying.ACCOUNT} FROM {quote(namespace)}._auth_accounts) t"  # noqa: S608 - quoted
    )
    await write_rows(connection, archive, "accounts.jsonl", query)
    query = f"SELECT to_jsonb(t)::text FROM {quote(namespace)}._counters t"  # noqa: S608 - quoted
    if await connection.fetchval("SELECT to_regclass($1)", f"{quote(namespace)}._counters"):
        await write_rows(connection, archive, "counters.jsonl", query)
    return counts


async def write_rows(
    connection: Connection, archive: zipfile.ZipFile, name: str, query: str, *arguments: object
) -> int:
    """Write what a query answers, one line per row, within the connection's transaction; returns how many."""
    count = 0
    with archive.open(name, "w", force_zip64=True) as written:
        cursor = await connection.cursor(query, *arguments)
        while rows := await cursor.fetch(BATCH):
            text = "".join(f"{row[0]}\n" for row in rows).encode()
            await asyncio.to_thread(written.write, text)
            count += len(rows)
    return count


async def _load(
    connection: Connection, archive: zipfile.ZipFile, made: Generation, stored: Files | None
) -> None:
    namespace = made.identity.namespace
    there = set(archive.namelist())
    async with connection.transaction():
        order = await copying.order_of(connection, namespace)
        for name, columns in order.tables.items():
            if f"data/{name}.jsonl" in there:
                await _unpack(connection, archive, f"data/{name}.jsonl", f"in_{name}")
                kept = await _columns(connection, f"in_{name}", columns)
                origin = _origin(namespace, name, f"in_{name}", kept)
                late = order.late.get(name, ())
                if kept:
                    await copying.fill_table(connection, namespace, name, kept, origin, late)
        for name, late in order.late.items():
            if f"data/{name}.jsonl" in there:
                every = order.tables[name]
                origin = f"({_origin(namespace, name, f'in_{name}', every)})"
                key = made.model.entities[name].key
                await copying.fill_late(connection, namespace, name, list(late), origin, key)
        for file, table, columns in (
            ("accounts.jsonl", "_auth_accounts", tuple(copying.ACCOUNT.split(", "))),
            ("counters.jsonl", "_counters", ("scope", "n")),
        ):
            if file in there:
                await _unpack(connection, archive, file, f"in{table}")
                origin = _origin(namespace, table, f"in{table}", columns)
                await copying.fill_table(connection, namespace, table, columns, origin, ())
        await carrying.load_files(connection, archive, stored, made)
        await copying.wake(connection, namespace, order, made.model)


def _origin(namespace: str, name: str, staged: str, columns: Iterable[str]) -> str:
    listed = ", ".join(f"r.{quote(column)}" for column in columns)
    row = f"jsonb_populate_record(NULL::{quote(namespace)}.{quote(name)}, s.doc) r"
    return f"SELECT {listed} FROM pg_temp.{quote(staged)} s, LATERAL {row}"  # noqa: S608 - quoted


async def _columns(connection: Connection, staged: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns some row has a value for; the others keep their default."""
    rows = await connection.fetch(f"SELECT DISTINCT jsonb_object_keys(doc) FROM pg_temp.{quote(staged)}")  # noqa: S608 - quoted
    there = {row[0] for row in rows}
    return tuple(column for column in columns if column in there)


async def _unpack(connection: Connection, archive: zipfile.ZipFile, file: str, staged: str) -> None:
    await connection.execute(f"CREATE TEMP TABLE {quote(staged)} (doc jsonb NOT NULL) ON COMMIT DROP")
    with archive.open(file) as lines:
        while batch := await asyncio.to_thread(_some, lines):
            await connection.execute(
                f"INSERT INTO pg_temp.{quote(staged)} SELECT doc::jsonb FROM unnest($1::text[]) AS doc",  # noqa: S608 - quoted
                batch,
            )


def _some(lines: Iterable[bytes]) -> list[str]:
    return [line.decode() for _, line in zip(range(BATCH), lines, strict=False)]


def _lines(documents: Iterable[Any]) -> bytes:
    return b"".join(orjson.dumps(document, default=str) + b"\n" for document in documents)


@contextlib.contextmanager
def _opened(body: bytes) -> Any:  # noqa: ANN401 - a context manager of ZipFile
    try:
        archive = zipfile.ZipFile(io.BytesIO(body))
    except (zipfile.BadZipFile, ValueError) as error:
        raise ProblemError("tenant.bad_archive", "this is no zip archive") from error
    with archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_BYTES:
            raise ProblemError("tenant.bad_archive", "the archive is too large")
        try:
            yield archive
        except zipfile.BadZipFile as error:
            raise ProblemError("tenant.bad_archive", "the archive is damaged") from error
