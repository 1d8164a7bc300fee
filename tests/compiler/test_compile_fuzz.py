"""Any byte sequence is answered with a model or with diagnostics, never with anything else."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.compiler.compile import compile_source
from schemas.compiler.diagnostics import CompileError, Diagnostic

SAMPLE = (Path(__file__).parent / "cases" / "acme-corp.yaml").read_bytes()
WORDS = [
    b"{", b"}", b"[", b"]", b":", b",", b"- ", b"'", b'"', b"\n", b"  ", b"#", b"&a", b"*a", b"!x", b"|\n", b"~",
    b"self.", b"user.id", b"in", b"null", b"mine", b"1e999", b"\xff", b"\x00", "ä".encode(), b"entities", b"schema",
    b"properties", b"type", b"computed", b"renamed_from", b"(", b")", b"${A}", b"{{ self.x }}", b"\r\n", b"\t", b"<<",
]  # fmt: skip


def survives(data: bytes) -> None:
    found = diagnose(data)
    assert found is None or found
    for diagnostic in found or ():
        diagnostic.render("file.yaml", data.decode("utf-8", "replace"))


def diagnose(data: bytes) -> tuple[Diagnostic, ...] | None:
    try:
        compile_source(data, "acme-corp")
    except CompileError as error:
        return error.diagnostics
    return None


@settings(max_examples=300, deadline=2000)
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    survives(data)


@settings(max_examples=300, deadline=2000)
@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_random_words(words: list[bytes]) -> None:
    survives(b"version: 1\n" + b"".join(words))


@settings(max_examples=250, deadline=2000)
@given(st.integers(0, len(SAMPLE)), st.integers(0, 60), st.lists(st.sampled_from(WORDS), max_size=3))
def test_mutated_sample(start: int, length: int, words: list[bytes]) -> None:
    survives(SAMPLE[:start] + b"".join(words) + SAMPLE[start + length :])


@settings(max_examples=150, deadline=2000)
@given(st.integers(0, len(SAMPLE)), st.integers(0, len(SAMPLE)), st.integers(1, 200))
def test_moved_pieces(start: int, target: int, length: int) -> None:
    piece = SAMPLE[start : start + length]
    survives(SAMPLE[:target] + piece + SAMPLE[target:])
