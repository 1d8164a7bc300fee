"""Everything of an installation in one folder, and an installation made what it was at a moment.

Decides what is in it (the embedded PostgreSQL by pg_basebackup, while everybody writes; uploaded files,
tenant files, settings, keys), and that restoring changes nothing until what is restored runs: it is recovered
beside, then changes places with what is there, which is kept. Called by ``backup --all`` and ``restore``.
"""

import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path

from actors.binaries import EmbeddedError, copy_binaries, find_binaries
from actors.cluster import SUPERUSER, Cluster
from actors.embedded import EmbeddedPostgres
from actors.wal_archive import restore_options
from config.errors import StartError
from config.settings import Settings
from config.version import VERSION

PREFIX, MANIFEST, BASE, LOG, FILES = "whole-", "whole.json", "base.tar.gz", "pg_wal.tar.gz", "files.tar"
RECOVERY_SECONDS = 6 * 3600.0
_EXCHANGE = 2
_PIECE = re.compile(r"[0-9A-F]{24}\b")


def back_up_all(settings: Settings, folder: Path) -> Path:
    """Write everything into a new folder below ``folder``; the embedded server runs.

    Raises:
        StartError: the database is not ours, or its backup failed.
    """
    if settings.database.url:
        raise StartError(
            "an external PostgreSQL is backed up by its own tools; tenants with: run.py backup SLUG"
        )
    at = datetime.now(UTC)
    place = folder / f"{PREFIX}{at:%Y%m%dT%H%M%SZ}"
    building = place.with_suffix(".part")
    building.mkdir(mode=0o700, parents=True)
    stored = settings.data_dir / "files"
    links = settings.data_dir / "linking"
    shutil.rmtree(links, ignore_errors=True)
    try:
        _link(stored, links)
        _base_backup(settings.data_dir, building)
        end = datetime.now(UTC)  # from here on it is whole
        _link(stored, links)  # what came meanwhile; what went meanwhile is there still
        with tarfile.open(building / FILES, "w") as tar:
            if links.exists():
                tar.add(links, arcname="files")
        for name, source in (("schemas", settings.schemas_dir), ("config", settings.config_dir)):
            if source.is_dir():
                shutil.copytree(source, building / name, symlinks=True)
        for key in settings.data_dir.glob("*.key"):
            shutil.copy2(key, building / key.name)
        sums = {name: _sum(building / name) for name in (BASE, FILES)}
        told = {"at": end.isoformat(), "version": VERSION, "sha256": sums}
        (building / MANIFEST).write_text(json.dumps(told, indent=1))
        os.sync()
        building.rename(place)
    finally:
        shutil.rmtree(links, ignore_errors=True)
        shutil.rmtree(building, ignore_errors=True)
    _let_go(folder, settings)
    return place


def _let_go(folder: Path, everything: Settings) -> None:
    """Remove the oldest backups, and the log from before the oldest that is left."""
    settings = everything.backup
    kept = sorted(folder.glob(f"{PREFIX}*Z"), reverse=True)
    for place in kept[settings.keep :]:
        shutil.rmtree(place)
    log = everything.database.wal_archive
    if log:
        oldest = kept[: settings.keep][-1]
        start = json.loads((oldest / "backup_manifest").read_text())["WAL-Ranges"][0]["Start-LSN"]
        high, _, low = start.partition("/")
        needed = f"{int(high, 16):08X}{int(low, 16) >> 24:08X}"  # pieces of 16 megabytes
        for piece in (everything.data_dir / log).glob("*.gz"):
            if _PIECE.match(piece.name) and piece.name[8:24] < needed:
                piece.unlink()


