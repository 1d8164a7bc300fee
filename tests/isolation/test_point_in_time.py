"""Everything is backed up while it is used, and comes back as it was at a moment."""

import asyncio
import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.database import Database
from actors.whole import back_up_all, newest_before, restore_all
from config.errors import StartError
from config.parse import parse
from config.settings import Settings
from tests.clusters import place_cluster


async def write(database: Database, *texts: str) -> None:
    async with database.owner() as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS public.notes (text text)")
        await connection.executemany("INSERT INTO public.notes VALUES ($1)", [(text,) for text in texts])


async def notes(settings: Settings) -> list[str]:
    database = Database(settings.database, settings.data_dir)
    await database.start()
    try:
        async with database.owner() as connection:
            rows = await connection.fetch("SELECT text FROM public.notes ORDER BY text")
    finally:
        await database.stop()
    return [row[0] for row in rows]


async def test_back_to_a_moment(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path.parent):
        path.chmod(0o711)
    given = {"database": {"wal_archive": "log"}}
    settings = dataclasses.replace(parse(given, {}, tmp_path), data_dir=tmp_path / "data")
    place_cluster(settings.data_dir)
    stored = settings.data_dir / "files" / "t" / "ab"
    stored.mkdir(parents=True)
    (stored / "abcd").write_text("a file")
    database = Database(settings.database, settings.data_dir)
    await database.start()
    try:
        await write(database, "before")
        place = await asyncio.to_thread(back_up_all, settings, tmp_path / "backups")
        await write(database, "then")
        async with database.owner() as connection:
            moment = await connection.fetchval("SELECT clock_timestamp()")
        await write(database, "later")
        async with database.owner() as connection:
            await connection.execute("DELETE FROM public.notes WHERE text <> 'later'")
        with pytest.raises(StartError, match="stop it first"):
            await asyncio.to_thread(restore_all, settings, place, None)
    finally:
        await database.stop()
    (stored / "abcd").unlink()
    (settings.data_dir / "files" / "new").write_text("came later")

    assert newest_before(tmp_path / "backups", moment) == place
    with pytest.raises(StartError, match="no backup"):
        newest_before(tmp_path / "backups", datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(StartError, match="was made later"):
        await asyncio.to_thread(restore_all, settings, place, datetime(2020, 1, 1, tzinfo=UTC))
    assert await notes(settings) == ["later"], "what failed changed nothing"
    kept = await asyncio.to_thread(restore_all, settings, place, moment)
    assert await notes(settings) == ["before", "then"]
    assert (stored / "abcd").read_text() == "a file"
    assert (settings.data_dir / "files" / "new").exists()
    assert (kept / "pg" / "PG_VERSION").exists()
    assert not (settings.data_dir / "restoring").exists()
    base = place / "base.tar.gz"
    base.write_bytes(base.read_bytes()[:-1])
    with pytest.raises(StartError, match="damaged"):
        await asyncio.to_thread(restore_all, settings, place, None)
