"""The whole HTTP surface of a tenant in one table: path and method to operation.

Decides which operation answers and which methods a path has. It never looks at a body. Called by
``gateway.server``; the table is also what the documentation lists.

Paths are relative to a tenant's base. Everything under ``rest/v1`` is the same surface in PostgREST's place,
where an entity may have any name; directly under the base the words of this table win over an entity of the
same name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

READ, WRITE = frozenset({"GET", "HEAD"}), frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class Route:
    """One path.

    Attributes:
        path: parts joined with ``/``; ``{entity}``, ``{id}`` and ``{function}`` stand for one part each.
        operations: operation by method; HEAD is always answered as GET without a body.
        summary: one line for the documentation.
    """

    path: str
    operations: Mapping[str, str]
    summary: str
    methods: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Work out the Allow header once."""
        names = [*self.operations, "OPTIONS"]
        if "GET" in self.operations:
            names.insert(1, "HEAD")
        object.__setattr__(self, "methods", ", ".join(names))


_COLLECTION = {"GET": "list", "POST": "create", "PATCH": "update", "PUT": "replace", "DELETE": "delete"}
_ROW = {"GET": "get", "PATCH": "update", "PUT": "replace", "DELETE": "delete"}

ROUTES: tuple[Route, ...] = (
    Route("", {"GET": "index"}, "what this tenant offers"),
    Route("openapi.json", {"GET": "openapi"}, "OpenAPI 3.1 of the live schema"),
    Route("schema", {"GET": "schema"}, "the live schema as JSON"),
    Route("status", {"GET": "status"}, "serving version, last reload, last refused edit"),
    Route("batch", {"POST": "batch"}, "several operations in one transaction"),
    Route("rpc/{function}", {"GET": "call", "POST": "call"}, "call a function"),
    Route("functions/v1/{function}", {"GET": "call", "POST": "call"}, "call a function"),
    Route("{entity}", _COLLECTION, "rows of an entity"),
    Route("{entity}/{id}", _ROW, "one row"),
)

REST_PREFIX = ("rest", "v1")
_FIXED = {tuple(route.path.split("/")): route for route in ROUTES if route.path and "{" not in route.path}
_INDEX = ROUTES[0]
_RPC, _FUNCTIONS, _ENTITY, _ONE = ROUTES[-4:]
_NOT_ENTITIES = frozenset({"rpc", "functions", "auth", "storage", "realtime", "rest"})


@dataclass(frozen=True, slots=True)
class Found:
    """The route a path has, with its variable parts."""

    route: Route
    entity: str = ""
    key: str | None = None


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
        fixed = _FIXED.get(parts)
        if fixed is not None:
            return Found(fixed)
        if len(parts) == 3 and parts[:2] == ("functions", "v1"):
            return Found(_FUNCTIONS, parts[2])
        if parts[0] in _NOT_ENTITIES:
            return None
    if len(parts) == 1:
        return Found(_ENTITY, parts[0])
    if len(parts) == 2:
        return Found(_ONE, parts[0], parts[1])
    return None
