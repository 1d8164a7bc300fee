"""What a process does by itself beside answering requests, as one branch of its tree.

Decides that each of these fails, restarts and is set aside alone: none of them may close the public port.
Made by ``serve``.
"""

from collections.abc import Callable, Mapping

from actors.clock import ClockActor
from actors.system import SystemActor
from actors.tenant.platform import Platform
from config.settings import Settings
from gateway.backing_up import backup_maker
from gateway.metering import Metering
from gateway.ports import Resolve
from runtime.ref import ActorRef
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor


def make_upkeep(
    settings: Settings,
    platform: Platform,
    routes: Mapping[str, ActorRef],
    resolve: Resolve,
    system: Callable[[], SystemActor],
    metering: Metering,
) -> Supervisor:
    """Make the branch.

    Args:
        settings: of the installation.
        platform: surroundings of the tenants.
        routes: slug to actor.
        resolve: slug to tenant.
        system: makes the actor that keeps the platform's own tenant in step.
        metering: makes the actor that counts.

    Raises:
        StartError: the settings name no possible schedule of backups.
    """
    return Supervisor(
        [
            ChildSpec("clock", lambda: ClockActor(platform, routes)),
            ChildSpec("system", system),
            ChildSpec("metering", metering.actor),
            ChildSpec("backup", backup_maker(settings, platform, resolve)),
        ]
    )
