"""Costs are bounded when a file is loaded, and nothing a file holds makes the compiler fail otherwise."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_tenant import MODEL, NAMESPACE, NOW, SHAPES, compiled

from schemas.compiler.expressions.check import compile_expression
from schemas.compiler.expressions.errors import ExpressionError
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.expressions.to_sql import SqlContext, to_sql
from tests.speed import examples, slowness


@pytest.mark.parametrize(
    "text",
    [
        " || ".join(["self.done"] * 300),
        "(" * 40 + "1" + ")" * 40,
        "1" + " + 1" * 200,
        "a." * 200 + "a",
        "self.tags.exists(a, self.tags.exists(b, self.tags.exists(c, self.tags.exists(d, d == a))))",
        "'" + "x" * 2_000 + "' == self.name",
        "self.name in [" + ", ".join(["'a'"] * 300) + "]",
        "self.name == '" + "x" * 9_000 + "'",
        " + ".join(["(" + " * ".join(["self.net"] * 12) + ")"] * 4) + " > 1",
        "a9",
    ],
)
def test_the_costly_is_refused_at_once(text: str) -> None:
    doubling = {f"a{n}": f"a{n - 1} || a{n - 1}" for n in range(1, 20)} | {"a0": "self.done"}
    started = time.perf_counter()
    with pytest.raises(ExpressionError) as raised:
        compile_expression(text, SHAPES, "items", definitions=doubling)
    assert raised.value.code == "expression.too_costly"
    assert time.perf_counter() - started < 0.5 * slowness()


def test_what_people_write_is_not_costly() -> None:
    assert compiled(" || ".join(f"self.status == 's{n}'" for n in range(50))).in_sql
    assert compiled("self.name in [" + ", ".join(f"'{n}'" for n in range(200)) + "]").in_sql


PIECES = ["self", ".", "owner", "name", "net", "tags", "(", ")", "[", "]", "'a'", "1", "2.5", "+", "-", "*", "/", "%", "!", "==", "<", "&&", "||", "?", ":", ",",
          "in", " ", "has(", ".exists(x, ", ".map(x, ", "x", "null", "true", "user", "claims", "now", "today()", ".size()", "string(", "date(", "doc", "raw", "mine",
          "notes", ".sum()", "math.round(", "changed(", "tenant", "settings", "{", "}", "\n", "\\", "é", "\x00", "//", "b'", "r'", '"""', "0x1F", "1e9"]  # fmt: skip


@settings(max_examples=examples(500), deadline=None, database=None)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.text(max_size=40)))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        expression = compiled(text)
    except ExpressionError as error:
        refusal = error
    else:
        to_python(expression)(Env(self={}, old={}, now=NOW))
        if expression.in_sql:
            to_sql(expression, SqlContext("t0", NAMESPACE, MODEL, old_alias="o"))
        return
    assert refusal.offset_line >= 1
    assert refusal.offset_column >= 1
    assert refusal.message
