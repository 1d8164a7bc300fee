"""Tenants' files through the API: read, checked, planned, written, taken back.

Decides who may write what into a file and when one is written at all: a text that is refused, or whose plan
waits for a person, leaves the file as it is. What is written lands in the same file as an editor's save, by
one rename, and is taken the same way; only then is it answered. Functions and operations of the platform.
"""

import asyncio
from typing import Any

from msgspec import Struct

from actors.features.platform import making, operator_keys, plans
from actors.features.platform.events import note
from actors.features.platform.rights import Request, answer, invalid, require_owner
from actors.messages import ProblemError, Result, TenantIdentity
from actors.sources import Source, SourceError, read_tenant, source_of, write_tenant
from actors.tenant import closing, journal, registry, reload
from actors.tenant.platform import Platform
from actors.tenant.status import TenantStatus
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.edit import EditError, remove_key, set_value
from schemas.compiler.migrate.describe import describe
from schemas.compiler.migrate.steps import Migration
from schemas.compiler.names import slug_problem

YAML_TYPE = "application/yaml; charset=utf-8"
MAX_EDITS = 100
TAKE_SECONDS = 20.0
"""How long an answer waits for a version to come into force; a longer migration is answered with 202."""


class File(Struct, frozen=True):
    """A tenant's file as it is.

    Attributes:
        administrator: who asks runs the installation, and does not only own this tenant.
    """

    slug: str
    identity: TenantIdentity
    source: Source
    administrator: bool

    @property
    def etag(self) -> str:
        """Its version for If-Match."""
        return f'"{self.source.digest}"'


async def opened(request: Request, slug: str) -> File:
    """Find a tenant's file for somebody who may see it.

    Raises:
        ProblemError: tenant.not_found, source.unreadable.
    """
    administrator = await require_owner(request, slug)
    identity = None
    if slug == SYSTEM_SLUG or not slug_problem(slug):
        async with request.platform.database.owner() as connection:
            identity = await registry.find_tenant(connection, slug)
    if identity is None:
        raise ProblemError("tenant.not_found", "there is no such tenant")
    return File(slug, identity, await _read(request.platform, slug), administrator)


async def read(request: Request, slug: str) -> Result:
    """Return the text, with its version as ETag."""
    file = await opened(request, slug)
    if request.call.if_none_match == file.etag:
        return Result(304, headers=(("ETag", file.etag),))
    return Result(200, file.source.text, YAML_TYPE, (("ETag", file.etag),))


async def write(
    request: Request, slug: str, text: bytes, *, plan_id: str = "", code: bytes | None = None
) -> Result:
    """Put a text into the file and wait until it is in force.

    Args:
        request: who asks; its If-Match names the version that was edited.
        slug: the tenant.
        text: the whole new file.
        plan_id: the plan that is agreed to, "" for none.
        code: of the Python file beside it; None: as it is.

    Raises:
        ProblemError: row.version_mismatch, auth.forbidden for the operator's keys, schema.refused,
            schema.needs_confirmation; the file is as it was.
    """
    file = await opened(request, slug)
    platform = request.platform
    if request.call.if_match not in {"", "*", file.etag}:
        raise ProblemError("row.version_mismatch", "the file was changed meanwhile", hint="read it again")
    fresh = source_of(text, file.source.code if code is None else code)
    if fresh.digest != file.source.digest or plan_id or platform.book.get(slug).digest != fresh.digest:
        if not file.administrator:
            operator_keys.refuse_changes(file.source.text, text)
        migration = await plans.planned(platform, file.identity, fresh)
        await _confirm(request, file, fresh, migration, plan_id)
        if fresh.digest == file.source.digest:
            # it has waited for this
            async with platform.database.owner() as connection:
                await closing.announce(connection, file.identity)
        else:
            write_tenant(platform.file(slug), fresh)
    if not platform.serves:
        return Result(202, b'{"state":"written"}')
    status = await _taken(platform, file, fresh)
    if status is None:
        return Result(202, b'{"state":"migrating"}')
    if fresh.digest != file.source.digest:
        version = status.version
        await note(request.generation, "schema.applied", slug, request.who, version=version)
    body = status.document() | {"etag": f'"{fresh.digest}"'}
    return answer(body, headers=(("ETag", f'"{fresh.digest}"'),))


async def report(request: Request, slug: str) -> dict[str, Any]:
    """``schema/status``: what serves, waits or was refused, and how far the newest migration is."""
    file = await opened(request, slug)
    async with request.platform.database.owner() as connection:
        migration = await journal.progress(connection, file.identity)
    return {**request.platform.book.get(slug).document(), "migration": migration, "etag": file.etag}


async def check(request: Request) -> dict[str, Any]:
    """``validate_schema``: every finding about a text, and nothing else."""
    file, text = await _arguments(request)
    try:
        compiled = await reload.compile_file(request.platform, file.slug, source_of(text, file.source.code))
    except reload.RejectedError as error:
        return {"valid": False, "errors": list(making.refused(file.slug, error).errors), "warnings": []}
    warnings = making.refused(file.slug, reload.RejectedError(compiled.warnings)).errors
    return {"valid": True, "errors": [], "warnings": list(warnings)}


