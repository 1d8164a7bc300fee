"""The delivery log: one row of ``webhook_deliveries`` per attempt.

Decides what is kept of a request and its answer, and for how long: never a secret, at most 16 KiB of a body.
Called by ``delivery`` and the relay.
"""

from collections.abc import Mapping
from functools import lru_cache

from msgspec import Struct

from actors.connections import TenantConnection
from actors.features.outbox.queue import RELAXED, encode, filled
from actors.features.outbox.tasks import Task
from actors.outbound import Answer
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.grammar.scalars import SECRET

MAX_BODY = 16 * 1024
MAX_HEADERS, MAX_HEADER = 50, 500
_HIDDEN_HEADERS = frozenset({"set-cookie", "authorization", "proxy-authorization", "cookie"})
HIDDEN = "(hidden)"
_INSERT = """
INSERT INTO {ns}.webhook_deliveries (id, webhook, event, message, attempt, status, entity, key, url,
  request_headers, request_body, response_status, response_headers, response_body, error, milliseconds, at)
VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11, $12, $13::text::jsonb, $14, $15,
  $16, now())
RETURNING {relaxed}
""".replace("{relaxed}", RELAXED)
_TIDY = """
DELETE FROM {ns}.webhook_deliveries WHERE at < now() - interval '30 days'
"""


class Attempt(Struct, frozen=True):
    """What was sent and what came back; ``url`` and ``headers`` as in the file, secrets not filled in."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    answer: Answer | None
    error: str
    seconds: float
    good: bool


def message_of(task: Task) -> str:
    """Return the ``webhook-id``: of the first task, when this one sends again."""
    return f"msg_{task.payload.get('message', task.id)}"


async def record(generation: Generation, task: Task, attempt: Attempt) -> None:
    """Keep one attempt."""
    answer = attempt.answer
    values = (
        new_key(),
        task.name,
        str(task.payload.get("body", {}).get("type", ""))[:130],
        message_of(task),
        task.attempts,
        "delivered" if attempt.good else "failed",
        task.payload.get("entity", ""),
        str(task.payload.get("key", ""))[:200],
        attempt.url[:2000],
        _headers({n: HIDDEN if SECRET.search(v) else v for n, v in attempt.headers.items()}),
        _text(attempt.body),
        None if answer is None else answer.status,
        None if answer is None else _headers(answer.headers),
        None if answer is None else _text(answer.body),
        attempt.error[:2000],
        attempt.seconds * 1000,
    )
    text = filled(_INSERT, generation.identity.namespace)

    async def work(connection: TenantConnection) -> None:
        await connection.execute(text, *values)

    await in_transaction(generation.pool, work)


async def tidy(connection: TenantConnection, namespace: str) -> None:
    """Forget attempts of long ago."""
    await connection.execute(filled(_TIDY, namespace))


def _text(body: bytes) -> str:
    return body[:MAX_BODY].decode("utf-8", "replace").replace("\0", "\ufffd")


def _headers(headers: Mapping[str, str]) -> str:
    kept = {
        name[:100]: HIDDEN if name.lower() in _HIDDEN_HEADERS else _clean(value)
        for name, value in list(headers.items())[:MAX_HEADERS]
    }
    return encode(kept)


@lru_cache(maxsize=1024)
def _clean(value: str) -> str:
    return value[:MAX_HEADER].encode("utf-8", "replace").decode().replace("\0", "\ufffd")
