"""The whole platform as one tree of actors, from start to drain.

    root (rest_for_one): database, auth, directory (tenants: one_for_one), functions, watcher,
                         upkeep (one_for_one: clock, system, metering, backup), gateway

Decides the order in which things come up and go down. It reads no environment: ``run.py`` hands in settings
and secrets.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import orjson
import structlog

from actors.auth_actor import AuthActor
from actors.compile_worker import CompileWorker
from actors.database import Database
from actors.database_actor import DatabaseActor
from actors.directory import Directory, Settled
from actors.features.auth.realm import Services
from actors.functions_actor import FunctionsActor
from actors.sources import Source, allow_leases
from actors.system import SystemActor
from actors.tenant import registry
from actors.tenant.door import TenantDoor
from actors.tenant.platform import Platform
from actors.tenant.status import StatusBook
from actors.watcher import Watcher
from actors.works import backups_of, file_store, functions_and_work
from config.errors import StartError
from config.settings import Settings
from gateway.actor import GatewayActor, read_rules
from gateway.admin import AdminServer
from gateway.console import port_problem, say, say_tenants
from gateway.metering import Metering
from gateway.observer import Observed
from gateway.ports import TenantPort
from gateway.realms import auth_services
from gateway.rules import Rules
from gateway.server import Gateway
from gateway.trace import tracer_of
from gateway.upkeep import make_upkeep
from gateway.vitals import Vitals, pages, settle_memory
from gateway.watching import make_watches
from runtime.ref import ActorRef
from runtime.restarts import RestartPolicy
from runtime.root import ActorSystem
from runtime.signals import ActorError, AskTimeoutError
from runtime.spec import ChildSpec
from runtime.supervisor import Supervisor
from schemas.compiler.emit.language import language_schema

GRACE_SECONDS, SETTLE_SECONDS = 3.0, 120.0
"""Seconds a start waits for the files, and for tenants that have no version to serve meanwhile."""
LANGUAGE_PATH = "/schemas/tenant.schema.json"

log = structlog.get_logger("server")


class Server:
    """One process serving one installation.

    Args:
        settings: of the installation.
        secrets: values for ``${NAME}`` in tenant files.

    Raises:
        StartError: a folder of files cannot be read.
    """

    def __init__(self, settings: Settings, secrets: Mapping[str, str]) -> None:
        self._settings = settings
        self._secrets = secrets
        self._database = Database(settings.database, settings.data_dir)
        self._book = StatusBook()
        self._sources: dict[str, Source] = {}
        self._routes: dict[str, ActorRef] = {}
        self._domains: dict[str, str] = {}
        self._doors: dict[str, TenantDoor] = {}
        self._metering = Metering(settings, self._database, self._door)
        self._gateway: Gateway | None = None
        self._vitals = Vitals(self._book, self._database, Observed(), self._routes)
        self._system: ActorSystem | None = None
        self._tracing = tracer_of(settings.tracing)
        self._vitals.watches = make_watches(settings, self._actor, lambda: self._gateway is not None)

    async def run(self) -> None:
        """Serve until a signal, or until the tree of actors cannot be kept up.

        Raises:
            StartError: it cannot start; one line saying why.
        """
        settings = self._settings
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            # files are taken when they change: there is nothing these could ask for
            signal.signal(number, signal.SIG_IGN)
        say(f"data in {settings.data_dir}, tenants in {settings.schemas_dir}")
        compiler = CompileWorker()
        await compiler.launch()
        try:
            await self._serve(compiler, stop)
        finally:
            await compiler.close()
            await self._database.stop()
        say("stopped")

    async def _serve(self, compiler: CompileWorker, stop: asyncio.Event) -> None:
        settings = self._settings
        facts = await self._database.start()
        say(f"PostgreSQL {facts.version}{' (embedded)' if facts.embedded else ''} is ready")
        for door in facts.open_doors:
            log.warning("database.open", reason=door)
        await compiler.warm_up()
        allow_leases()
        async with self._database.owner() as connection:
            await registry.bootstrap(connection)
            key, trigram = await registry.cluster_key(connection), await registry.trigram(connection)
        auth = auth_services(settings, self._database, bytes.fromhex(key), self._door)
        functions, work = functions_and_work(settings, self._database, auth.mailer, auth.key)
        platform = Platform(
            self._database,
            compiler,
            self._book,
            self._sources,
            key,
            self._secrets,
            lambda: datetime.now(UTC),
            settings.reload.drain_seconds,
            time.time(),
            auth,
            settings.schemas_dir,
            settings.data_dir,
            backups=backups_of(settings),
            serves=True,
            trigram=trigram,
            functions=functions,
            work=work,
            files=file_store(settings),
            usage=self._metering.book,
            plans=self._metering.plans,
            payments=self._metering.payments,
            view=self._vitals,
        )
        where, vitals = (settings.admin_host, settings.admin_port), self._vitals
        vitals.platform = platform
        admin = AdminServer(*where, settings.admin_token, vitals.unready, pages(vitals), vitals.warnings)
        try:
            await admin.start()
        except OSError as error:
            told = port_problem(*where, error, "ADMIN_PORT")
            raise StartError(told) from error
        up, down = SETTLE_SECONDS + 60, settings.drain_seconds + 40
        root = ChildSpec("root", lambda: self._root(platform, auth), start_timeout=up, stop_timeout=down)
        system = self._system = vitals.system = ActorSystem(root, observer=vitals.observed)
        try:
            await self._start(system)
            settle_memory()
            vitals.watchdog.start()  # loading and settling hold the loop, and nobody waits for it yet
            ended = asyncio.ensure_future(system.ended())  # noqa: TID251 - the process's own wait
            waiting = asyncio.ensure_future(stop.wait())  # noqa: TID251
            await asyncio.wait({ended, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            vitals.stopping = True
            if not stop.is_set():
                raise StartError(f"the platform could not be kept running: {await ended}")
            say("stopping: finishing requests")
        finally:
            vitals.stopping = True
            await system.stop()
            if self._tracing is not None:
                await self._tracing.close()
            functions.close()
            await admin.stop()
            vitals.watchdog.stop()

    async def _start(self, system: ActorSystem) -> None:
        settings = self._settings
        try:
            await system.start()
        except ActorError as error:
            cause: BaseException | None = error
            while cause is not None and not isinstance(cause, OSError | StartError):
                cause = cause.__cause__
            if isinstance(cause, OSError):
                raise StartError(port_problem(settings.host, settings.port, cause, "PORT")) from error
            raise StartError(str(cause or error)) from error
        if self._gateway is None:
            raise StartError("the gateway did not start")

    def _root(self, platform: Platform, auth: Services) -> Supervisor:
        settings = self._settings

        async def settle() -> None:
            for seconds in (GRACE_SECONDS, SETTLE_SECONDS):
                with contextlib.suppress(AskTimeoutError):
                    await self._actor("directory").ask(Settled(), timeout=seconds)
                    return
                if all(status.version for status in self._book.all()):
                    return  # everybody has a version to serve while the files' newest are worked on

        vitals = self._vitals
        upkeep = partial(
            make_upkeep, settings, platform, self._routes, self._door, self._system_actor, self._metering
        )
        return Supervisor(
            [
                ChildSpec("database", lambda: DatabaseActor(self._database, self._note_health)),
                ChildSpec("auth", lambda: AuthActor(auth, platform.work)),
                ChildSpec(
                    "directory",
                    lambda: Directory(platform, self._sources, self._routes, settings),
                    mailbox=100_000,
                    stop_timeout=30.0,
                ),
                ChildSpec("functions", lambda: FunctionsActor(platform.functions)),
                ChildSpec(
                    "watcher", lambda: Watcher(vitals.watches, settle), start_timeout=SETTLE_SECONDS + 30
                ),
                ChildSpec("upkeep", upkeep, start_timeout=SETTLE_SECONDS),
                ChildSpec("gateway", self._gateway_actor, stop_timeout=settings.drain_seconds + 5),
            ],
            strategy="rest_for_one",
            restarts=RestartPolicy(limit=3, window=60.0, exceeded="escalate"),
        )

    def _system_actor(self) -> SystemActor:
        return SystemActor(
            self._door,
            self._routes.keys,
            self._domains,
            self._settings.admin,
            lambda link: say(f"first start: make yourself the administrator at {link}"),
        )

    def _actor(self, name: str) -> ActorRef:
        ref = self._system.registry.find(f"root/{name}") if self._system is not None else None
        if ref is None:
            raise RuntimeError(f"the actor {name} does not run")
        return ref

    def _note_health(self, ailment: str) -> None:
        self._vitals.ailment = ailment

    def _gateway_actor(self) -> GatewayActor:
        settings = self._settings
        return GatewayActor(
            self._make_gateway, self._first_rules(), settings.domain, settings.drain_seconds, self._listening
        )

    def _make_gateway(self, rules: Rules) -> Gateway:
        settings = self._settings
        return Gateway(
            settings,
            self._door,
            rules,
            domains=self._domains.get,
            usage=self._metering.book,
            tracing=self._tracing,
            documents={LANGUAGE_PATH: orjson.dumps(language_schema(), option=orjson.OPT_INDENT_2)},
        )

    def _first_rules(self) -> Rules:
        if self._gateway is not None:
            return self._gateway.rules  # the last good ones, whatever the file says by now
        return read_rules(self._settings.config_dir, self._settings.domain)

    def _door(self, slug: str) -> TenantPort | None:
        ref = self._routes.get(slug)
        if ref is None:
            return None
        door = self._doors.get(slug)
        if door is None or door.ref is not ref:
            # the first time, or a new tenant has the slug of one that was deleted
            door = self._doors[slug] = TenantDoor(slug, ref, self._book)
        return door

    def _listening(self, gateway: Gateway, address: str, port: int) -> None:
        self._gateway = self._vitals.gateway = gateway
        where = f"http://{'localhost' if address in {'0.0.0.0', '::'} else address}:{port}"  # noqa: S104
        say_tenants(self._book.all(), where)
        if self._settings.dev:
            say("development tokens are accepted (--dev): make one with 'python3 run.py token SLUG'")
        say(f"listening on {where} (health and metrics on port {self._settings.admin_port})")
