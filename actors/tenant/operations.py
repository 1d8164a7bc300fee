"""What a tenant can be asked: a table from operation to function over a generation.

Decides, per operation, in how many transactions it runs and what is answered. It never sees HTTP; SQL comes
from the query compiler and goes to ``executor``. Called by ``TenantActor`` through ``execute``.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from actors.connections import TenantConnection
from actors.features import capabilities, explain, me
from actors.features.auth import operations as auth
from actors.features.billing import functions as billing
from actors.features.comments import operations as comments
from actors.features.files import fields, forms
from actors.features.files import operations as files
from actors.features.functions import operations as functions
from actors.features.functions import rpc
from actors.features.history import reverting, versions
from actors.features.metering import series
from actors.features.monitoring import functions as monitored
from actors.features.monitoring import runtime as monitoring
from actors.features.outbox import operations as outbox
from actors.features.platform import creating
from actors.features.platform import operations as platform
from actors.features.realtime import events
from actors.features.realtime import operations as realtime
from actors.features.reports import operations as reports
from actors.features.transfer import operations as transfer
from actors.features.webhooks import operations as webhooks
from actors.features.workflow.diagram import show_workflow
from actors.features.workflow.overview import show_transitions
from actors.messages import Call, Identify, ProblemError, Result
from actors.tenant import batch, describe, idempotency, people, rows
from actors.tenant.attribution import asking, attributed
from actors.tenant.executor import in_transaction
from actors.tenant.generation import Generation
from schemas.compiler.compile import SYSTEM_SLUG
from schemas.compiler.principal import ANONYMOUS, Principal
from schemas.compiler.query.errors import QueryError
from schemas.compiler.roles import with_included

Operation = Callable[[Generation, Call, Principal], Awaitable[Result]]

_MAX_PRINCIPALS = 4096
_SIGN_IN_BY_LINK = frozenset({"auth.callback", "auth.verify"})  # a GET may change who is signed in
PEOPLE = "users"
"""The entity whose rows are the tenant's accounts: its roles count from the moment they are written."""


async def execute(generation: Generation, call: Call) -> Result:
    """Run one call.

    Raises:
        ProblemError: a refusal the caller is told about.
        StaleGenerationError: the tables are no longer what the generation was compiled for; nothing was
        changed.
    """
    operation = OPERATIONS.get(call.operation)
    if operation is None:
        raise ProblemError("http.not_built", f"'{call.operation}' is not part of this installation")
    principal = await auth.caller_of(generation, call)
    full = generation.principals.get(principal) or expand(generation, principal)
    try:
        if generation.limits is None:
            return await operation(generation, call, full)
        headers = generation.limits.check(generation, call, full)
        usage = generation.usage
        if usage is None:
            result = await operation(generation, call, full)
        else:
            if full.id is not None:
                usage.seen(full.id)
            limits = usage.quota.limits
            if limits is None:
                result = await operation(generation, call, full)
            else:
                headers += usage.quota.admit(limits, full)
                with usage.quota.holding(full):
                    result = await operation(generation, call, full)
        if not headers:
            return result
        return replace(result, headers=(*result.headers, *headers))
    except QueryError as error:
        problem = told(error)
        problem.signed_in = full.known
        raise problem from error
    except ProblemError as error:
        error.signed_in = full.known
        raise
    finally:
        if generation.outbox is not None and _may_leave_work(generation, call):
            generation.outbox.committed()
        if generation.live is not None and call.method not in {"GET", "HEAD"}:
            generation.live.hint()


async def identify(generation: Generation, question: Identify) -> Principal:
    """Return who somebody is, with every role their roles include.

    Raises:
        ProblemError: the credential is not accepted.
    """
    if generation.realm is None:
        return ANONYMOUS
    principal = await generation.realm.principal(question.credential, generation)
    return generation.principals.get(principal) or expand(generation, principal)


def expand(generation: Generation, principal: Principal) -> Principal:
    """Return the caller with every role its roles include."""
    full = replace(principal, roles=with_included(generation.model.roles, principal.roles))
    if len(generation.principals) >= _MAX_PRINCIPALS:
        generation.principals.clear()
    generation.principals[principal] = full
    return full


def told(error: QueryError) -> ProblemError:
    """Return a refusal of the query compiler as the caller is told about it."""
    return ProblemError(
        error.code, error.message, details=error.details, hint=error.hint, errors=error.errors
    )


def _may_leave_work(generation: Generation, call: Call) -> bool:
    """Whether a call may have changed what somebody listens to, or may not: that costs a look."""
    if call.method in {"GET", "HEAD"}:
        return call.operation in _SIGN_IN_BY_LINK
    return OPERATIONS.get(call.operation) is not write_rows or call.entity in generation.queries.listened


# -- rows -----------------------------------------------------------------------------------------


async def read_rows(generation: Generation, call: Call, principal: Principal) -> Result:
    """List rows of an entity, or get one by its key; or say why the caller may, or may not."""
    if events.MEDIA in call.accept and events.is_asked(call):
        return await events.follow_rows(generation, call, principal)
    if explain.ASKED in call.query and explain.is_asked(call.query):
        return await explain.explain_rows(generation, call, principal)
    if capabilities.ASKED in call.query and capabilities.is_asked(call.query):
        return await capabilities.list_rows(generation, call, principal)
    return await rows.read(generation, call, principal, None)


