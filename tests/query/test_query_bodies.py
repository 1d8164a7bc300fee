"""Reading a body strictly: what is refused, what numbers become."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.values import MAX_DEPTH, MAX_NODES, decode_json

READ: dict[bytes, Any] = {
    b'{"a":-0.0}': {"a": 0},
    b'{"a":10.0}': {"a": 10},
    b'{"a":1.0e5}': {"a": 100000},
    b'{"a":10.50}': {"a": Decimal("10.50")},
    b'{"a":18446744073709551616}': {"a": 2**64},
    b'{"a":123456789.123456789012345678901}': {"a": Decimal("123456789.123456789012345678901")},
    b'{"a:":1}': {"a:": 1},
    b'{"a":":"}': {"a": ":"},
    b'["a:b","c"]': ["a:b", "c"],
    b'{"a\\\\":1,"b":"\\\\"}': {"a\\": 1, "b": "\\"},
    b'{"a":"\\\\u0000"}': {"a": "\\u0000"},
    b'[{"a":1},{"a":2}]': [{"a": 1}, {"a": 2}],
    b"null": None,
    b"[" * MAX_DEPTH + b"]" * MAX_DEPTH: ...,
    b'{"a":"' + b"[" * 500 + b'"}': {"a": "[" * 500},
}


@pytest.mark.parametrize("data", READ)
def test_read(data: bytes) -> None:
    wanted = READ[data]
    value = decode_json(data)
    assert wanted is ... or value == wanted


REFUSED = {
    b"": "PGRST102",
    b"{": "PGRST102",
    b'{"a": 1}x': "PGRST102",
    b"\xef\xbb\xbf{}": "PGRST102",
    b'"\xff"': "PGRST102",
    b'{"a":"\\ud800"}': "PGRST102",
    b'{"a":"x\x00"}': "PGRST102",
    b'{"\\u0000":1}': "PGRST102",
    b'{"a":"\\u0000"}': "22P05",
    b'[[{"a":"x\\u0000y"}]]': "22P05",
    b'{"a":NaN}': "PGRST102",
    b'{"a":-Infinity}': "PGRST102",
    b'{"a":1e400}': "PGRST102",
    b'{"a":1e999999999999}': "PGRST102",
    b'{"a":' + b"9" * 5000 + b"}": "PGRST102",
    b'{"a":0.' + b"9" * 5000 + b"}": "PGRST102",
    b'{"a":1,"a":2}': "PGRST102",
    b'{"a":1,"\\u0061":2}': "PGRST102",
    b'{"a":{"b":1,"b":2}}': "PGRST102",
    b'[{"a":1},{"a":1,"a":2}]': "PGRST102",
    b'{":":1,":":2}': "PGRST102",
    b'{"a\\"":1,"a\\"":2}': "PGRST102",
    b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1): "PGRST102",
    b'{"a":' * 100_000 + b"1" + b"}" * 100_000: "PGRST102",
    b"[" + b"1," * MAX_NODES + b"1]": "PGRST102",
}


@pytest.mark.parametrize("data", REFUSED, ids=lambda data: repr(data[:30]))
def test_refused(data: bytes) -> None:
    with pytest.raises(QueryError) as caught:
        decode_json(data)
    assert caught.value.code == REFUSED[data]


def test_a_nul_is_reported_where_it_is() -> None:
    with pytest.raises(QueryError) as caught:
        decode_json(b'[{"a":["b\\u0000"]}]')
    assert caught.value.errors[0]["pointer"] == "/0/a/0"
