"""Built-in functions that reach out: other servers, events.

Where a server may be is ``actors.outbound``'s decision. In a before_ function they run before the commit: the
world hears of a row that may yet be refused, which the documentation says.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from actors.features.functions.built_in.context import Context
from actors.features.functions.calls import Row, rejected
from actors.messages import ProblemError
from actors.outbound import Answer, OutboundError
from actors.tenant.identifiers import new_key

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_ENCODER = msgspec.json.Encoder(decimal_format="number")


async def http_request(context: Context, record: Row, config: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Call an address; its JSON is the result, or goes into a field of the row (``into``)."""
    del record
    answer = await _send(context, config, str(config.get("method", "GET")).upper(), {})
    wanted = config.get("expect_status")
    if answer.status != wanted if wanted is not None else not 200 <= answer.status < 300:
        # what it said is not repeated: it may be from a place only we can see
        raise ProblemError("function.upstream", f"the server called answered {answer.status}")
    try:
        value = msgspec.json.decode(answer.body) if answer.body.strip() else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProblemError("function.upstream", "the server called did not answer with JSON") from None
    return {str(config["into"]): value} if config.get("into") else value


async def webhook(context: Context, record: Row, config: Mapping[str, Any]) -> None:
    """Tell an address about the row, signed when there is a secret (Standard Webhooks)."""
    body = config.get("body")
    call = context.call
    told = {"type": f"{call.entity}.{call.origin}", "data": {"record": record, "old_record": call.old}}
    headers = {"webhook-id": f"msg_{new_key()}", "webhook-timestamp": str(int(time.time()))}
    payload = _ENCODER.encode(told if body is None else body)
    if config.get("secret"):
        headers["webhook-signature"] = sign(str(config["secret"]), headers, payload)
    answer = await _send(context, {**config, "body": payload}, "POST", headers)
    if not 200 <= answer.status < 300:
        raise ProblemError("function.upstream", f"the server called answered {answer.status}")


def sign(secret: str, headers: Mapping[str, str], payload: bytes) -> str:
    """Return the signature of a body (Standard Webhooks: HMAC-SHA256 over id, time and body)."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = secret.encode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + payload
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def _send(
    context: Context, config: Mapping[str, Any], method: str, headers: Mapping[str, str]
) -> Answer:
    body = config.get("body")
    sent = {str(name): str(value) for name, value in dict(config.get("headers") or {}).items()}
    sent = {name: value for name, value in sent.items() if name.lower() not in _OURS} | dict(headers)
    if body is not None and not isinstance(body, bytes):
        body = _ENCODER.encode(body)
    if body is not None:
        sent.setdefault("Content-Type", "application/json")
    if method not in _METHODS:
        raise rejected(f"'{method[:20]}' is no method")
    seconds = min(float(config.get("timeout") or context.call.timeout), context.call.timeout)
    try:
        answer = await context.outbound.send(
            method, str(config["url"]), headers=sent, body=body, seconds=seconds
        )
    except OutboundError as error:
        code = "function.timeout" if error.kind == "slow" else "function.upstream"
        raise ProblemError(code, f"calling another server failed: {error}") from None
    context.log.append(f"{method}: {answer.status}, {len(answer.body)} bytes")
    return answer


async def publish_event(context: Context, record: Row, config: Mapping[str, Any]) -> None:
    """Publish an event, at once or later."""
    if context.events is None:
        raise ProblemError("function.failed", "events are not part of this installation")
    data = config.get("data", record)
    await context.events.publish(
        context.generation,
        context.call,
        context.data,
        str(config["event"]),
        data,
        float(config.get("delay", 0)),
    )
