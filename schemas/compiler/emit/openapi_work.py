"""The paths in OpenAPI beside rows: workflows; and for admins accounts, keys, tasks and jobs.

Decides whom they are shown to: workflows go with what may be read, the rest is for admins alone.
Pure; called by ``openapi``.
"""

from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.body import value_schema
from schemas.compiler.emit.openapi_comments import comment_paths
from schemas.compiler.emit.openapi_history import history_paths
from schemas.compiler.emit.openapi_parts import answer, json_body, operation, parameter
from schemas.compiler.emit.visible import EntityView
from schemas.compiler.principal import ADMIN_ROLE, Principal

_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_LIST: Mapping[str, Any] = {"type": "array", "items": _OBJECT}
_UUID: Mapping[str, Any] = {"type": "string", "format": "uuid"}


def paths_of_entity(view: EntityView) -> dict[str, Any]:
    """Return an entity's history and comments, and what its workflow lets the caller do."""
    if not view.readable:
        return {}
    paths = history_paths(view) | comment_paths(view)
    if "workflow" not in view.entity.sections:
        return paths
    name, key = view.entity.name, view.entity.fields[view.entity.key]
    drawn = {"text/vnd.mermaid": _TEXT}
    return paths | {
        f"/{name}/workflow": {
            "get": operation(
                f"workflow_of_{name}", name, f"States and transitions of {name}, or a drawing of them",
                {"200": answer("The workflow.", _OBJECT, others=drawn)},
            )
        },
        f"/{name}/{{id}}/transitions": {
            "parameters": [parameter("id", key.name, "path", value_schema(key))],
            "get": operation(
                f"transitions_of_{name}", name, "What the workflow lets me do with the row, and its past",
                {"200": answer("Transitions and history.", _OBJECT)},
            ),
        },
    }  # fmt: skip


def admin_paths(principal: Principal) -> dict[str, Any]:
    """Return what admins do beside rows; nothing for everybody else, and for keys with scopes."""
    if ADMIN_ROLE not in principal.roles or principal.scopes is not None:
        return {}
    return {**_work(), **_accounts()}


def _work() -> dict[str, Any]:
    which = [
        parameter("kind", "change, job, webhook, …"),
        parameter("name", "of the function, job or webhook"),
    ]
    states = {"enum": ["ready", "running", "done", "dead"]}
    most = {"type": "integer", "minimum": 1, "maximum": 1000}
    again = {"202": answer("How many run again.", _OBJECT)}
    by_id = [parameter("id", "of the task", "path", _UUID)]
    return {
        "/tasks/v1": {
            "get": operation(
                "list_tasks", "service", "What runs in the background", {"200": answer("Tasks.", _LIST)},
                parameters=[
                    *which, parameter("state", "of the task", schema=states),
                    parameter("limit", "Most tasks.", schema=most),
                ],
            )
        },
        "/tasks/v1/replay": {
            "post": operation(
                "replay_tasks", "service", "Run dead tasks of a kind or name again", again,
                parameters=which, writes=True,
            )
        },
        "/tasks/v1/{id}": {
            "parameters": by_id,
            "get": operation("show_task", "service", "One task", {"200": answer("The task.", _OBJECT)}),
            "delete": operation(
                "drop_task", "service", "Forget a task", {"204": answer("Gone.")}, writes=True
            ),
        },
        "/tasks/v1/{id}/replay": {
            "parameters": by_id,
            "post": operation("replay_task", "service", "Run a dead task again", again, writes=True),
        },
        "/functions/v1": {
            "get": operation(
                "list_functions", "service", "The file's functions", {"200": answer("Functions.", _LIST)}
            )
        },
        "/trials/v1": {
            "post": operation(
                "try_function", "service", "Run a function with an input, and undo what it did",
                {"200": answer("What came out of it, also a failure.", _OBJECT)},
                body=json_body(_OBJECT, {"function": "price", "entity": "invoices", "input": {"net": 10}}),
                writes=True,
            )
        },
        "/webhooks/v1": {
            "get": operation(
                "list_webhooks", "service", "Webhooks: what waits, the last attempt",
                {"200": answer("Webhooks.", _LIST)},
            )
        },
        "/webhooks/v1/deliveries/{id}/replay": {
            "parameters": [parameter("id", "of the delivery", "path", _UUID)],
            "post": operation(
                "replay_delivery", "service", "Send a delivery again",
                {"202": answer("It is sent again.", _OBJECT)}, writes=True,
            ),
        },
        "/jobs/v1": {
            "get": operation(
                "list_jobs", "service", "Jobs: next and last runs", {"200": answer("Jobs.", _LIST)}
            )
        },
        "/jobs/v1/{name}/run": {
            "parameters": [parameter("name", "of the job", "path")],
            "post": operation(
                "run_job", "service", "Run a job now", {"202": answer("It will run.", _OBJECT)}, writes=True
            ),
        },
    }  # fmt: skip


