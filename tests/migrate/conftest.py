import secrets
from collections.abc import AsyncIterator

import pytest
from migrating import Tenant, drop_tenant, new_tenant


@pytest.fixture
async def tenant(database_url: str) -> AsyncIterator[Tenant]:
    made = await new_tenant(database_url, f"acme-{secrets.token_hex(4)}")
    yield made
    await drop_tenant(made)
