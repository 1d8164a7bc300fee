"""The history of a tenant's file: every version with who saved it, what became of it, and how it differs.

Decides nothing; the registry remembers. Operations of the platform.
"""

import difflib
from typing import Any

from actors.features.platform.files import opened
from actors.features.platform.rights import Request, invalid
from actors.messages import ProblemError
from actors.tenant import registry
from actors.tenant.registry import Version

MAX_DIFF_LINES = 4000


async def history(request: Request, slug: str) -> list[dict[str, Any]] | dict[str, Any]:
    """Return versions, newest first, each with its difference from the one in force before it.

    ``?version=N`` returns one with its text; ``?limit=`` at most that many.
    """
    file = await opened(request, slug)
    number, limit = (_number(request, name) for name in ("version", "limit"))
    async with request.platform.database.owner() as connection:
        found = await registry.history(connection, file.identity, 10_000 if number else (limit or 20) + 50)
    if number:
        for at, version in enumerate(found):
            if version.number == number:
                return {**_describe(version, found[at + 1 :]), "text": version.text}
        raise ProblemError("schema.unknown_version", f"{slug} has no version {number}")
    return [_describe(version, found[at + 1 :]) for at, version in enumerate(found[: limit or 20])]


def _describe(version: Version, earlier: list[Version]) -> dict[str, Any]:
    base = next((other for other in earlier if other.state in {"deployed", "superseded"}), None)
    return {
        "number": version.number,
        "status": version.state,
        "hash": version.digest,
        "author": version.author,
        "saved_at": version.created_at,
        "deployed_at": version.deployed_at,
        "plan": version.plan or None,
        "findings": [
            {"line": finding.position.line, "code": finding.code, "message": finding.message}
            for finding in version.diagnostics
        ],
        "base": base.number if base else None,
        "diff": _diff(base, version),
    }


def _diff(base: Version | None, version: Version) -> str:
    lines = difflib.unified_diff(
        base.text.splitlines() if base else [],
        version.text.splitlines(),
        f"version {base.number}" if base else "nothing",
        f"version {version.number}",
        lineterm="",
    )
    return "\n".join(line for _, line in zip(range(MAX_DIFF_LINES), lines, strict=False))


def _number(request: Request, name: str) -> int:
    value = request.arguments.get(name)
    if value is None:
        return 0
    if not (isinstance(value, str) and value.isascii() and value.isdecimal() and 0 < int(value) <= 1000):
        raise invalid(name, "a whole number from 1 to 1000")
    return int(value)
