"""Entities that a file gets because it uses a section: what a feature keeps and people look at.

They are written in the same language as the tenant's own, so they migrate, filter and page alike. ``access``
names readers only: rows are written by the platform. Decides which files get which; called by ``parse``.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from schemas.compiler.findings import Findings
from schemas.compiler.names import comments_name, history_name
from schemas.compiler.nodes import Mapping, Sequence, pairs, plain
from schemas.compiler.sections.entity import ENTITY
from schemas.compiler.sections.storage import OBJECTS, STORAGE_OBJECTS, has_storage, with_access
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

WORKFLOW_HISTORY = """
title: { en: Workflow history }
label: transition
managed: false
schema:
  required: [entity, key, transition, from_state, to_state, at]
  properties:
    entity: { type: string, maxLength: 63 }
    key: { type: string, maxLength: 200, description: Key of the row. }
    transition: { type: string, maxLength: 63 }
    from_state: { type: string, maxLength: 200 }
    to_state: { type: string, maxLength: 200 }
    comment: { type: string, maxLength: 2000 }
    user_id: { type: string, maxLength: 200 }
    request_id: { type: string, maxLength: 200 }
    at: { type: string, format: date-time }
indexes: [ { fields: [entity, key, at] }, { fields: [at] } ]
access: { read: [ { role: admin, aggregate: true } ] }
"""

APPROVALS = """
title: { en: Approvals }
label: transition
managed: false
schema:
  required: [entity, key, transition, state, user_id, outcome, at]
  properties:
    entity: { type: string, maxLength: 63 }
    key: { type: string, maxLength: 200, description: Key of the row. }
    transition: { type: string, maxLength: 63 }
    state: { type: string, maxLength: 200, description: In which the row was. }
    version: { type: integer, description: Of the row that was approved. }
    user_id: { type: string, maxLength: 200 }
    comment: { type: string, maxLength: 2000 }
    outcome: { type: string, enum: [waiting, used, lapsed] }
    at: { type: string, format: date-time }
indexes: [ { fields: [entity, key], where: self.outcome == 'waiting' }, { fields: [at] } ]
access: { read: [ { role: admin, aggregate: true } ] }
"""

AUDIT_LOG = """
title: { en: Audit log }
description: What was changed, by whom and from where. Rows are added by PostgreSQL and never change.
label: action
managed: false
schema:
  required: [at, action, entity]
  properties:
    id: { type: integer, format: int64 }
    at: { type: string, format: date-time }
    action:
      { type: string, maxLength: 80, description: "create, update, delete, restore; or user.created ..." }
    entity: { type: string, maxLength: 63 }
    key: { type: string, maxLength: 200, description: Key of the row. }
    changed: { type: array, items: { type: string }, description: Fields an update gave another value. }
    old_values: { type: object, description: "The row without secret fields; of an update, what it changed." }
    new_values: { type: object }
    user_id: { type: string, maxLength: 200 }
    email: { type: string, maxLength: 320, personal: true, description: Or whatever else names who did it. }
    api_key: { type: string, maxLength: 200, description: Id of the API key. }
    roles: { type: array, items: { type: string } }
    request_id: { type: string, maxLength: 200 }
    address: { type: string, maxLength: 100, personal: true, description: Of the client. }
indexes: [ { fields: [at] }, { fields: [entity, key, id] }, { fields: [user_id, id] } ]
access: { read: [ { role: admin, aggregate: true } ] }
"""


HISTORY = """
description: >-
  What rows were before each change: a record per version, its data once the next one came. Written by
  PostgreSQL alone, read below the row, and by as_of.
label: operation
managed: false
schema:
  required: [at, operation]
  properties:
    key: { type: string, description: Key of the row; none in notes about the entity itself. }
    n: { type: integer, format: int32, description: "Number of the version, from 1." }
    at: { type: string, format: date-time }
    until: { type: string, format: date-time }
    operation: { type: string, description: "create, update, delete, restore, kept; or begin, end ..." }
    data: { type: object }
    user_id: { type: string }
    email: { type: string, personal: true }
    api_key: { type: string }
    function: { type: string }
    request_id: { type: string }