async def plan(request: Request) -> dict[str, Any]:
    """``plan_schema``: what a text would change: steps, class, locks, SQL, rows; a dry run."""
    file, text = await _arguments(request)
    if not file.administrator:
        operator_keys.refuse_changes(file.source.text, text)
    migration = await plans.planned(request.platform, file.identity, source_of(text, file.source.code))
    return {**describe(migration), "tables": await plans.sizes(request.platform, file.identity, migration)}


async def apply(request: Request) -> Result:
    """``apply_schema``: put a text into force; without one, the file whose plan waits."""
    file, text = await _arguments(request)
    return await write(request, file.slug, text, plan_id=request.text("plan_id"))


async def edit(request: Request) -> Result:
    """``edit_schema``: set or remove single keys; comments, order and everything else stay."""
    slug = request.text("slug", required=True)
    file = await opened(request, slug)
    edits = request.arguments.get("edits")
    if not isinstance(edits, list) or not 0 < len(edits) <= MAX_EDITS:
        raise invalid("edits", f"a list of 1 to {MAX_EDITS} edits")
    await plans.compiled(request.platform, slug, file.source)
    text = file.source.text.decode("utf-8-sig")
    for at, one in enumerate(edits):
        path = one.get("path") if isinstance(one, dict) else None
        if not isinstance(path, list) or not path or not all(isinstance(key, str) and key for key in path):
            raise invalid(f"edits/{at}", '{"op": "set" or "remove", "path": [keys], "value": ...}')
        try:
            text = (
                remove_key(text, path) if one.get("op") == "remove" else set_value(text, path, one["value"])
            )
        except (EditError, KeyError, ValueError) as error:
            raise invalid(f"edits/{at}", str(error)) from error
    return await write(request, slug, text.encode(), plan_id=request.text("plan_id"))


async def rollback(request: Request) -> Result:
    """``rollback_schema``: put an earlier version's text back into the file."""
    slug = request.text("slug", required=True)
    file = await opened(request, slug)
    number = request.arguments.get("version")
    async with request.platform.database.owner() as connection:
        wanted = (
            await registry.version(connection, file.identity, number)
            if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 1 << 31
            else None
        )
    if wanted is None or wanted.state == "rejected":
        raise ProblemError("schema.unknown_version", f"{slug} never served such a version")
    return await write(
        request,
        slug,
        wanted.text.encode(),
        plan_id=request.text("plan_id"),
        code=wanted.code.encode(),
    )


async def _confirm(request: Request, file: File, fresh: Source, migration: Migration, plan_id: str) -> None:
    """Note who wrote it, and the yes its plan needs."""
    if plan_id and plan_id != migration.plan_id:
        raise _waits(migration, f"the plan is {migration.plan_id} now: look at it again")
    if migration.level >= 2 and not plan_id:
        raise _waits(migration, "this changes or hides what is there: repeat it with this plan_id to agree")
    async with request.platform.database.owner() as connection:
        await registry.record(
            connection,
            file.identity,
            text=fresh.text.decode(),
            digest=fresh.digest,
            author=request.author,
            code=fresh.code.decode(),
        )
        if plan_id:
            await registry.confirm(connection, file.identity, plan_id, request.author)


def _waits(migration: Migration, message: str) -> ProblemError:
    described = describe(migration)
    return ProblemError(
        "schema.needs_confirmation",
        message,
        details="; ".join(described["summary"])[:2000],
        hint=f"plan_id={migration.plan_id}",
        more={"plan": described},
    )


async def _taken(platform: Platform, file: File, fresh: Source) -> TenantStatus | None:
    """Wait for the outcome of a save; a refusal puts the file back as it was.

    Returns:
        The status in force, or None while a migration still runs.
    """

    def is_known(status: TenantStatus) -> bool:
        refused = status.rejection is not None and status.rejection.digest == fresh.digest
        serves = status.digest == fresh.digest and status.state in {"serving", "cold", "suspended"}
        return refused or serves

    try:
        status = await platform.book.until(file.slug, is_known, TAKE_SECONDS)
    except TimeoutError:
        return None
    if status.digest != fresh.digest and status.rejection is not None:
        current = platform.file(file.slug)
        if current.read_bytes() == fresh.text:
            write_tenant(current, file.source)
        raise making.refused(file.slug, reload.RejectedError(status.rejection.diagnostics))
    return status


async def _arguments(request: Request) -> tuple[File, bytes]:
    file = await opened(request, request.text("slug", required=True))
    if request.arguments.get("text") is None:
        return file, file.source.text
    return file, request.text("text", required=True, most=1 << 20).encode()


async def _read(platform: Platform, slug: str) -> Source:
    for _ in range(100):
        try:
            source = read_tenant(platform.file(slug), platform.schemas_dir)
        except FileNotFoundError:
            raise ProblemError("tenant.not_found", "the tenant's file is gone") from None
        except SourceError as error:
            raise ProblemError("tenant.unavailable", str(error)) from error
        if source is not None:
            return source
        await asyncio.sleep(0.02)
    raise ProblemError("tenant.busy", "the file is being written by another program")
