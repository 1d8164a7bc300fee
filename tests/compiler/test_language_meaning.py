"""What the parts of a file mean in the model: keys, defaults, references, access, users, workflows, functions."""

from typing import Any

import pytest

from schemas.compiler.compile import compile_source, compile_with_warnings
from schemas.compiler.diagnostics import CompileError, Diagnostic
from schemas.compiler.model import Entity, Field, TenantModel


def tenant(entities: str, head: str = "") -> TenantModel:
    return compile_source(f"version: 1\n{head}\nentities:\n  {entities}\n", "some-tenant")


def fields(properties: str, more: str = "") -> Entity:
    return tenant(f"things: {{ {more} schema: {{ properties: {{ {properties} }} }} }}").entities["things"]


def field(keywords: str) -> Field:
    return fields(f"f: {{ {keywords} }}").fields["f"]


def errors(source: str) -> list[Diagnostic]:
    with pytest.raises(CompileError) as caught:
        compile_source(f"version: 1\n{source}", "some-tenant")
    return [found for found in caught.value.diagnostics if found.severity == "error"]


def codes(source: str) -> list[str]:
    return [found.code for found in errors(source)]


@pytest.mark.parametrize(
    ("keywords", "kind", "pg_type"),
    [
        ("type: string", "text", "text"),
        ("type: string, format: uuid", "uuid", "uuid"),
        ("type: string, format: email", "text", "text"),
        ("type: string, format: date", "date", "date"),
        ("type: string, format: time", "time", "time without time zone"),
        ("type: string, format: date-time", "datetime", "timestamp with time zone"),
        ("type: string, format: ipv6", "inet", "inet"),
        ("type: string, format: file", "file", "text"),
        ("type: string, format: password", "password", "text"),
        ("type: string, format: int8range", "range", "int8range"),
        ("type: integer", "bigint", "bigint"),
        ("type: integer, format: int32", "integer", "integer"),
        ("type: number", "numeric", "numeric"),
        ("type: number, multipleOf: 0.01", "numeric", "numeric(38,2)"),
        ("type: number, multipleOf: 5", "numeric", "numeric(38,0)"),
        ("type: number, format: double", "double", "double precision"),
        ("type: boolean", "boolean", "boolean"),
        ("type: object", "json", "jsonb"),
        ("type: array", "json", "jsonb"),
        ("type: array, items: { type: object }", "json", "jsonb"),
        ("type: array, items: { type: string }", "array", "text[]"),
        ("type: array, items: { type: string, format: uuid }", "array", "uuid[]"),
        ("type: array, items: { type: integer }", "array", "bigint[]"),
        ("type: array, items: { type: number, multipleOf: 0.01 }", "array", "numeric(38,2)[]"),
        ("type: array, items: { type: string, format: date-time }", "array", "timestamp with time zone[]"),
        ("type: [string, 'null']", "text", "text"),
        ("enum: [a, b]", "text", "text"),
        ("enum: [1, 2]", "bigint", "bigint"),
        ("minLength: 1", "text", "text"),
        ("format: date", "date", "date"),
        ("properties: { a: { type: string } }", "json", "jsonb"),
        ("references: users", "uuid", "uuid"),
        ("", "json", "jsonb"),
    ],
)
def test_kinds_and_columns(keywords: str, kind: str, pg_type: str) -> None:
    found = field(keywords)
    assert (found.kind, found.pg_type) == (kind, pg_type)


@pytest.mark.parametrize(
    ("keywords", "value", "text"),
    [
        ("type: string, default: hello", "hello", "hello"),
        ("type: string, default: user", "user", "user"),
        ("type: string, default: nowhere", "nowhere", "nowhere"),
        ("type: string, default: user.id", None, "user.id"),
        ("type: string, default: tenant.slug", None, "tenant.slug"),
        ("type: string, enum: [now, then], default: now", "now", "now"),
        ("type: string, format: date, default: today()", None, "today()"),
        ("type: string, format: date, default: 2027-01-31", "2027-01-31", None),
        ("type: string, format: date-time, default: now", None, "now"),
        ("type: string, format: uuid, default: user.id", None, "user.id"),
        ("type: number, default: 1.5", 1.5, "1.5"),
        ("type: number, default: 2 * 3", None, "2 * 3"),
        ("type: boolean, default: true", True, "True"),
        ("type: integer, default: 0", 0, "0"),
        ("type: array, items: { type: string }, default: [a]", ["a"], None),
        ("type: object, default: { a: 1 }", {"a": 1}, None),
    ],
)
def test_defaults(keywords: str, value: Any, text: str | None) -> None:
    found = field(keywords)
    assert found.has_default
    assert found.default_value == value
    assert (found.default.text if found.default else None) == text


