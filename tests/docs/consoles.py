"""Blocks of a page that can be run: ``console`` (commands and what they print) and ``diff`` (edits of a file).

In what is printed, ``…`` stands for anything. Commands without output shown are run, and must succeed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what stands behind it, its text and line."""

    language: str
    words: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    """One command and the output shown, or None."""

    text: str
    shown: str | None


def blocks(page: str) -> list[Block]:
    return [
        Block(found[1], found[2] or "", found[3], page.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(page)
    ]


def commands(block: Block) -> list[Command]:
    """Split a console block; a line ending with a backslash goes on."""
    made: list[Command] = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        command = [lines.pop(0)]
        while command[-1].endswith("\\"):
            command.append(lines.pop(0))
        shown = "\n".join(lines).strip()
        made.append(Command("\n".join(command), shown or None))
    return made


def matches(shown: str, printed: str) -> bool:
    pattern = ".*?".join(re.escape(" ".join(part.split())) for part in shown.split("…"))
    return re.fullmatch(pattern.replace(r"\ ", r"\s*"), " ".join(printed.split()), re.DOTALL) is not None


def apply(diff: str, file: Path) -> None:
    """Edit a file as a diff block says: context and removed lines are found once and replaced."""
    lines = [line for line in diff.splitlines() if line]
    before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    text = file.read_text()
    assert text.count(before) == 1, f"{file.name} holds this {text.count(before)} times:\n{before}"
    beside = file.with_name(f".{file.name}.tmp")
    beside.write_text(text.replace(before, after))
    beside.replace(file)
