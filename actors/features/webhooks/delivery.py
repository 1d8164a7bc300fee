"""One attempt to deliver: what is sent, where to, and what the answer means.

Decides that only a 2xx is a yes, that 410 ends it, and when an endpoint is left alone. Every attempt is kept
in ``webhook_deliveries``, as it was sent and as it was answered, without secrets. Called by the relay.
"""

import time
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from actors.features.outbox.tasks import (
    Retries,
    Task,
    TaskFailedError,
    TaskPostponedError,
    TaskRefusedError,
)
from actors.features.webhooks.breaker import Breakers
from actors.features.webhooks.log import Attempt, message_of, record
from actors.features.webhooks.signing import SecretMissingError, fill, key_of, signature
from actors.messages import Call, ProblemError
from actors.outbound import Answer, Outbound, OutboundError
from actors.tenant import rows
from actors.tenant.generation import Generation
from schemas.compiler.principal import SERVICE
from schemas.compiler.query.errors import QueryError
from schemas.compiler.sections.webhooks import Webhook

FIRST_PAUSE, FACTOR, LONGEST_PAUSE = 5.0, 4.0, 6 * 3600.0
"""5 s, 20 s, 80 s, ... 6 h: ten retries take a day."""
MAX_SECONDS = 30.0
MAX_ANSWER = 1 << 20
MAX_RETRY_AFTER = 24 * 3600.0
GONE = 410
AGENT = "BackSaas-Webhooks/1"
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Request(Struct, frozen=True):
    url: str
    headers: dict[str, str]
    shown: dict[str, str]
    body: bytes


class Deliverer:
    """Delivers for all tenants of the process.

    Args:
        outbound: connects to other servers.
        breakers: which endpoints are left alone.
    """

    def __init__(self, outbound: Outbound, breakers: Breakers) -> None:
        self._outbound = outbound
        self.breakers = breakers
        self.counts: dict[str, int] = {"delivered": 0, "failed": 0}

    async def deliver(self, generation: Generation, task: Task) -> None:
        """Make one attempt.

        Raises:
            TaskFailedError, TaskRefusedError, TaskPostponedError: it was not taken.
        """
        hook: Webhook | None = (generation.model.sections.get("webhooks") or {}).get(task.name)
        if hook is None or not hook.enabled:
            raise TaskRefusedError(f"the file has no webhook '{task.name}' that is enabled")
        tenant = generation.identity.id
        wait = self.breakers.wait(tenant, task.name)
        if wait:
            raise TaskPostponedError("the endpoint failed repeatedly and is left alone for a while", wait)
        settled = False
        try:
            retries = Retries(hook.retries, FIRST_PAUSE, FACTOR, LONGEST_PAUSE)
            try:
                request = await self._request(generation, hook, task)
            except SecretMissingError as error:
                raise TaskFailedError(str(error), retries) from None
            answer, failure, seconds = await self._send(hook, request)
            good = answer is not None and 200 <= answer.status < 300
            (self.breakers.succeeded if good else self.breakers.failed)(tenant, task.name)
            settled = True
            self.counts["delivered" if good else "failed"] += 1
            await record(
                generation,
                task,
                Attempt(
                    hook.url, request.shown, request.body, answer, "" if good else failure, seconds, good
                ),
            )
            if good:
                return
            if answer is not None and answer.status == GONE:
                raise TaskRefusedError("the endpoint says that it is gone (410)")
            kept = {**task.payload, "sent": request.body.decode()}
            raise TaskFailedError(failure, retries, kept, _retry_after(answer))
        finally:
            if not settled:
                self.breakers.dropped(tenant, task.name)

    async def _send(self, hook: Webhook, request: _Request) -> tuple[Answer | None, str, float]:
        began = time.perf_counter()
        try:
            answer = await self._outbound.send(
                "POST",
                request.url,
                headers=request.headers,
                body=request.body,
                seconds=min(hook.timeout, MAX_SECONDS),
                most=MAX_ANSWER,
            )
        except OutboundError as error:
            return None, str(error), time.perf_counter() - began
        moved = " (a redirect; webhooks follow none)" if 300 <= answer.status < 400 else ""
        return answer, f"the endpoint answered {answer.status}{moved}", time.perf_counter() - began

    async def _request(self, generation: Generation, hook: Webhook, task: Task) -> _Request:
        secrets = generation.secrets
        sent = task.payload.get("sent")
        body = sent.encode() if isinstance(sent, str) else await body_of(generation, hook, task)
        own = {
            "content-type": "application/json",
            "user-agent": AGENT,
            "webhook-id": message_of(task),
            "webhook-timestamp": str(int(time.time())),
        }
        keys = [key_of(fill(secret, secrets)) for secret in hook.secret]
        if keys:
            own["webhook-signature"] = signature(keys, own["webhook-id"], int(own["webhook-timestamp"]), body)
        more = {name.lower(): value for name, value in hook.headers.items() if name.lower() not in own}
        headers = {name: fill(value, secrets) for name, value in more.items()} | own
        return _Request(fill(hook.url, secrets), headers, more | own, body)


async def body_of(generation: Generation, hook: Webhook, task: Task) -> bytes:
    """Return what is sent: the same bytes in every attempt."""
    told, entity = task.payload["body"], task.payload.get("entity", "")
    data = told["data"]
    body = {"type": told["type"], "timestamp": told["timestamp"], "data": data}
    if entity and not hook.select:
        body["data"] = {name: data[name] for name in ("record", "old_record", "changed")}
    elif entity:
        shown, raw = await _selected(generation, hook.select, entity, task, data["record"])
        old = data.get("old_record")
        body["data"] = {
            "record": raw,
            # what is not selected is not to be told in another way
            "old_record": None if old is None else {name: old[name] for name in shown if name in old},
            "changed": [name for name in data.get("changed", ()) if name in shown],
        }
    return _ENCODER.encode(body)


async def _selected(
    generation: Generation, select: str, entity: str, task: Task, record: Mapping[str, Any]
) -> tuple[list[str], Any]:
    """Return the names and the values that were selected; of a row that is gone, its own fields only."""
    if task.payload.get("verb") != "delete":
        call = Call("get", "GET", entity, task.payload["key"], f"select={select}", accept="application/json")
        try:
            result = await rows.read(generation, call, SERVICE, None)
        except (ProblemError, QueryError) as error:
            if not (isinstance(error, ProblemError) and error.code == "row.not_found"):
                raise
        else:
            return list(msgspec.json.decode(result.body)), msgspec.Raw(result.body)
    fields = generation.model.entities[entity].fields
    names = [name for name in (part.strip() for part in select.split(",")) if name in fields]
    return names, {name: record.get(name) for name in names}


def _retry_after(answer: Answer | None) -> float:
    """Return how long the endpoint asks to be left alone (RFC 9110, 10.2.3; seconds only)."""
    text = "" if answer is None else answer.headers.get("retry-after", "").strip()
    return min(float(text), MAX_RETRY_AFTER) if text.isascii() and text.isdigit() and len(text) < 8 else 0.0
