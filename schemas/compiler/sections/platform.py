"""What the platform needs of ``platform.yaml``, which an installation keeps when the program is upgraded.

Decides which parts are missed, and what does not work without them: a warning each, never a refusal. Called
by ``compile`` for the tenant ``system``.
"""

from collections.abc import Mapping as Plain

from schemas.compiler.diagnostics import Position
from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Mapping, pairs

NEEDED: Plain[str, str] = {
    "tenants": "tenants cannot be made or named",
    "memberships": "nobody can belong to a tenant",
    "invitations": "nobody can be invited to a tenant",
    "schemas": "versions of files are not listed",
    "events": "what happens to tenants is not listed",
    "plans": "there are no plans and no limits",
    "subscriptions": "there are no plans and no limits",
    "usage_records": "use is neither shown nor billed",
    "invoices": "nothing is billed",
    "invoice_lines": "nothing is billed",
}
"""Entities, and what is missed without each."""


def check_platform(root: Mapping, findings: Findings) -> None:
    """Warn of every part the file lacks."""
    there = {key.text for key, _ in pairs(root.get("entities"))}
    hint = "copy it from the platform.yaml of this version"
    for name, missed in NEEDED.items():
        if name not in there:
            findings.warn("platform.missing", f"without the entity '{name}' {missed}", Position(1, 1), hint)
    if root.get("audit") is None:
        message = "without 'audit' nobody can see later who did what to the installation"
        findings.warn("platform.missing", message, Position(1, 1), "write audit: true")
