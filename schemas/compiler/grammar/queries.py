"""Forms written in the public query grammar: filters, selections, orders, aggregates.

Decides whether the names and operators in them exist, so that a view or a webhook cannot break after a
rename. Values are read by the query parser when the query runs. Names are looked up by ``scope``.
"""

import re
from collections.abc import Iterator

from typing_extensions import override

from schemas.compiler.findings import did_you_mean
from schemas.compiler.grammar.scalars import Text
from schemas.compiler.model import Field
from schemas.compiler.nodes import Node, Scalar, plain
from schemas.compiler.scope import Scope

OPERATORS = frozenset(
    [
        "eq",
        "neq",
        "gt",
        "gte",
        "lt",
        "lte",
        "like",
        "ilike",
        "match",
        "imatch",
        "in",
        "is",
        "isdistinct",
        "fts",
        "plfts",
        "phfts",
        "wfts",
        "cs",
        "cd",
        "ov",
        "sl",
        "sr",
        "nxr",
        "nxl",
        "adj",
    ]
)
AGGREGATES = ("count", "sum", "avg", "min", "max")
_NUMBERS = {"bigint", "integer", "numeric", "double"}
_AGGREGATE = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_.]*)\.)?([a-z]+)\(\)", re.ASCII)
_OPERATOR = re.compile(r"(?:not\.)?([a-z]+)(?:\([a-z]+\))?\.", re.ASCII)
_ORDER = re.compile(r"-?([A-Za-z_][A-Za-z0-9_.]*?)((?:\.(?:asc|desc|nullsfirst|nullslast))*)", re.ASCII)
_JSON_STEP = re.compile(r"->>?")
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


class Filter(Text):
    """A filter as it stands in a URL: ``status=eq.sent&net=gt.100``."""

    def __init__(self) -> None:
        super().__init__("a filter", most=4000, examples=("status=eq.sent", "due_on=lte.{until}"))

    @override
    def build(self, node: Node, scope: Scope) -> str:
        text = str(plain(node))
        if not isinstance(node, Scalar):
            return text
        for part in split(text, "&"):
            name, equals, value = part.partition("=")
            if not equals:
                scope.findings.error(
                    "query.filter", f"'{part[:80]}' is no filter", node, "write field=operator.value"
                )
            elif name.removeprefix("not.") in {"and", "or"}:
                self._logic(node, value, scope)
            elif name != "search":
                self._condition(node, name, value, scope)
        for name in PLACEHOLDER.findall(text):
            if name not in scope.parameters:
                scope.findings.error(
                    "query.parameter",
                    f"there is no parameter '{name}'",
                    scope.spot(node, name),
                    did_you_mean(name, scope.parameters),
                )
        return text

    def _logic(self, node: Scalar, value: str, scope: Scope) -> None:
        if not (value.startswith("(") and value.endswith(")")):
            scope.findings.error("query.filter", f"'{value[:80]}' must stand in parentheses", node)
            return
        for part in split(value[1:-1], ","):
            word = part.removeprefix("not.")
            if word.startswith(("and(", "or(")):
                self._logic(node, word[word.index("(") :], scope)
                continue
            # the operator is the first known word after a dot; what comes before is the path
            steps = part.split(".")
            place = next(
                (i for i, step in enumerate(steps) if i and step.split("(")[0] in OPERATORS | {"not"}), 1
            )
            self._condition(node, ".".join(steps[:place]), ".".join(steps[place:]), scope)

    def _condition(self, node: Scalar, name: str, value: str, scope: Scope) -> None:
        field = scope.find_path(node, _JSON_STEP.split(name)[0])
        match = _OPERATOR.match(value)
        if match is None or match[1] not in OPERATORS:
            word = (match[1] if match else value.split(".", maxsplit=1)[0])[:40]
            scope.findings.error(
                "query.operator",
                f"'{word}' is no operator",
                scope.spot(node, word),
                did_you_mean(word, OPERATORS),
            )
        elif field is not None and "enum" in field.schema and "->" not in name:
            self._check_values(node, match[1], value[match.end() :], field, scope)

    def _check_values(self, node: Scalar, operator: str, text: str, field: Field, scope: Scope) -> None:
        """Report a word that the field can never have."""
        words = [str(word) for word in field.schema["enum"]]
        listed = split(text.strip("()"), ",") if operator == "in" else [text]
        for word in listed if operator in {"eq", "neq", "in"} else ():
            value = word.strip('"')
            if value not in words and not PLACEHOLDER.search(value):
                message = f"'{value[:80]}' is no value of '{field.name}'"
                scope.findings.error(
                    "query.value", message, scope.spot(node, value), did_you_mean(value, words)
                )


