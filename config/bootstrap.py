"""Makes the program's own virtual environment and starts the program again inside it.

Decides whether the packages we need are there and installs the locked list when they are not. It needs
nothing but the standard library and must stay readable by old Pythons, so that they can say that they are too
old. Called by ``run.py`` before anything else is imported.
"""

import contextlib
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

NEEDED = (
    "aiohttp",
    "asyncpg",
    "cel_expr_python",
    "jsonschema_rs",
    "msgspec",
    "orjson",
    "structlog",
    "uvloop",
    "yaml",
)
"""Modules whose presence shows that an environment was made for us, by us or by another tool."""
NEEDED_FOR_TESTS = ("hypothesis", "pytest", "pytest_asyncio", "ruff", "xdist")
AGAIN = "BACKSAAS_BOOTSTRAPPED"
"""Set for the restarted program: it never starts itself a third time."""
INSTALL_ARGUMENTS = (
    "-m",
    "pip",
    "install",
    "-q",
    "--disable-pip-version-check",
    "--no-input",
    "--require-hashes",
)


class BootstrapError(Exception):
    """The environment cannot be made; the message is one line and says what to do."""


def ensure_packages(root: Path, argv: list[str], environ: Mapping[str, str], *, development: bool) -> None:
    """Return when the packages can be imported here, else install them and start the program again.

    Args:
        root: the checkout; without a lock file there the program is an installed package: nothing to do.
        argv: the command line to repeat.
        environ: of this process.
        development: the command needs the test tools too.

    Raises:
        BootstrapError: no way to make an environment; one line saying why.
    """
    lock = root / ("requirements-dev.lock" if development else "requirements.lock")
    if not lock.exists():
        return
    venv = _venv_path(root, environ)
    inside = Path(sys.prefix).resolve() == venv.resolve()
    stamp = venv / f".backsaas-{lock.stem}"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if inside or sys.prefix != sys.base_prefix:
        # an environment made by someone else, or by hand: it is theirs as long as it has what we need
        up_to_date = not inside or not stamp.exists() or stamp.read_text() == wanted
        if up_to_date and _present(development=development):
            return
    tries = int(environ.get(AGAIN, "0"))
    if tries == 2:
        msg = f"{venv} lacks packages although it was just made; remove it and start again"
        raise BootstrapError(msg)
    python = venv / "bin" / "python"
    with _alone(root):
        # waiting for the lock may have meant that another process did it; but what started us in vain is made
        # anew
        done = os.access(python, os.X_OK) and stamp.exists() and stamp.read_text() == wanted
        if not done or inside:
            stamp.unlink(missing_ok=True)
            _install(venv, lock, anew=tries == 1)
            stamp.write_text(wanted)
    os.execve(python, [str(python), *argv], {**environ, AGAIN: str(tries + 1)})  # noqa: S606 - ourselves


def _venv_path(root: Path, environ: Mapping[str, str]) -> Path:
    venv = root / ".venv"
    if venv.exists() or os.access(root, os.W_OK):
        return venv
    data = environ.get("BACKSAAS_DATA_DIR", "")
    if not data:
        msg = f"{root} cannot be written; set BACKSAAS_DATA_DIR to a directory for the packages and data"
        raise BootstrapError(msg)
    return Path(data).resolve() / ".venv"


def _present(*, development: bool) -> bool:
    modules = NEEDED + NEEDED_FOR_TESTS if development else NEEDED
    return all(importlib.util.find_spec(module) is not None for module in modules)


def _has_pip(python: Path) -> bool:
    """Whether the environment's Python starts and has pip; an interrupted start leaves neither."""
    if not os.access(python, os.X_OK):
        return False
    probe = [str(python), "-m", "pip", "--version"]
    return subprocess.run(probe, check=False, capture_output=True).returncode == 0  # noqa: S603 - ours


def _install(venv: Path, lock: Path, *, anew: bool) -> None:
    python = venv / "bin" / "python"
    made = not anew and _has_pip(python)
    if not made and importlib.util.find_spec("ensurepip") is None:
        msg = "this Python cannot make virtual environments: install python3-venv (or use 'uv run run.py')"
        raise BootstrapError(msg)
    count = sum(1 for line in lock.read_text().splitlines() if line and not line.startswith((" ", "#")))
    what = "packages changed" if made else "first start"
    sys.stderr.write(f"BackSaas: {what}: installing {count} packages into {venv} ...\n")
    sys.stderr.flush()
    began = time.monotonic()
    if not made:
        import venv as maker  # noqa: PLC0415 - only needed here

        try:
            maker.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(venv)
        except (OSError, subprocess.CalledProcessError) as error:
            msg = f"cannot make {venv}: {error}"
            raise BootstrapError(msg) from error
    command = [str(python), *INSTALL_ARGUMENTS, "--only-binary", ":all:", "-r", str(lock)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode != 0:
        errors = [
            line for line in done.stderr.splitlines() if line.startswith("ERROR")
        ] or done.stderr.splitlines()
        msg = f"the packages could not be installed: {(errors or ['pip said nothing'])[-1]}"
        raise BootstrapError(msg)
    sys.stderr.write(f"BackSaas: installed in {time.monotonic() - began:.0f} s\n")


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Let one process at a time install; the others wait and then find the work done."""
    try:
        import fcntl  # noqa: PLC0415 - not on every platform
    except ImportError:
        yield
        return
    # run.py itself is the lock: it is there, and a lock file would be one more thing to clean up
    with (root / "run.py").open("rb") as file:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
