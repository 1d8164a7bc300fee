"""What a tenant can be asked about files: a table from operation to function."""

from collections.abc import Awaitable, Callable, Mapping

from actors.features.files import fields
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

OPERATIONS: Mapping[str, Callable[[Generation, Call, Principal], Awaitable[Result]]] = {
    "file.upload": fields.upload,
    "file.put": fields.put,
    "file.sign": fields.sign,
    "file.signed": fields.signed,
}
