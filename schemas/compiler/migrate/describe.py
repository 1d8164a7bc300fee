"""A plan for people: as values for the registry and the API, as text for the command line."""

from typing import Any

from schemas.compiler.migrate.hazards import Hazard
from schemas.compiler.migrate.steps import BATCHED, Migration, Step

_LEVELS = {
    0: "instant: one short transaction",
    1: "online: runs beside the traffic",
    2: "needs confirmation",
    3: "refused",
}


def describe(migration: Migration) -> dict[str, Any]:
    """Return a plan as JSON values; ``summary`` holds one line per hazard, else per step."""
    hazards = [hazard_line(hazard) for hazard in migration.hazards]
    return {
        "plan_id": migration.plan_id,
        "base": migration.base,
        "version": migration.version,
        "level": migration.level,
        "summary": hazards or [step.summary for step in migration.steps],
        "hazards": [
            {name: getattr(hazard, name) for name in Hazard.__struct_fields__} for hazard in migration.hazards
        ],
        "steps": [
            {
                "phase": step.phase,
                "level": step.level,
                "summary": step.summary,
                "cause": step.cause,
                "lock": step.lock,
                "sql": list(_sql(step)),
            }
            for step in migration.steps
        ],
    }


def render_plan(migration: Migration, slug: str) -> str:
    """Return a plan as text: what it costs, what to know, every statement in order."""
    if migration.changes_nothing and not migration.hazards:
        return f"{slug}: version {migration.version} changes no table"
    way = f"version {migration.base} -> {migration.version}"
    lines = [f"{slug}: {way}, {_LEVELS[migration.level]} (plan {migration.plan_id})"]
    for hazard in migration.hazards:
        lines.append(f"  ! {hazard_line(hazard)} [{hazard.code}]")
        if hazard.hint:
            lines.append(f"    {hazard.hint}")
    phase = ""
    for step in migration.steps:
        if step.phase != phase:
            phase = step.phase
            lines.append(f"{phase}:")
        lines.append(f"  {step.summary}  <- {step.cause}")
        lines += [f"      {line}" for statement in _sql(step) for line in f"{statement};".splitlines()]
    if migration.level == 2:
        lines.append(f"to run it: run.py apply {slug} --confirm {migration.plan_id}")
    return "\n".join(lines)


def hazard_line(hazard: Hazard) -> str:
    """Return what to know in one line, with the keys of some of the rows."""
    sample = f" (for example {', '.join(hazard.sample)})" if hazard.sample else ""
    return hazard.message + sample


def _sql(step: Step) -> tuple[str, ...]:
    if step.mode != BATCHED or step.batches is None:
        return step.sql
    batches = step.batches
    update = f"UPDATE {batches.table} SET {batches.assignment} WHERE {batches.where}"
    return (f"{update}  -- in batches by {batches.key}",)
