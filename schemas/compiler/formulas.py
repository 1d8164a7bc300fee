"""Compiles every expression of a file at the place where it stands.

Decides what an expression may be used for (its type; whether it must be sayable in SQL), puts named rules
(``let``) in, and says errors at their line and column inside the YAML text. The language itself is in
``expressions``.
"""

import re
from typing import Literal

from msgspec import Struct

from schemas.compiler.drafts import EntityDraft, Rename, TenantDraft
from schemas.compiler.expressions.celtypes import BOOL, STRING, CelType, type_of_column
from schemas.compiler.expressions.check import compile_expression
from schemas.compiler.expressions.errors import ExpressionError
from schemas.compiler.expressions.parse import parse
from schemas.compiler.expressions.shapes import Shapes
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.findings import Findings
from schemas.compiler.model import Field
from schemas.compiler.nodes import Scalar, locate

MAX_EXPANDED = 8_000
_WORD = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?P<name>[A-Za-z_]\w*)\b(?!\s*\()|\w+""", re.ASCII)
_INSIDE_COMPUTED = re.compile(r"in '\w+': ", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class Use(Struct, frozen=True):
    """What an expression is for.

    Attributes:
        says: the use in words, with its article: "an access rule".
        expect: bool | text | any; or the field whose type the value must have.
        needs: sql (must compile to SQL) | process (the row alone must do) | either | row (SQL over the row's
            own
            columns, for an index).
        old: whether ``old`` may be named.
        row: whether ``self`` may be named.
    """

    says: str
    expect: Literal["bool", "text", "any"] | Field = "bool"
    needs: Literal["sql", "process", "either", "row"] = "either"
    old: bool = False
    row: bool = True


class _Segment(Struct, frozen=True):
    """A stretch of expanded text and where it comes from; ``rule``: the named rule it is of, or ""."""

    start: int
    scalar: Scalar
    offset: int
    rule: str


class Formulas:
    """Compiles expressions against one file's entities and named rules."""

    def __init__(
        self, findings: Findings, tenant: TenantDraft, shapes: Shapes, rules: dict[str, Scalar]
    ) -> None:
        self._findings = findings
        self._tenant = tenant
        self._shapes = shapes
        self._rules = rules
        self._reported: set[tuple[object, ...]] = set()
        self.used: set[str] = set()
        self._cache: dict[tuple[str, str, CelType | None], Expression] = {}

    def compile(self, node: Scalar, entity: EntityDraft | None, use: Use) -> Expression | None:
        """Compile the expression a scalar holds; None after reporting why it is refused."""
        return self.compile_part(node, node.text, 0, entity, use)

    def compile_part(
        self, node: Scalar, text: str, offset: int, entity: EntityDraft | None, use: Use
    ) -> Expression | None:
        """Compile a part of a scalar's text that begins at ``offset``."""
        expanded = self._expand(node, text, offset, ())
        if expanded is None:
            return None
        whole, segments = expanded
        name = entity.name if entity is not None else None
        expect = _expected(use)
        key = (whole, name or "", expect)
        try:
            found = self._cache.get(key)
            if found is None:
                found = self._cache[key] = compile_expression(whole, self._shapes, name, expect=expect)
        except ExpressionError as error:
            self._report(error, whole, segments, node, entity, use)
            return None
        return found if self._allowed(found, node, use) else None

    def check_syntax(self, node: Scalar) -> None:
        """Report an expression that cannot even be read."""
        try:
            parse(node.text)
        except ExpressionError as error:
            self._report(error, node.text, [_Segment(0, node, 0, "")], node, None, Use("a named rule"))

    def with_rule(self, name: str, text: str) -> "Formulas":
        """Return a compiler in which a further name stands for a text."""
        return Formulas(
            self._findings, self._tenant, self._shapes, self._rules | {name: Scalar(text, text, 1, 1, 0, 0)}
        )

    def expanded(self, node: Scalar) -> str | None:
        """Return an expression's text with the named rules put in; None after reporting why it cannot be."""
        expanded = self._expand(node, node.text, 0, ())
        return None if expanded is None else expanded[0]

    def _allowed(self, found: Expression, node: Scalar, use: Use) -> bool:
        problem = ""
        if use.needs == "sql" and not found.in_sql:
            problem = f"{use.says} must be sayable in SQL: {found.obstacle or 'this one is not'}"
        elif use.needs == "process" and not found.in_process:
            problem = f"{use.says} is decided on the row alone: relations cannot be followed here"
        elif use.needs == "row" and not (found.in_sql and found.immutable):
            problem = f"{use.says} may only read the row itself: no relations, no caller, no time"
        elif not (found.in_sql or found.in_process):
            problem = f"{use.says} must be sayable in SQL or need the row alone: {found.obstacle}"
        elif found.uses_old and not use.old:
            problem = f"{use.says} has no row before the change: 'old' may not be used"
        elif found.names and not use.row:
            problem = f"{use.says} has no row: 'self' may not be used"
        if problem:
            self._findings.error("expression.use", problem, node)
        return not problem

    def _expand(
        self, node: Scalar, text: str, offset: int, chain: tuple[str, ...]
    ) -> tuple[str, list[_Segment]] | None:
        """Put the bodies of named rules in parentheses where their names stand, keeping track of places."""
        rule = chain[-1] if chain else ""
        pieces: list[str] = []
        segments = [_Segment(0, node, offset, rule)]
        length = copied = 0
        for match in _WORD.finditer(text) if self._rules else ():
            body = self._rules.get(match["name"] or "")
            if body is None or text[: match.start()].rstrip().endswith("."):
                continue
            self.used.add(match[0])
            if match[0] in chain:
                place = locate(self._findings.source, node, offset + match.start())
                circle = " -> ".join((*chain[chain.index(match[0]) :], match[0]))
                self._findings.error("let.cycle", f"named rules go round in a circle: {circle}", place)
                return None
            inner = self._expand(body, body.text, 0, (*chain, match[0]))
            if inner is None:
                return None
            pieces += (text[copied : match.start()], "(", inner[0], ")")
            length += match.start() - copied + 1
            segments += (
                _Segment(length + part.start, part.scalar, part.offset, part.rule) for part in inner[1]
            )
            length += len(inner[0]) + 1
            copied = match.end()
            segments.append(_Segment(length, node, offset + copied, rule))
            if length > MAX_EXPANDED:
                self._findings.error(
                    "let.too_long", f"with its named rules this is over {MAX_EXPANDED:,} characters", node
                )
                return None
        pieces.append(text[copied:])
        return "".join(pieces), segments

    def _report(
        self,
        error: ExpressionError,
        text: str,
        segments: list[_Segment],
        node: Scalar,
        entity: EntityDraft | None,
        use: Use,
    ) -> None:
        lines = text.split("\n")[: error.offset_line - 1]
        offset = min(sum(len(line) + 1 for line in lines) + error.offset_column - 1, len(text))
        segment = [part for part in segments if part.start <= offset][-1]
        place = locate(self._findings.source, segment.scalar, segment.offset + offset - segment.start)
        message, code, hint = error.message, error.code, error.hint
        if _INSIDE_COMPUTED.match(message) and "computed" not in use.says:
            return  # said where the computed field stands
        word = _IDENTIFIER.match(text, offset)
        if word is not None and code == "expression.unknown_name" and self._is_dropped(word[0]):
            return  # said where the field or entity stands
        rename = self._rename(word[0], entity) if word is not None else None
        if rename is not None:
            message = rename.says()
            code, hint = "reference.renamed", ""
        if (place, message) in self._reported:
            return  # a named rule is wrong once, however often it is used
        self._reported.add((place, message))
        if segment.rule:
            where = f" of {entity.name}" if entity is not None else ""
            message += f" (in '{segment.rule}', used by {use.says}{where} on line {node.line})"
        self._findings.error(code, message, place, hint)

    def _is_dropped(self, word: str) -> bool:
        return word in self._tenant.dropped or any(
            word in entity.dropped for entity in self._tenant.entities.values()
        )

    def _rename(self, word: str, entity: EntityDraft | None) -> Rename | None:
        """Return the rename of an old name that an expression still uses, that of its own entity first."""
        if entity is not None and (word in entity.fields or word in entity.relations):
            return None
        if entity is not None and word in entity.renames:
            return entity.renames[word]
        return next((rename for owner, rename in self._tenant.all_renames() if rename.old == word), None)


def _expected(use: Use) -> CelType | None:
    if isinstance(use.expect, Field):
        return type_of_column(use.expect.pg_type, use.expect.schema)
    return {"bool": BOOL, "text": STRING, "any": None}[use.expect]
