"""A tenant about itself: index, JSON view of the schema, OpenAPI, types; from the model that is in force.

Decides which document is made when: once per generation, base, roles and scopes, in a thread, by one caller
while others who want it wait; so a large schema holds up nobody and asking often costs nothing. What a caller
may not read or write is not in them. Called by ``operations``.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from actors.features.auth.cookies import session_cookie
from actors.features.platform.operations import FUNCTIONS
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from actors.tenant.replies import etag, matches
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.emit.interface import branding_of, interface_document
from schemas.compiler.emit.openapi import openapi_document, title_of
from schemas.compiler.emit.python_types import types_py
from schemas.compiler.emit.typescript import types_ts
from schemas.compiler.emit.visible import visible_entities
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

_KEPT = 64
_JSON = "application/json; charset=utf-8"
_TYPES = {
    "openapi": "application/openapi+json; charset=utf-8",
    "types.ts": "application/typescript; charset=utf-8",
    "types.py": "text/x-python; charset=utf-8",
}


async def describe(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return the description that the call's operation names; OpenAPI at the index when it is asked for."""
    name = call.operation
    if name == "index" and "openapi" in call.accept:
        name = "openapi"
    key = (name, call.base, principal.roles, principal.scopes)
    if key not in generation.documents:
        async with generation.describing:
            if key not in generation.documents:
                made = await asyncio.to_thread(_make, generation, name, call.base, principal)
                if len(generation.documents) >= _KEPT:
                    generation.documents.clear()
                generation.documents[key] = made
    document = generation.documents[key]
    # pages ask again every few seconds whether the schema is still this one
    tag = etag(hashlib.blake2b(document, digest_size=12).hexdigest())
    if call.if_none_match and matches(call.if_none_match, tag, weak=True):
        return Result(304, headers=(("ETag", tag),))
    return Result(200, document, _TYPES.get(name, _JSON), (("ETag", tag),))


async def list_origins(generation: Generation, call: Call, principal: Principal) -> Result:
    """Return the origins whose pages may call; for the gateway only, no route leads here."""
    del call, principal
    section = generation.model.sections.get("api")
    return Result(200, json.dumps(list(getattr(section, "origins", ()))).encode())


OPERATIONS: "Mapping[str, Operation]" = {
    **dict.fromkeys(("index", "schema", "branding", "openapi", "types.ts", "types.py"), describe),
    "origins": list_origins,
}


def _make(generation: Generation, name: str, base: str, principal: Principal) -> bytes:
    model, version = generation.model, generation.version
    match name:
        case "types.ts":
            return types_ts(model, version, principal).encode()
        case "types.py":
            return types_py(model, version, principal).encode()
        case "openapi":
            document = _openapi(generation, base, principal)
        case "schema":
            document = interface_document(model, version, base, principal)
        case "branding":
            document = branding_of(model)
        case _:
            document = _index(generation, base, principal)
    # not orjson: bounds of numeric columns have more than 64 bits
    return json.dumps(document, default=_plain, ensure_ascii=False).encode()


def _openapi(generation: Generation, base: str, principal: Principal) -> dict[str, Any]:
    realm = generation.realm
    secure = realm is not None and realm.services.url.startswith("https:")
    cookie = session_cookie(generation.identity.slug, secure=secure) if realm is not None else ""
    functions = tuple(FUNCTIONS) if generation.model.slug == SYSTEM_SLUG else ()
    return openapi_document(
        generation.model, generation.version, base, principal, cookie=cookie, own_functions=functions
    )


def _index(generation: Generation, base: str, principal: Principal) -> dict[str, Any]:
    model = generation.model
    return {
        "service": model.slug,
        "title": title_of(model.title, model.slug),
        "version": generation.version,
        "entities": {
            view.entity.name: f"{base}/{view.entity.name}" for view in visible_entities(model, principal)
        },
        "openapi": f"{base}/openapi.json",
        "docs": f"{base}/docs",
        "schema": f"{base}/schema",
        "types": [f"{base}/types.ts", f"{base}/types.py"],
        "rest": f"{base}/rest/v1",
        "batch": f"{base}/batch",
        "status": f"{base}/status",
    }


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    return float(value) if isinstance(value, Decimal) else str(value)
