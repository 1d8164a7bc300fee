"""The process from which the processes of functions are forked: everything they need is loaded in it already.

Reads requests from the socket it was started with: each brings the socket of a new process and the memory it
may use, and is answered with the process's id. It never sees code, rows or secrets. Started by ``launcher``.
"""

import gc
import os
import signal
import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4]))
os.environ["TZ"] = "UTC"

from actors.features.functions.worker import modules
from actors.features.functions.worker.confine import confine, die_with_parent
from actors.features.functions.worker.serve import Server

_CONTROL = int(sys.argv[1]) if len(sys.argv) > 1 else -1


def main() -> None:
    """Fork on request until the serving process goes away."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the kernel tidies up
    control = socket.socket(fileno=_CONTROL)
    gc.collect()
    gc.freeze()  # what is loaded is never looked at again, so the processes share its memory
    own = os.getpid()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 8, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            control.close()
            _become(descriptors[0], struct.unpack("!Q", message)[0], own)
        os.close(descriptors[0])
        control.send(struct.pack("!I", pid))


def _become(descriptor: int, memory: int, parent: int) -> None:
    code = 1
    try:
        die_with_parent()
        if os.getppid() != parent:
            return  # it ended before the kernel knew that this process goes with it
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.close(null)
        server = Server(socket.socket(fileno=descriptor))
        highest = (
            max(int(name) for name in os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 16
        )
        confine(memory, highest + 1)
        server.run()
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
