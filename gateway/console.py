"""What the person who started the server reads on its standard output.

Decides nothing. Logs go elsewhere; these lines are for a human at a terminal. Called by ``gateway.serve``.
"""

import contextlib
import os
from collections.abc import Iterable

from actors.tenant.status import TenantStatus
from schemas.compiler.compile import SYSTEM_SLUG


def say(line: str) -> None:
    """Tell the person who started us; unbuffered, so that a full disk behind it cannot fail our exit."""
    with contextlib.suppress(OSError):
        os.write(1, f"backsaas: {line}\n".encode())


def say_tenants(statuses: Iterable[TenantStatus], where: str) -> None:
    """Tell which tenants there are, and where: ``where`` is the public port's address."""
    for status in statuses:
        state = status.state if not status.pending else "serving; a plan waits for confirmation"
        reason = f" ({status.reason})" if status.reason else ""
        say(f"tenant {status.slug}: version {status.version}, {state}{reason}")
        if status.version:
            system = status.slug == SYSTEM_SLUG
            api = "/api/platform" if system else f"/api/tenants/{status.slug}"
            pages = "/admin/" if system else f"/app/{status.slug}/"
            say(f"  pages {where}{pages}  API {where}{api}")


def port_problem(host: str, port: int, error: OSError, name: str) -> str:
    """Return one line about a port that cannot be opened.

    Args:
        host: the address asked for.
        port: the port asked for.
        error: why not.
        name: of its setting.
    """
    reason = error.strerror or error
    return f"cannot listen on {host}:{port}: {reason}; stop the other program or set BACKSAAS_{name}"
