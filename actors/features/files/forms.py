"""Rows whose files come with them: ``multipart/form-data`` in the place of a JSON body.

Decides that files are taken in first and named by the row then, as if they had been uploaded ahead: the write
is the same as every other. One that is refused leaves no file. Called by ``actors.tenant.operations``.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from actors.features.files import fields
from actors.features.files.intake import text_of
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal
from schemas.compiler.query.errors import QueryError

MAX_FIELD = 1 << 20
_FORM = "application/x-www-form-urlencoded"

Write = Callable[[Generation, Call, Principal], Awaitable[Result]]


async def write_with_files(generation: Generation, call: Call, principal: Principal, write: Write) -> Result:
    """Take in the files of a form, then write its row.

    Raises:
        ProblemError, QueryError: refused; then none of its files stays.
    """
    taken: list[str | None] = []
    values: list[tuple[str, str]] = []
    verbs = ("update",) if call.method == "PATCH" else ("create",)
    try:
        async for part in fields.parts_of(call):
            if part.filename is None:
                values.append((part.name, await text_of(part.pieces, MAX_FIELD)))
                continue
            entity, field = fields.field_of(generation, call.entity, part.name)
            fields.require_write(entity, field, principal, verbs)
            file = await fields.keep(generation, part, entity, field, principal.id or principal.key)
            taken.append(file.id)
            values.append((field.name, file.id))
        # from here on it is a write like every other, also when it has to be run again on newer tables
        call.body, call.content_type, call.sending = urlencode(values).encode(), _FORM, None
        return await write(generation, call, principal)
    except (ProblemError, QueryError) as error:
        if getattr(error, "code", "") != "outcome_unknown":
            await fields.let_go(generation, taken)
        raise
