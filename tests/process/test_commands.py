"""The command line as a user meets it: help, checks, and one clear line with exit code 2 for what cannot work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = "version: 1\nservice: { name: notes }\nentities:\n  notes:\n    key: id\n    schema:\n      type: object\n      properties:\n        id: {type: string}\n"


def command(*arguments: str, cwd: Path = ROOT, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py"), *arguments], cwd=cwd, env={"PATH": os.environ["PATH"], **env},
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False,
    )  # fmt: skip


def refused(done: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """Exit code 2 and exactly one line."""
    assert done.returncode == 2, done
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("backsaas: ")
    assert all(word in lines[0] for word in words), lines[0]


def test_help_names_every_command() -> None:
    done = command("--help")
    assert done.returncode == 0
    for name in (
        "serve",
        "test",
        "check",
        "plan",
        "apply",
        "rollback",
        "seed",
        "bench",
        "token",
        "tenants",
        "doctor",
    ):
        assert f"\n    {name}" in done.stdout


def test_a_good_file_is_good(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text(GOOD)
    done = command("check", "notes.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1], done.stderr) == (0, "1 of 1 file good", "")


def test_a_bad_file_says_where_with_the_line_itself(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD.replace("notes", "good"))
    (tmp_path / "bad.yaml").write_text(GOOD + "        amount: {type: nmber}\n")
    done = command("check", "good.yaml", "bad.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "bad.yaml:10:" in done.stdout
    assert "        amount: {type: nmber}" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 of 2 files good"


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\xff\xfe", b"[" * 100_000, b"a: &a [*a, *a]", b"x" * (2 << 20), b"a: 1\na: 2\n", b"!!python/object:os.system x"]
)  # fmt: skip
def test_no_bytes_crash_the_check(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.yaml").write_bytes(content)
    done = command("check", "x.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "x.yaml:" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_shipped_tenants_are_good() -> None:
    done = command("check")
    assert done.returncode == 0, done.stdout


def test_no_file_to_check(tmp_path: Path) -> None:
    refused(command("check", cwd=tmp_path), "no file to check")
    refused(command("check", "missing.yaml", cwd=tmp_path), "missing.yaml", "No such file")


def test_settings_that_make_no_sense_are_all_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "backsaas.yaml").write_text("prot: 1\nlog: {level: loud}\n")
    refused(
        command("serve", cwd=tmp_path, BACKSAAS_PORT="x"),
        "prot: no such setting (did you mean port?)", "log.level: 'loud' is none of", "BACKSAAS_PORT: 'x' is no whole number",
    )  # fmt: skip


@pytest.mark.parametrize("content", ["a: [", "- 1\n- 2\n", "text", "\x00", "a: !!python/name:os.system\n"])
def test_a_settings_file_that_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "backsaas.yaml").write_text(content)
    refused(command("serve", str(tmp_path)), "backsaas.yaml")


def test_a_directory_that_is_none(tmp_path: Path) -> None:
    refused(command("serve", str(tmp_path / "missing")), "missing is no directory")


def test_the_doctor_finds_what_is_wrong(tmp_path: Path) -> None:
    done = command(
        "doctor", "--directory", str(tmp_path), BACKSAAS_PROT="1", BACKSAAS_PORT="1", BACKSAAS_ADMIN_PORT="2"
    )
    assert done.returncode == 1
    assert "BAD  BACKSAAS_PROT is no setting (did you mean BACKSAAS_PORT?)" in done.stdout
    assert f"BAD  {tmp_path}/schemas is no directory" in done.stdout
    assert "ok   embedded PostgreSQL" in done.stdout
    assert not (tmp_path / "data").exists()
    done = command(
        "doctor", "--directory", str(tmp_path), BACKSAAS_DATABASE_URL="postgresql://me:canary@127.0.0.1:1/x"
    )
    assert "BAD  postgresql://me@127.0.0.1:1/x: " in done.stdout
    assert "canary" not in done.stdout
