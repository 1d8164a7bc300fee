"""What a request says about an import: its query, or a JSON body of the same words.

Decides which words there are and what they may be. Pure; called by the operations.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from msgspec.structs import fields

from actors.features.transfer.records import Options
from actors.messages import Call, ProblemError
from actors.tenant.rows import preferences_of

MOST_SECONDS, SECONDS = 20.0, 5.0
"""How long a request waits for its import to end: at most, and when nobody says."""
_ENCODINGS = {
    "utf-8": "utf-8", "utf8": "utf-8", "utf-16": "utf-16", "windows-1252": "cp1252", "cp1252": "cp1252",
    "iso-8859-1": "latin-1", "latin-1": "latin-1", "iso-8859-15": "iso8859-15",
}  # fmt: skip
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "mode": {"all": "all", "skip": "skip"},
    "decimal": {"": "", ".": ".", ",": ","},
    "dates": {"": "", "dmy": "dmy", "mdy": "mdy"},
    "delimiter": {
        "": "", ",": ",", ";": ";", "|": "|", "\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";",
    },
    "encoding": {"": "", **_ENCODINGS},
}  # fmt: skip
_WORDS = frozenset(one.name for one in fields(Options)) - {"ignore"} | {"preview"}


class Asked(NamedTuple):
    """What is asked for.

    Attributes:
        options: of the import.
        preview: only look at the file.
        seconds: to wait for the end.
    """

    options: Options
    preview: bool
    seconds: float


def read(call: Call, form: Mapping[str, str], known: Options | None = None) -> Asked:
    """Return what a request asks for.

    Args:
        call: its query, body and Prefer header count.
        form: fields of a form that came with the file.
        known: what was said before, when the import is there already.

    Raises:
        ProblemError: PGRST100.
    """
    said = _said(call, form)
    known = known or Options()
    now = {name: getattr(known, name) for name in _WORDS - {"preview"}} | {"ignore": known.ignore}
    for name, choices in _CHOICES.items():
        if name in said:
            found = choices.get(str(said[name]).lower())
            if found is None:
                raise _bad(f"{name} is one of {', '.join(repr(one) for one in choices if one)}")
            now[name] = found
    now |= {name: str(said[name])[:500] for name in ("on_conflict", "sheet") if name in said}
    if "dry_run" in said:
        now["dry_run"] = _flag("dry_run", said["dry_run"])
    if "map" in said:
        now["map"] = _map(said["map"])
    resolution = preferences_of(call.prefer).resolution
    if resolution:
        now["ignore"] = resolution == "ignore-duplicates"
    if not set("&=").isdisjoint(now["on_conflict"]):
        raise _bad("on_conflict names fields")
    return Asked(Options(**now), _flag("preview", said.get("preview", False)), _seconds(call.prefer))


def _said(call: Call, form: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = dict(parse_qsl(call.query, keep_blank_values=True))
    said |= form
    if call.body:
        try:
            body = msgspec.json.decode(call.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise ProblemError("PGRST102", "the body is an object")
        said |= body
    if unknown := said.keys() - _WORDS:
        raise _bad(f"an import knows nothing of '{min(unknown)[:60]}'; it knows {', '.join(sorted(_WORDS))}")
    return said


def _flag(name: str, value: Any) -> bool:  # noqa: ANN401 - JSON
    if value not in {True, False, "true", "false", ""}:
        raise _bad(f"{name} is true or false")
    return value in {True, "true", ""} and value is not False


def _map(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value.encode() or b"{}")
        except (msgspec.DecodeError, RecursionError):
            value = None
    if not isinstance(value, dict):
        raise _bad('map is a JSON object: {"COLUMN": "field"}')
    return value


def _seconds(prefer: str) -> float:
    """Return how long the client wants to wait (RFC 7240, 4.1 and 4.3)."""
    words = [word.strip().lower() for word in prefer.split(",")]
    wait = next((word.partition("=")[2].strip() for word in words if word.startswith("wait=")), "")
    if wait.isascii() and wait.isdecimal() and len(wait) < 6:
        return min(float(wait), MOST_SECONDS)
    return 0.0 if "respond-async" in words else SECONDS


def _bad(text: str) -> ProblemError:
    return ProblemError("PGRST100", text)
