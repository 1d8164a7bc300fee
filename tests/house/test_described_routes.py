"""Every path of the routes' tables that programs call is in openapi.json of an admin, with each of its methods."""

import re
from pathlib import Path
from typing import Any

from gateway.file_routes import FILE_ROUTES, STORAGE_ROUTES
from gateway.routes import (
    AUTH_ROUTES,
    NOTICE_ROUTE,
    PLATFORM_ROUTES,
    REALTIME_ROUTES,
    ROUTES,
    RUNTIME_ROUTES,
    SERIES_ROUTES,
)
from gateway.work_routes import WORK_ROUTES
from schemas.compiler.compile import compile_source
from schemas.compiler.emit.openapi import openapi_document
from schemas.compiler.principal import ADMIN_ROLE, ANONYMOUS, Principal

ROOT = Path(__file__).resolve().parent.parent.parent
SHOP = """
version: 1
service: { name: shop }
roles: { guest: {} }
reports:
  totals: { entity: orders, params: { state: { type: string, title: State, default: open } }, filter: "state=eq.{state}", columns: count(), roles: [admin], schedule: "0 7 * * *", email: [a@b.example] }
storage: { buckets: { pictures: { public: true, access: { read: guest } } } }
functions:
  total: { trigger: rpc, function: validate_email, read_only: true, args: { properties: { any: true } } }
entities:
  orders:
    schema:
      properties:
        state: { type: string, enum: [open, paid], default: open }
        paper: { type: string, format: file }
        deed: { type: string, format: file, protected: true }
    workflow:
      field: state
      states: { open: {}, paid: {} }
      transitions: { pay: { from: open, to: paid } }
    access:
      read: [ { role: admin }, { role: guest, fields: [state] } ]
      write: [ { role: admin } ]
      delete: [ { role: admin } ]
"""
PAGES = {"", "openapi.json", "docs", "docs/{file}", "types.ts", "types.py", "realtime/v1/websocket"} | {
    f"auth/v1/{page}" for page in ("login", "account", "password", "setup")
}
"""For people, about the description itself, or no HTTP."""
SAME = {"functions/v1/{function}"}
"""Another place of something described."""
EXAMPLES = {"{entity}": "orders", "{field}": "paper", "{function}": "total", "{report}": "totals"}


def described(slug: str, text: str, principal: Principal) -> dict[str, Any]:
    return openapi_document(compile_source(text, slug), 1, "", principal, own_functions=())["paths"]  # type: ignore[no-any-return]


def test_every_route_is_described() -> None:
    admin = Principal(roles=frozenset({ADMIN_ROLE, "platform_admin"}))
    paths = described("shop", SHOP, admin)
    model = compile_source((ROOT / "schemas" / "platform.yaml").read_text(), "system")
    system = openapi_document(model, 1, "", admin, own_functions=("tenant_suspend",))["paths"]
    tables = (*ROUTES, *AUTH_ROUTES, *WORK_ROUTES, *REALTIME_ROUTES, *FILE_ROUTES, *STORAGE_ROUTES)
    of_system = (*PLATFORM_ROUTES, *SERIES_ROUTES, *RUNTIME_ROUTES, NOTICE_ROUTE)
    missing = []
    for route in (*tables, *of_system):
        if route.path in PAGES | SAME:
            continue
        path = "/" + re.sub(r"\{\w+\}", lambda found: EXAMPLES.get(found[0], found[0]), route.path)
        found = paths.get(path, {}) | system.get(path, {})
        missing += [f"{method} {path}" for method in route.operations if method.lower() not in found]
    assert missing == [], "describe them in schemas/compiler/emit/openapi_*.py"
    assert "/invoices/{id}/{format}" in system


def test_reports_are_described_with_their_parameters_to_whom_they_are_for() -> None:
    paths = described("shop", SHOP, Principal(roles=frozenset({ADMIN_ROLE})))
    asked = paths["/reports/v1/totals"]["get"]["parameters"]
    assert [(one["name"], one["schema"]) for one in asked] == [
        ("state", {"type": "string", "default": "open"})
    ]
    assert not {
        path for path in described("shop", SHOP, Principal(roles=frozenset({"guest"}))) if "reports" in path
    }


def test_files_are_described_to_who_may_use_them() -> None:
    paths = described("shop", SHOP, Principal(roles=frozenset({ADMIN_ROLE})))
    assert set(paths["/orders/{id}/paper"]) == {"parameters", "get", "put"}
    assert set(paths["/orders/{id}/deed"]) == {"parameters", "put"}  # handed out by links alone
    assert "multipart/form-data" in paths["/orders"]["post"]["requestBody"]["content"]
    assert set(paths["/storage_objects"]) == {"get"}  # written by storage/v1
    guest = described("shop", SHOP, Principal(roles=frozenset({"guest"})))
    assert not {path for path in guest if "paper" in path or path.startswith("/files/v1/orders")}
    one = "/storage/v1/object/{bucket}/{path}"
    assert set(guest[one]) == {"parameters", "get"}
    assert "/storage/v1/bucket" not in guest
    assert one not in described("shop", SHOP, ANONYMOUS)
    plain = described("bare", "version: 1\nservice: { name: bare }\nentities: { a: {} }", ANONYMOUS)
    assert not {path for path in plain if path.startswith(("/storage", "/files"))}
