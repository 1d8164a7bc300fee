"""A tenant from YAML, migrated into a real database, behind a real gateway: what clients of the API meet."""

import contextlib
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from typing_extensions import override

from actors.connections import derive_password
from actors.database import Database
from actors.features.auth.dev_tokens import mint
from actors.features.auth.guard import Guard
from actors.features.auth.passwords import Hasher
from actors.features.auth.providers import Providers
from actors.features.auth.realm import Realm, Services
from actors.features.auth.store import Store
from actors.features.files.keeper import Files, files_of
from actors.features.files.local import LocalStore
from actors.features.functions.host import FunctionHost
from actors.features.functions.launcher import Launcher
from actors.features.functions.services import Services as FunctionServices
from actors.features.functions.workers import WorkerPool
from actors.mail import Mailer
from actors.messages import Call, Identify, Result, TenantIdentity
from actors.outbound import Outbound
from actors.tenant import migrator, planning, registry
from actors.tenant.generation import Generation
from actors.tenant.operations import execute, identify
from actors.tenant.provision import provision
from config.settings import DatabaseSettings, LimitSettings, MailSettings, Settings
from gateway.rule_file import parse_rules
from gateway.server import Gateway
from schemas.compiler.compile import compile_with_warnings
from schemas.compiler.principal import Principal
from schemas.compiler.query.compiler import QueryCompiler
from schemas.compiler.sql import quote

ROOT = Path(__file__).resolve().parent.parent.parent
KEY = bytes(range(32))
CLUSTER = b"k" * 32
QUICK = 64
"""KiB of a hash where the test is not about hashing."""


class Port:
    """A tenant without its actor: every call on one generation."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation

    async def call(self, call: Call) -> Result:
        return await execute(self.generation, call)

    async def identify(self, question: Identify) -> Principal:
        return await identify(self.generation, question)


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @override
    def __repr__(self) -> str:
        return f"{self.status} {self.body[:2000]!r} {dict(self.headers)}"


class Client:
    """A caller of one tenant with one role."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str | None) -> None:
        self.session, self.base, self.token = session, base, token

    async def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request; header names have ``_`` for ``-``. ``path`` is sent as written."""
        from yarl import URL

        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        url = URL(f"{self.base}{path}", encoded=True)
        async with self.session.request(
            method, url, data=data, headers=sent, skip_auto_headers=("Accept",)
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.request("GET", path, **headers)

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.request("POST", path, body, **headers)

    async def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.request("PATCH", path, body, **headers)

    async def put(self, path: str, body: Any, **headers: str) -> Answer:
        return await self.request("PUT", path, body, **headers)

    async def delete(self, path: str, **headers: str) -> Answer:
        return await self.request("DELETE", path, **headers)


class World:
    """A database, a gateway and tenants."""

    def __init__(
        self,
        database: Database,
        gateway: Gateway,
        session: aiohttp.ClientSession,
        url: str,
        ports: dict[str, Port],
        mails: Path,
    ) -> None:
        self.mails = mails
        self.database, self.gateway, self.session, self.url, self.ports = (
            database,
            gateway,
            session,
            url,
            ports,
        )
        self.workers: WorkerPool | None = None
        self.reach: FunctionServices | None = None

    async def tenant(self, slug: str, text: str, code: str = "") -> Generation:
        """Bring a tenant file into force, and the Python file beside it."""
        model = compile_with_warnings(text, slug, code=code.encode() if code else None).model
        digest = hashlib.sha256(text.encode()).hexdigest()
        async with self.database.owner() as owner:
            identity = await registry.ensure_tenant(owner, slug)
            await provision(owner, identity, derive_password(CLUSTER, identity.id))
            version = await registry.record(owner, identity, text=text, digest=digest)
            if (await registry.current(owner, identity)).digest != digest:
                migration = await planning.plan_migration(
                    owner, identity, model, version=version, digest=digest
                )
                await migrator.expand(owner, identity, migration, confirmed=True)
            trigram = await registry.trigram(owner)
        pool = self.database.tenant_pool(identity, derive_password(CLUSTER, identity.id))
        queries = QueryCompiler(model, identity.namespace, cursor_key=CLUSTER, trigram=trigram)
        generation = Generation(1, version, digest, identity, model, queries, pool, datetime.now(UTC))
        generation.realm = Realm(identity, Store(pool, identity.namespace), services(self.url, self.mails))
        reach = self.reach = self.reach or FunctionServices(
            generation.realm.services.mailer, Outbound(allow_private=True)
        )
        self.workers = self.workers or WorkerPool(Launcher(64 << 20), reach)
        generation.functions = FunctionHost(reach, workers=self.workers)
        generation.code = code
        store = Files(LocalStore(self.mails.parent / "files"))
        generation.files = files_of(store, identity, CLUSTER, None)
        self.ports[slug] = Port(generation)
        return generation

    def client(
        self, slug: str, role: str | None = "admin", *, subject: str | None = None, **claims: Any
    ) -> Client:
        """A caller; anonymous without a role."""
        token = mint(KEY, slug, now=time.time(), role=role, subject=subject, claims=claims) if role else None
        return Client(self.session, f"{self.url}/api/tenants/{slug}", token)

    async def sql(self, identity: TenantIdentity, text: str, *arguments: Any) -> Any:
        """Look behind the API, as the owner; ``ns.`` is the tenant's namespace."""
        async with self.database.owner() as owner:
            return await owner.fetch(text.replace("ns.", f"{quote(identity.namespace)}."), *arguments)


def services(url: str, mails: Path) -> Services:
    """What the realms of a test share; nobody else listens to it."""

    async def announce(tenant: str) -> None:
        del tenant

    return Services(
        url, CLUSTER, lambda: datetime.now(UTC), announce, lambda _: None,
        Hasher(memory_kib=QUICK), Guard(), Mailer(MailSettings(), mails), Providers(allow_private=True), KEY,
    )  # fmt: skip


@contextlib.asynccontextmanager
async def open_world(database_url: str, directory: Path, **limits: Any) -> AsyncIterator[World]:
    database = Database(DatabaseSettings(url=database_url), directory)
    await database.start()
    async with database.owner() as owner:
        await registry.bootstrap(owner)
    ports: dict[str, Port] = {}
    rules = parse_rules((ROOT / "config" / "gateway.yaml").read_text())
    gateway = Gateway(Settings(port=0, limits=LimitSettings(**limits)), ports.get, rules)
    _, port = await gateway.start()
    async with aiohttp.ClientSession() as session:
        world = World(database, gateway, session, f"http://127.0.0.1:{port}", ports, directory / "mails")
        try:
            yield world
        finally:
            await gateway.drain(0.2)
            if world.workers is not None and world.reach is not None:
                world.workers.close()
                await world.reach.outbound.close()
            for served in ports.values():
                served.generation.pool.close()
            await database.stop()


def slug() -> str:
    return f"t-{secrets.token_hex(4)}"
