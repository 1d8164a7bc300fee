"""From a saved file to the version in force, as phases with the running version untouched until the last.

    compile -> record -> plan -> (confirm?) -> prepare
            -> expand + switch (one transaction, the file's own tests inside)
            -> swap (one assignment) -> drain -> contract

Decides what is refused and when. It holds no state: the tenant actor calls it with what it has and installs
what it returns. A failure before the swap leaves everything as it was; after it the journal completes the
rest.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import asyncpg
from msgspec import Struct, field

from actors.compile_worker import Compiled
from actors.features.files.keeper import files_of
from actors.messages import TenantIdentity
from actors.pool import TenantPool
from actors.sources import Source
from actors.tenant import function_tests, migrator, registry, rollbacks, rule_tests
from actors.tenant.generation import Generation
from actors.tenant.plan_limits import beyond_plan
from actors.tenant.planning import plan_migration
from actors.tenant.platform import Platform
from actors.tenant.step_runner import MigrationBlockedError, Pace
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.diagnostics import CompileError, Diagnostic, Position
from schemas.compiler.migrate.describe import describe, hazard_line
from schemas.compiler.migrate.steps import Migration
from schemas.compiler.query.compiler import QueryCompiler

PATIENCE = 5.0
"""Seconds a locked table is waited for before other edits, and the file's removal, get their turn."""
REPLANS = 5
"""How often a plan is made again because another process deployed in between."""


