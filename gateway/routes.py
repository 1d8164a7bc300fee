"""The whole HTTP surface of a tenant in one table: path and method to operation.

Decides which operation answers and which methods a path has. It never looks at a body. Called by
``gateway.server``; the table is also what the documentation lists.

Paths are relative to a tenant's base. Everything under ``rest/v1`` is the same surface in PostgREST's place,
where an entity may have any name; directly under the base the words of this table win over an entity of the
same name.
"""

from msgspec import Struct

from gateway.comment_routes import COMMENTS_WORD, find_comments
from gateway.file_routes import FILE_PLACES, find_file, find_of_row
from gateway.history_routes import HISTORY_WORD, find_history
from gateway.route import Route
from gateway.work_routes import WORK_ROUTES

_COLLECTION = {"GET": "list", "POST": "create", "PATCH": "update", "PUT": "replace", "DELETE": "delete"}
_ROW = {"GET": "get", "PATCH": "update", "PUT": "replace", "DELETE": "delete"}

ROUTES: tuple[Route, ...] = (
    Route("", {"GET": "index"}, "what this tenant offers"),
    Route("openapi.json", {"GET": "openapi"}, "OpenAPI 3.1 of the live schema"),
    Route("docs", {"GET": "docs"}, "pages to read and try the API"),
    Route("schema", {"GET": "schema"}, "the live schema as JSON"),
    Route("branding", {"GET": "branding"}, "name, colour and logo, for pages before anybody signs in"),
    Route("types.ts", {"GET": "types.ts"}, "the schema as types for supabase-js: `createClient<Database>`"),
    Route("types.py", {"GET": "types.py"}, "the schema as types for Python"),
    Route("status", {"GET": "status"}, "serving version, last reload, last refused edit"),
    Route("batch", {"POST": "batch"}, "several operations in one transaction"),
    Route("me", {"GET": "me"}, "who I am and what I may do"),
    Route("functions/v1", {"GET": "functions.list"}, "the file's functions (admins)"),
    Route("tenants/check-slug", {"GET": "platform.check_slug"}, "whether a slug is free (platform)"),
    Route("rpc/{function}", {"GET": "call", "POST": "call"}, "call a function"),
    Route("functions/v1/{function}", {"GET": "call", "POST": "call"}, "call a function"),
    Route("docs/{file}", {"GET": "docs"}, "what the pages of the API are made of"),
    Route("{entity}/{id}/transitions", {"GET": "transitions"}, "what its workflow lets me do, and its past"),
    Route("{entity}/{id}/transitions/{name}", {"POST": "transition"}, "move a row to another state"),
    Route(
        "{entity}/workflow", {"GET": "workflow"}, "its states and transitions; `text/vnd.mermaid` draws them"
    ),
    Route(
        "{entity}.{format}",
        {"GET": "export", "POST": "import"},
        "all rows a query finds, as csv, ndjson, json or xlsx; rows from such a file (not json)",
    ),
    Route("{entity}", _COLLECTION, "rows of an entity"),
    Route("{entity}/{id}", _ROW, "one row"),
)

