"""A tenant file's bytes to its model, or to everything that is wrong with it: the compiler's front door.

Decides the order of the stages. Pure: the same bytes give the same answer. Called by the compile worker and
by tests.
"""

from contextlib import suppress

from msgspec import Struct

from schemas.compiler.diagnostics import CompileError, Diagnostic, Position
from schemas.compiler.findings import Findings, TooManyFindingsError
from schemas.compiler.model import TenantModel
from schemas.compiler.names import slug_problem
from schemas.compiler.nodes import Mapping, Node
from schemas.compiler.parse import parse
from schemas.compiler.python_file import function_names
from schemas.compiler.resolve import resolve
from schemas.compiler.sections.document import DOCUMENT
from schemas.compiler.sections.platform import check_platform
from schemas.compiler.source import decode, load

SYSTEM_SLUG = "system"
PLATFORM_FILE = "platform"
"""``platform.yaml`` is the tenant ``system``."""


class Compiled(Struct, frozen=True):
    """What a good file means, and what its author should know."""

    model: TenantModel
    warnings: tuple[Diagnostic, ...] = ()


def slug_of_file(stem: str) -> str:
    """Return the slug of the tenant a file describes, by its name without ``.yaml``."""
    return SYSTEM_SLUG if stem == PLATFORM_FILE else stem


def python_file(slug: str) -> str:
    """Return the name of the Python file beside a tenant's file."""
    return f"{PLATFORM_FILE if slug == SYSTEM_SLUG else slug}.py"


def compile_source(text: bytes | str, slug: str, *, filename: str = "") -> TenantModel:
    """Compile a tenant file.

    Args:
        text: the file's bytes or text.
        slug: the tenant's slug, the file's name without ``.yaml``.
        filename: shown in the error's text.

    Returns:
        The finished model.

    Raises:
        CompileError: with everything that is wrong, in file order.
    """
    return compile_with_warnings(text, slug, filename=filename).model


def compile_with_warnings(
    text: bytes | str, slug: str, *, filename: str = "", code: bytes | None = None
) -> Compiled:
    """Compile a tenant file and return its warnings too; as ``compile_source`` otherwise.

    ``code`` is the Python file beside it, b"" when there is none; without, functions are not looked up.
    """
    findings = Findings()
    python = None if code is None else function_names(code, python_file(slug))
    root: Node | None = None
    model = None
    source = decode(text, findings)
    if source is not None:
        findings.source = source
        # what is found until the limit is met is worth reporting; what comes after is not worth the time
        with suppress(TooManyFindingsError):
            root = load(source, findings)
            checked = DOCUMENT.check(root, findings) if root is not None else None
            if isinstance(checked, Mapping):
                _check_slug(checked, slug, findings)
                if slug == SYSTEM_SLUG:
                    check_platform(checked, findings)
                draft = parse(checked, findings)
                # the platform's own functions are none of a file's
                draft.python = python if slug != SYSTEM_SLUG or python else None
                model = resolve(checked, draft, slug, findings)
    found = findings.finish(root)
    if findings.failed or model is None:
        raise CompileError(found or (_nothing(filename),))
    return Compiled(model, found)


def _check_slug(root: Mapping, slug: str, findings: Findings) -> None:
    """The file's name is the tenant's identity: another name inside is refused."""
    problem = "" if slug == SYSTEM_SLUG else slug_problem(slug)
    if problem:
        findings.error(
            "names.slug", f"'{slug[:80]}' cannot be a tenant: {problem}", Position(1, 1), "rename the file"
        )
    service = root.get("service")
    name = service.get("name") if isinstance(service, Mapping) else None
    text = getattr(name, "text", slug)
    if name is not None and text != slug:
        file = PLATFORM_FILE if slug == SYSTEM_SLUG else slug
        hint = f"write name: {slug}, or rename the file to {text}.yaml"
        findings.error(
            "names.service", f"the file is '{file}.yaml', but its service is named '{text[:80]}'", name, hint
        )


def _nothing(filename: str) -> Diagnostic:
    return Diagnostic("source.empty", f"{filename or 'the file'} holds no tenant", Position(1, 1))
