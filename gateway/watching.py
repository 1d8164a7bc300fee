"""The folders people edit while the platform runs, and who hears what is found in them.

Decides nothing about files; ``actors.watcher`` looks. Composed by ``gateway.serve``.
"""

from collections.abc import Callable

from actors.directory import Found
from actors.metering_actor import PLANS_FILE, PlansFound
from actors.scanner import Finding, Scanner, list_files
from actors.sources import unreadable
from actors.watcher import Watch
from config.errors import StartError
from config.settings import Settings
from gateway.actor import RULES_FILE, RulesFound
from runtime.ref import ActorRef


def make_watches(
    settings: Settings, actor: Callable[[str], ActorRef], listening: Callable[[], bool]
) -> list[Watch]:
    """Return what is to be watched.

    Args:
        settings: where the folders are.
        actor: finds an actor by its name.
        listening: whether the public port is open.

    Raises:
        StartError: a folder is there but cannot be read; later that hinders no tenant.
    """

    async def tell_directory(finding: Finding) -> None:
        await actor("directory").ask(Found(finding), timeout=60.0)

    async def tell_gateway(finding: Finding) -> None:
        # routes found before the gateway runs are those it starts with; never wait: it starts after us
        if finding.name == PLANS_FILE and listening():
            actor("upkeep/metering").tell(PlansFound(finding))
        elif finding.name == RULES_FILE and listening():
            actor("gateway").tell(RulesFound(finding))

    watches = [
        Watch("schemas", Scanner(settings.schemas_dir), tell_directory),
        Watch("config", Scanner(settings.config_dir), tell_gateway),
    ]
    for watch in watches:
        try:
            list_files(watch.scanner.root)
        except OSError as error:
            raise StartError(unreadable(watch.scanner.root, error)) from error
    return watches
