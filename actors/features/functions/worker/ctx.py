"""``ctx``: what a function of a tenant can ask for. Everything in it is answered by the serving process.

Decides nothing: the other side checks every request again.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]


class RejectError(Exception):
    """The function refuses; ``errors`` are (message, field)."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(message for message, _ in errors))
        self.errors = errors


class RefusedError(Exception):
    """What the function asked for was refused.

    Attributes:
        code: of the refusal, such as ``row.not_found``.
        errors: one ``{pointer, code, detail}`` per field.
    """

    def __init__(self, ask: int, code: str, message: str, errors: list[dict[str, Any]]) -> None:
        super().__init__(f"{message} [{code}]")
        self.ask, self.code, self.errors = ask, code, errors


class Data:
    """The tenant's rows."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def find(
        self,
        entity: str,
        where: Any = "",
        *,
        select: str = "",
        order: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> Any:
        """Return rows; ``where`` is the query grammar, or a map of values that must be equal."""
        words = {"entity": entity, "where": where, "select": select, "order": order}
        return await self._ask("data.find", {**words, "limit": limit, "offset": offset})

    async def get(self, entity: str, key: Any, *, select: str = "") -> Any:
        """Return one row or None."""
        return await self._ask("data.get", {"entity": entity, "key": str(key), "select": select})

    async def create(self, entity: str, values: Mapping[str, Any]) -> Any:
        """Create a row and return it."""
        return await self._ask("data.create", {"entity": entity, "values": values})

    async def update(self, entity: str, key: Any, values: Mapping[str, Any]) -> Any:
        """Change a row and return it."""
        return await self._ask("data.update", {"entity": entity, "key": str(key), "values": values})

    async def delete(self, entity: str, key: Any) -> None:
        """Delete a row."""
        await self._ask("data.delete", {"entity": entity, "key": str(key)})

    async def transition(
        self,
        entity: str,
        key: Any,
        name: str,
        *,
        comment: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> Any:
        """Move a row through its workflow and return it; nothing else changes its state."""
        words = {"entity": entity, "key": str(key), "name": name, "comment": comment}
        return await self._ask("data.transition", {**words, "values": dict(values or {})})

    async def count(self, entity: str, where: Any = "") -> Any:
        """Return how many rows there are."""
        return await self._ask("data.count", {"entity": entity, "where": where})

    async def sum(self, entity: str, field: str, where: Any = "") -> Any:
        """Return the sum of a field."""
        return await self._ask("data.sum", {"entity": entity, "field": field, "where": where})


class Answer:
    """What another server said."""

    def __init__(self, answer: Mapping[str, Any], read: Callable[[str], Any]) -> None:
        self.status: int = answer["status"]
        self.headers: Mapping[str, str] = answer["headers"]
        self.text: str = answer["text"]
        self._read = read

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Return the body as JSON."""
        return self._read(self.text)


class Http:
    """Other servers, public ones."""

    def __init__(self, ask: Ask, read: Callable[[str], Any]) -> None:
        self._ask, self._read = ask, read

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 5.0,
    ) -> Answer:
        """Send a request."""
        words = {"method": method, "url": url, "json": json, "headers": dict(headers or {})}
        return Answer(await self._ask("http.request", {**words, "timeout": timeout}), self._read)

    async def get(self, url: str, **more: Any) -> Answer:
        """Send a GET."""
        return await self.request("GET", url, **more)

    async def post(self, url: str, **more: Any) -> Answer:
        """Send a POST."""
        return await self.request("POST", url, **more)


class Mail:
    """Mail in the tenant's name."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def send(
        self,
        to: Any,
        subject: str = "",
        text: str = "",
        *,
        html: str = "",
        reply_to: str = "",
        template: str = "",
        record: Any = None,
    ) -> None:
        """Send a mail: with words of its own, or of the file's ``mails``, about a row."""
        words = {"to": to, "subject": subject, "text": text, "html": html, "reply_to": reply_to}
        words |= {"template": template, "record": record}
        await self._ask("mail.send", {name: value for name, value in words.items() if value})


class Events:
    """The tenant's events."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def publish(self, event: str, data: Any = None) -> None:
        """Publish an event."""
        await self._ask("events.publish", {"event": event, "data": data, "delay": 0})

    async def schedule(self, event: str, data: Any = None, *, delay: float) -> None:
        """Publish an event ``delay`` seconds from now."""
        await self._ask("events.publish", {"event": event, "data": data, "delay": delay})


class Log:
    """Lines for the record of this run."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def __call__(self, *words: object) -> None:
        """Note a line."""
        self._write(" ".join(map(str, words)))

    debug = info = warning = error = __call__


class Ctx:
    """See the module's docstring.

    Attributes:
        user: id, email, roles and claims of the caller.
        tenant: slug and title.
        entity, operation, old: of the row the function is about.
        config: the function's configuration.
        secrets: those that the tenant's file names.
    """

    def __init__(
        self, facts: Mapping[str, Any], ask: Ask, read: Callable[[str], Any], write: Callable[[str], None]
    ) -> None:
        self.user = facts["user"]
        self.tenant = facts["tenant"]
        self.request_id: str = facts["request_id"]
        self.entity: str = facts["entity"]
        self.operation: str = facts["operation"]
        self.old = facts["old"]
        self.config = facts["config"]
        self.secrets = facts["secrets"]
        self.data = Data(ask)
        self.http = Http(ask, read)
        self.mail = Mail(ask)
        self.events = Events(ask)
        self.log = Log(write)
        self._found: list[tuple[str, str]] = []

    def changed(self, field: str) -> bool:
        """Whether a field of the row has another value than before."""
        return self.old is None or self.old.get(field) != self._record.get(field)

    _record: Mapping[str, Any] = {}

    def reject(self, message: str, field: str = "") -> NoReturn:
        """Refuse the row or call.

        Raises:
            RejectError: always.
        """
        raise RejectError([*self._found, (str(message), field)])

    def invalid(self, message: str, field: str = "") -> None:
        """Note what is wrong and go on; the row is refused at the end, with all that was found."""
        self._found.append((str(message), field))

    def settle(self) -> None:
        """Refuse when something was found."""
        if self._found:
            raise RejectError(self._found)
