"""What an operator can set, as frozen values.

Decides names, types, defaults and bounds of every setting; ``config/backsaas.yaml`` and the reference page
are written from it. It reads no file and no environment: ``config.parse`` turns text into these, called by
``run.py`` alone.

A setting's name in the environment is ``BACKSAAS_`` and its path in capitals: ``database.pool_size`` is
``BACKSAAS_DATABASE_POOL_SIZE``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

SettingValue = str | int | float | bool | Path


def setting(
    default: SettingValue, help_text: str, *, least: float | None = None, most: float | None = None
) -> Any:  # noqa: ANN401 - a dataclass field takes the type of its annotation
    """Declare one setting.

    Args:
        default: its value when nobody sets it.
        help_text: one line for ``backsaas.yaml`` and the docs.
        least: smallest number allowed.
        most: largest number allowed.
    """
    return field(default=default, metadata={"help": help_text, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """PostgreSQL and its connections."""

    url: str = setting(
        "", "an external PostgreSQL >= 14, postgresql://owner:password@host/name; empty: the embedded one"
    )
    connections: int = setting(80, "connections of this process, all tenants together", least=4, most=5000)
    pool_size: int = setting(10, "connections one tenant may hold at once", least=1, most=500)
    acquire_seconds: float = setting(
        2.0, "how long a request waits for a connection before 503", least=0.05, most=60
    )
    idle_seconds: float = setting(30.0, "idle connections are closed after this long", least=1, most=86400)
    statement_seconds: float = setting(
        5.0, "a statement of a tenant is cancelled after this long", least=0.1, most=600
    )
    slow_seconds: float = setting(
        0.5, "statements that take this long are kept for /api/platform/runtime/slow", least=0, most=600
    )
    connect_seconds: float = setting(5.0, "one try to connect may take this long", least=0.1, most=60)
    start_seconds: float = setting(30.0, "at start, how long to wait for PostgreSQL", least=0.1, most=600)
    max_connections: int = setting(120, "max_connections of the embedded server", least=20, most=5000)
    shared_buffers: str = setting("128MB", "shared_buffers of the embedded server")
    wal_archive: str = setting(
        "",
        "folder, better on another disk, where the embedded server keeps its log of changes, to restore "
        "everything to any moment; empty: it does not",
    )


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one client, one tenant and one request may take."""

    body_bytes: int = setting(1 << 20, "largest request body", least=1024, most=1 << 30)
    head_seconds: float = setting(10.0, "request line and headers must arrive within", least=1, most=300)
    body_seconds: float = setting(30.0, "a request body must arrive within", least=1, most=3600)
    write_seconds: float = setting(
        30.0, "a client that takes no bytes for this long is cut off", least=1, most=3600
    )
    request_seconds: float = setting(
        10.0, "a request is answered within this long, or 504", least=0.1, most=600
    )
    in_flight: int = setting(200, "requests one tenant may have in flight before 503", least=1, most=100000)
    rate_per_second: float = setting(
        0.0, "requests per second per tenant and address; 0: no limit", least=0, most=1e6
    )
    rate_burst: int = setting(
        100, "requests a client may send at once under the rate limit", least=1, most=1000000
    )
    sockets: int = setting(
        0, "open client connections; 0: four fifths of the file descriptors", least=0, most=1000000
    )
    sockets_per_address: int = setting(
        0, "open client connections per address; 0: no limit", least=0, most=1000000
    )


@dataclass(frozen=True, slots=True)
class ReloadSettings:
    """Changing a tenant while it runs."""

    drain_seconds: float = setting(
        10.0, "requests on an old version may take this long to finish", least=0, most=600
    )


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """How tenants live in the process."""

    idle_seconds: float = setting(
        900.0, "a tenant without requests for this long is put to sleep", least=1, most=1e7
    )


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """Python functions of tenants."""

    processes: int = setting(8, "processes for functions, all tenants together", least=1, most=1000)
    per_tenant: int = setting(2, "processes one tenant may have at once", least=1, most=100)
    memory_mb: int = setting(256, "memory a function may take, in MiB", least=16, most=65536)


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Files of tenants: where they are, and how large one may be."""

    max_bytes: int = setting(
        50 << 20, "largest file; fields and buckets may allow less", least=1024, most=1 << 40
    )
    import_bytes: int = setting(256 << 20, "largest file of rows that is imported", least=1024, most=1 << 40)
    unused_hours: float = setting(
        24.0, "an upload that no row names is removed after so many hours", least=0.001, most=8760
    )
    picture_processes: int = setting(
        2, "pictures made smaller at once, each in a process of its own", least=1, most=64
    )
    url: str = setting(
        "",
        "address of a host of its own for files opened by links, such as https://files.example.net, leading"
        " here too; empty: they come from the tenants' hosts",
    )
    s3_bucket: str = setting("", "a bucket of an S3-compatible service; empty: files are in data/files")
    s3_endpoint: str = setting("", "address of that service; empty: AWS")
    s3_region: str = setting("us-east-1", "region of the bucket")
    s3_key: str = setting("", "access key id; empty: what the machine's role gives")
    s3_secret: str = setting("", "secret access key; better set as BACKSAAS_FILES_S3_SECRET")


class Backups(NamedTuple):
    """A folder, and how many of each tenant are kept in it."""

    folder: Path = Path()
    keep: int = 7


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Backups of tenants and of everything, and archives that come in."""

    schedule: str = setting(
        "", "cron line, in UTC, such as 0 3 * * *: every tenant is backed up; empty: none is"
    )
    keep: int = setting(7, "backups kept of each tenant; older ones go", least=1, most=10_000)
    to: str = setting("", "folder of the backups, better on another disk; empty: data/backups")
    import_max_bytes: int = setting(
        16 << 30, "largest archive a tenant may be made of", least=1024, most=1 << 44
    )