async def write_rows(generation: Generation, call: Call, principal: Principal) -> Result:
    """Create, change, replace or delete rows."""
    fields.refuse_objects(call)
    if call.sending is not None:
        return await forms.write_with_files(generation, call, principal, write_rows)
    if _makes_tenant(generation, call):
        return await creating.create_tenant(generation, call, principal)

    of_people = _of_people(generation, call)
    if not of_people and not call.idempotency_key:
        return await rows.write(generation, call, principal, None)
    write = partial(_write_on, generation, call, principal)
    if call.idempotency_key:
        key_call = replace(call, principal=principal)
        result = await idempotency.once(generation.pool, generation.identity.namespace, key_call, write)
    else:
        commit = rows.preferences_of(call.prefer).tx != "rollback"
        result = await in_transaction(generation.pool, write, commit=commit)
    if of_people and generation.realm is not None:
        await generation.realm.changed(None)
    return result


def _makes_tenant(generation: Generation, call: Call) -> bool:
    """Whether a write makes tenants; then the row and the tenant come together or not at all."""
    return (
        generation.platform is not None and call.entity == platform.TENANTS and call.method in {"POST", "PUT"}
    )


async def run_batch(generation: Generation, call: Call, principal: Principal) -> Result:
    """Run several operations in one transaction."""
    call = replace(call, principal=principal)
    section = generation.model.sections.get("api")
    operations = batch.parse_batch(call, getattr(section, "max_requests", batch.MAX_OPERATIONS))
    preferences = rows.preferences_of(call.prefer)
    of_people = False

    async def work(connection: TenantConnection) -> Result:
        nonlocal of_people
        bodies: dict[str, Any] = {}
        results: list[Result] = []
        for number, operation in enumerate(operations):
            try:
                inner = batch.to_call(operation, call, bodies)
                if generation.limits is not None:
                    generation.limits.check(generation, inner, principal)
                result = await _run_inside(generation, inner, principal, connection)
            except QueryError as error:
                raise batch.at_operation(told(error), number) from error
            except ProblemError as error:
                raise batch.at_operation(error, number) from error
            of_people |= _of_people(generation, inner)
            results.append(result)
            if operation.name and result.body:
                bodies[operation.name] = batch.body_of(result)
        return batch.answer(operations, results)

    if call.idempotency_key:
        result = await idempotency.once(generation.pool, generation.identity.namespace, call, work)
    else:
        result = await in_transaction(generation.pool, work, commit=preferences.tx != "rollback")
    if of_people and generation.realm is not None:
        await generation.realm.changed(None)
    return result


async def _run_inside(
    generation: Generation, call: Call, principal: Principal, connection: TenantConnection
) -> Result:
    if call.method == "GET":
        return await rows.read(generation, call, principal, connection)
    fields.refuse_objects(call)
    if _makes_tenant(generation, call):
        raise ProblemError("tenant.one_at_a_time", "tenants are made one at a time, outside a batch")

    return await _write_on(generation, call, principal, connection)


async def _write_on(
    generation: Generation, call: Call, principal: Principal, connection: TenantConnection
) -> Result:
    """Write inside a transaction; the accounts behind the people follow their rows."""
    write = partial(rows.write, generation, call, principal)
    if _of_people(generation, call):
        return await people.guard(generation, principal, connection, write)
    return await write(connection)


def _of_people(generation: Generation, call: Call) -> bool:
    """Whether a call is about the rows behind the accounts, also by the name they had before."""
    if generation.realm is None:
        return False
    entity = generation.model.entities.get(PEOPLE)
    return call.entity == PEOPLE or (entity is not None and call.entity in entity.renamed_from)


async def call_function(generation: Generation, call: Call, principal: Principal) -> Result:
    """Call a function of the platform, or of the tenant's file."""
    if generation.model.slug == SYSTEM_SLUG:
        with asking(call, principal):
            if call.entity in platform.FUNCTIONS:
                return await platform.call_function(generation, call, principal)
            if call.entity in billing.FUNCTIONS:
                return await billing.call_function(generation, call, principal)
            if call.entity in monitored.FUNCTIONS:
                return await monitored.call_function(generation, call, principal)
    return await rpc.call_function(generation, call, principal)


async def read_file(generation: Generation, call: Call, principal: Principal) -> Result:
    """Answer with a row's file; at the platform, an invoice's paper is one."""
    if generation.model.slug == SYSTEM_SLUG and call.entity == billing.INVOICES:
        asked = replace(call, entity=call.key or "", key=call.action)
        return await billing.paper(generation, asked, principal)
    return await fields.download(generation, call, principal)


OPERATIONS: Mapping[str, Operation] = {
    "list": read_rows,
    "get": read_rows,
    "create": write_rows,
    "update": write_rows,
    "replace": write_rows,
    "delete": write_rows,
    "transition": write_rows,
    "transitions": show_transitions,
    "workflow": show_workflow,
    "batch": run_batch,
    "call": call_function,
    "history": versions.list_versions,
    "history.get": versions.show_version,
    "history.revert": partial(reverting.revert, write_rows),
    **comments.OPERATIONS,
    **describe.OPERATIONS,
    **{name: attributed(operation) for name, operation in {**auth.OPERATIONS, **platform.OPERATIONS}.items()},
    **outbox.OPERATIONS,
    **functions.OPERATIONS,
    **webhooks.OPERATIONS,
    **realtime.OPERATIONS,
    **me.OPERATIONS,
    **explain.OPERATIONS,
    **billing.OPERATIONS,
    **series.OPERATIONS,
    **monitoring.OPERATIONS,
    **files.OPERATIONS,
    **transfer.OPERATIONS,
    **reports.OPERATIONS,
    "file.get": read_file,
}
