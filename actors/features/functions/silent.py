"""What functions reach while they are tried out: nothing.

Used by ``host`` to make hosts for tests.
"""

from pathlib import Path
from typing import Any

from typing_extensions import override

from actors.features.functions.services import Services
from actors.mail import Mailer
from actors.outbound import Answer, Outbound, OutboundError
from config.settings import MailSettings


class _NoServers(Outbound):
    @override
    async def send(self, method: str, address: str, **more: Any) -> Answer:
        raise OutboundError("refused", "tests of functions reach no other server")


class _NoEvents:
    async def publish(self, *heard: object) -> None:
        """Nobody hears it."""


def silent_services() -> Services:
    """Return services whose mails are never sent."""
    return Services(Mailer(MailSettings(), Path()), _NoServers(), _NoEvents())
