"""A tenant whose people have accounts: its auth tables, and a realm with a clock of its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from msgspec.structs import replace

from actors.features.auth.guard import Guard
from actors.features.auth.passwords import Hasher
from actors.features.auth.realm import Realm
from actors.features.auth.tables import AUTH_DDL
from actors.mail import Mailer
from actors.messages import Call, Web
from actors.tenant.generation import Generation
from config.settings import MailSettings
from schemas.compiler.sql import quote
from tests.api.harness import QUICK, World, services, slug

FILE = """
version: 1
service: { name: %(slug)s, title: People }
auth: { signup: open, default_role: member, %(auth)s }
roles:
  admin: {}
  owner: { inherits: [admin] }
  member: {}
entities:
  users:
    schema:
      properties:
        name: { type: string, maxLength: 40 }
        plan: { type: string, default: free }
    access:
      read: [ { role: admin }, { role: authenticated, rule: self.id == user.id } ]
      create: [ { role: admin } ]
      update: [ { role: admin }, { role: authenticated, rule: self.id == user.id, fields: [name] } ]
      delete: [ { role: admin } ]
  notes:
    schema: { properties: { text: { type: string } } }
"""


class Clock:
    """The time of a realm and of its guard; it goes on by itself and can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def seconds(self) -> float:
        return self.now().timestamp()


class People:
    """The tenant and what a test does with it."""

    def __init__(self, world: World, generation: Generation, clock: Clock, announced: list[str]) -> None:
        self.world, self.generation, self.clock, self.announced = world, generation, clock, announced

    @property
    def realm(self) -> Realm:
        assert self.generation.realm is not None
        return self.generation.realm

    async def sql(self, text: str, *arguments: Any) -> Any:
        """Look behind the accounts, as the owner; ``ns.`` is the tenant's namespace."""
        return await self.world.sql(self.generation.identity, text, *arguments)


def call(
    operation: str,
    body: Any = None,
    *,
    method: str = "POST",
    key: str | None = None,
    query: str = "",
    address: str = "192.0.2.1",
    cookies: dict[str, str] | None = None,
) -> Call:
    """A request as the gateway would hand it over."""
    return Call(
        operation,
        method,
        key or "",
        query=query,
        body=b"" if body is None else orjson.dumps(body),
        content_type="application/json",
        address=address,
        web=Web(agent="test", cookies=cookies or {}),
    )


async def open_people(world: World, auth: str = "", hasher: Hasher | None = None, text: str = FILE) -> People:
    """Bring a tenant with people into force."""
    name = slug()
    generation = await world.tenant(name, text % {"slug": name, "auth": auth})
    identity = generation.identity
    async with world.database.owner() as owner:
        role = quote(identity.role or "")
        await owner.execute(AUTH_DDL.format(namespace=quote(identity.namespace), role=role))
    clock = Clock()
    announced: list[str] = []

    async def announce(tenant: str) -> None:
        announced.append(tenant)

    assert generation.realm is not None
    generation.realm.services = replace(
        services(world.url, world.mails),
        now=clock.now,
        announce=announce,
        hasher=hasher or Hasher(memory_kib=QUICK),
        guard=Guard(clock.seconds),
        mailer=Mailer(MailSettings(), Path("unused")),  # mails wait: nobody runs it
    )
    return People(world, generation, clock, announced)
