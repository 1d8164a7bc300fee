"""Entities that a file gets because it uses a section: what a feature keeps and people look at.

They are written in the same language as the tenant's own, so they migrate, filter and page alike. ``access``
names readers only: rows are written by the platform. Decides which files get which; called by ``parse``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Mapping, pairs
from schemas.compiler.sections.entity import ENTITY
from schemas.compiler.source import load

FUNCTION_EXECUTIONS = """
title: { en: Function runs }
label: function
managed: false
schema:
  required: [function, trigger, outcome, started_at]
  properties:
    function: { type: string, maxLength: 64, title: Function }
    name: { type: string, maxLength: 64, description: Its name in the file. }
    trigger: { type: string, maxLength: 40 }
    entity: { type: string, maxLength: 63 }
    key: { type: string, maxLength: 200, description: Key of the row. }
    outcome: { type: string, enum: [ok, rejected, failed, timeout] }
    error: { type: string, maxLength: 8000 }
    line: { type: integer, format: int32, description: Line in the Python file where it went wrong. }
    log: { type: array, maxItems: 200, items: { type: string } }
    milliseconds: { type: number, format: double }
    version: { type: integer, description: Version of the file that ran. }
    user_id: { type: string, maxLength: 200 }
    request_id: { type: string, maxLength: 200 }
    started_at: { type: string, format: date-time }
indexes: [ { fields: [started_at] }, { fields: [function, started_at] } ]
access: { read: [ { role: admin, aggregate: true } ] }
"""


WEBHOOK_DELIVERIES = """
title: { en: Webhook deliveries }
label: event
managed: false
schema:
  required: [webhook, event, message, attempt, status, at]
  properties:
    webhook: { type: string, maxLength: 63, title: Webhook }
    event: { type: string, maxLength: 130 }
    message: { type: string, maxLength: 80, description: webhook-id; the same in every attempt. }
    attempt: { type: integer, format: int32 }
    status: { type: string, enum: [delivered, failed] }
    entity: { type: string, maxLength: 63 }
    key: { type: string, maxLength: 200, description: Key of the row. }
    url: { type: string, maxLength: 2000 }
    request_headers: { type: object }
    request_body: { type: string }
    response_status: { type: integer, format: int32 }
    response_headers: { type: object }
    response_body: { type: string }
    error: { type: string, maxLength: 2000 }
    milliseconds: { type: number, format: double }
    at: { type: string, format: date-time }
indexes: [ { fields: [at] }, { fields: [webhook, at] }, { fields: [message] } ]
access: { read: [ { role: admin, aggregate: true } ] }
"""


@dataclass(frozen=True, slots=True)
class Added:
    """One such entity.

    Attributes:
        name: the entity's.
        text: its YAML.
        because: the section, for messages.
        needed: whether a file (its checked root) gets it.
    """

    name: str
    text: str
    because: str
    needed: Callable[[Mapping], bool]


def has_functions(root: Mapping) -> bool:
    """Whether a file names a function to run anywhere."""
    if any(True for name in ("functions", "jobs", "events") for _ in pairs(root.get(name))):
        return True
    entities = root.get("entities")
    return any(
        True
        for _, entity in pairs(entities)
        if isinstance(entity, Mapping)
        for _ in pairs(entity.get("functions"))
    )


def has_webhooks(root: Mapping) -> bool:
    """Whether a file has a webhook."""
    return any(True for _ in pairs(root.get("webhooks")))


ADDED = (
    Added("function_executions", FUNCTION_EXECUTIONS, "functions", has_functions),
    Added("webhook_deliveries", WEBHOOK_DELIVERIES, "webhooks", has_webhooks),
)


def added_entities(root: Mapping) -> list[tuple[Added, Mapping]]:
    """Return the entities a file gets, as checked nodes."""
    return [(added, _node(added)) for added in ADDED if added.needed(root)]


def _node(added: Added) -> Mapping:
    findings = Findings()
    node = load(added.text, findings)
    checked = ENTITY.check(node, findings) if node is not None else None
    if findings.failed or not isinstance(checked, Mapping):
        raise ValueError(f"the built-in entity {added.name} is not written well")
    return checked
