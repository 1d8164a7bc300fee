"""Writes the generated pages and parts of pages from the program's own definitions.

``python3 docs/generate.py`` (or ``make docs``) writes them; ``tests/docs`` proves that they are current.
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gateway.comment_routes import COMMENT_ROUTES
from gateway.file_routes import FILE_ROUTES, STORAGE_ROUTES
from gateway.history_routes import HISTORY_ROUTES
from gateway.problem_table import PROBLEMS
from gateway.routes import REALTIME_ROUTES, ROUTES
from gateway.work_routes import WORK_ROUTES
from schemas.compiler.emit.language import reference_markdown

DOCS = Path(__file__).resolve().parent
_MARK = "<!-- generated: {} -->"


def pages() -> dict[Path, str]:
    """Return what every generated file should hold."""
    api = DOCS / "api.md"
    text = _between(api.read_text(), "routes", _routes())
    return {DOCS / "schema.md": reference_markdown(), api: _between(text, "errors", _errors())}


def _between(text: str, name: str, content: str) -> str:
    """Return the page with the part between its two marks replaced."""
    mark = re.escape(_MARK.format(name))
    parts = re.split(f"({mark})", text)
    if len(parts) != 5:
        msg = f"the page needs the mark {_MARK.format(name)} exactly twice"
        raise ValueError(msg)
    return f"{parts[0]}{parts[1]}\n{content}\n{parts[3]}{parts[4]}"


def _errors() -> str:
    lines = ["| Status | Code | Meaning |", "|---|---|---|"]
    found = sorted(PROBLEMS.items(), key=lambda item: (item[1][0], item[0]))
    lines += [f"| {status} | `{code}` | {title} |" for code, (status, title) in found]
    return "\n".join(lines)


def _routes() -> str:
    lines = ["| Path below the base | Methods | What |", "|---|---|---|"]
    for route in (
        *ROUTES,
        *HISTORY_ROUTES,
        *COMMENT_ROUTES,
        *FILE_ROUTES,
        *STORAGE_ROUTES,
        *WORK_ROUTES,
        *REALTIME_ROUTES,
    ):
        methods = ", ".join(dict.fromkeys(route.operations))
        lines.append(f"| `/{route.path}` | {methods} | {route.summary} |")
    return "\n".join(lines)


if __name__ == "__main__":
    for file, content in pages().items():
        file.write_text(content)
