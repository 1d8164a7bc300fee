"""What is wrong in a tenant file, where, and what to do: the only error family of the compiler."""

from msgspec import Struct


class Position(Struct, frozen=True, order=True):
    """A place in a source; line and column count from 1."""

    line: int
    column: int


class Diagnostic(Struct, frozen=True):
    """One finding.

    Attributes:
        code: ``area.reason`` in snake case, stable, e.g. ``field.unknown_keyword``.
        message: what is wrong, for the author of the file.
        position: where.
        path: the keys that lead there, e.g. ``entities.invoices.schema.properties.net``.
        hint: what to do, or "" (a suggestion such as "did you mean 'invoices'?").
        severity: ``error`` refuses the file; ``warning`` does not.
        file: name of the file it is about, "" for the tenant file itself.
    """

    code: str
    message: str
    position: Position
    path: str = ""
    hint: str = ""
    severity: str = "error"
    file: str = ""

    def render(self, filename: str, source: str | None = None) -> str:
        """Return ``file:line:column: severity: message (hint) [code]``, with the source line when given."""
        at = f"{self.file or filename}:{self.position.line}:{self.position.column}"
        head = f"{at}: {self.severity}: {self.message}"
        if self.hint:
            head += f" ({self.hint})"
        head += f" [{self.code}]"
        lines = source.splitlines() if source is not None and not self.file else []
        if 1 <= self.position.line <= len(lines):
            line = lines[self.position.line - 1][:200]
            head += f"\n    {line}\n    {' ' * (self.position.column - 1)}^"
        return head


class CompileError(Exception):
    """A source was refused; carries every finding, in file order."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("; ".join(d.message for d in diagnostics[:3]))
        self.diagnostics = diagnostics
