"""Counting and billing, put together from the settings: the book of usage, the plans, and their actor.

Decides what the actor asks the tenant ``system``, as the platform's own hand. Made once by ``serve``.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from actors.database import Database
from actors.features.billing.plans import PlanBook, read_plans
from actors.features.billing.setting_up import payment_providers
from actors.features.metering import store
from actors.messages import Call
from actors.metering_actor import MeteringActor
from actors.tenant.usage import UsageBook
from config.errors import StartError
from config.settings import Settings
from gateway.ports import Resolve
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import SERVICE

DEFAULT_PLANS = Path(__file__).resolve().parent.parent / "config" / "plans.yaml"
_ASK_SECONDS = 60.0


def first_plans(settings: Settings) -> PlanBook:
    """Read the plans a start begins with: the installation's, or ours.

    Raises:
        StartError: they cannot be used.
    """
    path = settings.config_dir / "plans.yaml"
    try:
        return PlanBook(read_plans((path if path.exists() else DEFAULT_PLANS).read_bytes()))
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from error


class Metering:
    """See the module's docstring.

    Args:
        settings: of the installation.
        database: for counting and writing.
        resolve: slug to tenant.

    Raises:
        StartError: plans.yaml cannot be used.
    """

    def __init__(self, settings: Settings, database: Database, resolve: Resolve) -> None:
        self.plans = first_plans(settings)
        self.book = UsageBook(partial(store.count, database))
        self.payments = payment_providers(settings.billing, settings.address)
        self._settings = settings
        self._database = database
        self._resolve = resolve

    def actor(self) -> MeteringActor:
        """Make the actor that writes what is counted."""
        return MeteringActor(
            self._database, self.book, self.plans, self._settings.metering, self._warn, self._bill
        )

    async def _warn(self, slug: str, quota: str, used: int, most: int) -> None:
        await self._ask("billing.warned", {"tenant": slug, "quota": quota, "used": used, "limit": most})

    async def _bill(self) -> None:
        await self._ask("billing.run", {})

    async def _ask(self, operation: str, body: dict[str, Any]) -> None:
        door = self._resolve(SYSTEM_SLUG)
        if door is not None:
            await door.call(
                Call(
                    operation,
                    "POST",
                    body=orjson.dumps(body),
                    content_type="application/json",
                    principal=SERVICE,
                    base="/api/platform",
                    deadline=asyncio.get_running_loop().time() + _ASK_SECONDS,
                )
            )