AUTH_ROUTES: tuple[Route, ...] = (
    Route("auth/v1/signup", {"POST": "auth.signup"}, "sign up"),
    Route("auth/v1/token", {"POST": "auth.token"}, "sign in, or exchange a refresh token, code or id token"),
    Route("auth/v1/logout", {"POST": "auth.logout"}, "sign out: this session, all, or the others"),
    Route("auth/v1/user", {"GET": "auth.user", "PUT": "auth.user.update"}, "my account"),
    Route("auth/v1/user/identities", {"GET": "auth.identities.list"}, "my identities at other providers"),
    Route("auth/v1/user/identities/authorize", {"GET": "auth.identities.link"}, "link a further identity"),
    Route("auth/v1/user/identities/{id}", {"DELETE": "auth.identities.unlink"}, "unlink an identity"),
    Route("auth/v1/recover", {"POST": "auth.recover"}, "mail a link to set a new password"),
    Route("auth/v1/otp", {"POST": "auth.otp"}, "mail a link and code to sign in"),
    Route("auth/v1/magiclink", {"POST": "auth.magiclink"}, "mail a link and code to sign in"),
    Route("auth/v1/resend", {"POST": "auth.resend"}, "mail a link again"),
    Route("auth/v1/invite", {"POST": "auth.invite"}, "invite somebody (admins)"),
    Route(
        "auth/v1/reauthenticate", {"GET": "auth.reauthenticate", "POST": "auth.reauthenticate"},
        "mail a code that confirms it is me",
    ),
    Route("auth/v1/verify", {"GET": "auth.verify", "POST": "auth.verify"}, "use a link or code"),
    Route("auth/v1/verify/look", {"POST": "auth.verify.look"}, "what a link is for, without using it"),
    Route("auth/v1/authorize", {"GET": "auth.authorize"}, "sign in at another provider"),
    Route("auth/v1/callback", {"GET": "auth.callback"}, "back from another provider"),
    Route("auth/v1/factors", {"GET": "auth.factors.list", "POST": "auth.factors.enroll"}, "second factors"),
    Route("auth/v1/factors/{id}", {"DELETE": "auth.factors.unenroll"}, "remove a second factor"),
    Route("auth/v1/factors/{id}/challenge", {"POST": "auth.factors.challenge"}, "ask for a code"),
    Route("auth/v1/factors/{id}/verify", {"POST": "auth.factors.verify"}, "prove the second factor"),
    Route("auth/v1/settings", {"GET": "auth.settings"}, "how one signs in here"),
    Route("auth/v1/health", {"GET": "auth.health"}, "whether signing in works"),
    Route("auth/v1/.well-known/jwks.json", {"GET": "auth.jwks"}, "public keys of the tokens"),
    Route(
        "auth/v1/.well-known/openid-configuration", {"GET": "auth.openid_configuration"}, "discovery document"
    ),
    Route(
        "auth/v1/session", {"POST": "auth.session.create", "DELETE": "auth.session.end"}, "browser's session"
    ),
    Route(
        "auth/v1/sessions", {"GET": "auth.sessions.list", "DELETE": "auth.sessions.revoke_all"}, "my sessions"
    ),
    Route("auth/v1/sessions/{id}", {"DELETE": "auth.sessions.revoke"}, "end one session"),
    Route("auth/v1/keys", {"GET": "auth.keys.list", "POST": "auth.keys.create"}, "API keys (admins)"),
    Route(
        "auth/v1/keys/{id}",
        {"GET": "auth.keys.get", "PATCH": "auth.keys.update", "DELETE": "auth.keys.revoke"},
        "one API key (admins)",
    ),
    Route("auth/v1/keys/{id}/rotate", {"POST": "auth.keys.rotate"}, "replace an API key (admins)"),
    Route("auth/v1/signing-keys/rotate", {"POST": "auth.keys.rotate_signing"}, "new signing key (admins)"),
    Route(
        "auth/v1/admin/users", {"GET": "auth.admin.users.list", "POST": "auth.admin.users.create"},
        "accounts (admins)",
    ),
    Route(
        "auth/v1/admin/users/{id}",
        {
            "GET": "auth.admin.users.get", "PUT": "auth.admin.users.update",
            "DELETE": "auth.admin.users.delete",
        },
        "one account (admins)",
    ),
    Route(
        "auth/v1/admin/users/{id}/sessions",
        {"GET": "auth.admin.sessions.list", "DELETE": "auth.admin.sessions.end"},
        "where somebody is signed in; sign them out (admins)",
    ),
    Route("auth/v1/admin/generate_link", {"POST": "auth.generate_link"}, "make a link without mail (admins)"),
    Route("auth/v1/admin/audit", {"GET": "auth.admin.audit"}, "what happened (admins)"),
    Route("auth/v1/login", {"GET": "auth.login", "POST": "auth.login"}, "sign-in page"),
    Route("auth/v1/account", {"GET": "auth.account", "POST": "auth.account"}, "page of who is signed in"),
    Route("auth/v1/password", {"GET": "auth.password", "POST": "auth.password"}, "page to set a password"),
    Route("auth/v1/setup", {"POST": "auth.setup"}, "make the first administrator (platform)"),
    Route("auth/v1/tenants", {"GET": "auth.tenants"}, "tenants I belong to (platform)"),
    Route("auth/v1/tenants/{slug}/session", {"POST": "auth.switch"}, "a session in a tenant (platform)"),
)  # fmt: skip

