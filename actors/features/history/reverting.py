"""``POST {entity}/{id}/history/{version}/revert``: a row as it was, written again.

Decides what going back is: a write of the caller's like any other, with the values of then, so that rules,
rights, hooks and checks are those of now. It goes back as far as the caller sees and may write: fields he
does not see in that version stay as they are, as do those the server gives, files (their bytes went with the
row that let go of them) and the state of a workflow. A row that is gone is made
again under its key; one that was only marked deleted is there again first, for who might delete it. Called by
``operations``.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features.functions.calls import BY_REQUEST
from actors.features.history.versions import ENCODER, Version, no_version, read_versions, version_number
from actors.messages import Call, ProblemError, Result
from actors.tenant import people, rows
from actors.tenant.attribution import who
from actors.tenant.executor import fetch_rows_on, in_transaction
from actors.tenant.generation import Generation
from actors.tenant.pipeline import expected_version
from schemas.compiler.model import Entity, Field
from schemas.compiler.principal import Principal
from schemas.compiler.query.requests import WriteRequest
from schemas.compiler.sections.auth import USERS
from schemas.compiler.sql import Argument, quote

_NOTHING = b"{}"
_ONE = "application/vnd.pgrst.object+json"
Write = Callable[[Generation, Call, Principal], Awaitable[Result]]


async def revert(write: Write, generation: Generation, call: Call, principal: Principal) -> Result:
    """Write a row's values of a version.

    Args:
        write: ``operations``' own, for what is an ordinary write.
        generation: of the tenant.
        call: ``action`` is the version's number; ``If-Match`` is about the row as it is now.
        principal: with every role its roles include.

    Raises:
        ProblemError: row.not_found, history.no_version, or as for a write.
        QueryError: history.none, the caller's rights.
    """
    entity = generation.queries.entity(call.entity, datetime.now(UTC).date())
    number = version_number(call)
    found = await read_versions(generation, call, principal, number, 1)
    (newest,) = await read_versions(generation, call, principal, None, 1)
    if not found or found[0]["version"] != number or found[0]["data"] is None:
        raise no_version(number)
    change = _call(call, entity, found[0], newest)
    if newest["data"] is None:
        if expected_version(call.if_match) is not None:
            raise ProblemError("row.version_mismatch", "the row is gone")
        return await write(generation, change, principal)
    if newest["deleted"]:
        return await _revive(generation, call, change, principal, entity)
    if change.body == _NOTHING:
        version = expected_version(call.if_match)
        if version is not None and str(newest["data"].get("row_version", version)) != version:
            raise ProblemError("row.version_mismatch", "the row was changed meanwhile", hint="read it again")
        return await rows.read(generation, replace(change, method="GET", body=b""), principal, None)
    return await write(generation, change, principal)


def _call(call: Call, entity: Entity, version: Version, newest: Version) -> Call:
    """Return the write that makes a row what it was."""
    data, known = version["data"], version["known"]
    workflow = entity.sections.get("workflow")
    held = None if workflow is None else workflow.field
    was = {
        name: value
        for name, value in data.items()
        if (known is None or name in known) and _given(entity.fields[name]) and name not in {entity.key, held}
    }
    prefer = call.prefer
    if "return=" not in prefer:
        prefer = f"{prefer},return=representation" if prefer else "return=representation"
    common = replace(call, query="", content_type="application/json", prefer=prefer, action="", accept=_ONE)
    now = newest["data"]
    if now is None:
        body = {**was, entity.key: data[entity.key]}
        return replace(common, operation="create", method="POST", key=None, body=ENCODER.encode(body))
    changed: dict[str, Any] = {
        name: value for name, value in was.items() if name not in now or now[name] != value
    }
    match = call.if_match
    if not match and "row_version" in now and not newest["deleted"]:
        # what is written was compared with this version of it
        match = f'"{now["row_version"]}"'
    return replace(common, operation="update", method="PATCH", body=ENCODER.encode(changed), if_match=match)


def _given(field: Field) -> bool:
    """Whether somebody gave the value, and not the server, and it can be given again."""
    ours = field.read_only or field.virtual or field.computed is not None or field.generated
    return not ours and field.kind != "file"


async def _revive(
    generation: Generation, call: Call, change: Call, principal: Principal, entity: Entity
) -> Result:
    """Take back that a row is marked deleted, and write the rest, in one transaction."""
    version = expected_version(call.if_match)
    held = WriteRequest(entity.name, key=call.key, today=datetime.now(UTC).date())
    table = f"{quote(generation.identity.namespace)}.{quote(entity.name)}"
    key, pg_type = quote(entity.key), entity.fields[entity.key].pg_type
    touched, same = "", ""
    given: list[Argument] = []
    if entity.managed:
        touched = ', "updated_at" = now(), "updated_by" = $2, "row_version" = "row_version" + 1'
        same, given = (
            ' AND "row_version" = coalesce($3::text::bigint, "row_version")',
            [principal.id, version],
        )

    async def work(own: TenantConnection) -> Result:
        said = who(call, principal, BY_REQUEST)
        await fetch_rows_on(own, "SELECT set_config('backsaas.who', $1, true)", [said])
        back = await fetch_rows_on(
            own,
            f'UPDATE {table} SET "deleted_at" = NULL{touched} WHERE {key} = $1::text::{pg_type} '  # noqa: S608
            f'AND "deleted_at" IS NOT NULL{same} RETURNING 1',
            [call.key, *given],
        )
        if not back:
            raise ProblemError("row.version_mismatch", "the row was changed meanwhile", hint="read it again")
        prepared = generation.queries.write("lock delete", held, principal)
        arguments = prepared.statement.arguments(prepared.slots, principal, datetime.now(UTC).isoformat())
        if not await fetch_rows_on(own, prepared.statement.text, arguments):
            raise ProblemError("42501", "a deleted row comes back for those who may delete it")
        if change.body == _NOTHING:
            return await rows.read(generation, replace(change, method="GET", body=b""), principal, own)
        return await rows.write(generation, replace(change, if_match=""), principal, own)

    commit = rows.preferences_of(call.prefer).tx != "rollback"
    if entity.name != USERS:
        return await in_transaction(generation.pool, work, commit=commit)
    result = await in_transaction(
        generation.pool, lambda own: people.guard(generation, principal, own, work), commit=commit
    )
    if generation.realm is not None:
        await generation.realm.changed(None)
    return result
