"""Regular expressions: RE2 in process, and the subset of it that PostgreSQL's engine reads the same way.

``translate`` rewrites the subset; anything else is refused in SQL. Neither engine backtracks on it. RE2 is
loaded when it has something to compile: most servers never have, and it is 3 MB with its C++ library.
"""

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re2

MAX_PATTERN = 200
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": "\\t\\n\\f\\r "}
_PUNCTUATION = set("\\.+*?()|[]{}^$-/@#%&!~=<>,;:'\"_ ")
_REPEAT = re.compile(r"\{([0-9]{1,3})(,([0-9]{1,3})?)?\}", re.ASCII)


def problem(pattern: str) -> str:
    """Return why a pattern cannot be used, or ""."""
    if len(pattern) > MAX_PATTERN:
        return f"longer than {MAX_PATTERN} characters"
    import re2  # noqa: PLC0415 - see above

    try:
        compiled(pattern)
    except re2.error as error:
        return str(error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0])
    return ""


def compiled(pattern: str) -> "re2._Regexp":
    """Return the pattern ready to search with."""
    import re2  # noqa: PLC0415 - see above

    return re2.compile(pattern, _options())


@functools.cache
def _options() -> "re2.Options":
    import re2  # noqa: PLC0415 - see above

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


class _Untranslatable(Exception):  # noqa: N818 - never leaves this module
    pass


def translate(pattern: str) -> str | None:
    """Return the pattern for PostgreSQL's ``~``, or None when it is outside the common subset."""
    if len(pattern) > MAX_PATTERN:
        return None
    try:
        translated, end = _alternatives(pattern, 0, 0)
    except (_Untranslatable, IndexError):
        return None
    return translated if end == len(pattern) else None


def _alternatives(pattern: str, position: int, depth: int) -> tuple[str, int]:
    if depth > 8:
        raise _Untranslatable
    branches: list[str] = []
    while True:
        branch, position = _branch(pattern, position, depth)
        branches.append(branch)
        if position >= len(pattern) or pattern[position] != "|":
            break
        position += 1
    if len(branches) > 1 and not all(branches):
        raise _Untranslatable
    return "|".join(branches), position


def _branch(pattern: str, position: int, depth: int) -> tuple[str, int]:
    parts: list[str] = []
    while position < len(pattern) and pattern[position] not in "|)":
        if pattern[position] in "^$":
            parts.append(pattern[position])
            position += 1
            continue
        atom, position = _atom(pattern, position, depth)
        repeat, position = _repeat(pattern, position)
        parts.append(atom + repeat)
    return "".join(parts), position


def _atom(pattern: str, position: int, depth: int) -> tuple[str, int]:
    character = pattern[position]
    if character == "(":
        if pattern.startswith("(?", position) and not pattern.startswith("(?:", position):
            raise _Untranslatable
        inner, end = _alternatives(
            pattern, position + (3 if pattern.startswith("(?:", position) else 1), depth + 1
        )
        if not inner or pattern[end] != ")":
            raise _Untranslatable
        return f"(?:{inner})", end + 1
    if character == "[":
        return _bracket(pattern, position)
    if character == ".":
        return "[^\\n]", position + 1
    if character == "\\":
        escaped = pattern[position + 1]
        if escaped in _CLASSES:
            return f"[{_CLASSES[escaped]}]", position + 2
        if escaped in _PUNCTUATION:
            return "\\" + escaped if not escaped.isalnum() and escaped not in "_ " else escaped, position + 2
        raise _Untranslatable
    if character in "*+?{}]":
        raise _Untranslatable
    return character, position + 1


def _repeat(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern) or pattern[position] not in "*+?{":
        return "", position
    if pattern[position] == "{":
        found = _REPEAT.match(pattern, position)
        if found is None or int(found[1]) > 255 or int(found[3] or 0) > 255:
            raise _Untranslatable
        repeat = found[0]
    else:
        repeat = pattern[position]
    position += len(repeat)
    if position < len(pattern) and pattern[position] in "*+?{":
        raise _Untranslatable  # lazy and possessive forms differ
    return repeat, position


def _bracket(pattern: str, position: int) -> tuple[str, int]:
    """Read a bracket expression of single characters, ranges and ASCII classes."""
    end = position + 1
    negated = pattern[end] == "^"
    end += negated
    parts: list[str] = []
    while pattern[end] != "]":
        character = pattern[end]
        if character == "\\":
            escaped = pattern[end + 1]
            if escaped in _CLASSES:
                parts.append(_CLASSES[escaped])
            elif escaped in _PUNCTUATION:
                parts.append("\\" + escaped if escaped in "\\]^-[" else escaped)
            else:
                raise _Untranslatable
            end += 2
            continue
        if character in "[^":
            raise _Untranslatable
        if pattern[end + 1] == "-" and pattern[end + 2] != "]":
            last = pattern[end + 2]
            if not (
                character.isascii()
                and last.isascii()
                and character.isalnum()
                and last.isalnum()
                and character <= last
            ):
                raise _Untranslatable
            parts.append(f"{character}-{last}")
            end += 3
            continue
        parts.append("\\-" if character == "-" else character)
        end += 1
    if not parts:
        raise _Untranslatable
    return f"[{'^' if negated else ''}{''.join(parts)}]", end + 1