PLATFORM_ROUTES: tuple[Route, ...] = (
    Route(
        "tenants/{slug}/schema",
        {"GET": "platform.schema", "PUT": "platform.schema.write"},
        "a tenant's file (platform)",
    ),
    Route("tenants/{slug}/schema/status", {"GET": "platform.schema.status"}, "how its last edit came out"),
    Route("tenants/{slug}/schema/history", {"GET": "platform.schema.history"}, "its versions, with diffs"),
    Route("tenants/{slug}/export", {"GET": "platform.export"}, "everything of a tenant in one archive"),
    Route("tenants/{slug}/import", {"POST": "platform.import"}, "a tenant from such an archive"),
)

REALTIME_ROUTES: tuple[Route, ...] = (
    Route("realtime/v1/websocket", {"GET": "realtime.socket"}, "channels, as supabase-js speaks them"),
    Route("realtime/v1/api/broadcast", {"POST": "realtime.broadcast"}, "say something in channels"),
    Route(
        "realtime/v1/api/broadcast/{topic}/events/{event}", {"POST": "realtime.broadcast"},
        "say something in one channel",
    ),
)  # fmt: skip

SERIES_ROUTES: tuple[Route, ...] = (
    *(
        Route(f"metrics/{name}", {"GET": f"metering.{name}"}, f"{what}, as a series for charts (platform)")
        for name, what in (
            ("requests", "requests and errors"),
            ("latency", "p50, p95 and p99 of latency"),
            ("active_users", "people a day"),
            ("rows", "rows"),
            ("storage", "bytes of storage"),
            ("egress", "bytes sent"),
            ("function_time", "milliseconds of functions"),
            ("revenue", "what was invoiced and paid"),
            ("growth", "new tenants and people"),
        )
    ),
    Route("metrics/top", {"GET": "metering.top"}, "tenants or routes that use most (platform)"),
)
NOTICE_ROUTE = Route(
    "webhooks/{provider}/notices", {"POST": "billing.webhook"}, "what a payment provider tells us (platform)"
)
RUNTIME_ROUTES: tuple[Route, ...] = (
    Route("runtime", {"GET": "monitoring.runtime"}, "actors, event loop and connections now (platform)"),
    Route("runtime/errors", {"GET": "monitoring.errors"}, "the latest errors of the process (platform)"),
    Route("runtime/slow", {"GET": "monitoring.slow"}, "the latest slow statements (platform)"),
    Route("runtime/lag", {"GET": "monitoring.lag"}, "how late the event loop was, the last hour (platform)"),
    Route("runtime/reloads", {"GET": "monitoring.reloads"}, "the latest reloads by phase (platform)"),
    Route("runtime/log", {"GET": "monitoring.log"}, "the latest lines of the log (platform)"),
)
"""Of the platform only: a tenant's entity may have the name."""

REST_PREFIX = ("rest", "v1")
_AUTH_FIXED = {tuple(route.path.split("/")): route for route in AUTH_ROUTES if "{" not in route.path}
_AUTH_VARIABLE = {
    (len(parts), *(part for part in parts if part[0] != "{")): (
        route,
        next(i for i, part in enumerate(parts) if part[0] == "{"),
    )
    for route in AUTH_ROUTES
    if "{" in route.path
    for parts in [tuple(route.path.split("/"))]
}
_FIXED = {
    tuple(route.path.split("/")): route
    for route in (*ROUTES, *SERIES_ROUTES)
    if route.path and "{" not in route.path
}
_OF_TENANT = {tuple(route.path.split("/")[2:]): route for route in PLATFORM_ROUTES}
_OF_PLATFORM = {tuple(route.path.split("/")): route for route in RUNTIME_ROUTES}
_INDEX = ROUTES[0]
_RPC, _FUNCTIONS, _DOCS, _MOVES, _MOVE, _WORKFLOW, _FILE, _ENTITY, _ONE = ROUTES[-9:]
_UNDER = {("docs",): _DOCS, ("functions", "v1"): _FUNCTIONS}
_MOVES_WORD, _WORKFLOW_WORD = "transitions", "workflow"
_WORK = frozenset({"tasks", "jobs", "imports", "realtime", "reports", "webhooks", "trials"})
"""Entities may have these names: no row of theirs has the key ``v1``."""
_NOT_ENTITIES = frozenset({"rpc", "functions", "auth", "storage", "realtime", "rest"})


