"""Processes of the program, quickly: forked from ``tests.zygote`` instead of started from nothing."""

import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_alone = threading.Lock()


class Forked:
    """``run.py`` with these arguments; what one asks of it is named as in ``subprocess.Popen``.

    Args:
        arguments: the command and its own.
        env: its whole environment.
        directory: where it runs.
        out: the file its output is added to.
        err: the same for its errors; may be the same file.
    """

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], directory: Path, out: Path, err: Path
    ) -> None:
        asked = {"arguments": arguments, "env": env, "directory": directory, "out": out, "err": err}
        self.pid: int = _ask(asked)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = _ask({"wait": self.pid})
        return self.returncode

    def wait(self, timeout: float = 300) -> int:
        """Wait for its exit code; minus the signal that ended it.

        Raises:
            TimeoutExpired: it still runs.
        """
        ends = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > ends:
                raise subprocess.TimeoutExpired("run.py", timeout)
            time.sleep(0.01)
        return code

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _ask(asked: dict[str, Any]) -> Any:
    with _alone:
        zygote = _zygote()
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        zygote.stdin.write(json.dumps(asked, default=str) + "\n")
        zygote.stdin.flush()
        answer = zygote.stdout.readline()
    assert answer, "the process the others are forked from is gone"
    return json.loads(answer)


@functools.cache
def _zygote() -> "subprocess.Popen[str]":
    """The one of this process; it ends when nobody can ask it any more."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.zygote"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"]}, cwd=ROOT, start_new_session=True,
    )  # fmt: skip
