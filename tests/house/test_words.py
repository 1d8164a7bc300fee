"""What committed files must not say, and what the docs must."""

import re
import subprocess
from pathlib import Path

from config.parse import options
from config.reference import settings_file, settings_page

ROOT = Path(__file__).resolve().parent.parent.parent
MACHINE = re.compile(r"(?<![\w./-])/(?:work|farm|home|Users)/[a-z]|\.\./shared|\b[Ii]ssue #?\d")


def committed(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def text_of(file: Path) -> str:
    try:
        return file.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_machine_and_no_workshop_is_named() -> None:
    found = [
        f"{file.relative_to(ROOT)}: {hit.group()}"
        for file in committed()
        if file != Path(__file__).resolve()
        for hit in MACHINE.finditer(text_of(file))
    ]
    assert not found


def test_locks_are_hashed_and_name_no_host() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text()
        assert not re.search(r"https?:|--(?:index-url|extra-index-url|find-links|trusted-host)", text)
        entries = re.split(r"\n(?=[a-z0-9])", text.strip())
        assert all("--hash=sha256:" in entry and "==" in entry for entry in entries)


def test_locks_belong_to_the_project_and_to_each_other() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    run, dev = (pins((ROOT / name).read_text()) for name in ("requirements.lock", "requirements-dev.lock"))
    assert run.items() <= dev.items()
    declared = re.findall(r'^    "([A-Za-z0-9_.-]+)(?:\[\w+\])?==([^"]+)",', project, re.MULTILINE)
    assert declared
    stale = [
        (name, version) for name, version in declared if dev.get(name.lower().replace("_", "-")) != version
    ]
    assert not stale, "run 'make locks'"


def pins(lock: str) -> dict[str, str]:
    return {
        name.lower(): version
        for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", lock, re.MULTILINE)
    }


def test_the_settings_page_and_file_are_what_the_program_has() -> None:
    assert (ROOT / "config" / "backsaas.yaml").read_text() == settings_file(), "run 'make settings'"
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == settings_page(), "run 'make settings'"
    for option in options():
        assert f"`{option.variable}`" in page


def test_no_secret_is_committed() -> None:
    secret = re.compile(r"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\n[A-Za-z0-9+/]{40}")
    assert not [file.name for file in committed() if secret.search(text_of(file))]