class Order(Text):
    """A field to sort by; ``-`` before it reverses."""

    def __init__(self) -> None:
        super().__init__("a field to sort by", most=300, examples=("-due_on", "name.asc.nullslast"))

    @override
    def build(self, node: Node, scope: Scope) -> str:
        text = str(plain(node))
        match = _ORDER.fullmatch(text)
        if match is None:
            scope.findings.error("query.order", f"'{text[:80]}' is no order", node, "write name or -name")
        else:
            scope.find_path(node, match[1])
        return text


class Aggregate(Text):
    """``count()``, ``total.sum()``; with ``path`` a plain field or path too."""

    def __init__(self, *, path: bool = False) -> None:
        what = (
            "a field, or an aggregate such as total.sum()"
            if path
            else "an aggregate such as total.sum() or count()"
        )
        super().__init__(what, most=300, examples=("count()", "total.sum()"))
        self.path = path

    @override
    def build(self, node: Node, scope: Scope) -> str:
        text = str(plain(node))
        match = _AGGREGATE.fullmatch(text)
        if match is None and self.path:
            scope.find_path(node, text)
        elif match is None:
            scope.findings.error("query.aggregate", f"'{text[:80]}' is not {self.expects}", node)
        elif match[2] not in AGGREGATES:
            scope.findings.error(
                "query.aggregate",
                f"there is no aggregate '{match[2]}'",
                node,
                did_you_mean(match[2], AGGREGATES),
            )
        elif match[1] is not None:
            field = scope.find_path(node, match[1])
            if field is not None and match[2] in {"sum", "avg"} and field.kind not in _NUMBERS:
                scope.findings.error(
                    "query.aggregate", f"'{field.name}' is no number: it has no {match[2]}()", node
                )
        elif match[2] != "count":
            scope.findings.error("query.aggregate", f"{match[2]}() needs a field: total.{match[2]}()", node)
        return text


class Select(Text):
    """What to show, as in a URL: ``number,total,customer(name)``."""

    def __init__(self) -> None:
        super().__init__("a selection", most=4000, examples=("number,total,customer(name)",))

    @override
    def build(self, node: Node, scope: Scope) -> str:
        text = str(plain(node))
        if isinstance(node, Scalar):
            self._fields(node, text, scope)
        return text

    def _fields(self, node: Scalar, text: str, scope: Scope) -> None:
        for part in split(text, ","):
            item = part.strip().removeprefix("...")
            head, paren, rest = item.partition("(")
            name = head.rsplit(":", 1)[-1] if "::" not in head else head.split("::")[0].rsplit(":", 1)[-1]
            name = _JSON_STEP.split(name.split("!")[0])[0]
            if name in {"*", ""} and not paren:
                if not name:
                    scope.findings.error("query.select", f"'{text[:80]}' has an empty part", node)
                continue
            if not paren:
                scope.find_path(node, name)
            elif rest.startswith(")"):
                self._aggregate(node, name, scope)
            else:
                self._embed(node, name, rest.removesuffix(")"), scope)

    def _aggregate(self, node: Scalar, name: str, scope: Scope) -> None:
        path, _, function = name.rpartition(".")
        if function in AGGREGATES:
            if path:
                scope.find_path(node, path)
        else:
            self._embed(node, name, "", scope)

    def _embed(self, node: Scalar, name: str, inner: str, scope: Scope) -> None:
        if scope.entity is None or not scope.known:
            return
        target = scope.target(scope.entity, name, many=True) or scope.tenant.entities.get(name)
        if target is None:
            scope.find_path(node, f"{name}.{name}")
        elif inner:
            self._fields(node, inner, scope.within(target.name))


def split(text: str, separator: str) -> Iterator[str]:
    """Split at a separator outside quotes and parentheses."""
    depth, quoted, start = 0, False, 0
    for index, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == separator and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]
