"""A server as an ordinary user, also where the tests run as root: permissions count, and limits are its own.

It runs in a user namespace of its own, where it is user 1000 without any capability while its files stay those of
whoever runs the tests; what the kernel allows there is lowered for nobody else.
"""

import functools
import subprocess
import sys

import pytest

LIMIT = "/proc/sys/user/max_inotify_instances"
_BECOME = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "sh", "-c")
_DROP = "exec setpriv --ambient-caps -all --inh-caps -all "
_RAISE = f"""import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).setns(os.open(sys.argv[1], os.O_RDONLY), 0):
    sys.exit(os.strerror(ctypes.get_errno()))
open("{LIMIT}", "w").write(sys.argv[2])"""


def ordinary_user(*, instances: int = 128) -> tuple[str, ...]:
    """Return what to put before a command, so that an ordinary user runs it who may have so many inotify instances."""
    if not _possible():
        pytest.skip("this kernel gives us no user namespace")
    return (*_BECOME, f'echo {instances} > {LIMIT} && {_DROP} "$@"', "sh")


def allow_instances(pid: int, number: int) -> None:
    """Change how many inotify instances the user of a process may have."""
    namespace = f"/proc/{pid}/ns/user"
    subprocess.run([sys.executable, "-c", _RAISE, namespace, str(number)], check=True, timeout=30)


@functools.cache
def _possible() -> bool:
    try:
        done = subprocess.run(
            [*_BECOME, f"echo 1 > {LIMIT} && {_DROP} true"], capture_output=True, timeout=30, check=False
        )
    except OSError:
        return False
    return done.returncode == 0
