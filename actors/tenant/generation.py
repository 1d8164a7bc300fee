"""The immutable bundle a request runs on: one version of a tenant, ready to serve.

Decides nothing; it ties model, statements and connections of one version together, so that no request can see
parts of two. Made by ``reload``, held in the tenant actor's lease, read by ``operations``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import jsonschema_rs
from msgspec import Struct, field

from actors.messages import TenantIdentity
from actors.pool import TenantPool
from actors.tenant.limits import TenantLimits
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import Principal
from schemas.compiler.query.compiler import QueryCompiler

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm
    from actors.features.files.keeper import TenantFiles
    from actors.features.functions.host import FunctionHost
    from actors.features.outbox.relay import Relay
    from actors.features.realtime.hub import Hub
    from actors.tenant.platform import Platform
    from actors.tenant.usage import TenantUsage
    from actors.tenant.validation import Check


class Generation(Struct, eq=False):
    """One version of one tenant in this process.

    Attributes:
        number: counts the generations this process built for the tenant, from 1.
        version: the deployed version in the registry.
        digest: SHA-256 of the source, in hex.
        identity: the tenant's names in PostgreSQL.
        model: the compiled file.
        queries: its statements; caches live and die with the generation.
        pool: connections logged in as the tenant's role; shared by the tenant's generations.
        platform: the hands of the tenant ``system``, which manages the others; None for every other tenant.
        realm: who is who in this tenant; shared by its generations, None where nobody signs in (commands).
        functions: runs functions; shared by all tenants, None in commands.
        code: text of the tenant's Python file.
        outbox: what happens after a commit; None where nothing does.
        begin_work: lets things happen after commits where the file alone needs nothing of the kind.
        live: who follows rows; None in commands.
        limits: how often callers may ask, counted over the tenant's generations; None: no limit.
        usage: what the tenant uses and may use, counted over its generations; None: nobody counts.
        files: where the tenant's files are; None where nobody keeps any (commands).
        born: when it was built.
        secrets: values of the ``${NAME}`` references, by name.
        arguments: what functions may be called with, by name, filled at first use.
        checks: what rows must meet, by (entity, verb), filled at first use.
        documents: descriptions of the schema by (kind, base, roles, scopes), filled at first use.
        describing: held while one of them is made.
        trying: held while a function is tried out.
        principals: callers as the gateway knows them, with what the model says their roles include.
    """

    number: int
    version: int
    digest: str
    identity: TenantIdentity
    model: TenantModel
    queries: QueryCompiler
    pool: TenantPool
    born: datetime
    secrets: Mapping[str, str] = field(default_factory=dict)
    arguments: dict[str, jsonschema_rs.Validator] = field(default_factory=dict)
    checks: "dict[tuple[str, str], Check]" = field(default_factory=dict)
    documents: dict[tuple[str, str, frozenset[str], frozenset[str] | None], bytes] = field(
        default_factory=dict
    )
    describing: asyncio.Lock = field(default_factory=asyncio.Lock)
    trying: asyncio.Lock = field(default_factory=asyncio.Lock)
    principals: dict[Principal, Principal] = field(default_factory=dict)
    realm: "Realm | None" = None
    functions: "FunctionHost | None" = None
    code: str = ""
    outbox: "Relay | None" = None
    begin_work: "Callable[[], Awaitable[None]] | None" = None
    live: "Hub | None" = None
    limits: TenantLimits | None = None
    usage: "TenantUsage | None" = None
    platform: "Platform | None" = None
    files: "TenantFiles | None" = None
