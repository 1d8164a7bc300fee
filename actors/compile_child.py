"""The disposable process that compiles tenant files; ``compile_worker`` starts it, and kills it on overrun.

Reads jobs from standard input and answers on standard output, each a 4-byte length and a pickle. Only our own
parent writes to it and only our own parent reads from it. It opens no file, no socket and no database.
"""

import pickle
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from schemas.compiler.compile import compile_with_warnings
from schemas.compiler.diagnostics import CompileError, Position
from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Mapping, Node, Sequence
from schemas.compiler.source import decode, load

MEMORY_LIMIT = 1 << 30
"""Address space in bytes; the CEL parser alone maps some 100 MB."""


CPU_LIMIT = 2.0
"""Seconds of processor time one job may take; then SIGPROF ends the process."""


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer jobs until the parent closes the pipe."""
    while header := source.read(4):
        subject, text, code = pickle.loads(source.read(struct.unpack("!I", header)[0]))  # noqa: S301
        signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT)
        result = _compile(subject, text, code) if isinstance(subject, str) else _locate(subject, text)
        answer = pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sink.write(struct.pack("!I", len(answer)) + answer)
        sink.flush()


def _compile(slug: str, text: bytes, code: bytes | None) -> tuple[object, object]:
    """Return (diagnostics, compiled): exactly one is not None."""
    try:
        compiled = compile_with_warnings(text, slug, code=code)
    except CompileError as error:
        return error.diagnostics, None
    return None, (compiled.model, compiled.warnings)


def _locate(paths: tuple[str, ...], text: bytes) -> dict[str, Position]:
    findings = Findings()
    source = decode(text, findings)
    root = load(source, findings) if source is not None else None
    return {path: _place(root, path) for path in paths}


def _place(node: Node | None, path: str) -> Position:
    """Follow the keys as far as they lead."""
    position = Position(1, 1)
    for key in path.split("."):
        if isinstance(node, Mapping) and key in node.entries:
            entry = node.entries[key]
            position, node = entry.key.position, entry.value
        elif isinstance(node, Sequence) and key.isdigit() and int(key) < len(node.items):
            node = node.items[int(key)]
            position = node.position
        else:
            break
    return position


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)
