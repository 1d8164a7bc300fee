"""Collects what is wrong in a file while its parts are read, so that all of it is reported at once.

Decides the order and the number of diagnostics. No finding stops the reading until there are hundreds;
``compile`` raises at the end.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from schemas.compiler.diagnostics import Diagnostic, Position
from schemas.compiler.nodes import Node, path_at

MAX_FINDINGS = 500


class TooManyFindingsError(Exception):
    """The file is so wrong that reading on tells its author nothing more."""


class Findings:
    """The diagnostics of one file, the secrets it names, and its text."""

    def __init__(self, source: str = "") -> None:
        self.source = source
        self.secrets: set[str] = set()
        self._found: dict[tuple[str, Position, str], Diagnostic] = {}

    @property
    def failed(self) -> bool:
        """Whether the file is refused."""
        return any(found.severity == "error" for found in self._found.values())

    def error(self, code: str, message: str, at: Node | Position, hint: str = "") -> None:
        """Record an error at a node or a position."""
        self._add(code, message, at, hint, "error")

    def warn(self, code: str, message: str, at: Node | Position, hint: str = "") -> None:
        """Record a warning at a node or a position."""
        self._add(code, message, at, hint, "warning")

    def finish(self, root: Node | None) -> tuple[Diagnostic, ...]:
        """Return everything found in file order, with the path of each place."""
        ordered = sorted(self._found.values(), key=lambda found: (found.position, found.code, found.message))
        if root is None:
            return tuple(ordered)
        return tuple(
            Diagnostic(d.code, d.message, d.position, path_at(root, d.position), d.hint, d.severity)
            for d in ordered
        )

    def _add(self, code: str, message: str, at: Node | Position, hint: str, severity: str) -> None:
        if len(self._found) >= MAX_FINDINGS:
            raise TooManyFindingsError
        position = at if isinstance(at, Position) else at.position
        self._found.setdefault(
            (code, position, message), Diagnostic(code, message, position, "", hint, severity)
        )


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'x'?`` for the nearest known name, or the short list of what is known."""
    names = sorted({str(item) for item in known})
    # difflib is quadratic in the length of the words
    near = nearest(name, names)
    if near is not None:
        return f"did you mean '{near}'?"
    if not names:
        return ""
    shown = ", ".join(names[:12])
    return f"known: {shown}" + (", ..." if len(names) > 12 else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``name``, or None."""
    if len(name) > 80:
        return None
    names = list(known)
    folded = {item.lower().replace("_", "").replace("-", ""): item for item in names}
    same = folded.get(name.lower().replace("_", "").replace("-", ""))
    if same is not None:
        return same
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    return near[0] if near else None


def quoted(names: Iterable[str]) -> str:
    """Return names for a sentence: ``'a', 'b' or 'c'``."""
    words = [f"'{name}'" for name in names]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" or {words[-1]}" if words else ""
