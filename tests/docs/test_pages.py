"""The documentation is true where that can be checked: generated parts, links, examples, commands, settings."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.parse import options
from docs.generate import pages
from schemas.compiler.compile import compile_source, compile_with_warnings, slug_of_file
from tests.docs.consoles import blocks
from tests.live import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "schemas" / "README.md"])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def ids(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_generated_pages_are_current() -> None:
    stale = [
        ids(file) for file, content in pages().items() if not file.exists() or file.read_text() != content
    ]
    assert not stale, "python3 docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}, link


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_file_named_is_there(page: Path) -> None:
    if page.name in {"CHANGELOG.md", "runtime.md"}:
        return
    for name in re.findall(
        r"`((?:gateway|actors|schemas|runtime|config|docs|bench|tests)/[\w./-]+)`", page.read_text()
    ):
        assert "SLUG" in name or (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_named_exist(page: Path) -> None:
    usage = subprocess.run([sys.executable, str(ROOT / "run.py"), "--help"], capture_output=True, text=True)
    known = set(re.findall(r"^    (\w+) ", usage.stdout, re.MULTILINE)) | {"serve"}
    named = set(re.findall(r"run\.py ([a-z]+)\b", page.read_text()))
    assert named <= known, named - known


def test_settings_named_exist() -> None:
    known = {option.path for option in options()}
    text = (ROOT / "docs" / "operations.md").read_text()
    named = set(re.findall(r"`((?:database|limits|reload|tenants|log|admin)\.\w+)`", text)) - {
        "database.unavailable"
    }
    assert named <= known


@pytest.mark.parametrize("file", sorted((ROOT / "schemas").glob("*.yaml")), ids=ids)
def test_shipped_tenants_have_nothing_to_complain_about(file: Path) -> None:
    assert compile_with_warnings(file.read_bytes(), slug_of_file(file.stem)).warnings == ()


def test_a_platform_file_of_an_earlier_version_says_what_it_lacks() -> None:
    old = "version: 1\nentities:\n  tenants: {schema: {properties: {slug: {type: string}}}}\n"
    warned = " ".join(one.message for one in compile_with_warnings(old, "system").warnings)
    assert "'invoices' nothing is billed" in warned
    assert "'audit'" in warned
    assert "'tenants'" not in warned


@pytest.mark.parametrize("slug", ["acme-corp", "sample-crm"])
def test_example_tenants_use_the_language(slug: str) -> None:
    model = compile_source((ROOT / "schemas" / f"{slug}.yaml").read_bytes(), slug)
    assert len(model.entities) >= 8
    public = [
        entity
        for entity in model.entities.values()
        if any(entry.role == "public" for entry in entity.access.read)
    ]
    assert public, "somebody without a token must see something"
    for entity in model.entities.values():
        assert entity.access.declared
        assert entity.access.read or entity.added, entity.name


def test_the_page_of_the_language_shows_a_file_that_loads() -> None:
    (example,) = [
        block.text
        for block in blocks((ROOT / "schemas" / "README.md").read_text())
        if block.language == "yaml"
    ]
    assert compile_with_warnings(example, "library").warnings == ()