class Found(Struct, frozen=True):
    """The route a path has, with its variable parts."""

    route: Route
    entity: str = ""
    key: str | None = None
    action: str = ""


def find_of_platform(parts: tuple[str, ...]) -> Found | None:
    """Return the route for the parts after the platform's base, None when there is none."""
    route = _OF_PLATFORM.get(parts)
    return find(parts) if route is None else Found(route)


def find(parts: tuple[str, ...]) -> Found | None:
    """Return the route for the parts after a tenant's base, None when there is none."""
    rest = parts[:2] == REST_PREFIX
    if rest:
        parts = parts[2:]
    if not parts:
        return Found(_INDEX)
    if len(parts) == 2 and parts[0] == "rpc":
        return Found(_RPC, parts[1])
    if not rest:
        if parts[0] == "auth" or (parts[0] in _WORK and parts[1:2] == ("v1",)):
            return _find_auth(parts) if parts[0] == "auth" else _find_work(parts)
        fixed = _FIXED.get(parts)
        if fixed is not None:
            return Found(fixed)
        under = _UNDER.get(parts[:-1])
        found = _find_billing(parts) if under is None else Found(under, parts[-1])
        if found is not None:
            return found
        if parts[:2] in FILE_PLACES:
            return _named(find_file(parts))
        if parts[0] == "tenants" and len(parts) > 2:
            route = _OF_TENANT.get(parts[2:])
            return _find_rows(parts) if route is None else Found(route, parts[1])
        if parts[0] in _NOT_ENTITIES:
            return None
    return _find_rows(parts)


def _find_rows(parts: tuple[str, ...]) -> Found | None:
    if len(parts) == 1:
        entity, dot, form = parts[0].rpartition(".")
        return Found(_FILE, entity, form) if dot else Found(_ENTITY, parts[0])
    if len(parts) == 2:
        if parts[1] == _WORKFLOW_WORD:
            return Found(_WORKFLOW, parts[0])
        return Found(_ONE, parts[0], parts[1])
    if len(parts) in {3, 4} and parts[2] == _MOVES_WORD:
        return (
            Found(_MOVES, parts[0], parts[1])
            if len(parts) == 3
            else Found(_MOVE, parts[0], parts[1], parts[3])
        )
    if parts[2] == HISTORY_WORD:
        return _named(find_history(parts))
    if parts[2] == COMMENTS_WORD:
        return _named(find_comments(parts))
    return _named(find_of_row(parts))


def _named(found: tuple[Route, str, str | None, str] | None) -> Found | None:
    return None if found is None else Found(*found)


def _find_work(parts: tuple[str, ...]) -> Found | None:
    for route in (*WORK_ROUTES, *REALTIME_ROUTES):
        wanted = route.path.split("/")
        if len(wanted) == len(parts) and all(
            w == p or w[0] == "{" for w, p in zip(wanted, parts, strict=True)
        ):
            variables = [p for w, p in zip(wanted, parts, strict=True) if w[0] == "{"]
            return Found(route, *variables)
    return None


def _find_billing(parts: tuple[str, ...]) -> Found | None:
    if len(parts) == 3 and parts[0] == "webhooks" and parts[2] == "notices":
        return Found(NOTICE_ROUTE, parts[1])
    return None


def _find_auth(parts: tuple[str, ...]) -> Found | None:
    fixed = _AUTH_FIXED.get(parts)
    if fixed is not None:
        return Found(fixed)
    for place in range(3, len(parts)):
        route, variable = _AUTH_VARIABLE.get((len(parts), *parts[:place], *parts[place + 1 :]), (None, 0))
        if route is not None and variable == place:
            return Found(route, parts[place])
    return None
