"""Sizes: what is refused, and how long the largest accepted file takes."""

import gc
import time

import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.diagnostics import CompileError
from tests.speed import slowness


def entity(number: int, fields: int) -> str:
    more = "".join(f"        f{i}: {{ type: string, maxLength: 50 }}\n" for i in range(fields - 5))
    return f"""  entity_{number}:
    title: Entity {number}
    label: name
    schema:
      required: [name]
      properties:
        name: {{ type: string, maxLength: 120, searchable: true }}
        owner_id: {{ type: string, format: uuid, references: users, default: user.id }}
        parent_id: {{ type: string, format: uuid, references: entity_{max(0, number - 1)} }}
        net: {{ type: number, multipleOf: 0.01 }}
        total: {{ type: number, computed: self.net * 1.19 }}
{more}    indexes: [{{ fields: [name, net] }}]
    rules: [{{ rule: self.net > 0, message: "must be positive" }}]
    access: {{ read: [{{ role: member, rule: mine }}], write: [{{ role: member, rule: mine && self.net < 5 }}] }}
    views: {{ list: {{ columns: [name, parent.name, total], sort: -net }} }}
"""


def tenant(entities: int, fields: int) -> str:
    head = "version: 1\nroles: { member: {} }\nlet: { mine: self.owner_id == user.id }\nentities:\n"
    return head + "".join(entity(number, fields) for number in range(entities))


def test_200_entities_compile_quickly() -> None:
    """The bar is 500 ms on a quiet machine (bench); here twice that, for machines that do other things too."""
    source = tenant(200, 10)
    compile_source(source, "some-tenant")
    gc.collect()
    gc.freeze()  # the compile process holds nothing but the compiler; this one holds the whole suite
    times = []
    for _ in range(3):
        started = time.process_time()
        compile_source(source, "some-tenant")
        times.append(time.process_time() - started)
    gc.unfreeze()
    print(f"200 entities x 10 fields, {len(source):,} bytes: {min(times) * 1000:.0f} ms of CPU")
    assert min(times) < 1.0 * slowness()


@pytest.mark.parametrize(
    "source",
    [
        tenant(201, 6),
        tenant(1, 201),
        "version: 1\nentities: { a: { schema: { properties: { b: { type: string } } }, indexes: ["
        + "{ fields: [b] }," * 65
        + "] } }",
    ],
)
def test_too_many(source: str) -> None:
    with pytest.raises(CompileError) as caught:
        compile_source(source, "some-tenant")
    assert "language.too_many" in {found.code for found in caught.value.diagnostics}


def test_64_indexes_in_two_places_are_counted_together() -> None:
    names = ", ".join(f"f{i}: {{ type: string }}" for i in range(70))
    inner = ", ".join(f"{{ fields: [f{i}] }}" for i in range(40))
    outer = ", ".join(f"{{ fields: [f{i}] }}" for i in range(40, 70))
    source = (
        f"version: 1\nentities: {{ a: {{ schema: {{ properties: {{ {names} }} }}, indexes: [{inner}] }} }}\n"
        f"indexes: {{ a: [{outer}] }}"
    )
    with pytest.raises(CompileError) as caught:
        compile_source(source, "some-tenant")
    assert {found.code for found in caught.value.diagnostics} == {"index.too_many"}


def test_named_rules_cannot_explode() -> None:
    rules = "\n".join(f"  r{i}: r{i - 1} && r{i - 1}" for i in range(1, 40))
    source = (
        f"version: 1\nlet:\n  r0: self.net > 0\n{rules}\nentities:\n  a:\n    schema: {{ properties: {{ net: {{ type: number }} }} }}\n"
        "    rules: [{ rule: r39 }]\n"
    )
    started = time.process_time()
    with pytest.raises(CompileError) as caught:
        compile_source(source, "some-tenant")
    assert time.process_time() - started < slowness()
    assert "let.too_long" in {found.code for found in caught.value.diagnostics}


@pytest.mark.parametrize(
    "slug",
    ["Acme", "a", "-ab", "ab-", "a" * 41, "xn--abc", "ﬁrm", "acme\n", "admin", "pg-x", "a_b", "système"],
)
def test_a_file_name_that_is_no_slug(slug: str) -> None:
    with pytest.raises(CompileError) as caught:
        compile_source("version: 1", slug)
    assert {found.code for found in caught.value.diagnostics} == {"names.slug"}


def test_the_platform_itself_may_be_called_system() -> None:
    assert compile_source("version: 1", "system").slug == "system"
