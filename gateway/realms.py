"""What the realms of all tenants share in this process, put together from the settings.

Called once by ``serve``.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from actors.database import Database
from actors.features.auth.guard import Guard
from actors.features.auth.passwords import Hasher
from actors.features.auth.providers import Providers
from actors.features.auth.realm import Door, Services
from actors.mail import Mailer
from actors.tenant.journal import ACCOUNTS, CHANNEL
from config.settings import Settings
from gateway.dev_key import load_dev_key


def auth_services(
    settings: Settings, database: Database, key: bytes, door: Callable[[str], Door | None]
) -> Services:
    """Return the services of all realms.

    Args:
        settings: of the installation.
        database: started.
        key: secret of all processes of this database.
        door: slug to a tenant's way in.
    """

    async def announce(tenant: str) -> None:
        async with database.owner() as connection:
            await connection.execute("SELECT pg_catalog.pg_notify($1, $2)", CHANNEL, f"{ACCOUNTS} {tenant}")

    return Services(
        settings.address,
        key,
        lambda: datetime.now(UTC),
        announce,
        door,
        Hasher(),
        Guard(),
        Mailer(settings.mail, settings.data_dir / "mail"),
        Providers(allow_private=settings.allow_private_providers),
        load_dev_key(settings.data_dir) if settings.dev else None,
    )
