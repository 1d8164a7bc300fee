"""What a tenant can be asked about rows as files: a table from operation to function."""

from collections.abc import Awaitable, Callable, Mapping

from actors.features.transfer import export, importing
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "export": export.export,
    "import": importing.begin,
    "imports.list": importing.list_imports,
    "imports.get": importing.show,
    "imports.run": importing.run,
    "imports.cancel": importing.cancel,
    "imports.rejected": importing.rejected,
}
