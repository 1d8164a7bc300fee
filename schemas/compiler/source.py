"""Reads a tenant file's bytes into nodes: a strict subset of YAML with the types of YAML 1.2 core.

Decides what is text we read at all: UTF-8, at most 1 MiB, one document, depth 40, 100,000 nodes, no duplicate
keys, no anchors, aliases, merge keys, tags. It interprets nothing of the language. Called by ``compile``.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

import yaml

from schemas.compiler.diagnostics import Position
from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Entry, Mapping, Node, Plain, Scalar, Sequence

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 100_000
MAX_DIGITS = 40
_BOM = "\ufeff"

Event: TypeAlias = Any
"""One of libyaml's events; the stubs do not know their attributes."""

_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[-+]?[0-9]+", re.ASCII)
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Plain] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def decode(data: bytes | str, findings: Findings) -> str | None:
    """Return the file's text without its byte order mark, or None when it is no text we read."""
    start = Position(1, 1)
    if isinstance(data, str):
        try:
            data = data.encode()
        except UnicodeEncodeError:
            findings.error("source.encoding", "the text holds a lone surrogate, which is no character", start)
            return None
    if len(data) > MAX_BYTES:
        findings.error("source.too_large", f"the file has {len(data):,} bytes; at most 1 MiB is read", start)
        return None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        findings.error("source.encoding", "the file is UTF-16", start, "save it as UTF-8")
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode("utf-8", "replace"))
        findings.error(
            "source.encoding",
            f"byte 0x{data[error.start]:02x} is not valid UTF-8",
            place,
            "save the file as UTF-8",
        )
        return None
    text = text.removeprefix(_BOM)
    if found := _CONTROL.search(text):
        findings.error(
            "source.control_character",
            f"character U+{ord(found[0]):04X} may not stand in a YAML file",
            _place(text[: found.start()]),
            "the file looks like UTF-16: save it as UTF-8" if found[0] == "\0" else "remove it",
        )
        return None
    return text


def load(text: str, findings: Findings) -> Node | None:
    """Read text into nodes; None when nothing usable can be read."""
    try:
        return _Loader(findings).run(text)
    except yaml.MarkedYAMLError as error:
        _report_syntax(error, text, findings)
    except yaml.YAMLError as error:
        findings.error("source.syntax", f"not YAML: {str(error).splitlines()[0]}", Position(1, 1))
    except _StopReadingError:
        return None
    return None


class _StopReadingError(Exception):
    """A limit was met; what follows is not read."""


