"""What happened to a row in its workflow, and who has agreed to what is yet to happen.

Decides how both are written down: as rows of ``workflow_history`` and ``approvals``, which admins read like
any other entity. Called inside the transaction of the transition.
"""

from functools import lru_cache

from msgspec import Struct

from actors.connections import TenantConnection
from actors.tenant.identifiers import new_key
from schemas.compiler.sql import quote

_NOTE = """
INSERT INTO {ns}.workflow_history
  (id, entity, key, transition, from_state, to_state, comment, user_id, request_id, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp())
"""
# who agreed to a row as it then was: a row changed since has to be agreed to again
_AGREE = """
INSERT INTO {ns}.approvals
  (id, entity, key, transition, state, version, user_id, comment, outcome, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', clock_timestamp())
"""
_LAPSE = """
UPDATE {ns}.approvals SET outcome = 'lapsed'
WHERE entity = $1 AND key = $2 AND outcome = 'waiting'
  AND (state <> $3 OR version IS DISTINCT FROM $4)
"""
_AGREED = """
SELECT user_id FROM {ns}.approvals
WHERE entity = $1 AND key = $2 AND transition = $3 AND outcome = 'waiting'
"""
_CLOSE = """
UPDATE {ns}.approvals SET outcome = CASE WHEN transition = $3 THEN 'used' ELSE 'lapsed' END
WHERE entity = $1 AND key = $2 AND outcome = 'waiting'
"""


class Step(Struct, frozen=True):
    """A transition of one row by somebody.

    Attributes:
        version: of the row as the caller found it, None where rows have none.
        user: who, None for the platform itself.
    """

    entity: str
    key: str
    transition: str
    source: str
    target: str
    comment: str | None
    user: str | None
    request_id: str
    version: int | None = None


async def note(connection: TenantConnection, namespace: str, step: Step) -> None:
    """Write down that a row has moved."""
    await connection.execute(
        _filled(_NOTE, namespace), new_key(), step.entity, step.key, step.transition, step.source,
        step.target, step.comment, step.user, step.request_id or None,
    )  # fmt: skip


async def agreed(connection: TenantConnection, namespace: str, step: Step) -> set[str]:
    """Return who has agreed to this transition of the row as it is now."""
    await connection.execute(_filled(_LAPSE, namespace), step.entity, step.key, step.source, step.version)
    found = await connection.fetch(_filled(_AGREED, namespace), step.entity, step.key, step.transition)
    return {row["user_id"] for row in found}


async def agree(connection: TenantConnection, namespace: str, step: Step) -> None:
    """Write down that somebody agrees."""
    await connection.execute(
        _filled(_AGREE, namespace), new_key(), step.entity, step.key, step.transition, step.source,
        step.version, step.user, step.comment,
    )  # fmt: skip


async def close(connection: TenantConnection, namespace: str, step: Step) -> None:
    """Let what was agreed count for this move, and for no other."""
    await connection.execute(_filled(_CLOSE, namespace), step.entity, step.key, step.transition)


@lru_cache(maxsize=1024)
def _filled(text: str, namespace: str) -> str:
    return text.format(ns=quote(namespace))
