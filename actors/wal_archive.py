"""Where the embedded PostgreSQL's log of changes is kept, so that everything can be restored to any moment.

Decides the commands PostgreSQL runs for each finished piece of the log: compressed, synced, and only then in
place; a piece that is there already is kept if it is the same, else PostgreSQL tells and tries again. Called
by ``database`` and ``whole``.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from pwd import struct_passwd

TIMEOUT_SECONDS = 60
"""A piece that is not full is kept after so long: what a lost disk may cost."""


def archive_options(folder: Path) -> Mapping[str, str]:
    """Return server settings that keep the log in a folder."""
    kept, part, place = _path(folder / "%f.gz"), _path(folder / "%f.part"), _path(folder)
    store = f"gzip -1 -c %p > {part} && sync {part} && mv {part} {kept} && sync {place}"
    return {
        "archive_mode": "on",
        "archive_timeout": f"{TIMEOUT_SECONDS}s",
        "archive_command": f"if test -f {kept}; then gzip -dc {kept} | cmp -s - %p; else {store}; fi",
    }


def restore_options(folder: Path, to: str) -> Mapping[str, str]:
    """Return server settings that read the log from a folder, up to a moment; "" for all there is."""
    until = {"recovery_target_time": to} if to else {}
    return {
        "restore_command": f"gzip -dc {_path(folder / '%f.gz')} > %p",
        "recovery_target_action": "promote",
        "hot_standby": "off",  # it is ready when it is there, not on the way
        **until,
    }


def make_folder(folder: Path, user: struct_passwd | None) -> None:
    """Make the folder, for whom the server runs as alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)


def _path(path: Path) -> str:
    """Quote a path for the shell; of its per cent signs only ours, before f, mean something to PostgreSQL."""
    head, mark, tail = str(path).partition("/%f.")
    return shlex.quote(head.replace("%", "%%") + mark + tail)
