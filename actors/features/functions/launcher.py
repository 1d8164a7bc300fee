"""Starts the processes of Python functions, by way of the zygote.

Decides nothing about who gets one (``workers``). The zygote is started when first needed, and again when it
is gone.
"""

import array
import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

from msgspec import Struct

_ZYGOTE = Path(__file__).parent / "worker" / "zygote.py"
_START_SECONDS = 15.0


class LaunchError(Exception):
    """No process can be started."""


class Child(Struct, eq=False):
    """One process.

    Attributes:
        pid: its number.
        reader, writer: of its socket.
    """

    pid: int
    handle: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def kill(self) -> None:
        """End it at once; a second time does nothing."""
        self.writer.close()
        if self.handle >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)
            os.close(self.handle)
            self.handle = -1

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.handle >= 0 and not self.reader.at_eof() and not self.writer.is_closing()


class Launcher:
    """See the module's docstring.

    Args:
        memory: bytes of memory a process may take.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Start the zygote unless it runs, so that the first process is there at once."""
        async with self._turn:
            await self._ready()

    async def launch(self) -> Child:
        """Start a process.

        Raises:
            LaunchError: it does not start.
        """
        ours, theirs = socket.socketpair()
        try:
            async with self._turn, asyncio.timeout(_START_SECONDS):
                control = await self._ready()
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()]))]
                control.sendmsg([struct.pack("!Q", self._memory)], rights)
                answer = await asyncio.get_running_loop().sock_recv(control, 4)
                if len(answer) != 4:
                    raise ConnectionResetError
                pid = struct.unpack("!I", answer)[0]
                handle = os.pidfd_open(pid)
        except (OSError, TimeoutError) as error:
            ours.close()
            self._drop()
            raise LaunchError(f"the process for functions cannot be started: {error}") from error
        finally:
            theirs.close()
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        return Child(pid, handle, reader, writer)

    def close(self) -> None:
        """End the zygote and with it every process."""
        self._drop()

    async def _ready(self) -> socket.socket:
        if self._control is not None and self._zygote is not None and self._zygote.poll() is None:
            return self._control
        self._drop()
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        self._zygote = await asyncio.to_thread(_start, theirs)
        theirs.close()
        ours.setblocking(False)
        self._control = ours
        return ours

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
            self._zygote = None


def _start(theirs: socket.socket) -> "subprocess.Popen[bytes]":
    # -I: nothing of the environment; -S: no packages, only the standard library; -B: it writes nothing
    descriptor = theirs.fileno()
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", "-B", str(_ZYGOTE), str(descriptor)],
        pass_fds=(descriptor,),
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
