"""A YAML document as nodes that know their place.

Decides how a place inside a text (an expression's offset) maps back to the file. It never interprets keys.
Made by ``source``, narrowed by ``grammar``, read by ``parse`` and the sections.
"""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct

from schemas.compiler.diagnostics import Position

Plain: TypeAlias = str | int | float | bool | None

_ESCAPE_LENGTH = {"x": 4, "u": 6, "U": 10}


class Scalar(Struct):
    """A scalar: its value by the YAML 1.2 core schema, its text, and where it stands.

    ``start`` and ``end`` are offsets into the source; ``style`` is ``""`` (plain), ``'``, ``"``, ``|`` or
    ``>``.
    """

    value: Plain
    text: str
    line: int
    column: int
    start: int
    end: int
    style: str = ""

    @property
    def position(self) -> Position:
        """Where the scalar begins."""
        return Position(self.line, self.column)


class Sequence(Struct):
    """A list of nodes."""

    items: "list[Node]"
    line: int
    column: int

    @property
    def position(self) -> Position:
        """Where the list begins."""
        return Position(self.line, self.column)


class Entry(Struct):
    """A key with its value."""

    key: Scalar
    value: "Node"


class Mapping(Struct):
    """A map; keys are their text, in file order. ``dropped``: entries refused and taken out."""

    entries: dict[str, Entry]
    line: int
    column: int
    dropped: frozenset[str] = frozenset()

    @property
    def position(self) -> Position:
        """Where the map begins."""
        return Position(self.line, self.column)

    def get(self, key: str) -> "Node | None":
        """Return the value of ``key``, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value


Node: TypeAlias = Scalar | Sequence | Mapping


def pairs(node: Node | None) -> "Iterator[tuple[Scalar, Node]]":
    """Iterate over a map's (key, value); anything else has none."""
    if isinstance(node, Mapping):
        for entry in node.entries.values():
            yield entry.key, entry.value


def items(node: Node | None) -> "Iterator[Node]":
    """Iterate over a list's items; anything else has none."""
    if isinstance(node, Sequence):
        yield from node.items


def plain(node: Node) -> object:
    """Return the node as plain lists, dicts and scalars."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(entry.value) for key, entry in node.entries.items()}


def path_at(root: Node, position: Position) -> str:
    """Return the keys that lead to a position, e.g. ``entities.invoices.label``."""
    steps: list[str] = []
    node: Node | None = root
    place = (position.line, position.column)
    while node is not None and not isinstance(node, Scalar):
        following: Node | None = None
        step = ""
        if isinstance(node, Mapping):
            for key, value in pairs(node):
                if (key.line, key.column) > place:
                    break
                step, following = key.text, value
        else:
            for index, item in enumerate(node.items):
                if (item.line, item.column) > place:
                    break
                step, following = str(index), item
        if following is None:
            break
        steps.append(step)
        node = following
    return ".".join(steps)


def locate(source: str, scalar: Scalar, offset: int) -> Position:
    """Return the place in the source of the character at ``offset`` of a scalar's text."""
    raw = source[scalar.start : scalar.end]
    at = scalar.start + _raw_offset(raw, scalar, offset)
    head = source[scalar.start : at]
    breaks = head.count("\n")
    if not breaks:
        return Position(scalar.line, scalar.column + len(head))
    return Position(scalar.line + breaks, len(head) - head.rfind("\n"))


def _raw_offset(raw: str, scalar: Scalar, offset: int) -> int:
    """Align text with raw source, character by character, and return the raw offset of ``text[offset]``."""
    cursor = 1 if scalar.style in {"'", '"'} else 0
    if scalar.style in {"|", ">"}:
        cursor = raw.find("\n") + 1
    wanted = scalar.text[: offset + 1]
    found = cursor
    for number, character in enumerate(wanted):
        if (
            scalar.style == '"'
            and raw[cursor : cursor + 1] == "\\"
            and raw[cursor + 1 : cursor + 2] not in {"\r", "\n"}
        ):
            found = cursor
            cursor += _ESCAPE_LENGTH.get(raw[cursor + 1 : cursor + 2], 2)
            continue
        if character in " \n":
            # folding turns line breaks with their indentation into one space or newline
            while cursor < len(raw) and raw[cursor] not in " \t\r\n":
                cursor += 1
            found = cursor
            if raw[cursor : cursor + 1] in {"\r", "\n"} or (character == "\n" and scalar.style in {"|", ">"}):
                following = wanted[number + 1 : number + 2]
                cursor += 1
                while cursor < len(raw) and raw[cursor] in " \t\r\n" and following not in {" ", "\n"}:
                    cursor += 1
            else:
                cursor += 1
            continue
        while cursor < len(raw) and raw[cursor] != character:
            cursor += 1
        found = cursor
        cursor += 1
        if scalar.style == "'" and character == "'":
            cursor += 1
    return min(found, len(raw))
