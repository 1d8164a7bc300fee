"""Functions of a version before it goes live: the Python file is loaded, with ``strict`` they are tried out.

Decides that a version whose functions do not do what their tests say is refused like one with a typing error.
Called by ``reload``.
"""

from typing import cast

from actors.connections import TenantConnection
from actors.features.functions.trials import try_functions, try_load
from actors.tenant import rows
from actors.tenant.case_rows import Connection
from actors.tenant.generation import Generation
from actors.tenant.rule_tests import FailedError


async def load(generation: Generation) -> None:
    """Load the Python file into a process, which then waits for the first call.

    Raises:
        FailedError: it cannot be loaded.
    """
    if generation.functions is not None and generation.code:
        findings = await try_load(generation.functions, generation)
        if findings:
            raise FailedError(findings)


async def run(connection: Connection, generation: Generation) -> None:
    """Run the tests of functions, when the file is strict; what they write is rolled back.

    Args:
        connection: the owner's, inside the transaction that made the new tables.
        generation: the new version.

    Raises:
        FailedError: when one comes out differently.
    """
    host = generation.functions
    if host is None or not generation.model.sections.get("strict"):
        return
    inside = cast("TenantConnection", connection)
    transaction = connection.transaction()
    await transaction.start()
    trial = host.trial()
    try:
        findings = await try_functions(trial, generation, rows.data_port(generation, inside), inside)
    finally:
        trial.end()
        await transaction.rollback()
    if findings:
        raise FailedError(findings)
