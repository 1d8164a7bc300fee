"""What a file may hold by the tenant's plan.

Decides nothing but that; called by ``reload`` before a file comes into force.
"""

from actors.tenant.quotas import Limits
from schemas.compiler.diagnostics import Diagnostic, Position
from schemas.compiler.model import TenantModel


def beyond_plan(limits: Limits, model: TenantModel) -> tuple[Diagnostic, ...]:
    """Return a finding for each kind of thing of which a file has more than the plan allows."""
    functions = {name for one in model.entities.values() for name in one.sections.get("functions", ())}
    return tuple(
        Diagnostic(
            f"quota.{name}",
            f"the plan '{limits.plan}' allows {most} {name}, this file has {number}",
            Position(1, 1),
            name,
            "remove some, or change the plan",
        )
        for name, number, most in (
            ("entities", len(model.entities), limits.entities),
            ("functions", len(functions), limits.functions),
        )
        if most is not None and number > most
    )
