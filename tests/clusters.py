"""A PostgreSQL cluster that is ready: initdb runs once a process, everybody gets a copy.

Not for tests about the first start. No test cuts the machine's power, so nothing is flushed to the disk; what a
killed server or a killed BackSaas leaves behind is the same.
"""

import atexit
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

from actors.embedded import EmbeddedPostgres


def place_cluster(data_dir: Path) -> None:
    """Put a cluster that has never run anything into a data directory."""
    made = _make()
    data_dir.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", made / "pg", made / "superuser.key", data_dir], check=True)
    for programs in made.glob("pgbin-*"):  # the copy for PostgreSQL's own user, when we are root
        linked = subprocess.run(["cp", "-al", programs, data_dir], check=False, capture_output=True)
        if linked.returncode:
            # another file system: made again there
            shutil.rmtree(data_dir / programs.name, ignore_errors=True)


@functools.cache
def _make() -> Path:
    made = Path(tempfile.mkdtemp(prefix="backsaas-cluster-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    made.chmod(0o711)  # PostgreSQL's own user must reach it
    server = EmbeddedPostgres(made, {"fsync": "off"})
    server.start()
    server.stop()
    with (made / "pg" / "postgresql.conf").open("a") as file:
        file.write("fsync = off\n")
    return made
