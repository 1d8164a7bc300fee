"""What all realms share as a child of the root: the mails that go out, and what is closed at the end.

Called by the composition root.
"""

from typing_extensions import override

from actors.features.auth.realm import Services
from actors.tenant.work import Work
from runtime.actor import Actor


class AuthActor(Actor):
    """Runs the services of the realms.

    Args:
        services: of all realms of the process.
        work: of all relays; they stop before.
    """

    def __init__(self, services: Services, work: Work | None) -> None:
        self._services = services
        self._work = work

    @override
    async def pre_start(self) -> None:
        """Send mails from now on."""
        self.spawn(self._services.mailer.run(), "mail")

    @override
    async def post_stop(self) -> None:
        """Close what is open to others."""
        await self._services.providers.close()
        if self._work is not None:
            await self._work.close()
