"""The values inside a rule of ``gateway.yaml``: rates, times, sizes, lists, headers.

Decides which spellings each has. Every reader notes what is wrong and returns a harmless value, so that all
errors of a file are told at once. Called by ``gateway.rules`` and ``gateway.proxy.upstream``.
"""

import re
from typing import Literal, NamedTuple, get_args

from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.nodes import Mapping, Node, Scalar, Sequence

Per = Literal["ip", "tenant", "route"]

_RATE = re.compile(r"([0-9]{1,7})/([smhd])", re.ASCII)
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,9}) ?(B|KiB|MiB|GiB)", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,100}", re.ASCII)
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,1998}[\x21-\x7e])?", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_MAX_BODY = 16 << 30
_FRAMING = frozenset(
    {
        "connection", "content-length", "content-encoding", "expect", "host", "keep-alive",
        "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade", "via",
    }
)  # fmt: skip
"""How a message is framed is nobody's to write by hand."""
_OURS = frozenset({"x-request-id", "date", "x-content-type-options", "content-type", "cache-control", "vary"})
"""What every answer of an actor already says."""


class Rate(NamedTuple):
    """So many requests in so many seconds, counted per what."""

    limit: int
    seconds: float
    per: Per = "ip"


class HeaderEdit(NamedTuple):
    """Fields to take out (lower case), then fields to put in."""

    remove: frozenset[str] = frozenset()
    add: tuple[tuple[str, str], ...] = ()


UNCHANGED = HeaderEdit()


def check_keys(node: Mapping, known: tuple[str, ...], findings: Findings) -> None:
    """Refuse keys that nobody reads."""
    for name, entry in node.entries.items():
        if name not in known:
            findings.error(
                "gateway.unknown_key", f"'{name}' is not known here", entry.key, did_you_mean(name, known)
            )


def read_flag(node: Node | None, name: str, findings: Findings) -> bool:
    """Return true or false; absent is false."""
    if node is None:
        return False
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    findings.error("gateway.form", f"{name} is true or false", node)
    return False


def read_count(node: Node | None, name: str, least: int, most: int, findings: Findings) -> int | None:
    """Return a whole number in bounds, None when absent or wrong."""
    if node is None:
        return None
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    findings.error("gateway.form", f"{name} is a whole number from {least} to {most}", node)
    return None


def read_rate(node: Node | None, findings: Findings) -> Rate | None:
    """Return ``600/m``, or ``{limit: 600/m, per: ip | tenant | route}``."""
    per: Per = "ip"
    if isinstance(node, Mapping):
        check_keys(node, ("limit", "per"), findings)
        chosen = node.get("per")
        if chosen is not None:
            names: tuple[Per, ...] = get_args(Per)
            found = [name for name in names if isinstance(chosen, Scalar) and chosen.text == name]
            if found:
                per = found[0]
            else:
                findings.error("gateway.rate", "per is ip, tenant or route", chosen)
        node = node.get("limit") or node
    if node is None:
        return None
    match = _RATE.fullmatch(node.text) if isinstance(node, Scalar) else None
    if match is None or int(match[1]) < 1:
        findings.error("gateway.rate", "a rate is a number per time", node, "such as 60/m")
        return None
    return Rate(int(match[1]), _SECONDS[match[2]], per)


def read_seconds(
    node: Node | None, findings: Findings, name: str = "a timeout", most: float = 600
) -> float | None:
    """Return a time in seconds: ``5s``, ``250ms``, or a plain number."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        found = _TIME.fullmatch(node.text)
        number = (
            node.value if isinstance(node.value, int | float) and not isinstance(node.value, bool) else None
        )
        seconds = float(found[1]) * _SECONDS[found[2]] if found else number
        if seconds is not None and 0 < seconds <= most:
            return float(seconds)
    findings.error("gateway.timeout", f"{name} is a time up to {most / 60:g} minutes", node, "such as 5s")
    return None


def read_bytes(node: Node | None, findings: Findings) -> int | None:
    """Return a size in bytes: ``5MiB``, or a plain number."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        found = _SIZE.fullmatch(node.text)
        number = node.value if isinstance(node.value, int) and not isinstance(node.value, bool) else None
        size = int(found[1]) * _BYTES[found[2]] if found else number
        if size is not None and 0 <= size <= _MAX_BODY:
            return size
    findings.error("gateway.size", "a size is a number of bytes up to 16GiB", node, "such as 5MiB")
    return None


def read_texts(node: Node | None, pattern: re.Pattern[str], what: str, findings: Findings) -> tuple[str, ...]:
    """Return a list of texts of one form."""
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        findings.error("gateway.form", f"expected a list; each item is {what}", node)
        return ()
    texts: list[str] = []
    for item in node.items:
        if isinstance(item, Scalar) and pattern.fullmatch(item.text):
            texts.append(item.text)
        else:
            findings.error("gateway.form", f"this is not {what}", item)
    return tuple(texts)


def read_headers(node: Node | None, findings: Findings, *, passed_on: bool) -> tuple[HeaderEdit, HeaderEdit]:
    """Return what to change in the request and in the answer.

    Args:
        node: ``{request: {add, remove}, response: {add, remove}}``.
        findings: of the file.
        passed_on: the rule leads to a URL; answers of actors have fields of their own.
    """
    if node is None:
        return UNCHANGED, UNCHANGED
    if not isinstance(node, Mapping):
        findings.error("gateway.headers", "headers is a map with request and response", node)
        return UNCHANGED, UNCHANGED
    check_keys(node, ("request", "response"), findings)
    return (
        _edit(node.get("request"), findings, _FRAMING),
        _edit(node.get("response"), findings, _FRAMING if passed_on else _FRAMING | _OURS),
    )


def _edit(node: Node | None, findings: Findings, kept: frozenset[str]) -> HeaderEdit:
    if node is None:
        return UNCHANGED
    if not isinstance(node, Mapping):
        findings.error("gateway.headers", "expected a map with add and remove", node)
        return UNCHANGED
    check_keys(node, ("add", "remove"), findings)
    removed = node.get("remove")
    names = read_texts(removed, _NAME, "a header's name", findings)
    if removed is not None and kept & {name.lower() for name in names}:
        findings.error("gateway.headers", "one of these headers is the gateway's own", removed)
    added = node.get("add")
    fields: list[tuple[str, str]] = []
    if isinstance(added, Mapping):
        for name, entry in added.entries.items():
            value = entry.value.text if isinstance(entry.value, Scalar) else ""
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                findings.error("gateway.headers", "this is no header with a value in one line", entry.key)
            elif name.lower() in kept:
                findings.error("gateway.headers", f"the header {name} is the gateway's own", entry.key)
            else:
                fields.append((name, value))
    elif added is not None:
        findings.error("gateway.headers", "add is a map from header to value", added)
    # a field that is put in replaces the one that was there
    gone = {name.lower() for name in (*names, *(name for name, _ in fields))}
    return HeaderEdit(frozenset(gone), tuple(fields))