@pytest.mark.parametrize(
    "keywords",
    [
        "type: string, maxLength: 3, default: long",
        "type: integer, default: 1.5",
        "type: integer, minimum: 5, default: 1",
        "type: boolean, default: 1",
        "type: string, default: 5",
        "type: string, enum: [a], default: b",
        "type: array, items: { type: string }, default: [1]",
    ],
)
def test_defaults_that_do_not_fit(keywords: str) -> None:
    assert codes(f"entities: {{ a: {{ schema: {{ properties: {{ f: {{ {keywords} }} }} }} }} }}") == [
        "field.default"
    ]


def test_a_default_of_another_type_is_refused() -> None:
    source = "entities: { a: { schema: { properties: { f: { type: integer, default: user.email } } } } }"
    assert codes(source)[0].startswith("expression.")


@pytest.mark.parametrize(
    ("entity", "key", "kind", "generated", "required"),
    [
        ("a: {}", "id", "uuid", "uuid", False),
        ("a: { key: code, schema: { properties: { code: { type: string } } } }", "code", "text", "uuid", False),
        ("a: { key: code, schema: { required: [code], properties: { code: { type: string } } } }", "code", "text", "uuid", True),
        ("a: { key: code, schema: { properties: { code: { type: string, maxLength: 8 } } } }", "code", "text", "", True),
        ("a: { key: no, schema: { properties: { no: { type: integer } } } }", "no", "bigint", "identity", False),
        ("a: { key: ref }", "ref", "uuid", "uuid", False),
        ("a: { schema: { properties: { id: { type: string } } } }", "id", "text", "uuid", False),
        ("a: { schema: { properties: { id: { type: integer, format: int32 } } } }", "id", "integer", "identity", False),
    ],
)  # fmt: skip
def test_keys(entity: str, key: str, kind: str, generated: str, required: bool) -> None:
    found = tenant(entity).entities["a"]
    assert found.key == key == next(iter(found.fields))
    name = found.fields[key]
    assert (name.kind, name.generated, name.required, name.nullable) == (kind, generated, required, False)


def test_managed_fields_come_last_and_may_be_declined() -> None:
    names = list(fields("a: { type: string }", "soft_delete: true,").fields)
    assert names == [
        "id",
        "a",
        "created_at",
        "updated_at",
        "created_by",
        "updated_by",
        "row_version",
        "deleted_at",
    ]
    assert list(fields("a: { type: string }", "managed: false,").fields) == ["id", "a"]
    declared = fields("created_at: { type: string, format: date-time, title: Made }").fields["created_at"]
    assert declared.title == {"en": "Made"}
    assert declared.generated == "managed"


def test_users_exist_without_being_declared_and_read_themselves() -> None:
    users = tenant("a: {}").entities["users"]
    assert {"id", "email", "role"} <= set(users.fields)
    assert [(entry.role, entry.rule and entry.rule.text) for entry in users.access.read] == [
        ("admin", None),
        ("authenticated", "self.id == user.id"),
    ]
    assert [entry.role for entry in users.access.delete] == ["admin"]
    declared = tenant(
        "users: { access: { read: public }, schema: { properties: { region: { type: string } } } }"
    )
    assert [entry.role for entry in declared.entities["users"].access.read] == ["public"]
    assert {"email", "region"} <= set(declared.entities["users"].fields)


def test_write_is_create_and_update() -> None:
    source = "a: { schema: { properties: { n: { type: integer } } }, access: { write: [{ role: admin, rule: self.n > 0 }] } }"
    access = tenant(source).entities["a"].access
    (created,), (updated,) = access.create, access.update
    assert created.rule is None
    assert created.check is not None
    assert updated.rule is not None
    assert created.check.text == updated.rule.text
    assert access.declared
    assert access.read == ()