class _Loader:
    """Builds nodes from libyaml's events, without recursion."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._stack: list[Mapping | Sequence] = []
        self._keys: list[Scalar | None] = []
        self._root: Node | None = None
        self._count = 0

    def run(self, text: str) -> Node | None:
        documents = 0
        for event in _events(text):
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._place(self._scalar(event), event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._open(event, kind)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._stack.pop()
                self._keys.pop()
            elif kind is yaml.AliasEvent:
                self._refuse("alias", f"alias '*{event.anchor}' is not read", event, "write the value out")
                self._place(self._empty(event), event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    self._refuse(
                        "documents",
                        "a tenant file holds one document; a second begins here",
                        event,
                        "remove '---'",
                    )
                    break
        if self._root is None:
            self._findings.error(
                "source.empty", "the file is empty", Position(1, 1), "start with 'version: 1'"
            )
        return self._root

    def _open(self, event: Event, kind: type[object]) -> None:
        line, column = _mark(event)
        node: Mapping | Sequence
        node = Mapping({}, line, column) if kind is yaml.MappingStartEvent else Sequence([], line, column)
        self._place(node, event)
        if len(self._stack) >= MAX_DEPTH:
            self._refuse("too_deep", f"nested deeper than {MAX_DEPTH} levels", event)
            raise _StopReadingError
        self._stack.append(node)
        self._keys.append(None)

    def _place(self, node: Node, event: Event) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            self._refuse("too_many_nodes", f"more than {MAX_NODES:,} values", event)
            raise _StopReadingError
        if type(event) is not yaml.AliasEvent:
            self._check_event(event)
        if not self._stack:
            self._root = node
            return
        parent, key = self._stack[-1], self._keys[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is None:
            self._keys[-1] = self._key(node)
        else:
            self._keys[-1] = None
            self._enter(parent, key, node)

    def _check_event(self, event: Event) -> None:
        if event.anchor is not None:
            hint = "write the value where it is used"
            self._refuse("anchor", f"anchor '&{event.anchor}' is not read", event, hint)
        if event.tag is not None:
            hint = "quote a text that begins with '!'"
            self._refuse("tag", f"tag '{event.tag}' is not read", event, hint)

    def _key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        self._findings.error("source.key", "a key must be a text, not a list or a map", node, "quote it")
        return Scalar("", "", node.line, node.column, 0, 0)

    def _enter(self, parent: Mapping, key: Scalar, node: Node) -> None:
        if key.text == "<<" and not key.style:
            self._findings.error("source.merge_key", "merge keys are not read", key, "write the keys out")
            return
        first = parent.entries.get(key.text)
        if first is not None:
            self._findings.error(
                "source.duplicate_key",
                f"'{_short(key.text)}' is already defined on line {first.key.line}; this is line {key.line}",
                key,
                "keep one of the two",
            )
            return
        parent.entries[key.text] = Entry(key, node)

    def _scalar(self, event: Event) -> Scalar:
        text: str = event.value
        start, end = event.start_mark, event.end_mark
        scalar = Scalar(
            text, text, start.line + 1, start.column + 1, start.index, end.index, event.style or ""
        )
        if not scalar.style:
            scalar.value = self._resolve(scalar)
        return scalar

    def _resolve(self, scalar: Scalar) -> Plain:
        text = scalar.text
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in "+-.0123456789":
            return text
        if _INTEGER.fullmatch(text) or _BASED.fullmatch(text):
            if len(text) > MAX_DIGITS:
                self._findings.error(
                    "source.number", f"a number of {len(text)} characters", scalar, "quote it if it is a text"
                )
                return 0
            return int(text, 0 if text[:2] in {"0o", "0x"} else 10)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isfinite(number):
                return number
            self._findings.error("source.number", f"{_short(text)} is too large for a number", scalar)
            return 0
        if _NOT_FINITE.fullmatch(text):
            self._findings.error(
                "source.number", f"{text} is not a number JSON can hold", scalar, "quote it if it is a text"
            )
            return 0
        return text

    def _empty(self, event: Event) -> Scalar:
        line, column = _mark(event)
        return Scalar(None, "", line, column, event.start_mark.index, event.start_mark.index)

    def _refuse(self, reason: str, message: str, event: Event, hint: str = "") -> None:
        self._findings.error(f"source.{reason}", message, Position(*_mark(event)), hint)


def _events(text: str) -> Iterator[Event]:
    """Yield libyaml's events; without ``yaml.parse``, which asks twice for each."""
    parser: Any = yaml.CSafeLoader(text)
    try:
        while (event := parser.get_event()) is not None and type(event) is not yaml.StreamEndEvent:
            yield event
    finally:
        parser.dispose()


def _mark(event: Event) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _place(head: str) -> Position:
    return Position(head.count("\n") + 1, len(head) - head.rfind("\n"))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


_SECRET = re.compile(r"""(?<!["'\w])\$\{\w+\}""", re.ASCII)


def _report_syntax(error: yaml.MarkedYAMLError, text: str, findings: Findings) -> None:
    """Turn libyaml's complaint into one that says what to do."""
    mark = error.problem_mark or error.context_mark
    position = Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)
    problem = error.problem or "it cannot be read"
    context = f" {error.context}" if error.context else ""
    if error.context and error.context_mark is not None and error.context_mark.line + 1 != position.line:
        context += f" that begins on line {error.context_mark.line + 1}"
    lines = text.splitlines()
    line = lines[position.line - 1] if position.line <= len(lines) else ""
    # '${NAME}' in flow style ends the plain text before the brace; the complaint comes right after it
    near = "\n".join(lines[max(0, position.line - 2) : position.line])
    secret = _SECRET.search(line) or _SECRET.search(near)
    hint = ""
    if secret is not None:
        hint = f'write the secret in quotes: "{secret[0]}"'
    elif "\t" in line[: position.column] and "cannot start any token" in problem:
        hint = "indent with spaces, not tabs"
    elif "mapping values are not allowed" in problem:
        hint = "quote a text that holds ': ', and check the indentation"
    elif "cannot start any token" in problem:
        hint = f"quote a text that begins with '{line[position.column - 1 : position.column]}'"
    elif "unexpected end of stream" in problem:
        hint = "a quote is not closed"
    elif "expected ',' or" in problem:
        hint = "close the bracket, or quote a text that holds , : [ ] { or }"
    findings.error("source.syntax", f"not YAML: {problem}{context}", position, hint)
