"""What runs for all tenants of this process, during requests and after them, put together from the settings.

Called once by ``gateway.serve``, and by commands that do in a server's place what it would do.
"""

from actors.database import Database
from actors.features.events.publishing import Publisher
from actors.features.files.keeper import Files
from actors.features.files.local import LocalStore
from actors.features.files.pictures import Pictures
from actors.features.files.s3 import S3Store
from actors.features.functions.host import FunctionHost
from actors.features.functions.launcher import Launcher
from actors.features.functions.services import Services
from actors.features.functions.workers import WorkerPool
from actors.features.realtime.wire import Wire
from actors.mail import Mailer
from actors.outbound import Outbound, networks_of
from actors.tenant.due import DueBook
from actors.tenant.work import Work
from config.settings import Backups, Settings


def functions_and_work(
    settings: Settings, database: Database, mailer: Mailer, key: bytes = b""
) -> tuple[FunctionHost, Work]:
    """Return what runs functions, and what does the work after commits and on the clock.

    Args:
        settings: of the installation.
        database: started.
        mailer: sends what functions write.
        key: secret of all processes of this database; empty in commands, which hear no rooms.
    """
    outbound = Outbound(networks=networks_of(settings.private_networks))
    reach = Services(mailer, outbound, Publisher())
    limits = settings.functions
    workers = WorkerPool(
        Launcher(limits.memory_mb << 20), reach, total=limits.processes, per_tenant=limits.per_tenant
    )
    work = Work(DueBook(database), outbound, database, Wire(database, key) if key else None)
    return FunctionHost(reach, workers=workers), work


def file_store(settings: Settings) -> Files:
    """Return where the files of all tenants are: a bucket if one is set, else the data directory."""
    limits = settings.files
    store = S3Store(limits) if limits.s3_bucket else LocalStore(settings.data_dir / "files")
    return Files(store, limits, Pictures(limits.picture_processes))


def backups_of(everything: Settings) -> Backups:
    """Return where backups lie, and how many are kept."""
    settings = everything.backup
    folder = everything.directory / settings.to if settings.to else everything.data_dir / "backups"
    return Backups(folder, settings.keep)
