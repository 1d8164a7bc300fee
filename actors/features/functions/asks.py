"""What a function in a process may ask of us: rows, other servers, mail, events.

Decides the list. Everything is checked here again as if it came from anywhere. Called by ``process``.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from actors.features.functions.built_in.context import Context
from actors.features.functions.built_in.mails import compose
from actors.features.functions.built_in.outward import publish_event
from actors.features.functions.calls import DataPort, Invocation
from actors.features.functions.services import Services
from actors.messages import ProblemError
from actors.outbound import OutboundError
from actors.tenant.generation import Generation

MAX_HTTP_SECONDS = 30.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_ENCODER = msgspec.json.Encoder(decimal_format="number")


async def answer(
    services: Services,
    generation: Generation,
    call: Invocation,
    port: DataPort,
    operation: str,
    words: Mapping[str, Any],
) -> Any:  # noqa: ANN401 - JSON
    """Do what a function asks for.

    Raises:
        ProblemError: refused.
        KeyError, TypeError, ValueError: it is not what its side of the protocol sends.
    """
    if operation.startswith("data."):
        return await _rows(port, operation, words)
    match operation:
        case "http.request":
            return await _http(services, call, words)
        case "mail.send":
            context = Context(generation, call, port, services.mailer, services.outbound, services.events)
            return await services.mailer.send(await compose(context, words))
        case "events.publish":
            context = Context(generation, call, port, services.mailer, services.outbound, services.events)
            return await publish_event(context, {}, words)
        case _:
            raise ValueError(operation)


async def _rows(port: DataPort, operation: str, words: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    match operation:
        case "data.find":
            return await port.find(
                str(words["entity"]), _where(words["where"]), select=str(words["select"]),
                order=str(words["order"]), limit=int(words["limit"]), offset=int(words["offset"]),
            )  # fmt: skip
        case "data.get":
            return await port.get(str(words["entity"]), str(words["key"]), select=str(words["select"]))
        case "data.create":
            return await port.create(str(words["entity"]), dict(words["values"]))
        case "data.update":
            return await port.update(str(words["entity"]), str(words["key"]), dict(words["values"]))
        case "data.delete":
            return await port.delete(str(words["entity"]), str(words["key"]))
        case "data.transition":
            return await port.transition(
                str(words["entity"]), str(words["key"]), str(words["name"]),
                comment=str(words["comment"]), values=dict(words["values"]),
            )  # fmt: skip
        case "data.count":
            return await port.count(str(words["entity"]), _where(words["where"]))
        case "data.sum":
            return await port.sum(str(words["entity"]), str(words["field"]), _where(words["where"]))
        case _:
            raise ValueError(operation)


def _where(value: object) -> str | Mapping[str, Any]:
    return value if isinstance(value, Mapping) else str(value)


async def _http(services: Services, call: Invocation, words: Mapping[str, Any]) -> dict[str, Any]:
    method = str(words["method"]).upper()
    if method not in _METHODS:
        raise ValueError(method)
    headers = {str(name): str(value) for name, value in dict(words["headers"]).items()}
    body = None if words["json"] is None else _ENCODER.encode(words["json"])
    if body is not None:
        headers.setdefault("Content-Type", "application/json")
    seconds = min(float(words["timeout"]), call.timeout, MAX_HTTP_SECONDS)
    try:
        found = await services.outbound.send(
            method, str(words["url"]), headers=headers, body=body, seconds=seconds
        )
    except OutboundError as error:
        code = "function.timeout" if error.kind == "slow" else "function.upstream"
        raise ProblemError(code, f"calling another server failed: {error}") from None
    text = found.body.decode("utf-8", "replace").replace("\0", "")
    return {"status": found.status, "headers": dict(found.headers), "text": text}
