"""The program already imported, to be started again and again: importing it costs more than most tests.

``tests.forked`` runs this and asks it for processes, a line of JSON each. One that is forked here has its own
session, environment, directory and output, and runs ``run.py`` from its first line; nothing has begun before that.
Tests about starting itself run the real ``python3 run.py``.
"""

import ctypes
import importlib
import json
import os
import signal
import sys
import time
from typing import Any

import run

PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve requests until there can be no more; returns, in the processes made, what ``run.py`` returns."""
    with run._quick_imports():
        for place in ("uvloop", "gateway.serve", *(place for place, _ in run.COMMANDS.values() if place)):
            importlib.import_module(place)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        answer: int | None
        if "wait" in asked:
            pid, status = os.waitpid(asked["wait"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                _become(asked)
                return run.main(asked["arguments"])
        print(json.dumps(answer), flush=True)
    return 0


def _become(asked: dict[str, Any]) -> None:
    os.setsid()
    if sys.platform == "linux":
        # an interrupted test run leaves nothing behind
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    os.chdir(asked["directory"])
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for descriptor, (path, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), (asked["out"], append), (asked["err"], append)]
    ):
        opened = os.open(path, flags, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)


if __name__ == "__main__":
    sys.exit(main())
