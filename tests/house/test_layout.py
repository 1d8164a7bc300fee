"""The house stays as it was drawn: sizes, folders, packages, imports."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = ("runtime", "schemas", "config", "actors", "gateway")
MAX_LINES = 300
MAX_TENANT_ACTOR_LINES = 200
"""It dispatches; behaviour belongs into functions over a Generation."""
BANNED_NAMES = {"utils", "helpers", "common", "manager", "service", "base", "util", "misc"}


def shipped() -> list[Path]:
    """The program's own Python files, as git knows them."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        files = [ROOT / line for line in listed.stdout.splitlines()]
    else:  # a source archive
        files = [file for file in ROOT.rglob("*.py") if ".venv" not in file.parts]
    return [file for file in files if file.exists() and file.relative_to(ROOT).parts[0] in {*ROOMS, "run.py"}]


def test_no_file_has_two_subjects() -> None:
    sizes = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in shipped()}
    too_long = {name: size for name, size in sizes.items() if size > MAX_LINES}
    assert not too_long


def test_the_tenant_actor_stays_small() -> None:
    tree = ast.parse((ROOT / "actors" / "tenant" / "actor.py").read_text())
    (actor,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "TenantActor")
    assert actor.end_lineno is not None
    assert actor.end_lineno - actor.lineno < MAX_TENANT_ACTOR_LINES


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in shipped()
        if not re.match(r'(#!.*\n)?r?"""\S', file.read_text())
    ]
    assert not silent


def test_no_module_is_named_after_nothing() -> None:
    allowed = {"features/base.py"}
    vague = [
        file for file in shipped() if file.stem in BANNED_NAMES and "/".join(file.parts[-2:]) not in allowed
    ]
    assert not vague


def test_the_root_holds_no_other_module() -> None:
    assert [file.name for file in ROOT.glob("*.py")] == ["run.py"]


def test_the_package_list_is_the_tree() -> None:
    declared = PROJECT["tool"]["setuptools"]["packages"]
    found = {"backsaas"} | {
        ".".join(("backsaas", *file.parent.relative_to(ROOT).parts))
        for file in shipped()
        if file.name == "__init__.py"
    }
    assert sorted(declared) == sorted(found)
    assert declared == sorted(declared)
    folders = {file.parent.relative_to(ROOT) for file in shipped() if file.name != "run.py"}
    without_init = [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()]
    assert not without_init


def test_the_package_ships_its_data() -> None:
    data = PROJECT["tool"]["setuptools"]["package-data"]
    assert data["backsaas.schemas"] == ["*.yaml"]
    assert data["backsaas.config"] == ["*.yaml", "templates/*.yaml"]


def test_imports_point_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("runtime/planted.py", "import actors.messages", "layers"),
        ("schemas/planted.py", "import asyncio", "the compiler is pure"),
        ("runtime/planted.py", "import asyncpg", "the runtime knows no domain"),
        ("config/planted.py", "import schemas.compiler", "layers"),
    ],
)
def test_a_planted_violation_breaks_the_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("")
    (tmp_path / "actors" / "messages.py").write_text("")
    (tmp_path / "schemas" / "compiler").mkdir()
    (tmp_path / "schemas" / "compiler" / "__init__.py").write_text("")
    (tmp_path / file).write_text(line + "\n")
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"{contract} BROKEN" in done.stdout


def test_makefile_stays_small() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) <= 12


def test_test_files_have_names_of_their_own() -> None:
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py") if "node_modules" not in file.parts]
    assert sorted(names) == sorted(set(names))
