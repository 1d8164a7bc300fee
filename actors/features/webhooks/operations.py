"""What admins see of a tenant's webhooks, and how they send a delivery again.

Decides what is sent again: the very bytes of the attempt, under their ``webhook-id``, so that the receiver
knows them; what was too long to be kept whole is not. Called by ``operations``.
"""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from actors.connections import TenantConnection
from actors.features.outbox import queue
from actors.features.outbox.tasks import NewTask
from actors.features.webhooks.log import MAX_BODY
from actors.messages import Call, ProblemError, Result
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE, Principal
from schemas.compiler.sections.webhooks import Webhook

_ID_PREFIX = "msg_"
_LAST = """
SELECT DISTINCT ON (webhook) webhook, status, response_status, error, at FROM {ns}.webhook_deliveries
ORDER BY webhook, at DESC
"""
_WAITING = """
SELECT name, count(*) FILTER (WHERE state IN ('ready', 'running')) AS waiting,
  count(*) FILTER (WHERE state = 'dead') AS dead
FROM {ns}._tasks WHERE kind = 'webhook' GROUP BY name
"""
_SENT = """
SELECT webhook, event, message, entity, key, request_body FROM {ns}.webhook_deliveries WHERE id = $1::uuid
"""
_REVIVE = """
UPDATE {ns}._tasks SET state = 'ready', run_at = now(), attempts = 0, error = '', finished_at = NULL,
  lease_until = NULL
WHERE id = $1::uuid AND state IN ('dead', 'ready')
"""


async def list_webhooks(generation: Generation, call: Call, principal: Principal) -> Result:
    """List the file's webhooks: where they go, what they hear, what waits and how the last attempt went."""
    del call
    _require_admin(principal)
    hooks = _hooks(generation)
    namespace = generation.identity.namespace

    async def work(
        connection: TenantConnection,
    ) -> tuple[dict[str, dict[str, object]], dict[str, dict[str, object]]]:
        if not hooks:
            return {}, {}
        last = await connection.fetch(queue.filled(_LAST, namespace))
        waiting = await connection.fetch(queue.filled(_WAITING, namespace))
        return {row["webhook"]: dict(row) for row in last}, {row["name"]: dict(row) for row in waiting}

    last, waiting = await in_transaction(generation.pool, work, reads=True)
    shown = [
        {
            "name": name,
            "url": hook.url,
            "events": hook.events,
            "enabled": hook.enabled,
            "signed": bool(hook.secret),
            "retries": hook.retries,
            "waiting": 0,
            "dead": 0,
            "last": last.get(name),
            **waiting.get(name, {}),
        }
        for name, hook in hooks.items()
    ]
    return Result(200, queue.encode(shown).encode())


async def replay_delivery(generation: Generation, call: Call, principal: Principal) -> Result:
    """Send again what an attempt sent.

    Raises:
        ProblemError: row.not_found, webhook.too_long.
    """
    _require_admin(principal)
    namespace = generation.identity.namespace
    try:
        asked = UUID(call.entity)
    except ValueError:
        raise _unknown() from None
    if not _hooks(generation):
        raise _unknown()

    async def work(connection: TenantConnection) -> str:
        sent = await connection.fetchrow(queue.filled(_SENT, namespace), asked)
        if sent is None:
            raise _unknown()
        if len(sent["request_body"].encode()) >= MAX_BODY:
            raise ProblemError("webhook.too_long", "what was sent is too long to have been kept whole")
        task = sent["message"].removeprefix(_ID_PREFIX)
        if (await connection.execute(queue.filled(_REVIVE, namespace), task)).endswith(" 0"):
            # the first task is done with, or about to be: another one, under the same webhook-id
            payload = {
                "message": task,
                "sent": sent["request_body"],
                "body": {"type": sent["event"]},
                "entity": sent["entity"],
                "key": sent["key"],
            }
            await queue.put(connection, namespace, [NewTask("webhook", sent["webhook"], payload)])
        return str(sent["message"])

    message = await in_transaction(generation.pool, work)
    return Result(202, queue.encode({"replayed": 1, "message": message}).encode())


def _hooks(generation: Generation) -> Mapping[str, Webhook]:
    hooks: Mapping[str, Webhook] = generation.model.sections.get("webhooks") or {}
    return hooks


def _unknown() -> ProblemError:
    return ProblemError("row.not_found", "there is no such delivery")


def _require_admin(principal: Principal) -> None:
    if not principal.roles & {ADMIN_ROLE, SERVICE_ROLE} or principal.scopes is not None:
        raise ProblemError("42501", "only admins see webhooks and send again")


OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "webhooks.list": list_webhooks,
    "webhooks.replay": replay_delivery,
}
