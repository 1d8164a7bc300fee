"""Shuts a process in: no files, no sockets, no processes, no signals, bounded memory.

Decides what tenants' code can do to this machine: compute, and talk through the one socket it was given. The
list of system calls is an allow-list (seccomp, Linux); where there is no seccomp, the limit on open files
keeps out files and sockets alike. Called by ``zygote`` in the forked process, before it loads any code.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from importlib.abc import MetaPathFinder

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER = 1, 38, 22, 2
_ALLOW, _EPERM, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
CPU_SECONDS = 3600
"""Processor time of a whole life: a call that overruns is ended long before, whoever lives so long is replaced."""
NICENESS = 5
"""Functions give way to the process that serves requests."""

# memory, clocks, waiting, randomness, the socket that is open; nothing that names another thing
_X86_64 = (
    0, 1, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 19, 20, 23, 24, 25, 28, 35, 39, 44, 45, 48, 60, 63, 72, 96, 97,
    98, 99, 100, 102, 104, 107, 108, 110, 131, 186, 202, 204, 219, 228, 229, 230, 231, 232, 233, 270, 271, 273,
    281, 318, 324, 334,
)  # fmt: skip
_AARCH64 = (
    63, 64, 57, 80, 73, 62, 222, 226, 215, 214, 134, 135, 139, 65, 66, 124, 216, 233, 101, 172, 206, 207, 210, 93,
    160, 25, 169, 163, 165, 179, 153, 174, 176, 175, 177, 173, 132, 178, 98, 123, 128, 113, 114, 115, 94, 21, 22,
    72, 99, 278, 283, 293,
)  # fmt: skip
_MACHINES = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _AARCH64)}


class NotAvailableError(ImportError):
    """A module that functions cannot import."""


class _NoMoreModules(MetaPathFinder):
    """Refuses modules that were not loaded ahead: there are no files to load them from."""

    def find_spec(  # type: ignore[explicit-override]  # typing_extensions is no standard library
        self, name: str, path: object = None, target: object = None
    ) -> None:
        """Refuse.

        Raises:
            NotAvailableError: always.
        """
        del path, target
        raise NotAvailableError(f"the module '{name}' is not available to functions", name=name)


def die_with_parent() -> None:
    """Let the kernel end this process when its parent ends; where it cannot, the closed socket does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def confine(memory: int, descriptors: int) -> bool:
    """Shut this process in, for good.

    Args:
        memory: bytes it may map beyond what it has.
        descriptors: how many files are open; there will never be more.

    Returns:
        Whether system calls are filtered.
    """
    os.environ.clear()
    os.nice(NICENESS)
    limits = {
        resource.RLIMIT_AS: _mapped() + memory,
        resource.RLIMIT_NOFILE: descriptors,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_CPU: CPU_SECONDS,
    }
    filtered = sys.platform == "linux" and platform.machine() in _MACHINES
    program = _program(*_MACHINES[platform.machine()]) if filtered else b""
    for name, limit in limits.items():
        resource.setrlimit(name, (limit, limit))
    sys.meta_path[:] = [_NoMoreModules()]
    return filtered and _filter_calls(program)


def _mapped() -> int:
    """Return how many bytes this process has mapped."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 128 << 20


def _program(architecture: int, calls: tuple[int, ...]) -> bytes:
    """Return a BPF program: these calls are allowed, all others fail with EPERM."""
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    steps += [(_EQUAL, len(calls) - number, 0, call) for number, call in enumerate(calls)]
    steps += [(_RETURN, 0, 0, _EPERM), (_RETURN, 0, 0, _ALLOW)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _filter_calls(program: bytes) -> bool:
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(header, len(header))
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)
    first: int = prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    second: int = prctl(_PR_SET_SECCOMP, _FILTER, ctypes.addressof(pointer), 0, 0)
    return first == second == 0