class RejectedError(Exception):
    """The file was refused; the version before keeps serving."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(finding.message for finding in diagnostics[:3]))
        self.diagnostics = diagnostics


class NeedsConfirmationError(Exception):
    """The plan waits for a person."""

    def __init__(self, plan_id: str, summary: tuple[str, ...]) -> None:
        super().__init__(plan_id)
        self.plan_id = plan_id
        self.summary = summary


class BlockedError(Exception):
    """Somebody holds a table; the reload is tried again by itself."""


class Stopwatch(Struct):
    """Milliseconds by phase."""

    phases_ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of a block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.phases_ms[name] = self.phases_ms.get(name, 0.0) + (time.perf_counter() - began) * 1000


async def compile_file(platform: Platform, slug: str, source: Source) -> Compiled:
    """Compile a source.

    Raises:
        RejectedError: with every finding.
    """
    try:
        return await platform.compiler.compile(source.text, slug, source.code)
    except CompileError as error:
        raise RejectedError(error.diagnostics) from error


def build_generation(
    platform: Platform,
    identity: TenantIdentity,
    pool: TenantPool,
    compiled: Compiled,
    *,
    number: int,
    version: int,
    source: Source,
) -> Generation:
    """Make the bundle requests run on."""
    model = compiled.model
    usage = platform.usage.of(identity.slug) if platform.usage is not None else None
    key = bytes.fromhex(platform.cluster_key)
    quota = usage.quota if usage is not None else None
    return Generation(
        number=number,
        version=version,
        digest=source.digest,
        identity=identity,
        model=model,
        queries=QueryCompiler(model, identity.namespace, cursor_key=key, trigram=platform.trigram),
        pool=pool,
        born=platform.now(),
        platform=platform if identity.slug == SYSTEM_SLUG else None,
        functions=platform.functions,
        code=source.code.decode(),
        usage=usage,
        files=files_of(platform.files, identity, key, quota) if platform.files is not None else None,
        secrets={name: platform.secrets[name] for name in model.secrets if name in platform.secrets},
    )


async def deploy(
    platform: Platform,
    identity: TenantIdentity,
    pool: TenantPool,
    source: Source,
    generation: int,
    watch: Stopwatch,
) -> Generation:
    """Bring a source into force in the database and return the generation that serves it.

    Args:
        platform: the surroundings.
        identity: the tenant, provisioned.
        pool: the tenant's connections.
        source: the file.
        generation: number of the generation to make.
        watch: takes the phases' times.

    Raises:
        RejectedError: the file, its plan, its own tests or the rows refuse it.
        NeedsConfirmationError: its plan waits for a person.
        BlockedError: a table stayed locked.
    """
    with watch.phase("compile"):
        compiled = await compile_file(platform, identity.slug, source)
    limits = platform.usage.of(identity.slug).quota.limits if platform.usage is not None else None
    if limits is not None and (beyond := beyond_plan(limits, compiled.model)):
        raise RejectedError(beyond)
    for _ in range(REPLANS):
        try:
            return await _deploy_once(platform, identity, pool, source, compiled, generation, watch)
        except (migrator.StalePlanError, migrator.MigrationBusyError):
            # another process deployed meanwhile, or an interrupted migration had to be finished first
            await asyncio.sleep(0.01)
    raise BlockedError("another process keeps changing this tenant")


async def _deploy_once(
    platform: Platform,
    identity: TenantIdentity,
    pool: TenantPool,
    source: Source,
    compiled: Compiled,
    generation: int,
    watch: Stopwatch,
) -> Generation:
    build = partial(build_generation, platform, identity, pool, compiled, number=generation, source=source)
    async with platform.database.owner() as connection:
        with watch.phase("plan"):
            current = await registry.current(connection, identity)
            if current.version and current.digest == source.digest:
                return build(version=current.version)
            back = await rollbacks.way_back(connection, identity, source.digest)
            version = await registry.record(
                connection,
                identity,
                text=source.text.decode(),
                digest=source.digest,
                author="file",
                code=source.code.decode(),
            )
            plan = await plan_migration(
                connection,
                identity,
                compiled.model,
                version=version,
                digest=source.digest,
                back_through=back,
            )
            await refuse_hazards(platform, plan, source)
            confirmed = plan.level < 2 or await registry.is_confirmed(connection, identity, plan.plan_id)
            if not confirmed:
                described = describe(plan)
                await registry.hold(connection, identity, plan, described)
                raise NeedsConfirmationError(plan.plan_id, tuple(described["summary"]))
        fresh = build(version=version)
        with watch.phase("functions"):
            try:
                await function_tests.load(fresh)
            except rule_tests.FailedError as error:
                raise RejectedError(error.diagnostics) from error

        async def verify(inside: "asyncpg.Connection[asyncpg.Record]") -> None:
            with watch.phase("tests"):
                await rule_tests.run(inside, fresh)
                await function_tests.run(inside, fresh)

        with watch.phase("migrate"):
            try:
                await migrator.expand(
                    connection,
                    identity,
                    plan,
                    confirmed=True,
                    verify=verify,
                    pace=pace(platform, identity.slug),
                )
            except migrator.MigrationRefusedError as error:
                raise RejectedError((Diagnostic("migration.refused", str(error), Position(1, 1)),)) from error
            except rule_tests.FailedError as error:
                raise RejectedError(error.diagnostics) from error
            except MigrationBlockedError as error:
                raise BlockedError(str(error)) from error
    return fresh


def pace(platform: Platform, slug: str) -> Pace:
    """Return how a reload waits: not long at a time, and showing for whom."""

    def show(who: str) -> None:
        platform.book.update(slug, reason=f"the migration waits: {who}" if who else "")

    return Pace(patience=PATIENCE, told=show)


async def contract(platform: Platform, identity: TenantIdentity) -> tuple[str, ...]:
    """Finish what had to wait until no request used the old version; returns notes for the file's author.

    Raises:
        BlockedError: a table stayed locked. What is left stays in the journal; call again.
    """
    connection = await platform.database.dedicated()
    try:
        return await migrator.contract(connection, identity, pace=pace(platform, identity.slug))
    except (migrator.MigrationBusyError, MigrationBlockedError) as error:
        raise BlockedError(str(error)) from error
    finally:
        await connection.close()


async def note_rejection(
    platform: Platform, identity: TenantIdentity, source: Source, diagnostics: tuple[Diagnostic, ...]
) -> None:
    """Keep a refused text with its reasons in the history."""
    async with platform.database.owner() as connection:
        await registry.record(
            connection,
            identity,
            text=source.text.decode(errors="replace").replace("\0", "\ufffd"),
            digest=source.digest,
            author="file",
            state="rejected",
            diagnostics=diagnostics,
            code=source.code.decode(errors="replace").replace("\0", "\ufffd"),
        )


async def refuse_hazards(platform: Platform, plan: Migration, source: Source) -> None:
    """Refuse what no confirmation makes possible.

    Raises:
        RejectedError: each such hazard, at the line that causes it.
    """
    refused = [hazard for hazard in plan.hazards if hazard.level >= 3]
    if refused:
        places = await platform.compiler.locate(source.text, [hazard.cause for hazard in refused])
        raise RejectedError(
            tuple(
                Diagnostic(hazard.code, hazard_line(hazard), places[hazard.cause], hazard.cause, hazard.hint)
                for hazard in refused
            )
        )
