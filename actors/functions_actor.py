"""Functions as a child of the root: the record of their runs.

Called by the composition root.
"""

from typing_extensions import override

from actors.features.functions.host import FunctionHost
from runtime.actor import Actor


class FunctionsActor(Actor):
    """Keeps the record of what functions did.

    Args:
        host: of all tenants; it stops while their connections still work.
    """

    def __init__(self, host: FunctionHost | None) -> None:
        self._host = host

    @override
    async def pre_start(self) -> None:
        """Write the record from now on."""
        if self._host is not None:
            self.spawn(self._host.recorder.run(), "record")

    @override
    async def post_stop(self) -> None:
        """Write what is left; tenants may have functions that run when they stop, after this."""
        if self._host is not None:
            await self._host.recorder.flush()
