"""The Python file beside a tenant file: which functions it has, found without running it.

Decides that it can be read at all. Pure; running it is the functions feature's. Called by ``compile``.
"""

import ast
import warnings

from schemas.compiler.diagnostics import CompileError, Diagnostic, Position


def function_names(code: bytes, file: str) -> frozenset[str]:
    """Return the names of the functions a file defines at its top level.

    Args:
        code: the file's bytes, UTF-8.
        file: its name, for messages.

    Raises:
        CompileError: it is no Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful escape in a text is the author's business
            tree = ast.parse(code.decode())
    except UnicodeDecodeError:
        raise _refusal("the file is not UTF-8", 1, 1, file) from None
    except SyntaxError as error:
        raise _refusal(f"{error.msg}", error.lineno or 1, error.offset or 1, file) from None
    except (ValueError, RecursionError, MemoryError):
        raise _refusal("the file is too deep, or holds a NUL character", 1, 1, file) from None
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(name for name in names if not name.startswith("_"))


def _refusal(message: str, line: int, column: int, file: str) -> CompileError:
    return CompileError((Diagnostic("python.syntax", message, Position(line, max(column, 1)), file=file),))