def test_other_spellings() -> None:
    source = """
access_rules: { rules: { mine: self.owner_id == user.id }, roles: { member: {} } }
indexes: { a: [{ fields: [owner_id] }] }
entities:
  a:
    schema: { properties: { owner_id: { references: users } } }
    access: { read: [{ role: member, rule: mine }] }
    functions:
      check: { type: validation, field: owner_id }
      both: { trigger: "before_create, before_update", function: price }
      list: { trigger: [after_create, after_write], async: true, condition: self.owner_id != null }
"""
    entity = compile_source("version: 1" + source, "some-tenant").entities["a"]
    assert entity.access.read[0].rule is not None
    assert entity.access.read[0].rule.text == "(self.owner_id == user.id)"
    assert [index.fields for index in entity.indexes] == [("owner_id",)]
    functions = entity.sections["functions"]
    assert functions["check"].triggers == ("before_create", "before_update")
    assert functions["check"].function == "check"
    assert functions["both"].triggers == ("before_create", "before_update")
    assert functions["list"].triggers == ("after_create", "after_update")
    assert functions["list"].asynchronous


def test_roles_include_what_they_inherit() -> None:
    model = tenant(
        "a: {}", "roles: { a: {}, b: { inherits: a }, c: { inherits: [b] }, admin: { inherits: [c] } }"
    )
    assert model.roles["admin"].includes == {"a", "b", "c", "admin"}
    assert set(model.roles) == {"public", "authenticated", "admin", "a", "b", "c"}


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("entities: { a: { schema: { properties: { p_id: { references: a } }, required: [p_id] } } }", "entity.required_cycle"),
        ("entities: { a: { schema: { properties: { x: { type: number, computed: self.y }, y: { type: number, computed: self.x } } } } }", "expression.cycle"),
        ("entities: { a: { schema: { properties: { x: { computed: self.y } } } } }", "field.type"),
        ("entities: { a: { schema: { properties: { x: { type: [string, integer] } } } } }", "field.type"),
        ("entities: { a: { schema: { properties: { x: { type: integer, format: date } } } } }", "field.format"),
        ("entities: { a: { schema: { properties: { x: { type: string, computed: self.created_at } } } } }", "expression.type"),
        ("entities: { a: { schema: { properties: { x: { type: number, stored: true, computed: self.owner.x } } } } }", "expression.unknown_name"),
        ("entities: { a: { schema: { properties: { x: { type: string, readOnly: true } }, required: [x] } } }", "field.combination"),
        ("entities: { a: { schema: { properties: { x: { type: string, onDelete: cascade } } } } }", "field.combination"),
        ("entities: { a: { schema: { properties: { x: { type: boolean, searchable: true } } } } }", "field.combination"),
        ("entities: { a: { schema: { properties: { x: { references: users, type: integer } } } } }", "field.reference_type"),
        ("entities: { a: { schema: { properties: { created_at: { type: string } } } } }", "names.managed"),
        ("entities: { a: { schema: { properties: { row_version: { type: integer } } } } }", "names.reserved"),
        ("entities: { a: { schema: { properties: { x: { type: string, renamed_from: y }, y: { type: string } } } } }", "names.renamed"),
        ("entities: { a: { schema: { properties: { x: { type: string, renamed_from: z }, y: { type: string, renamed_from: z } } } } }", "names.renamed_twice"),
        ("entities: { a: { schema: { properties: { x: { type: string, renamed_from: y }, y: { type: string, renamed_from: x } } } } }", "names.renamed_circle"),
        ("entities: { a: { renamed_from: b, schema: {} }, b: { renamed_from: a, schema: {} } }", "names.renamed_circle"),
        ("entities: { a: { schema: { properties: { x: { type: string, renamed_from: y, alias_until: 2999-01-01 }, y: { type: string, renamed_from: z } } } } }", "names.renamed"),
        ("entities: { a: { key: nam, schema: { properties: { name: { type: string } } } } }", "entity.key"),
        ("entities: { a: { key: n, schema: { properties: { n: { type: boolean } } } } }", "entity.key"),
        ("entities: { a: {}, A: {} }", "names.collision"),
        ("entities: { rpc: {} }", "names.reserved"),
        ("entities: { _arch_x: {} }", "language.name"),
        ("entities: { 'a\"; drop table x': {} }", "language.name"),
        (f"entities: {{ {'a' * 64}: {{}} }}", "names.too_long"),
        ("entities: { a: { access: { read: [{ role: admin, rule: self.id.matches('(a') }] } } }", "expression.type"),
        ("entities: { a: { access: { read: [{ role: admin, fields: [x] }] } } }", "reference.unknown_field"),
        ("entities: { a: { access: { update: [{ role: admin, fields: [created_at] }] } } }", "reference.not_writable"),
        ("entities: { a: { schema: { properties: { x: { type: number, computed: '1' } } }, indexes: [x] } }", "reference.not_stored"),
        ("entities: { a: { schema: { properties: { x: { type: string, pattern: '(?<=a)b' } } } } }", "field.pattern"),
        ("entities: { a: { schema: { properties: { x: { type: object, required: [y], properties: { z: {} } } } } } }", "field.required"),
        ("entities: { a: { functions: { f: { trigger: before_create, async: true } } } }", "function.async"),
        ("entities: { a: { functions: { f: {} } } }", "function.trigger"),
        ("entities: { a: { functions: { f: { trigger: before_read, function: filter_rows } } } }", "function.condition"),
        ("entities: { a: { functions: { f: { trigger: before_read, function: set_fields } } } }", "function.trigger"),
        ("entities: { a: { functions: { f: { trigger: [before_read, after_create], function: g } } } }", "function.trigger"),
        ("entities: { a: { functions: { f: { trigger: before_read, function: g, condition: has(self.id) } } } }", "expression.use"),
        ("entities: { a: { functions: { f: { trigger: after_create, function: filter_rows, condition: 'true' } } } }", "function.trigger"),
        ("entities: { a: { functions: { f: { trigger: on_start, function: g } } } }", "function.trigger"),
        ("functions: { f: { trigger: [rpc, on_start], function: g } }", "function.trigger"),
        ("functions: { f: { trigger: schedule, function: g } }", "job.schedule"),
        ("functions: { f: { trigger: rpc, every: 5m, function: g } }", "function.trigger"),
        ("functions: { f: { trigger: event, function: g } }", "function.trigger"),
        ("functions: { f: { trigger: event, on: [x, y], condition: self.id != '', function: g } }", "webhook.entity"),
        ("functions: { f: { trigger: schedule, every: 5m, function: g } }\njobs: { f: { every: 5m, function: g } }", "function.trigger"),
        ("functions: { f: { trigger: after_create, function: g } }", "function.entities"),
        ("auth: { providers: { keycloak: { client_id: x } } }", "auth.provider"),
        ("auth: { claims: { iss: user.email } }", "language.name"),
        ("webhooks: { a: { url: 'https://u:p@x.example', events: ['*'] } }", "language.value"),
        ("webhooks: { a: { url: 'file:///etc/passwd', events: ['*'] } }", "language.value"),
        ("webhooks: { a: { url: 'https://x.example', events: ['*'], select: id } }", "webhook.entity"),
        ("api: { cors: { origins: ['*'] } }", "language.value"),
        ("branding: { color: 'red;}' }", "language.value"),
        ("branding: { logo: ../x.svg }", "language.value"),
        ("branding: { logo: 'https://a.example;sandbox' }", "language.value"),
        ("jobs: { a: { function: f } }", "job.schedule"),
        ("locale: { timezone: Mars/Base }", "language.value"),
        ("service: { name: other }", "names.service"),
    ],
)  # fmt: skip
def test_refused(source: str, code: str) -> None:
    assert code in codes(source), errors(source)


def test_a_field_that_no_filter_can_name_is_a_warning() -> None:
    source = "version: 1\nentities: { a: { schema: { properties: { order: { type: integer } } } } }"
    assert [found.code for found in compile_with_warnings(source, "some-tenant").warnings] == [
        "names.query_parameter"
    ]


def test_named_rules_keep_their_precedence() -> None:
    model = tenant(
        "a: { schema: { properties: { x: { type: boolean }, y: { type: boolean } } }, rules: [either && self.y] }",
        "let: { either: self.x || self.y }",
    )
    assert model.entities["a"].rules[0].rule.text == "(self.x || self.y) && self.y"


def test_a_named_rule_is_no_text_and_no_member() -> None:
    model = tenant(
        "a: { schema: { properties: { mine: { type: string } } }, rules: [\"self.mine != 'mine' || mine\"] }",
        "let: { mine: 'true' }",
    )
    assert model.entities["a"].rules[0].rule.text == "self.mine != 'mine' || (true)"
