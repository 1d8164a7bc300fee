"""What the author of a file reads when an expression is wrong: message, place and suggestion, word for word."""

import pytest
from sample_tenant import SHAPES, compiled

from schemas.compiler.expressions.celtypes import BOOL, INT, STRING
from schemas.compiler.expressions.check import compile_expression
from schemas.compiler.expressions.errors import ExpressionError

USERS = "id, boss_id, region, level, active, deleted_at, senior, boss, items, users, notes"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "self.owner.regoin == 'EU'",
            f"1:12: users has no field 'regoin' (it has: {USERS}) (did you mean 'region'?)",
        ),
        ("self.net >\n  slef.net", "2:3: unknown name 'slef' (did you mean 'self'?)"),
        ("net > 1", "1:1: unknown name 'net' (write self.net)"),
        ("self.net > now", "1:10: cannot compare number with timestamp"),
        ("self.name + self.net", "1:11: cannot add number to text (convert it with string())"),
        ("self.name * 2", "1:11: '*' needs numbers, not string (convert it with int() or double())"),
        ("self.name && true", "1:11: '&&' needs true or false, not string"),
        ("self.net.startWith('a')", "1:10: there is no method startWith() for this value"),
        (
            "self.name.startWith('a')",
            "1:11: there is no method startWith() for this value (did you mean 'startsWith'?)",
        ),
        ("sise(self.name)", "1:1: there is no function sise() (did you mean 'size'?)"),
        ("self.owner_id == 'me'", "1:15: 'me' is not a valid uuid"),
        ("self.due_on < '2026-02-30'", "1:13: '2026-02-30' is not a valid date"),
        (
            "self.notes.text == 'a'",
            "1:12: these are several rows (use .exists(x, x.text ...), .map(x, x.text) or .size())",
        ),
        (
            "self.owner.notes.size() > 1",
            "1:12: 'notes' is ambiguous: notes refers to users more than once (write one of",
        ),
        (
            "self.owner_id.region == 'EU'",
            "1:15: 'owner_id' is a key and has no member 'region' (write owner.region to follow the reference)",
        ),
        (
            "self.doc.prize > 1",
            "1:10: no member 'prize' is declared (there are: name, price, count, done, tags, free) (did you mean 'price'?)",
        ),
        ("null in self.tags", "1:6: null is in no list"),
        ("self.name in 'abc'", "1:11: 'in' needs a list on its right (for text use text.contains(part))"),
        (
            "user.role + 'x'",
            "1:6: user.role can only be compared (with ==, != or in; all roles are in user.roles)",
        ),
        (
            "tenant.slog == 'a'",
            "1:8: tenant has no member 'slog' (it has: slug, plan, settings) (did you mean 'slug'?)",
        ),
        ("user == null", "1:1: a member is missing, such as user.id"),
        ("self.name.matches(self.status)", "1:11: the pattern of matches() must be written as a text"),
        ("self.name.matches('(a')", "1:11: bad pattern: missing ): (a"),
        ("self.name.matches('(?=a)b')", "1:11: bad pattern: invalid perl operator: (?="),
        (
            "duration('1 week') > duration('1h')",
            "1:1: '1 week' is not a duration of at most 100 years (such as '36h' or '30m')",
        ),
        (
            "now.getHours('Europe/Berlim') > 1",
            "1:5: 'Europe/Berlim' is not a time zone (such as 'Europe/Berlin')",
        ),
        (
            "changed('nett')",
            "1:10: items has no field 'nett' (it has: id, owner_id, prev_id, name, status, done, small, big, net",
        ),
        ("self.tags == [1]", "1:11: cannot compare list(int) with list(string)"),
        ("[1, 'a']", "1:5: a list of int cannot hold string"),
        ("self.net ? 1 : 2", "1:10: '?:' needs true or false, not number"),
        ("self.done ? 1 : 'a'", "1:11: one branch is int, the other string"),
        (
            "circular",
            "1:1: in 'circular': in 'other': 'circular' refers to itself (circular -> other -> circular)",
        ),
        ("broken", "1:1: in 'broken': no viable alternative at input '.' (at 1:6 of it)"),
        ("true ||\nwrong", "2:1: in 'wrong': items has no field 'nope'"),
        ("self.", "1:6: no viable alternative at input '.'"),
        ("1 +* 2", "1:4: extraneous input '*'"),
        ("9223372036854775808 > 1", "1:1: invalid int literal"),
        ("self.net > 1e400", "1:12: the number is too large"),
        ("1u < 2", "1:1: unsigned integers are not supported (write the number without 'u')"),
        ("b'a' == b'a'", "1:1: bytes are not supported"),
        ("{'a': 1}.a == 1", "1:1: maps and messages cannot be written here"),
        ("self.name == 'a\x00'", "1:16: the character U+0000 is not allowed"),
        ("self.name == '\\x00'", "1:14: a text cannot contain the character U+0000"),
        ("self.name == '\ud800'", "1:15: the character U+D800 is not allowed"),
        ("", "1:1: mismatched input '<EOF>'"),
    ],
)
def test_the_message_says_what_where_and_what_to_do(text: str, error: str) -> None:
    definitions = {
        "circular": "other",
        "other": "circular",
        "broken": "self.",
        "wrong": "self.name == 'x' || self.nope",
    }
    with pytest.raises(ExpressionError) as raised:
        compile_expression(text, SHAPES, "items", definitions=definitions)
    assert str(raised.value).startswith(error)


@pytest.mark.parametrize(
    ("text", "expect", "error"),
    [
        ("self.name", BOOL, "1:1: must be true or false, not string"),
        ("self.net", STRING, "1:1: must be string, not number"),
        ("self.net / 2", INT, "1:1: must be a whole number (convert with int())"),
        ("null", BOOL, "1:1: must be true or false, not null"),
        ("self.tags", STRING, "1:1: must be string, not list(string)"),
    ],
)
def test_the_result_must_have_the_expected_type(text: str, expect: object, error: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        compiled(text, expect=expect)
    assert str(raised.value) == error


def test_a_hidden_field_cannot_be_read() -> None:
    from schemas.compiler.expressions.shapes import EntityShape, FieldShape, Shapes

    shapes = Shapes({"users": EntityShape("id", {"id": FieldShape(), "password": FieldShape(hidden=True)})})
    with pytest.raises(ExpressionError) as raised:
        compile_expression("self.password == 'a'", shapes, "users")
    assert raised.value.code == "expression.hidden_field"
    with pytest.raises(ExpressionError, match=r"it has: id, ?|it has: id\)"):
        compile_expression("self.passwort == 'a'", shapes, "users")


@pytest.mark.parametrize(
    ("text", "obstacle"),
    [
        ("request.method == 'GET'", "request.method is not known to the database"),
        ("tenant.plan == 'pro'", "tenant.plan is not known to the database"),
        ("self.name.matches('a+?')", "the pattern 'a+?' is beyond what the database matches alike"),
        ("self.tags.map(t, t.trim())", "a list made by filter() or map() can only be aggregated or searched"),
        ("self.owner", "a row is not a value"),
    ],
)
def test_what_cannot_be_sql_says_why(text: str, obstacle: str) -> None:
    expression = compiled(text)
    assert not expression.in_sql
    assert expression.obstacle == obstacle
