"""The strict YAML subset: types of YAML 1.2 core, limits, and places that are right to the character."""

import time

import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.diagnostics import CompileError
from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Mapping, Scalar, locate, plain
from schemas.compiler.source import decode, load
from tests.speed import slowness


def read(text: bytes | str) -> tuple[object, list[str]]:
    findings = Findings()
    source = decode(text, findings)
    root = None if source is None else load(source, findings)
    return (None if root is None else plain(root)), [d.code for d in findings.finish(root)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("12:30:45", "12:30:45"),
        ("2027-01-31", "2027-01-31"), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("0123", 123), ("0o17", 15), ("0x1F", 31), ("-12", -12), ("+5", 5), ("1_000", "1_000"), ("1.5", 1.5),
        (".5", 0.5), ("1e3", 1000.0), ("1.", 1.0), ("'5'", "5"), ('"no"', "no"), ("0b1", "0b1"), ("=", "="),
        ("\uff11\uff12", "\uff11\uff12"), ("1.2.3", "1.2.3"), ("|\n  a\n  b", "a\nb"), (">\n  a\n  b", "a b"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2_core(text: str, value: object) -> None:
    found, codes = read(f"k: {text}\n")
    assert codes == []
    assert found == {"k": value + "\n" if text[:1] in {"|", ">"} else value}  # type: ignore[operator]
    assert type(found["k"]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "source.empty"),
        (b"# only a remark\n", "source.empty"),
        (b"a: 1\n---\nb: 2\n", "source.documents"),
        (b"a: 1\na: 2\n", "source.duplicate_key"),
        (b"a: {b: 1, b: 2}\n", "source.duplicate_key"),
        (b"a: &x 1\n", "source.anchor"),
        (b"a: *x\n", "source.alias"),
        (b"a: &x [*x]\n", "source.alias"),
        (b"<<: {a: 1}\n", "source.merge_key"),
        (b"a: !!python/object/apply:os.system [ls]\n", "source.tag"),
        (b"a: !secret x\n", "source.tag"),
        (b"[a, b]: 1\n", "source.key"),
        (b"{a: 1}: 1\n", "source.key"),
        (b"a: .inf\n", "source.number"),
        (b"a: .nan\n", "source.number"),
        (b"a: 1e400\n", "source.number"),
        (b"a: " + b"9" * 5000, "source.number"),
        (b"a: \xff", "source.encoding"),
        (b"\xff\xfea\x00", "source.encoding"),
        (b"\xfe\xff\x00a", "source.encoding"),
        (b"a\x00: \x00", "source.control_character"),
        (b"a: \x07", "source.control_character"),
        (b"a: [1", "source.syntax"),
        (b"a: 'x", "source.syntax"),
        (b"\ta: 1", "source.syntax"),
        (b"a: b: c", "source.syntax"),
        (b"a: @x", "source.syntax"),
        (b"%YAML 3.0\n---\na: 1", "source.syntax"),
        (b"a: {b: ${X}}", "source.syntax"),
        (b"x" * ((1 << 20) + 1), "source.too_large"),
        (b"[" * 100_000, "source.too_deep"),
        (b"{a: " * 100_000, "source.too_deep"),
        (b"- " * 100_000, "source.too_deep"),
        (b"? " * 100_000, "source.too_deep"),
        (b"a: [" + b"1," * 100_001 + b"]", "source.too_many_nodes"),
        ("a: \ud800", "source.encoding"),
    ],
)  # fmt: skip
def test_hostile_text_is_refused_quickly(text: bytes | str, code: str) -> None:
    started = time.process_time()
    _, codes = read(text)
    assert code in codes
    assert time.process_time() - started < slowness()


def test_bom_and_crlf_are_accepted() -> None:
    assert read(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - x\r\n") == ({"a": 1, "b": ["x"]}, [])


def test_an_unquoted_secret_is_explained() -> None:
    with pytest.raises(CompileError) as caught:
        compile_source("version: 1\nwebhooks: { a: { secret: ${X} } }", "some-tenant")
    assert caught.value.diagnostics[0].hint == 'write the secret in quotes: "${X}"'
    with pytest.raises(CompileError) as caught:
        compile_source("version: 1\nauth:\n  providers:\n    google:\n      client_id: ${X}\n", "some-tenant")
    assert caught.value.diagnostics[0].code == "language.unquoted_secret"


def test_both_lines_of_a_duplicate_are_named() -> None:
    with pytest.raises(CompileError) as caught:
        compile_source("version: 1\nentities:\n  a: {}\n  b: {}\n  a: {}\n", "some-tenant")
    (found,) = caught.value.diagnostics
    assert (found.position.line, found.position.column) == (5, 3)
    assert "line 3" in found.message
    assert "line 5" in found.message


@pytest.mark.parametrize(
    "written",
    [
        "a: x + NAME > 3",
        "a: 'it''s '' + NAME > 3'",
        r'a: "x\n\t\u00e4 NAME"',
        "a: |\n    x +\n    NAME > 3\n",
        "a: >\n    x +\n    NAME > 3\n",
        "a: >-\n    x\n\n    y NAME\n",
        "a: x +\n  NAME > 3",
        "{ä: 'ö', a: x NAME}",
        'a: "x \\\n   y NAME"',
        "b: 1\r\na: >\r\n  x\r\n  NAME\r\n",
    ],
)
def test_a_place_inside_a_text_is_found_in_the_source(written: str) -> None:
    findings = Findings()
    source = decode(written, findings)
    assert source is not None
    root = load(source, findings)
    assert isinstance(root, Mapping)
    node = root.get("a")
    if node is None:
        pytest.skip("the sample is no YAML")
    assert isinstance(node, Scalar)
    place = locate(source, node, node.text.index("NAME"))
    assert source.split("\n")[place.line - 1][place.column - 1 :].startswith("NAME")
