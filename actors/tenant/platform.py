"""What all tenants of this process share, handed to each of them; nothing reaches everything through it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from actors.compile_worker import CompileWorker
from actors.connections import derive_password
from actors.database import Database
from actors.features.auth.realm import Services
from actors.features.files.keeper import Files
from actors.features.functions.host import FunctionHost
from actors.messages import TenantIdentity
from actors.pool import TenantPool
from actors.sources import Source, SourceError, read_tenant
from actors.tenant.status import StatusBook
from actors.tenant.usage import UsageBook
from actors.tenant.work import Work
from config.settings import Backups
from schemas.compiler.compile import SYSTEM_SLUG

if TYPE_CHECKING:
    from actors.features.billing.plans import PlanBook
    from actors.features.billing.providers import Provider
    from actors.features.monitoring.runtime import View


class Platform(Struct, frozen=True):
    """The tenants' surroundings.

    Attributes:
        database: PostgreSQL as the owner, and pools.
        compiler: the disposable compiler process.
        book: every tenant's status.
        sources: the newest readable content of every tenant file, by slug; kept by the directory.
        cluster_key: secret of all processes of this database.
        secrets: the environment's values for ``${NAME}`` in tenant files.
        now: aware UTC wall clock.
        drain_seconds: how long requests on an old generation may finish.
        auth: what the tenants' realms share; None in commands, where nobody signs in.
        functions: runs functions of all tenants; None in tests that need none.
        work: what their relays share; None in commands, which leave work to a server.
        started_at: when the process began to watch, in seconds since the epoch.
        schemas_dir: the tenants' files.
        data_dir: the installation's own state.
        usage: what tenants use and may use; None in commands.
        plans: those in force; None in commands.
        payments: payment providers by name, besides the manual one.
        files: where tenants' files are; None in commands.
        view: of the process as a whole; None in commands.
        backups: where they lie, and how many.
        serves: this process takes files by itself; a command may run beside one that does.
        trigram: namespace of pg_trgm; "" where the server has none, or does not let tenants use it.
    """

    database: Database
    compiler: CompileWorker
    book: StatusBook
    sources: Mapping[str, Source]
    cluster_key: str
    secrets: Mapping[str, str]
    now: Callable[[], datetime]
    drain_seconds: float = 10.0
    started_at: float = 0.0
    auth: Services | None = None
    schemas_dir: Path = field(default_factory=Path)
    data_dir: Path = field(default_factory=Path)
    backups: Backups = field(default_factory=Backups)
    serves: bool = False
    functions: FunctionHost | None = None
    usage: UsageBook | None = None
    plans: "PlanBook | None" = None
    payments: "Mapping[str, Provider]" = field(default_factory=dict)
    work: Work | None = None
    view: "View | None" = None
    files: Files | None = None
    trigram: str = ""

    def file(self, slug: str) -> Path:
        """Return where a tenant's file is."""
        return self.schemas_dir / f"{'platform' if slug == SYSTEM_SLUG else slug}.yaml"

    def reread(self, slug: str, known: Source) -> Source | None:
        """Return a tenant's file as it is now: it may say something else than is known; None: it is gone."""
        try:
            return read_tenant(self.file(slug), self.schemas_dir) or known
        except (FileNotFoundError, SourceError):
            return None

    def password(self, identity: TenantIdentity) -> str:
        """Return the password of a tenant's role."""
        return derive_password(bytes.fromhex(self.cluster_key), identity.id)

    def pool(self, identity: TenantIdentity) -> TenantPool:
        """Make a tenant's pool; it opens nothing yet."""
        pool = self.database.tenant_pool(identity, self.password(identity))
        if self.usage is not None:
            self.usage.of(identity.slug).quota.bound(pool)
        return pool
