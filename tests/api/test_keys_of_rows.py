"""UUID version 7 as RFC 9562 has it, and the strict reading of bodies that are not JSON."""

import time
import uuid
from datetime import date

import pytest

from actors.messages import Call, ProblemError
from actors.tenant.bodies import decode_body
from actors.tenant.identifiers import KeySource, new_key
from schemas.compiler.compile import compile_source

ITEMS = compile_source(
    "version: 1\nservice: { name: body-co }\nentities:\n  items:\n    schema: { properties: { name: { type: string }, n: { type: integer },"
    " on: { type: boolean }, tags: { type: array, items: { type: string } } } }\n",
    "body-co",
).entities["items"]


def test_keys_ascend_and_are_version_7() -> None:
    keys = [new_key() for _ in range(5000)]
    assert keys == sorted(set(keys))
    first = uuid.UUID(keys[0])
    assert (first.version, first.variant) == (7, uuid.RFC_4122)
    assert str(first) == keys[0]
    assert abs((first.int >> 80) - time.time() * 1000) < 5000


def test_keys_ascend_when_the_clock_steps_back() -> None:
    source = KeySource()
    source._begin(int(time.time() * 1000) + 60_000)
    keys = [source.next() for _ in range(10_000)]
    assert keys == sorted(set(keys))


def rows(body: bytes, content_type: str) -> list[dict[str, object]]:
    return decode_body(
        Call("create", "POST", body=body, content_type=content_type), ITEMS, date(2026, 11, 1)
    ).rows


def test_csv_is_typed_by_its_fields() -> None:
    text = b'\xef\xbb\xbfname,n,on,tags\r\n"a ""b"", c",5,true,"[""x""]"\r\n,NULL,f,\r\n"line\nbreak",-1,,NULL\r\n'
    assert rows(text, "text/csv") == [
        {"name": 'a "b", c', "n": 5, "on": True, "tags": ["x"]},
        {"name": "", "n": None, "on": False, "tags": None},
        {"name": "line\nbreak", "n": -1, "on": None, "tags": None},
    ]


@pytest.mark.parametrize("body", [b"", b"\xff", b"a,a\n1,2", b"a,b\n1", b"a,b\n1,2,3", b'a\n"x', b"a\n\0"])
def test_broken_csv(body: bytes) -> None:
    with pytest.raises(ProblemError):
        rows(body, "text/csv")


def test_forms() -> None:
    form = "application/x-www-form-urlencoded"
    assert rows(b"name=a+b%26&n=5&on=true", form) == [{"name": "a b&", "n": 5, "on": True}]
    for body in (b"name=1&name=2", b"name", b"name=%ff", b"name=%00"):
        with pytest.raises(ProblemError):
            rows(body, form)
