"""The disposable process that compiles tenant files; started by ``compile_worker``, which kills it when it overruns.

Reads jobs from standard input and answers on standard output, each a 4-byte length and a pickle. Only our own parent
writes to it and only our own parent reads from it. It opens no file, no socket and no database.
"""

import pickle  # noqa: S403 - both ends are this program
import resource
import struct
import sys
from pathlib import Path
from typing import BinaryIO

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from schemas.compiler.compile import compile_with_warnings
from schemas.compiler.diagnostics import CompileError
from schemas.compiler.layout import wanted_catalog

MEMORY_LIMIT = 1 << 30
"""Address space in bytes; the CEL parser alone maps some 100 MB."""


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer jobs until the parent closes the pipe."""
    while header := source.read(4):
        slug, text = pickle.loads(source.read(struct.unpack("!I", header)[0]))  # noqa: S301
        answer = pickle.dumps(_compile(slug, text), protocol=pickle.HIGHEST_PROTOCOL)
        sink.write(struct.pack("!I", len(answer)) + answer)
        sink.flush()


def _compile(slug: str, text: bytes) -> tuple[object, object]:
    """Return (diagnostics, compiled): exactly one is not None."""
    try:
        compiled = compile_with_warnings(text, slug)
    except CompileError as error:
        return error.diagnostics, None
    return None, (compiled.model, wanted_catalog(compiled.model), compiled.warnings)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer)
