"""The gateway as an actor: opens the public port when all below runs, drains it when the process stops.

Decides when the world may come in. It holds the routes of ``config/gateway.yaml`` and takes new ones when the
file changes; a bad edit is reported and the last good routes keep serving. The last child of the root.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec import Struct
from typing_extensions import override

from actors.scanner import Changed, Finding, Refused, Removed
from config.errors import StartError
from gateway.rule_file import parse_rules
from gateway.rules import Rules
from gateway.server import Gateway
from runtime.actor import Actor
from runtime.ref import Request
from schemas.compiler.diagnostics import CompileError

RULES_FILE = "gateway"

DEFAULT_RULES = Path(__file__).resolve().parent.parent / "config" / "gateway.yaml"

log = structlog.get_logger("gateway")


def read_rules(folder: Path, domain: str) -> Rules:
    """Read the rules a start begins with: the installation's, or ours.

    Raises:
        StartError: they cannot be used.
    """
    path = folder / "gateway.yaml"
    try:
        return parse_rules((path if path.exists() else DEFAULT_RULES).read_bytes(), domain)
    except CompileError as error:
        lines = "; ".join(finding.render("gateway.yaml") for finding in error.diagnostics[:3])
        raise StartError(lines) from error
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from error


class RulesFound(Struct, Request[None], frozen=True):
    """The watcher's news about ``gateway.yaml``."""

    finding: Finding


class GatewayActor(Actor):
    """Owns the public port.

    Args:
        make: builds the gateway with its routes.
        rules: routes to begin with.
        domain: what DOMAIN stands for in the routes.
        drain_seconds: how long requests may take to finish at the end.
        listening: told the gateway, its address and port once it is open.
    """

    def __init__(
        self,
        make: Callable[[Rules], Gateway],
        rules: Rules,
        domain: str,
        drain_seconds: float,
        listening: Callable[[Gateway, str, int], None],
    ) -> None:
        self._make = make
        self._rules = rules
        self._domain = domain
        self._drain_seconds = drain_seconds
        self._listening = listening
        self._gateway: Gateway | None = None

    @override
    async def pre_start(self) -> None:
        """Open the port."""
        self._gateway = self._make(self._rules)
        address, port = await self._gateway.start()
        self._listening(self._gateway, address, port)

    @override
    async def handle(self, message: RulesFound) -> None:
        """Take new routes; whoever sends them found them in ``RULES_FILE``."""
        match message.finding:
            case Changed(_, source):
                try:
                    self._rules = parse_rules(source.text, self._domain)
                except CompileError as error:
                    for finding in error.diagnostics:
                        log.warning("routes.refused", diagnostic=finding.render("gateway.yaml"))
                    return
                if self._gateway is not None:
                    self._gateway.apply(self._rules)
                log.info("routes.live")
            case Refused(_, reason):
                log.warning("routes.refused", diagnostic=reason)
            case Removed():
                log.warning("routes.kept", reason="gateway.yaml is gone; the last routes keep serving")

    @override
    async def post_stop(self) -> None:
        """Finish what runs, close the port."""
        if self._gateway is not None:
            with contextlib.suppress(OSError):
                await self._gateway.drain(self._drain_seconds)
