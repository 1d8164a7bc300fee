"""What the values of a write must meet before SQL sees them: the entity's schema, all findings at once.

Decides nothing about rights; unknown and read-only fields are refused here because no schema allows them.
Called by ``pipeline``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonschema_rs
from msgspec import Struct

from actors.messages import ProblemError
from actors.tenant.bodies import Body, Row
from actors.tenant.generation import Generation
from schemas.compiler.emit.body import Bounds, JsonSchema, body_schemas, without_bounds
from schemas.compiler.model import Entity

MAX_FINDINGS = 100


class Check(Struct, frozen=True):
    """What the rows of one entity must meet.

    Attributes:
        quick: the schema without the sizes of numbers.
        bounds: those sizes, by field.
        full: the whole schema, which says what is wrong.
    """

    quick: jsonschema_rs.Validator
    bounds: Mapping[str, Bounds]
    full: jsonschema_rs.Validator

    def accepts(self, row: Row) -> bool:
        """Whether a row is good beyond doubt."""
        if not self.quick.is_valid(row):
            return False
        for name, bounds in self.bounds.items():
            value = row.get(name)
            if value is not None and not bounds.admit(value):
                return False
        return True


def validate(generation: Generation, entity: Entity, verb: str, body: Body) -> None:
    """Check every row against the entity's schema.

    Args:
        generation: keeps the validators.
        entity: what the rows are of.
        verb: ``create`` or ``update``; with a ``*`` for what functions write.
        body: the rows.

    Raises:
        ProblemError: validation.failed, with one finding per value.
    """
    errors = findings(generation, entity, verb, body)
    if errors:
        raise refusal(errors)


def findings(generation: Generation, entity: Entity, verb: str, body: Body) -> list[dict[str, Any]]:
    """Return what ``validate`` would refuse, at most ``MAX_FINDINGS`` and those of one more row."""
    check = generation.checks.get((entity.name, verb))
    if check is None:
        check = _build(generation, entity, verb)
    for row in body.rows:
        if not check.accepts(row):
            break
    else:
        return []
    errors: list[dict[str, Any]] = []
    for number, row in enumerate(body.rows):
        place = f"/{number}" if body.many else ""
        for error in check.full.iter_errors(row):
            errors.extend(_findings(error, place, entity))
            if len(errors) >= MAX_FINDINGS:
                break
    return errors


def refusal(errors: Sequence[dict[str, Any]]) -> ProblemError:
    """Return one refusal for all findings."""
    first = errors[0]
    rest = len(errors) - 1
    more = f" (and {rest} more)" if rest else ""
    message = f"{first['pointer'].lstrip('/') or 'body'}: {first['detail']}{more}"
    return ProblemError("validation.failed", message, errors=tuple(errors[:MAX_FINDINGS]))


def _build(generation: Generation, entity: Entity, verb: str) -> Check:
    trusted = verb.endswith("*")
    for name, schema in body_schemas(entity, trusted=trusted).items():
        rest, bounds = without_bounds(schema)
        check = Check(_compiled(rest), bounds, _compiled(schema))
        generation.checks[entity.name, f"{name}*" if trusted else name] = check
    return generation.checks[entity.name, verb]


def _compiled(schema: JsonSchema) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(
        schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
    )


def _findings(error: jsonschema_rs.ValidationError, place: str, entity: Entity) -> Iterator[dict[str, Any]]:
    pointer = place + "".join(f"/{_escape(step)}" for step in error.instance_path)
    kind = error.kind
    code = str(error.schema_path[-1]) if error.schema_path else "invalid"
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        for name in kind.unexpected:
            yield {
                "pointer": f"{pointer}/{_escape(name)}",
                "code": "unknown_field",
                "detail": "there is no such field",
            }
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        yield {
            "pointer": f"{pointer}/{_escape(kind.property)}",
            "code": "required",
            "detail": "a value is required",
        }
    elif isinstance(kind, jsonschema_rs.ValidationErrorKind.FalseSchema):
        yield {"pointer": pointer, "code": "read_only", "detail": "this field cannot be written"}
    else:
        field = entity.fields.get(str(error.instance_path[0])) if error.instance_path else None
        hidden = field is not None and field.write_only
        # a value that may never be shown is not repeated in a refusal either
        detail = "the value is not acceptable" if hidden else error.message[:300]
        yield {"pointer": pointer, "code": code, "detail": detail}


def _escape(step: object) -> str:
    return str(step)[:200].replace("~", "~0").replace("/", "~1")
