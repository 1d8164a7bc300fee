"""What the gateway needs of a tenant; ``actors.tenant.door`` is the real one."""

from collections.abc import Callable
from typing import Protocol

from actors.messages import Call, Identify, Result
from schemas.compiler.principal import Principal


class TenantPort(Protocol):
    """What the gateway needs of a tenant."""

    async def call(self, call: Call) -> Result:
        """Answer one call.

        Raises:
            ProblemError: a refusal the caller is told about.
        """
        ...

    async def identify(self, question: Identify) -> Principal:
        """Say who somebody is, with every role their roles include.

        Raises:
            ProblemError: the credential is not accepted.
        """
        ...


Resolve = Callable[[str], TenantPort | None]
"""Slug to tenant; None for one that does not exist."""
