"""Texts that fit a regular expression: the small part of RE2 that field patterns are written in.

Decides nothing about whether the result is right: the caller checks it. Called by ``texts``.
"""

import random
import string
from collections.abc import Callable

_CLASSES = {"d": string.digits, "w": string.ascii_lowercase + string.digits, "s": " "}
_ANY = string.ascii_lowercase
_MOST = 6
"""How often an unbounded part is repeated at most, beyond its least."""

Maker = Callable[[random.Random], str]


class UnsupportedPatternError(ValueError):
    """The pattern uses something this generator cannot make."""


def text_for(pattern: str, chance: random.Random) -> str:
    """Return a text that the pattern describes.

    Raises:
        UnsupportedPatternError: for look-around, back references, Unicode classes and the like.
    """
    parser = _Parser(pattern)
    make = parser.alternatives()
    if parser.rest:
        raise UnsupportedPatternError(pattern)
    return make(chance)


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    @property
    def rest(self) -> str:
        return self.pattern[self.at :]

    def take(self) -> str:
        if not self.rest:
            raise UnsupportedPatternError(self.pattern)
        self.at += 1
        return self.pattern[self.at - 1]

    def alternatives(self) -> Maker:
        branches = [self.branch()]
        while self.rest.startswith("|"):
            self.take()
            branches.append(self.branch())
        return lambda chance: chance.choice(branches)(chance)

    def branch(self) -> Maker:
        parts: list[Maker] = []
        while self.rest and self.rest[0] not in "|)":
            part = self.part()
            if part is not None:
                parts.append(self.repeated(part))
        return lambda chance: "".join(part(chance) for part in parts)

    def part(self) -> Maker | None:
        character = self.take()
        match character:
            case "^" | "$":
                return None
            case "(":
                return self.group()
            case "[":
                return _one_of(self.members())
            case ".":
                return _one_of(_ANY)
            case "\\":
                return _one_of(self.escaped())
            case "*" | "+" | "?" | "{":
                raise UnsupportedPatternError(self.pattern)
            case _:
                return _one_of(character)

    def group(self) -> Maker:
        if self.rest.startswith("?"):
            if not self.rest.startswith("?:"):
                raise UnsupportedPatternError(self.pattern)
            self.at += 2
        inner = self.alternatives()
        if self.take() != ")":
            raise UnsupportedPatternError(self.pattern)
        return inner

    def escaped(self) -> str:
        character = self.take()
        if character in _CLASSES:
            return _CLASSES[character]
        if character.isalnum():
            raise UnsupportedPatternError(self.pattern)
        return character

    def members(self) -> str:
        if self.rest.startswith("^"):
            self.take()
            excluded = self.listed()
            return "".join(c for c in string.ascii_letters + string.digits if c not in excluded)
        return self.listed()

    def listed(self) -> str:
        members = ""
        while (character := self.take()) != "]":
            if character == "[":
                raise UnsupportedPatternError(self.pattern)
            if character == "\\":
                members += self.escaped()
            elif self.rest.startswith("-") and not self.rest.startswith("-]"):
                self.take()
                last = self.take()
                members += "".join(map(chr, range(ord(character), ord(last) + 1)))
            else:
                members += character
        return members

    def repeated(self, part: Maker) -> Maker:
        least, most = self.bounds()
        if self.rest.startswith("?") and (least, most) != (1, 1):
            self.take()
        return lambda chance: "".join(part(chance) for _ in range(chance.randint(least, most)))

    def bounds(self) -> tuple[int, int]:
        match self.rest[:1]:
            case "*":
                self.take()
                return 0, _MOST
            case "+":
                self.take()
                return 1, 1 + _MOST
            case "?":
                self.take()
                return 0, 1
            case "{":
                body, closed, _ = self.rest[1:].partition("}")
                least, comma, most = body.partition(",")
                if not closed or not least.isdigit():
                    raise UnsupportedPatternError(self.pattern)
                self.at += len(body) + 2
                return int(least), int(most) if most else int(least) + (_MOST if comma else 0)
            case _:
                return 1, 1


def _one_of(characters: str) -> Maker:
    if not characters:
        raise UnsupportedPatternError("an empty class")
    return lambda chance: chance.choice(characters)
