"""An installation as a command sees it: its database, whether a server runs, and a tenant's place in both.

Decides how a command reaches PostgreSQL: through the running server's own one, or by starting it for the
moment.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from actors.compile_worker import CompileWorker
from actors.database import Database
from actors.mail import Mailer
from actors.messages import TenantIdentity
from actors.pool import TenantPool
from actors.served import is_served
from actors.sources import Source, SourceError, read_tenant
from actors.tenant import registry, reload
from actors.tenant.generation import Generation
from actors.tenant.platform import Platform
from actors.tenant.provision import is_provisioned, provision
from actors.tenant.status import StatusBook
from actors.works import backups_of, file_store, functions_and_work
from config.errors import StartError
from config.settings import Settings
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.names import slug_problem


class Installation(Struct, frozen=True):
    """What a command works with.

    Attributes:
        settings: of the installation.
        database: usable until the command ends.
        served: a server runs on it and takes changes by itself.
        platform: surroundings for what the command does in a server's place.
    """

    settings: Settings
    database: Database
    served: bool
    platform: Platform

    def file(self, slug: str) -> Path:
        """Return where the tenant's file is."""
        return self.platform.file(slug)

    async def source(self, slug: str) -> Source:
        """Read a tenant's file.

        Raises:
            StartError: there is none, or it cannot be read; the slug is none.
        """
        problem = "" if slug == SYSTEM_SLUG else slug_problem(slug)
        if problem:
            msg = f"{slug!r} is no tenant: {problem}"
            raise StartError(msg)
        for _ in range(100):
            try:
                source = read_tenant(self.file(slug), self.settings.schemas_dir)
            except FileNotFoundError:
                msg = f"there is no {self.file(slug)}"
                raise StartError(msg) from None
            except SourceError as error:
                raise StartError(str(error)) from error
            if source is not None:
                return source
            await asyncio.sleep(0.02)
        msg = f"{self.file(slug)} is being written by another program"
        raise StartError(msg)

    async def identity(self, slug: str) -> TenantIdentity:
        """Return a tenant's names.

        Raises:
            StartError: no such tenant.
        """
        async with self.database.owner() as connection:
            found = await registry.find_tenant(connection, slug)
        if found is None:
            msg = f"there is no tenant '{slug}'"
            raise StartError(msg)
        return found

    async def provisioned(self, slug: str) -> TenantIdentity:
        """Return a tenant's names, making its place in PostgreSQL if it is new."""
        async with self.database.owner() as connection:
            identity = await registry.ensure_tenant(connection, slug)
            if not await is_provisioned(connection, identity):
                await provision(connection, identity, self.platform.password(identity))
        return identity


@contextlib.asynccontextmanager
async def opened(settings: Settings, secrets: Mapping[str, str] | None = None) -> AsyncIterator[Installation]:
    """Reach an installation's database for the length of a command.

    Raises:
        StartError: it cannot be reached.
    """
    database = Database(settings.database, settings.data_dir)
    await database.start(join=True)
    compiler = CompileWorker()
    functions, _ = functions_and_work(settings, database, Mailer(settings.mail, settings.data_dir / "mail"))
    try:
        async with database.owner() as connection:
            await registry.bootstrap(connection)
            key = await registry.cluster_key(connection)
            served = await is_served(connection)
        platform = Platform(
            database,
            compiler,
            StatusBook(),
            {},
            key,
            secrets or {},
            lambda: datetime.now(UTC),
            settings.reload.drain_seconds,
            schemas_dir=settings.schemas_dir,
            data_dir=settings.data_dir,
            backups=backups_of(settings),
            functions=functions,
            files=file_store(settings),
        )
        yield Installation(settings, database, served, platform)
    finally:
        await functions.recorder.flush()
        functions.close()
        await compiler.close()
        await database.stop()


async def generation_in_force(installation: Installation, slug: str, pool: TenantPool) -> Generation:
    """Return what serves a tenant's version in force; a tenant that has none takes its file first.

    Raises:
        StartError: its file cannot be taken.
    """
    platform = installation.platform
    identity = await installation.identity(slug)
    async with installation.database.owner() as connection:
        current = await registry.current(connection, identity)
        version = await registry.version(connection, identity, current.version) if current.version else None
    try:
        if version is None:
            source = await installation.source(slug)
            return await reload.deploy(platform, identity, pool, source, 1, reload.Stopwatch())
        source = Source(version.text.encode(), version.digest, code=version.code.encode())
        compiled = await reload.compile_file(platform, slug, source)
    except (reload.RejectedError, reload.NeedsConfirmationError) as error:
        msg = f"the file of {slug} cannot be taken: {error}"
        raise StartError(msg) from error
    return reload.build_generation(
        platform,
        identity,
        pool,
        compiled,
        number=1,
        version=version.number,
        source=source,
    )
