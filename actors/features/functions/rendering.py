"""Conditions and templates of functions, on a row and its surroundings.

Decides what ``{{ expression }}`` in a configuration becomes. The expressions were compiled when the file was
loaded: what a row holds is put in as text and never looked at again, so nothing in it is evaluated.
"""

import datetime as dt
import html
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from actors.connections import TenantConnection
from actors.features.functions.calls import Row
from actors.messages import ProblemError
from actors.tenant.executor import fetch_on, fetch_one
from actors.tenant.generation import Generation
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.expressions.values import text_of
from schemas.compiler.grammar.config import Config
from schemas.compiler.principal import Principal
from schemas.compiler.query.evaluate import evaluate_statement
from schemas.compiler.query.values import decode_json

_TEMPLATE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Surroundings:
    """What expressions about one row see.

    Args:
        generation: the tenant.
        entity: the row's.
        record: the row as it will be.
        old: the row before.
        principal: who asks.
        now: the request's time.
        method: of the request.
        connection: inside whose transaction to look at other rows, None for one of the pool's.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is another thing an expression can name
        self,
        generation: Generation,
        entity: str,
        record: Row | None,
        old: Row | None,
        principal: Principal,
        now: dt.datetime,
        method: str = "",
        connection: TenantConnection | None = None,
    ) -> None:
        self._generation = generation
        self._entity = entity
        self._record = record
        self._old = old
        self._principal = principal
        self._now = now
        self._connection = connection
        self._env = Env(
            record,
            old,
            principal,
            {"slug": generation.model.slug},
            now,
            {"method": method},
            timezone=generation.model.timezone,
        )

    async def holds(self, condition: Expression | None) -> bool:
        """Whether a condition holds; none always does."""
        if condition is None:
            return True
        return (await self.values([condition]))[0] is True

    async def values(self, expressions: list[Expression]) -> list[Any]:
        """Evaluate expressions: in process, or those that follow relations in one statement."""
        found = {id(one): to_python(one)(self._env) for one in expressions if one.in_process}
        asked = [one for one in expressions if not one.in_process]
        if asked:
            generation = self._generation
            statement = evaluate_statement(
                generation.model, generation.identity.namespace, self._entity, asked
            )
            slots = [
                None if row is None else _ENCODER.encode(row).decode() for row in (self._record, self._old)
            ]
            arguments = statement.arguments(slots, self._principal, self._now.isoformat())
            if self._connection is not None:
                row = await fetch_on(self._connection, statement.text, arguments)
            else:
                row = await fetch_one(generation.pool, statement.text, arguments, reads=True)
            for one, text in zip(asked, row, strict=True):
                found[id(one)] = None if text is None else decode_json(text.encode())
        return [found[id(one)] for one in expressions]

    async def render(self, config: Config) -> Mapping[str, Any]:
        """Return a configuration with its templates and secrets filled in."""
        values = await self.values(list(config.templates.values()))
        filled = dict(zip(config.templates, values, strict=True))
        secrets = self._generation.secrets
        made = _fill(config.values, filled, secrets)
        if isinstance(made, dict) and isinstance(config.values.get("html"), str):
            made["html"] = _fill(config.values["html"], filled, secrets, escape=True)
        return made if isinstance(made, dict) else {} if made is None else {"value": made}

    async def text(self, config: Config, *, escape: bool = False) -> str:
        """Return a text with its templates filled in; ``escape``: it is HTML, and what is put in is not."""
        values = await self.values(list(config.templates.values()))
        filled = dict(zip(config.templates, values, strict=True))
        return _as_text(_fill(str(config.values), filled, self._generation.secrets, escape=escape))


def _fill(
    value: Any,  # noqa: ANN401 - JSON
    filled: Mapping[str, Any],
    secrets: Mapping[str, str],
    *,
    escape: bool = False,
) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        whole = _TEMPLATE.fullmatch(value)
        if whole is not None and whole[1] in filled and not escape:
            return as_json(filled[whole[1]])
        parts: list[str] = []
        end = 0
        for match in _TEMPLATE.finditer(value):
            put = _as_text(filled.get(match[1]))
            parts += (_secrets(value[end : match.start()], secrets), html.escape(put) if escape else put)
            end = match.end()
        parts.append(_secrets(value[end:], secrets))
        return "".join(parts)
    if isinstance(value, list):
        return [_fill(item, filled, secrets) for item in value]
    if isinstance(value, dict):
        return {name: _fill(item, filled, secrets) for name, item in value.items()}
    return value


def _secrets(text: str, secrets: Mapping[str, str]) -> str:
    """Only what the file's author wrote may name a secret, never what a row holds."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in secrets:
            raise ProblemError("function.failed", "a secret that the function needs is not set")
        return secrets[match[1]]

    return _SECRET.sub(value, text) if "${" in text else text


def _as_text(value: object) -> str:
    value = as_json(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return _ENCODER.encode(value).decode() if isinstance(value, list | dict) else str(value)


def as_json(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return an expression's value as JSON has it."""
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return text_of(value)
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value