def _base_backup(data_dir: Path, building: Path) -> None:
    cluster = Cluster(data_dir.resolve())
    programs = copy_binaries(find_binaries(), cluster.root) if cluster.user else find_binaries()
    done = subprocess.run(  # noqa: S603 - the command is ours
        [str(programs / "pg_basebackup"), "-h", str(cluster.socket_dir), "-U", SUPERUSER, "-D", str(building),
         "--format=tar", "--gzip", "--wal-method=fetch", "--checkpoint=fast"],
        env={"PGPASSWORD": cluster.password()},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise StartError(f"pg_basebackup failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")


def newest_before(folder: Path, to: datetime | None) -> Path:
    """Return the newest backup of everything, made before a moment.

    Raises:
        StartError: there is none.
    """
    for place in sorted(folder.glob(f"{PREFIX}*Z"), reverse=True):
        if to is None or datetime.fromisoformat(json.loads((place / MANIFEST).read_text())["at"]) <= to:
            return place
    raise StartError(
        f"there is no backup of everything in {folder} from before that; see: run.py backup --all"
    )


def restore_all(settings: Settings, place: Path, to: datetime | None) -> Path:
    """Make the installation what it was; nothing may run on it. Returns where what it was before is kept.

    Args:
        settings: of the installation.
        place: a folder by ``back_up_all``.
        to: the moment; None: the newest there is, with the log of changes if that is kept.

    Raises:
        StartError: something runs, the backup is damaged, or the moment cannot be reached; nothing changed.
    """
    data = settings.data_dir
    if settings.database.url:
        raise StartError("an external PostgreSQL is restored by its own tools")
    if (data / "pg").exists() and EmbeddedPostgres(data).runs_elsewhere():
        raise StartError("the server runs: stop it first")
    try:
        told = json.loads((place / MANIFEST).read_text())
        at, sums = datetime.fromisoformat(told["at"]), told["sha256"]
        damaged = [name for name, wanted in sums.items() if _sum(place / name) != wanted]
    except (OSError, ValueError, KeyError) as error:
        raise StartError(f"{place} is no backup of everything") from error
    if damaged:
        raise StartError(f"{place} is damaged: {', '.join(damaged)}")
    if to is not None and to < at:
        raise StartError(f"{place} was made later, at {told['at']}")
    log = settings.database.wal_archive
    if to is not None and not log:
        raise StartError(
            "database.wal_archive is not set: without the log there is no other moment than the backup's"
        )
    beside = data / "restoring"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        _recover(settings, place, beside, data / log if log else None, to)
        kept = data / f"before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        kept.mkdir(mode=0o700)
        _change_places(beside / "pg", data / "pg", kept / "pg")
        for key in place.glob("*.key"):
            if (data / key.name).exists():
                shutil.copy2(data / key.name, kept / key.name)
            shutil.copy2(key, data / key.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    _bring_files(place, data)
    return kept


def _recover(settings: Settings, place: Path, beside: Path, log: Path | None, to: datetime | None) -> None:
    """Unpack a base backup and let PostgreSQL bring it to the moment."""
    cluster = Cluster(beside.resolve())
    (beside / "pg").mkdir(mode=0o700, parents=True)
    with tarfile.open(place / BASE) as tar:
        tar.extractall(beside / "pg", filter="data")
    shutil.copy2(place / "superuser.key", beside / "superuser.key")
    for path in [beside / "pg", *(beside / "pg").rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    if log is not None:
        (beside / "pg" / "recovery.signal").touch(mode=0o600)
        # the newest piece may not have been kept yet: a killed server left it where it was written
        for piece in (settings.data_dir / "pg" / "pg_wal").glob("*"):
            if _PIECE.fullmatch(piece.name) and not (log / f"{piece.name}.gz").exists():
                shutil.copy2(piece, beside / "pg" / "pg_wal" / piece.name)
    if cluster.user is not None:
        for path in [beside / "pg", *(beside / "pg").rglob("*")]:
            os.chown(path, cluster.user.pw_uid, cluster.user.pw_gid, follow_symlinks=False)
    options: Mapping[str, str] = {
        "max_connections": str(settings.database.max_connections),
        **(restore_options(log, to.isoformat(sep=" ") if to else "") if log is not None else {}),
    }
    server = EmbeddedPostgres(beside, options, patience=RECOVERY_SECONDS)
    try:
        server.start()
    except EmbeddedError as error:
        raise StartError(f"it cannot be recovered: {error}") from error
    finally:
        server.stop()


def _change_places(fresh: Path, old: Path, kept: Path) -> None:
    """Put a directory in another's place at once, so that at no moment there is none."""
    if not old.exists():
        fresh.rename(old)
        return
    done = -1
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        done = libc.renameat2(-100, os.fsencode(fresh), -100, os.fsencode(old), _EXCHANGE)
    if done == 0:
        fresh.rename(kept)
    else:
        old.rename(kept)
        fresh.rename(old)


def _bring_files(place: Path, data: Path) -> None:
    """Bring back uploaded files that are gone; names are PostgreSQL's business, not the archive's."""
    with tarfile.open(place / FILES) as tar:
        for member in tar:
            if member.isfile() and not (data / member.name).exists():
                tar.extract(member, data, filter="data")


def _link(source: Path, target: Path) -> None:
    """Give every file one more name."""
    for folder, _, names in os.walk(source):
        there = target / Path(folder).relative_to(source)
        there.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            if (there / name).exists() or name.endswith(".part"):
                continue
            try:
                (there / name).hardlink_to(Path(folder) / name)
            except FileNotFoundError:
                continue
            except OSError:  # another file system
                shutil.copy2(Path(folder) / name, there / name)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
