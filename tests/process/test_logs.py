"""Logging: one line per event, nothing secret, and never in the way."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from config.logs import LossyWriter

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = """
import sys
import threading
sys.path.insert(0, {root!r})
import structlog
from config.logs import set_up
from config.settings import LogSettings
writer = set_up(LogSettings(format={format!r}))
log = structlog.get_logger("test")
{body}
sys.stderr.write(f"dropped={{writer.dropped}}")
"""


def run(body: str, *, log_format: str = "json", **arguments: object) -> "subprocess.CompletedProcess[bytes]":
    program = PROGRAM.format(root=str(ROOT), format=log_format, body=body)
    arguments = {"capture_output": True, "timeout": 30, **arguments}
    return subprocess.run([sys.executable, "-c", program], check=False, **arguments)


def test_json_is_one_line_whatever_is_in_it() -> None:
    done = run(r"""log.info("request", path="/a\nb\x1b[31m", number=1, nested={"a": [1, 2]})
log.warning("odd", value="\ud800")""")
    lines = done.stdout.decode().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["request", "odd"]
    assert json.loads(lines[0])["path"] == "/a\nb\x1b[31m"
    assert b"\x1b" not in done.stdout


def test_console_escapes_control_characters_and_shows_traces() -> None:
    done = run(
        r"""log.info("hello\x1b[31m", who="a\nb")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broke")""",
        log_format="console",
    )
    text = done.stdout.decode()
    assert "\x1b" not in text
    assert r"who='a\nb'" in text
    assert "ZeroDivisionError: division by zero" in text


@pytest.mark.parametrize(
    ("call", "secret"),
    [
        ('log.info("x", password="hunter2-canary")', "hunter2-canary"),
        ('log.info("x", headers={"Authorization": "canary1"})', "canary1"),
        ('log.info("x", url="postgresql://owner:canary2@host/db")', "canary2"),
        ('log.info("failed for postgresql://owner:canary2@host/db")', "canary2"),
        ('log.info("x", note="Bearer canary3.abc")', "canary3"),
        ('log.info("x", jwt="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl")', "c2lnbmF0dXJl"),
        ('log.info("x", rows=[{"api_key": "canary4"}])', "canary4"),
        ('import logging; logging.getLogger("lib").warning("key %s", "bsk_sec_canary5")', "canary5"),
        (
            'try:\n    raise ValueError("postgresql://a:canary6@h/d")\nexcept ValueError:\n    log.exception("x")',
            "canary6",
        ),
    ],
)
def test_secrets_are_hidden(call: str, secret: str) -> None:
    done = run(call)
    assert b"[hidden]" in done.stdout
    assert secret.encode() not in done.stdout + done.stderr


def test_a_closed_standard_output_is_survived() -> None:
    done = run(
        'log.info("x")\nlog.info("y")',
        stdout=None,
        capture_output=False,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: os.close(1),
    )
    assert done.returncode == 0
    assert b"dropped=2" in done.stderr


def test_a_full_disk_is_survived_and_counted() -> None:
    with Path("/dev/full").open("wb") as full:
        done = run(
            'log.info("x")\nlog.info("y")\nlog.info("z")',
            stdout=full,
            capture_output=False,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 0
    assert b"dropped=3" in done.stderr


def test_a_reader_that_sleeps_stalls_nothing_and_learns_what_it_missed() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as stream:
        writer = LossyWriter(stream)
        began = time.monotonic()
        for number in range(3000):
            writer.write(f"{number} {'x' * 100}")
        assert time.monotonic() - began < 2
        missed = writer.dropped
        assert missed > 1000
        os.read(read_end, 1 << 20)
        writer.write("back")
        assert (
            os.read(read_end, 1 << 20).decode()
            == f'{{"event":"log.dropped","level":"warning","lines":{missed}}}\nback\n'
        )
    os.close(read_end)


def test_a_reader_that_left_is_survived() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as stream:
        writer = LossyWriter(stream)
        writer.write("x")
        assert writer.dropped == 1


def test_threads_that_speak_at_once(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        writer = LossyWriter(stream)
        errors: list[BaseException] = []

        def speak(name: str) -> None:
            try:
                for number in range(3000):
                    writer.write(f'{{"name":"{name}","number":{number}}}' + " " * 5000)
            except RuntimeError as error:
                errors.append(error)

        threads = [threading.Thread(target=speak, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    assert len([json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]) == 12_000


def test_the_latest_errors_are_kept_with_who_asked_and_without_secrets() -> None:
    done = run(
        """from config.logs import REQUEST
from config.recent import KEPT, RECENT
for number in range(KEPT):
    log.error("filler")
log.warning("no error")
REQUEST.set(("request-1", "acme-co"))
def breaks():
    raise ValueError("postgresql://a:canary7@h/d " + "x" * 5000)
try:
    breaks()
except ValueError:
    log.exception("request.failed", password="canary8")
newest, *rest = RECENT.newest()
assert (newest["event"], newest["request_id"], newest["tenant"]) == ("request.failed", "request-1", "acme-co")
assert newest["error"].startswith("ValueError: postgresql://a:[hidden]@h/d"), newest
assert len(newest["error"]) <= 300
assert newest["where"][-1].endswith("in breaks"), newest
assert {one["event"] for one in rest} == {"filler"} and len(rest) == KEPT - 1
assert RECENT.newest("acme-co") == [newest] and RECENT.newest("other") == []
assert "canary" not in repr(RECENT.newest())
import logging
logging.getLogger("lib").error("could not send")
assert RECENT.newest()[0]["error"] == "could not send"
log.error("tenant.failed", reason="its role is gone")
assert RECENT.newest()[0]["error"] == "its role is gone", RECENT.newest()[0]"""
    )
    assert (done.returncode, done.stderr) == (0, b"dropped=0")
    assert json.loads(done.stdout.splitlines()[-1])["request_id"] == "request-1"
