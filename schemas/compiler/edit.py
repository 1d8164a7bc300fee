"""Edits of a tenant file by programs: one value set, one key removed, the rest as it was byte for byte.

Decides where in the text a value stands or belongs. Comments, order, quotes and blank lines of what is not
edited stay untouched because only the value's own characters are replaced. It does not know what keys mean;
the text must be one the compiler has accepted, which keeps hostile YAML away from the parser used here.
Called by the platform's functions.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ ./-]*[A-Za-z0-9]|[A-Za-z]", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
INDENT = 2


class EditError(Exception):
    """The edit does not fit the text; the message says why."""


def set_value(text: str, path: Sequence[str], value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Set the value at a path of keys, adding the keys that are missing.

    Args:
        text: a tenant file that compiles.
        path: keys from the top.
        value: what JSON can say.

    Raises:
        EditError: something on the way is no mapping.
    """
    node = _root(text)
    for depth, key in enumerate(path):
        found = _entry(node, key, path[:depth])
        if found is None:
            for missing in reversed(path[depth + 1 :]):
                value = {missing: value}
            return _add(text, node, key, value)
        node = found[1]
    start, end = _span(text, node)
    written = _flow(value)
    if start == end:  # an empty value: nothing stands after the colon
        written = " " + written
    return text[:start] + written + text[end:]


def remove_key(text: str, path: Sequence[str]) -> str:
    """Remove a key with its value.

    Raises:
        EditError: there is no such key.
    """
    parent: yaml.Node = _root(text)
    for depth, key in enumerate(path[:-1]):
        found = _entry(parent, key, path[:depth])
        if found is None:
            raise EditError(f"there is no {'.'.join(path)}")
        parent = found[1]
    last = _entry(parent, path[-1], path[:-1])
    if last is None:
        raise EditError(f"there is no {'.'.join(path)}")
    key_node, value_node = last
    start, end = key_node.start_mark.index, _span(text, value_node)[1]
    if not _is_flow(parent):
        start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", end)
        return text[:start] + (text[line_end + 1 :] if line_end >= 0 else "")
    after = re.compile(r"\s*,\s*").match(text, end)
    if after is not None:
        return text[:start] + text[after.end() :]
    before = re.compile(r"\s*,\s*$").search(text[:start])
    return (text[: before.start()] if before is not None else text[:start]) + text[end:]


def _root(text: str) -> yaml.Node:
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise EditError("the file is no mapping")
    return root


def _is_flow(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _entry(node: yaml.Node, key: str, way: Sequence[str]) -> tuple[yaml.Node, yaml.Node] | None:
    if not isinstance(node, yaml.MappingNode):
        raise EditError(f"{'.'.join(way)} is no mapping")
    return next((pair for pair in node.value if pair[0].value == key), None)


def _span(text: str, node: yaml.Node) -> tuple[int, int]:
    """Return where a node's own characters begin and end; a block's mark is where the next thing begins."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and not _is_flow(node) and node.value:
        last = node.value[-1]
        return start, _span(text, last[1] if isinstance(last, tuple) else last)[1]
    if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
        end = start + len(text[start:end].rstrip())
    return start, end


def _add(text: str, node: yaml.Node, key: str, value: Any) -> str:  # noqa: ANN401 - a JSON value
    if _is_flow(node) or not node.value:
        opened = text.index("{", node.start_mark.index) if _is_flow(node) else -1
        if opened < 0:
            raise EditError("an empty mapping is written as {} first")
        if not node.value:
            return f"{text[: opened + 1]} {_key(key)}: {_flow(value)} {text[node.end_mark.index - 1 :]}"
        end = _span(text, node.value[-1][1])[1]
        return f"{text[:end]}, {_key(key)}: {_flow(value)}{text[end:]}"
    end = _span(text, node.value[-1][1])[1]
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    lines = "\n".join(_block(key, value, node.value[0][0].start_mark.column))
    return f"{text[:line_end]}\n{lines}{text[line_end:]}"


def _block(key: str, value: Any, column: int) -> list[str]:  # noqa: ANN401 - a JSON value
    head = f"{' ' * column}{_key(key)}:"
    if isinstance(value, dict) and value and any(isinstance(item, dict) for item in value.values()):
        return [head, *(line for k, v in value.items() for line in _block(k, v, column + INDENT))]
    return [f"{head} {_flow(value)}"]


def _key(key: str) -> str:
    return key if _PLAIN.fullmatch(key) and key.lower() not in _WORDS else json.dumps(key)


def _flow(value: Any) -> str:  # noqa: ANN401 - a JSON value
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(str(k))}: {_flow(v)}" for k, v in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(item) for item in value)}]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
