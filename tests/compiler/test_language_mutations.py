"""Every key of the sample misspelt, every value replaced by a wrong one: refused or harmless, and said where."""

import re
from pathlib import Path

import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.diagnostics import CompileError, Diagnostic
from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence, pairs
from schemas.compiler.source import load

SAMPLE = (Path(__file__).parent / "cases" / "acme-corp.yaml").read_text()
SLUG = "acme-corp"
FREE_NAMES = re.compile(
    # names the author chooses: another spelling is another name, or breaks what uses it
    r"^(let|roles|entities|providers|claims|dashboards|reports|jobs|webhooks)\.[^.]+$|properties\.[^.]+$"
    r"|\.(transitions|functions|views|params|config|given|as|set)\.[^.]+$|^auth\.(providers|claims)\.[^.]+$"
    r"|\.(title|message)\.[^.]+$|workflow\.states\.[^.]+$|form\.fields\.[^.]+$"
)


def nodes(node: Node, path: str = "") -> list[tuple[str, Scalar, Node]]:
    """Return (path, key, value) of every entry below a node."""
    found: list[tuple[str, Scalar, Node]] = []
    if isinstance(node, Mapping):
        for key, value in pairs(node):
            here = f"{path}.{key.text}" if path else key.text
            found += [(here, key, value), *nodes(value, here)]
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            found += nodes(item, f"{path}.{index}")
    return found


ROOT = load(SAMPLE, Findings())
assert ROOT is not None
ENTRIES = nodes(ROOT)


def diagnose(text: str) -> tuple[Diagnostic, ...]:
    try:
        compile_source(text, SLUG)
    except CompileError as error:
        return error.diagnostics
    return ()


def test_there_are_enough_samples() -> None:
    assert len(ENTRIES) > 250


@pytest.mark.parametrize(("path", "key"), [(p, k) for p, k, _ in ENTRIES if not FREE_NAMES.search(p)])
def test_a_misspelt_key_is_refused_with_the_right_one(path: str, key: Scalar) -> None:
    wrong = key.text[:-1] + "qx" if len(key.text) > 2 else key.text + "qx"
    text = SAMPLE[: key.start] + wrong + SAMPLE[key.end :]
    found = diagnose(text)
    here = [d for d in found if d.position == key.position and wrong in d.message]
    assert here, f"{path}: {found}"
    assert here[0].path.endswith(wrong)
    if len(key.text) > 4:
        assert f"'{key.text}'" in here[0].hint or here[0].hint, here[0]


REPLACEMENTS = ["[[]]", "{zz: 1}", "'zz zz'", "-17.5", "true", "~", '"${SECRET_X}"', "'zz", "&a 1", "!t 1"]


@pytest.mark.parametrize(
    ("path", "value", "turn"),
    [(p, v, turn) for turn, (p, _, v) in enumerate(ENTRIES) if isinstance(v, Scalar)],
    ids=lambda item: str(item)[:60],
)
def test_a_wrong_value_never_breaks_the_compiler(path: str, value: Scalar, turn: int) -> None:
    refused = 0
    # the values share out the replacements: each key has many alike
    for replacement in (REPLACEMENTS[(turn + step) % len(REPLACEMENTS)] for step in (0, 3, 5, 8)):
        found = diagnose(SAMPLE[: value.start] + replacement + SAMPLE[value.end :])
        for diagnostic in found:
            assert diagnostic.message
            assert re.fullmatch(r"[a-z]+\.[a-z_0-9]+", diagnostic.code)
            assert 1 <= diagnostic.position.line <= SAMPLE.count("\n") + 2
            assert diagnostic.position.column >= 1
        refused += bool(found)
    assert refused, f"{path} accepts anything"