indexes: [ { fields: [key, n], unique: true }, { fields: [until, at] } ]
access: { read: [] }
"""


COMMENTS = """
description: What people say about rows; read and written below the row, by who may read it.
label: text
managed: false
schema:
  required: [row_id, text, at]
  properties:
    row_id: {{ references: {entity}, onDelete: cascade }}
    text: {{ type: string }}
    at: {{ type: string, format: date-time }}
    user_id: {{ type: string }}
    email: {{ type: string, personal: true }}
    api_key: {{ type: string }}
indexes: [ {{ fields: [row_id, id] }} ]
access: {{ read: [] }}
"""


class Added(Struct, frozen=True):
    """One such entity.

    Attributes:
        name: the entity's.
        text: its YAML.
        because: the section, for messages.
        needed: whether a file (its checked root) gets it.
        fitted: the entity's node as this file needs it.
    """

    name: str
    text: str
    because: str
    needed: Callable[[Mapping], bool]
    fitted: Callable[[Mapping, Mapping], Mapping] = lambda node, _: node


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


def has_workflow(root: Mapping) -> bool:
    """Whether an entity has a workflow."""
    return any(
        isinstance(entity, Mapping) and entity.get("workflow") is not None
        for _, entity in pairs(root.get("entities"))
    )


def has_audit(root: Mapping) -> bool:
    """Whether changes are audited, or were and shall be readable."""
    return root.get("audit") is not None


def has_quorum(root: Mapping) -> bool:
    """Whether a transition wants several people to agree."""
    for _, entity in pairs(root.get("entities")):
        workflow = entity.get("workflow") if isinstance(entity, Mapping) else None
        ways = workflow.get("transitions") if isinstance(workflow, Mapping) else None
        for _, way in pairs(ways):
            quorum = way.get("quorum") if isinstance(way, Mapping) else None
            if quorum is not None and plain(quorum) != 1:
                return True
    return False


ADDED = (
    Added("function_executions", FUNCTION_EXECUTIONS, "functions", has_functions),
    Added("webhook_deliveries", WEBHOOK_DELIVERIES, "webhooks", has_webhooks),
    Added("workflow_history", WORKFLOW_HISTORY, "workflow", has_workflow),
    Added("approvals", APPROVALS, "workflow", has_quorum),
    Added("audit_log", AUDIT_LOG, "audit", has_audit),
    Added(OBJECTS, STORAGE_OBJECTS, "storage", has_storage, with_access),
)


def added_entities(root: Mapping) -> list[tuple[Added, Mapping]]:
    """Return the entities a file gets, as checked nodes."""
    found = [added for added in ADDED if added.needed(root)] + [*_histories(root), *_comments(root)]
    return [(added, added.fitted(_node(added), root)) for added in found]


def _histories(root: Mapping) -> Iterator[Added]:
    """Yield what keeps the versions of each entity that has them, or had and says ``history: false``."""
    for name, entity in pairs(root.get("entities")):
        if isinstance(entity, Mapping) and entity.get("history") is not None:
            text = _moved(entity, history_name) + HISTORY
            yield Added(history_name(name.text), text, f"history of {name.text}", lambda _: True)


def _comments(root: Mapping) -> Iterator[Added]:
    """Yield what keeps the comments on each entity that has them."""
    for name, entity in pairs(root.get("entities")):
        if isinstance(entity, Mapping) and has_comments(entity):
            text = _moved(entity, comments_name) + COMMENTS.format(entity=name.text)
            yield Added(comments_name(name.text), text, f"comments on {name.text}", lambda _: True)


def has_comments(entity: Mapping) -> bool:
    """Whether people may comment on an entity's rows."""
    said = entity.get("comments")
    return said is not None and plain(said) is True


def _moved(entity: Mapping, name_of: Callable[[str], str]) -> str:
    """Return the line that lets what is kept beside an entity follow its renames."""
    former = entity.get("renamed_from")
    olds = former.items if isinstance(former, Sequence) else [] if former is None else [former]
    names = ", ".join(name_of(str(plain(old))) for old in olds)
    return f"renamed_from: [{names}]\n" if names else ""


def _node(added: Added) -> Mapping:
    findings = Findings()
    node = load(added.text, findings)
    checked = ENTITY.check(node, findings) if node is not None else None
    if findings.failed or not isinstance(checked, Mapping):
        raise ValueError(f"the built-in entity {added.name} is not written well")
    return checked
