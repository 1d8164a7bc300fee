"""Templates new tenants begin with: a file, and rows to look at.

Decides nothing about tenants. ``config/templates/NAME.yaml`` is a tenant file whose slug is filled in;
``NAME.sample.yaml`` beside it lists rows by entity, in an order in which each may name those before it: a
row's ``_as`` gives it a name, a value ``@name`` is that row's key, and dates count from today (``+3d``,
``-2w``).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import yaml

from actors.messages import Call, ProblemError
from actors.tenant import rows
from actors.tenant.generation import Generation
from actors.tenant.identifiers import new_key
from schemas.compiler.principal import SERVICE

TEMPLATES = Path(__file__).resolve().parents[3] / "config" / "templates"
DEFAULT = "blank"

_FROM_TODAY = re.compile(r"([+-]\d{1,3})([dwh])(?:@(\d\d:\d\d))?")


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the templates there are."""
    return tuple(
        sorted(path.stem for path in TEMPLATES.glob("*.yaml") if not path.name.endswith(".sample.yaml"))
    )


def text_of(name: str, slug: str, title: str = "") -> bytes:
    """Return a template's file for a tenant.

    Raises:
        ProblemError: tenant.unknown_template.
    """
    if name not in names():
        raise ProblemError(
            "tenant.unknown_template",
            f"there is no template '{name[:80]}'",
            hint=f"one of {', '.join(names())}",
        )
    text = (TEMPLATES / f"{name}.yaml").read_text("utf-8").replace("{slug}", slug)
    quoted = orjson.dumps(title or slug.replace("-", " ").title()).decode()
    return text.replace("{title}", quoted).encode()


async def fill(generation: Generation, name: str) -> None:
    """Put a template's sample rows into a new tenant.

    Raises:
        ProblemError, QueryError: the template does not fit its own file.
    """
    path = TEMPLATES / f"{name}.sample.yaml"
    if not path.exists():
        return
    known: dict[str, str] = {}
    now = datetime.now(UTC)
    for entity, listed in (yaml.safe_load(path.read_bytes()) or {}).items():
        body = [_row(row, known, now) for row in listed]
        await rows.write(
            generation,
            Call(
                "create",
                "POST",
                entity,
                body=orjson.dumps(body),
                content_type="application/json",
                prefer="return=minimal,missing=default",
                principal=SERVICE,
            ),
            SERVICE,
            None,
        )


def _row(row: Mapping[str, Any], known: dict[str, str], now: datetime) -> dict[str, Any]:
    values = {name: _value(value, known, now) for name, value in row.items() if name != "_as"}
    if "_as" in row:
        known[row["_as"]] = values["id"] = new_key()
    return values


def _value(value: Any, known: Mapping[str, str], now: datetime) -> Any:  # noqa: ANN401 - JSON values
    if not isinstance(value, str):
        return value
    if value.startswith("@"):
        return known[value[1:]]
    found = _FROM_TODAY.fullmatch(value)
    if found is None:
        return value
    amount, unit = int(found[1]), {"d": "days", "w": "weeks", "h": "hours"}[found[2]]
    moment = now + timedelta(**{unit: amount})
    if found[3] is None:
        return moment.date().isoformat() if unit != "hours" else moment.isoformat()
    return f"{moment.date().isoformat()}T{found[3]}:00Z"
