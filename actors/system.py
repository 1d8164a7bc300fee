"""The platform as it sees its own tenants: every tenant has a row, every row's domain leads somewhere.

Decides nothing about a request. It keeps the tenant ``system`` in step with the files (a row per tenant), and
the process in step with ``system`` (host names, memberships), and makes sure somebody can administer. A child
of the root; everything it knows it asks the tenant ``system``, as the platform's own hand.
"""

import asyncio
from collections.abc import Callable, Collection, MutableMapping
from typing import Any, Protocol

import orjson
import structlog
from typing_extensions import override

from actors.messages import Call, ProblemError, Result
from config.settings import AdminSettings
from runtime.actor import Actor
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import SERVICE

FOLLOW_SECONDS = 0.5
CALL_SECONDS = 10.0

log = structlog.get_logger("platform")


class Door(Protocol):
    """A tenant's way in."""

    async def call(self, call: Call) -> Result:
        """Answer one call."""
        ...


class SystemActor(Actor):
    """See the module's docstring.

    Args:
        door: slug to tenant, None for one that does not exist.
        slugs: the tenants there are.
        domains: host name to slug, read by the gateway; kept here.
        admin: the administrator the settings name, if any.
        invite: told the one-time link that makes the first administrator.
    """

    def __init__(
        self,
        door: Callable[[str], Door | None],
        slugs: Callable[[], Collection[str]],
        domains: MutableMapping[str, str],
        admin: AdminSettings,
        invite: Callable[[str], None],
    ) -> None:
        self._door = door
        self._slugs = slugs
        self._domains = domains
        self._admin = admin
        self._invite = invite
        self._set_up = False
        self._trouble = ""
        self._mark = ""
        self._rows: set[str] = set()
        self._telling: set[tuple[str, str]] = set()

    @override
    async def pre_start(self) -> None:
        """Look once before the public port opens, then keep looking."""
        await self._look()
        self.spawn(self._follow(), "follow")

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            await self._look()

    async def _look(self) -> None:
        """Bring both sides in step; what fails now is tried again in a moment."""
        try:
            await self._look_once()
        except ProblemError as error:
            if error.message != self._trouble:
                log.warning("platform.behind", reason=error.message)
            self._trouble = error.message
        else:
            self._trouble = ""

    async def _look_once(self) -> None:
        if self._door(SYSTEM_SLUG) is None:
            return
        if not self._set_up:
            await self._ensure_admin()
        answer = await self._ask(SYSTEM_SLUG, "platform.follow", query=self._mark)
        found = orjson.loads(answer.body)
        if "tenants" in found:
            self._rows = {row["slug"] for row in found["tenants"]}
            self._take_domains(found["tenants"])
            self._mark = found["mark"]
        for row in found["changed"]:
            who = (row["slug"], row["user_id"])
            if who not in self._telling:
                # each by itself: a tenant that does not answer keeps nobody else's rights alive
                self._telling.add(who)
                self.spawn(self._tell(who, row["role"]), f"tell {row['slug']}")
        missing = [slug for slug in self._slugs() if slug not in self._rows]
        if missing:
            await self._add_rows(missing)

    async def _ensure_admin(self) -> None:
        body = {"email": self._admin.email, "password": self._admin.password}
        try:
            answer = await self._ask(SYSTEM_SLUG, "auth.first_admin", body=body)
        except ProblemError as error:
            if error.code.startswith("auth."):
                log.error("platform.admin_refused", reason=error.message)  # noqa: TRY400 - about the settings
                self._set_up = True
            raise
        self._set_up = True
        link = orjson.loads(answer.body)["link"]
        if link:
            self._invite(link)

    async def _add_rows(self, slugs: Collection[str]) -> None:
        answer = await self._ask(SYSTEM_SLUG, "platform.adopt", body=sorted(slugs))
        self._rows.update(orjson.loads(answer.body))

    def _take_domains(self, rows: list[dict[str, Any]]) -> None:
        wanted = {str(row["domain"]): str(row["slug"]) for row in rows if row["domain"]}
        for domain in self._domains.keys() - wanted.keys():
            del self._domains[domain]
        self._domains.update(wanted)

    async def _tell(self, who: tuple[str, str], role: str) -> None:
        """Let a tenant know who no longer belongs to it, or is something else there now."""
        slug, user = who
        try:
            if self._door(slug) is not None:
                await self._ask(slug, "auth.member", body={"user_id": user, "role": role})
            await self._ask(SYSTEM_SLUG, "platform.told", body={"user_id": user, "slug": slug, "role": role})
        except ProblemError as error:
            log.warning("platform.member_behind", tenant=slug, user=user, reason=error.message)
        finally:
            self._telling.discard(who)

    async def _ask(
        self,
        slug: str,
        operation: str,
        *,
        body: object = None,
        **words: Any,  # noqa: ANN401 - fields of Call
    ) -> Result:
        door = self._door(slug)
        if door is None:
            raise ProblemError("tenant.not_found", "there is no such tenant")
        return await door.call(
            Call(
                operation,
                body=b"" if body is None else orjson.dumps(body),
                content_type="" if body is None else "application/json",
                principal=SERVICE,
                base="/api/platform",
                deadline=asyncio.get_running_loop().time() + CALL_SECONDS,
                **words,
            )
        )
