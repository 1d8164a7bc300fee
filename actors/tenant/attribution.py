"""Who is said to have made a change, in what the outbox and the audit log keep beside it.

Decides that what the platform's own hand writes while it does what somebody asked for is that person's doing.
Called by the pipeline, and by operations that write with statements of their own.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import orjson

from actors.features.functions.calls import Origin
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import SERVICE_ROLE, Principal

Operation: TypeAlias = Callable[[Generation, Call, Principal], Awaitable[Result]]

MAX_NAME = 320
"""Of what names who did something, in ``audit_log``."""
_ASKED: ContextVar[dict[str, Any] | None] = ContextVar("asked", default=None)


@contextmanager
def asking(call: Call, principal: Principal) -> Iterator[None]:
    """Let what the platform's hand writes meanwhile be the doing of whoever asked."""
    token = _ASKED.set(_said(call, principal))
    try:
        yield
    finally:
        _ASKED.reset(token)


def attributed(operation: Operation) -> Operation:
    """Let an operation that writes with the platform's hand say who asked, where somebody keeps it."""

    async def run(generation: Generation, call: Call, principal: Principal) -> Result:
        if not generation.queries.attributed:
            return await operation(generation, call, principal)
        with asking(call, principal):
            return await operation(generation, call, principal)

    return run


def asked() -> str:
    """Return who asks for what is being done, "" when nobody said."""
    said = _ASKED.get()
    return "" if said is None else orjson.dumps(said).decode()


def who(call: Call, principal: Principal, origin: Origin, transition: str = "") -> str:
    """Return who makes a write.

    Args:
        call: the write.
        principal: makes it.
        origin: which functions led to it, and on whose behalf they run.
        transition: that it is, "" for none.
    """
    said = _said(call, origin.caller if origin.function else principal)
    asked = _ASKED.get()
    if asked is not None and SERVICE_ROLE in principal.roles:
        # the rights stay the platform's, or those of whoever the function runs for
        said = asked | {name: value for name, value in said.items() if value}
    said["depth"] = origin.depth
    if origin.function:
        said["function"] = origin.function
    if transition:
        said["transition"] = transition
    return orjson.dumps(said).decode()


def _said(call: Call, principal: Principal) -> dict[str, Any]:
    said = {
        "user": principal.id,
        "email": principal.email,
        "roles": sorted(principal.roles),
        "key": principal.key,
        "request_id": call.request_id,
        "address": call.address,
    }
    if principal.impersonator is not None:
        # records name both; rules go on to see the user alone
        both = f"{principal.impersonator} as {principal.email or principal.id}"
        said |= {
            "email": both[:MAX_NAME],
            "person": principal.email,
            "impersonator": principal.impersonator,
        }
    return said
