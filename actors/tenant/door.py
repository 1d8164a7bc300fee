"""The gateway's way into a tenant: a call to its actor, and an answer also when the actor cannot give one.

Decides what a caller is told while a tenant sleeps, is overloaded, set aside or gone. Made by the composition
root, one per known tenant.
"""

import orjson

from actors.messages import Call, Identify, ProblemError, Result
from actors.tenant.status import StatusBook
from runtime.ref import ActorRef
from runtime.signals import (
    ActorError,
    ActorParkedError,
    ActorStartError,
    AskTimeoutError,
    MailboxFullError,
    OverloadedError,
)
from schemas.compiler.principal import ADMIN_ROLE, ANONYMOUS, Principal

_RETRY = (("Retry-After", "1"),)


class TenantDoor:
    """One tenant as the gateway sees it.

    Args:
        slug: the tenant.
        ref: its actor.
        book: answers for its status, whatever the actor does.
    """

    __slots__ = ("_book", "_slug", "ref")

    def __init__(self, slug: str, ref: ActorRef, book: StatusBook) -> None:
        self._slug = slug
        self.ref = ref
        self._book = book

    async def call(self, call: Call) -> Result:
        """Answer one call.

        Raises:
            ProblemError: a refusal the caller is told about.
        """
        if call.operation == "status":
            return self._status(await self._reader(call))
        try:
            return await self.ref.call(call, call.deadline)
        except ActorError as error:
            raise self._refusal(error) from error

    async def identify(self, question: Identify) -> Principal:
        """Say who somebody is.

        Raises:
            ProblemError: the credential is not accepted, or the tenant cannot say.
        """
        try:
            return await self.ref.call(question, question.deadline)
        except ActorError as error:
            raise self._refusal(error) from error

    async def _reader(self, call: Call) -> Principal:
        """Return who asks for the status; a tenant that cannot say knows nobody."""
        if call.credential is None:
            return call.principal
        try:
            return await self.identify(Identify(call.credential, call.deadline))
        except ProblemError as error:
            if error.code.startswith("tenant."):
                return ANONYMOUS
            raise

    def _status(self, reader: Principal) -> Result:
        document = self._book.get(self._slug).document()
        if ADMIN_ROLE not in reader.roles:
            # what is wrong in the file is for those who may edit it
            document = {name: document[name] for name in ("slug", "state", "version")}
        return Result(200, orjson.dumps(document))

    def _refusal(self, error: ActorError) -> ProblemError:
        match error:
            case OverloadedError() | MailboxFullError():
                return ProblemError(
                    "tenant.overloaded", "the tenant has too many requests in flight", headers=_RETRY
                )
            case AskTimeoutError():
                return ProblemError("tenant.timeout", "the tenant did not wake up in time", headers=_RETRY)
            case ActorParkedError() | ActorStartError():
                reason = self._book.get(self._slug).reason or "the tenant cannot start"
                return ProblemError("tenant.unavailable", reason, headers=_RETRY)
            case _:
                return ProblemError("tenant.unavailable", "the tenant is being restarted", headers=_RETRY)