@dataclass(frozen=True, slots=True)
class MeteringSettings:
    """Counting what tenants use."""

    flush_seconds: float = setting(
        5.0, "what is counted is written this often; a crash loses what came since", least=0.05, most=300
    )
    measure_seconds: float = setting(
        60.0, "rows and storage of tenants that were asked are measured this often", least=0.05, most=86400
    )


@dataclass(frozen=True, slots=True)
class BillingSettings:
    """Who collects the money."""

    stripe_key: str = setting("", "secret key of the account at Stripe; empty: no Stripe")
    stripe_webhook_secret: str = setting(
        "", "proves that what /api/platform/webhooks/stripe/notices gets is Stripe's"
    )
    return_url: str = setting(
        "", "where people come back to after paying at a provider; empty: the installation's address"
    )
    stripe_url: str = setting("", "another address of Stripe's API, for tests")


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """The first administrator of the platform."""

    email: str = setting("", "made at the first start, with the password below")
    password: str = setting("", "at least 12 characters; better set as BACKSAAS_ADMIN_PASSWORD")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Mail by SMTP."""

    host: str = setting("", "the SMTP server; empty: mails become files in data/mail")
    port: int = setting(0, "0: 587 with starttls, 465 with tls, 25 with none", least=0, most=65535)
    security: Literal["starttls", "tls", "none"] = setting("starttls", "starttls, tls or none")
    username: str = setting("", "to sign in at the server; empty: not at all")
    password: str = setting("", "better set as BACKSAAS_MAIL_PASSWORD")
    sender: str = setting("BackSaas <no-reply@localhost>", "whom mails are from")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What the process says."""

    level: Literal["debug", "info", "warning", "error"] = setting("info", "debug, info, warning or error")
    format: Literal["auto", "json", "console"] = setting(
        "auto", "json, console, or auto: console on a terminal"
    )
    access: bool = setting(False, "one line per request")


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Traces by OpenTelemetry."""

    endpoint: str = setting("", "OTLP/HTTP collector, such as http://localhost:4318; empty: no traces")
    share: float = setting(1.0, "share of requests that are traced", least=0, most=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything, as the composition root hands it out.

    Attributes:
        directory: the installation; relative paths start here.
        dev: development tokens are accepted; only the command line's ``--dev`` sets it.
        warnings: what looks like a mistake but stops nothing.
    """

    host: str = setting("127.0.0.1", "address the public port listens on; 0.0.0.0 or :: for all")
    port: int = setting(8000, "public port", least=1, most=65535)
    admin_host: str = setting("127.0.0.1", "address of the admin port (health, metrics); keep it private")
    admin_port: int = setting(8001, "admin port", least=1, most=65535)
    admin_token: str = setting(
        "", "what operators send as Bearer to read metrics; empty: only programs of this machine may"
    )
    url: str = setting(
        "", "address people reach this installation at, for links in mails; empty: http://DOMAIN:PORT"
    )
    domain: str = setting("localhost", "tenants answer at SLUG.DOMAIN and SLUG.api.DOMAIN")
    trusted_proxies: str = setting(
        "", "proxies in front whose X-Forwarded-For and -Proto are believed, such as 10.0.0.0/8, ::1"
    )
    drain_seconds: float = setting(
        10.0, "at stop, requests in flight may take this long to finish", least=0, most=600
    )
    # ruff does not see that setting() is a dataclass field
    data_dir: Path = setting(Path("data"), "state: embedded PostgreSQL, keys, files")  # noqa: RUF009
    schemas_dir: Path = setting(Path("schemas"), "tenant files, one YAML file each")  # noqa: RUF009
    config_dir: Path = setting(Path("config"), "this file's; only the environment moves it")  # noqa: RUF009
    allow_private_providers: bool = setting(
        False, "identity providers of tenants may have private addresses, and plain http"
    )
    private_networks: str = setting(
        "", "private networks that functions and webhooks may reach, such as 10.1.0.0/16; others are refused"
    )
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    reload: ReloadSettings = field(default_factory=ReloadSettings)
    tenants: TenantSettings = field(default_factory=TenantSettings)
    functions: FunctionSettings = field(default_factory=FunctionSettings)
    files: FileSettings = field(default_factory=FileSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    metering: MeteringSettings = field(default_factory=MeteringSettings)
    billing: BillingSettings = field(default_factory=BillingSettings)
    admin: AdminSettings = field(default_factory=AdminSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    log: LogSettings = field(default_factory=LogSettings)
    tracing: TracingSettings = field(default_factory=TracingSettings)
    directory: Path = Path()
    dev: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where people reach this installation, without a slash at the end."""
        return self.url.rstrip("/") or f"http://{self.domain}:{self.port}"
