"""Pieces of OpenAPI that every path is made of: parameters, bodies, answers, refusals.

Decides which refusals an operation lists by what it does. Pure; called by ``openapi_rows`` and
``openapi_paths``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_ALWAYS = ("400", "401", "403", "404", "408", "414", "429", "500", "503", "504")
_READS = ("300", "406", "416", "422")
_WRITES = ("300", "402", "405", "406", "409", "412", "413", "415", "422", "428", "502")


def operation(  # noqa: PLR0913 - the parts of an operation
    name: str,
    tag: str,
    summary: str,
    answers: Mapping[str, Any],
    *,
    parameters: Iterable[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    writes: bool = False,
    description: str = "",
) -> dict[str, Any]:
    """Return one operation with every status it can answer."""
    refusals = _ALWAYS + (_WRITES if writes else _READS)
    made: dict[str, Any] = {"operationId": name, "tags": [tag], "summary": summary}
    if description:
        made["description"] = description
    listed = list(parameters)
    if listed:
        made["parameters"] = listed
    if body is not None:
        made["requestBody"] = body
    refused = {status: {"$ref": f"#/components/responses/refused_{status}"} for status in refusals}
    made["responses"] = dict(sorted((refused | dict(answers)).items()))
    return made


def parameter(
    name: str,
    text: str,
    where: str = "query",
    schema: Mapping[str, Any] | None = None,
    example: Any = None,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    """Return a parameter; a text unless a schema is given."""
    made: dict[str, Any] = {"name": name, "in": where, "description": text}
    made["schema"] = dict(schema or {"type": "string"})
    if where == "path":
        made["required"] = True
    return made if example is None else made | {"example": example}


def json_body(
    schema: Mapping[str, Any],
    example: Any = None,  # noqa: ANN401 - JSON
    *,
    required: bool = True,
    also: Iterable[str] = (),
) -> dict[str, Any]:
    """Return a request body; ``also`` names media types whose body is a text."""
    content: dict[str, Any] = {"application/json": {"schema": dict(schema)}}
    if example is not None:
        content["application/json"]["example"] = example
    content |= {media: {"schema": {"type": "string"}} for media in also}
    return {"required": required, "content": content}


def answer(
    description: str,
    schema: Mapping[str, Any] | None = None,
    example: Any = None,  # noqa: ANN401 - JSON
    *,
    headers: Mapping[str, str] | None = None,
    others: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return an answer; without a schema it has no body.

    Args:
        description: what it means.
        schema: of its JSON.
        example: of it.
        headers: what they say, by name.
        others: schemas of further media types, by name.
    """
    made: dict[str, Any] = {"description": description}
    if headers:
        made["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        }
    if schema is not None:
        content: dict[str, Any] = {"application/json": {"schema": dict(schema)}}
        if example is not None:
            content["application/json"]["example"] = example
        content |= {media: {"schema": dict(other)} for media, other in (others or {}).items()}
        made["content"] = content
    return made


def list_below_row(
    name: str, tag: str, summary: str, item: Mapping[str, Any], after: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the operation that lists what belongs to a row, newest first, by ``limit`` and ``after``."""
    older = {"Next-Cursor": "for after=, when there are older ones"}
    return operation(
        name,
        tag,
        summary,
        {"200": answer("Of them, the newest first.", {"type": "array", "items": item}, headers=older)},
        parameters=[
            parameter("limit", "Most in one answer.", schema={"type": "integer", "minimum": 0}),
            parameter("after", "Next-Cursor of the page before.", schema=after),
        ],
    )


IDEMPOTENCY = parameter("Idempotency-Key", "Sent again with the same key, it is done once.", "header")
IF_MATCH = parameter("If-Match", 'The ETag the change is based on, e.g. "3".', "header")
IF_NONE_MATCH = parameter("If-None-Match", "The ETag of what is known: 304 when it still holds.", "header")
PREFER = parameter(
    "Prefer",
    "return=representation|minimal|headers-only, count=exact|planned|estimated, "
    "resolution=merge-duplicates|ignore-duplicates, missing=default, handling=strict, max-affected=N, "
    "tx=rollback, timezone=…",
    "header",
)
LIST_WORDS = (
    parameter("select", "Columns, relations and aggregates: title,customer:customers(name),amount.sum()"),
    parameter("order", "column.desc.nullslast, …"),
    parameter("limit", "Most rows of the page.", schema={"type": "integer", "minimum": 0}),
    parameter("offset", "Rows to skip.", schema={"type": "integer", "minimum": 0}),
    parameter("after", "Next-Cursor of the page before; empty for the first page."),
    parameter("search", "Words in the searchable fields."),
    parameter("or", "(a.eq.1,b.gt.2)"),
    parameter("and", "(a.eq.1,b.gt.2)"),
)