def _accounts() -> dict[str, Any]:
    def made(name: str, text: str, schema: Mapping[str, Any] = _OBJECT, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        told = {"200": answer("Done.", schema)}
        return operation(name, "service", text, told, writes=not name.startswith(("list", "show")), **more)

    account = json_body(_OBJECT, {"email": "ada@example.com", "email_confirm": True})
    key = json_body(_OBJECT, {"name": "reports", "role": ADMIN_ROLE, "scopes": ["invoices:read"]})
    page = [
        parameter("page", "from 1", schema={"type": "integer", "minimum": 1}),
        parameter("per_page", "accounts", schema={"type": "integer", "minimum": 1}),
    ]
    sought = [
        parameter("filter", "a part of the address", schema=_TEXT),
        parameter("role", "of the account", schema=_TEXT),
        parameter("state", "of the account", schema={"enum": ["active", "pending", "banned"]}),
    ]
    done = {"200": answer("Done.", {}), "204": answer("Done.")}
    of_user, of_key = (
        parameter("id", "of the account", "path", _TEXT),
        parameter("id", "of the key", "path", _UUID),
    )
    return {
        "/auth/v1/invite": {"post": made("invite", "Make an account and mail a link", body=account)},
        "/auth/v1/admin/users": {
            "get": made("list_accounts", "Accounts", parameters=[*page, *sought]),
            "post": made("create_account", "Make an account", body=account),
        },
        "/auth/v1/admin/users/{id}": {
            "parameters": [of_user],
            "get": made("show_account", "One account"),
            "put": made("update_account", "Change an account", body=account),
            "delete": operation("delete_account", "service", "Delete an account", done, writes=True),
        },
        "/auth/v1/admin/users/{id}/sessions": {
            "parameters": [of_user],
            "get": made("list_their_sessions", "Where somebody is signed in", _LIST),
            "delete": operation("end_their_sessions", "service", "Sign somebody out", done, writes=True),
        },
        "/auth/v1/admin/generate_link": {
            "post": made(
                "generate_link", "Make a link without mailing it",
                body=json_body(_OBJECT, {"type": "magiclink", "email": "ada@example.com"}),
            )
        },
        "/auth/v1/admin/audit": {
            "get": made("list_account_events", "What happened to accounts", _LIST, parameters=page)
        },
        "/auth/v1/signing-keys/rotate": {"post": made("rotate_signing_key", "Make a new signing key")},
        "/auth/v1/keys": {
            "get": made("list_keys", "API keys", {}),
            "post": operation(
                "create_key", "service", "Make an API key",
                {"200": answer("The key, once.", _OBJECT), "201": answer("The key, once.", _OBJECT)},
                body=key, writes=True,
            ),
        },
        "/auth/v1/keys/{id}": {
            "parameters": [of_key],
            "get": made("show_key", "One API key"),
            "patch": made("update_key", "Change an API key", body=key),
            "delete": operation("revoke_key", "service", "Revoke an API key", done, writes=True),
        },
        "/auth/v1/keys/{id}/rotate": {
            "parameters": [of_key],
            "post": operation(
                "rotate_key", "service", "Replace an API key",
                {"200": answer("The new key, once.", _OBJECT), "201": answer("The new key, once.", _OBJECT)},
                writes=True,
            ),
        },
    }  # fmt: skip
