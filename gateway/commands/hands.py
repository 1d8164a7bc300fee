"""The tenant ``system`` as a command uses it: the platform's own hand, with or without a running server.

Decides nothing: a command calls what a request would, as the operator. A server that runs on the same
database hears of it by the registry and sees the files.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from msgspec import Struct, structs

from actors.commands.installation import generation_in_force, opened
from actors.features.auth.realm import Realm
from actors.features.auth.store import Store
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from actors.tenant.operations import execute
from config.errors import StartError
from config.settings import Settings
from gateway.metering import first_plans
from gateway.realms import auth_services
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import SERVICE
from schemas.compiler.query.errors import QueryError


class Hands(Struct, frozen=True):
    """What a command works with."""

    generation: Generation
    realm: Realm

    async def call(self, operation: str, method: str = "GET", **words: Any) -> Result:  # noqa: ANN401 - fields of Call
        """Ask ``system`` as the operator.

        Raises:
            StartError: it refuses; one line saying why.
        """
        if isinstance(words.get("body"), dict | list):
            words["body"] = orjson.dumps(words["body"])
            words["content_type"] = "application/json"
        try:
            return await execute(self.generation, Call(operation, method, principal=SERVICE, **words))
        except (ProblemError, QueryError) as error:
            found = [f"{finding.get('line', '')} {finding['detail']}".strip() for finding in error.errors]
            raise StartError(
                "; ".join([error.message, *found[:5], *([error.hint] if error.hint else [])])
            ) from error

    async def rpc(self, function: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Call a function of the platform.

        Raises:
            StartError: it refuses.
        """
        result = await self.call("call", "POST", entity=function, body=dict(arguments))
        return orjson.loads(result.body) if result.body else None

    async def rows(self, entity: str, query: str) -> list[dict[str, Any]]:
        """List rows."""
        found: list[dict[str, Any]] = orjson.loads((await self.call("list", entity=entity, query=query)).body)
        return found


@contextlib.asynccontextmanager
async def hands(settings: Settings) -> AsyncIterator[Hands]:
    """Reach ``system`` for the length of a command.

    Raises:
        StartError: the installation cannot be reached.
    """
    async with opened(settings) as found:
        key = bytes.fromhex(found.platform.cluster_key)
        services = auth_services(settings, found.database, key, lambda _: None)
        installation = structs.replace(
            found, platform=structs.replace(found.platform, auth=services, plans=first_plans(settings))
        )
        identity = await installation.provisioned(SYSTEM_SLUG)
        pool = installation.platform.pool(identity)
        try:
            generation = await generation_in_force(installation, SYSTEM_SLUG, pool)
            realm = generation.realm = Realm(identity, Store(pool, identity.namespace), services)
            yield Hands(generation, realm)
            await services.mailer.flush()
        finally:
            pool.close()
