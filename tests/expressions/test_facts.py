"""What the checker says about an expression besides its type: what it reads, where, and what it is fit for."""

import pickle

import pytest
from sample_tenant import compiled

from schemas.compiler.expressions.celtypes import entity_type
from schemas.compiler.expressions.check import literal_expression
from schemas.compiler.expressions.syntax import Use
from schemas.compiler.expressions.to_python import Env, to_python


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("self.status == 'a'", {"status"}),
        ("self.owner.region == 'a'", {"owner_id", "owner.region"}),
        ("self.owner.boss.level > 1", {"owner_id", "owner.boss_id", "owner.boss.level"}),
        ("self.notes.exists(n, n.author.region == 'a')", {"notes", "notes.author_id", "notes.author.region"}),
        (
            "self.notes.filter(n, n.amount > 1.0).map(m, m.text).min() == 'a'",
            {"notes", "notes.amount", "notes.text"},
        ),
        ("self.gross > 1.0", {"gross", "net"}),
        ("old.net != self.net", {"net"}),
        ("mine", {"owner_id"}),
        ("user.region == 'a'", set()),
        ("self.doc.name == 'a'", {"doc"}),
        ("changed('due_on')", {"due_on"}),
    ],
)
def test_names_are_the_field_paths_it_reads(text: str, names: set[str]) -> None:
    assert compiled(text).names == names


def test_references_give_every_use_its_place() -> None:
    assert compiled("self.owner.region == 'a' &&\n  has(self.owner.boss.level)").references == (
        Use("items", "owner_id", 1, 6),
        Use("users", "region", 1, 12),
        Use("items", "owner_id", 2, 12),
        Use("users", "boss_id", 2, 18),
        Use("users", "level", 2, 23),
    )


def test_references_leave_out_what_named_rules_and_computed_fields_use() -> None:
    assert compiled("mine || self.gross > 2").references == (Use("items", "gross", 1, 14),)


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("1 + 2 == 3", {"constant", "immutable", "in_sql", "in_process"}),
        ("self.status != 'void'", {"immutable", "in_sql", "in_process"}),
        ("self.due_on < today()", {"in_sql", "in_process"}),
        ("self.owner_id == user.id", {"uses_user", "in_sql", "in_process"}),
        ("self.owner.active", {"in_sql"}),
        ("old.net > self.net", {"uses_old", "in_sql", "in_process"}),
        ("oldSelf.net > self.net", {"uses_old", "in_sql", "in_process"}),
        ("request.method == 'GET'", {"in_process"}),
        ("self.tags.exists(t, t == 'a')", {"in_sql", "in_process"}),
    ],
)
def test_facts(text: str, facts: set[str]) -> None:
    expression = compiled(text)
    known = ("constant", "immutable", "in_sql", "in_process", "uses_old", "uses_user")
    assert {name for name in known if getattr(expression, name)} == facts


def test_an_expression_is_a_value() -> None:
    expression = compiled("self.owner.region in ['EU', 'US'] && self.net > 1.50")
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert hash(expression) == hash(compiled(expression.text))


def test_a_decimal_is_kept_as_written() -> None:
    assert str(to_python(compiled("0.10 + 0.20"))(Env())) == "0.30"
    assert str(to_python(compiled("-1234567890123456789.25 * 1"))(Env())) == "-1234567890123456789.25"


def test_a_callers_variable_may_be_a_row() -> None:
    expression = compiled(
        "user.region == 'EU' && level > 3",
        None,
        variables={"user": entity_type("users"), "level": compiled("1").type},
    )
    assert not expression.in_sql
    evaluate = to_python(expression)
    assert evaluate(Env(variables={"user": {"region": "EU"}, "level": 4})) is True
    assert evaluate(Env(variables={"user": {"region": "EU"}})) is False


def test_a_fixed_default_is_an_expression_too() -> None:
    expression = literal_expression("draft")
    assert expression.constant
    assert to_python(expression)(Env()) == "draft"


def test_a_message_is_text_or_absent() -> None:
    message = to_python(compiled("'paid ' + self.name + ' of ' + string(self.net)"))
    assert message(Env(self={"name": "A1", "net": 10.5})) == "paid A1 of 10.5"
    assert message(Env(self={"name": None, "net": 10.5})) is None
