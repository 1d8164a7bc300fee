"""What a workflow keeps of a row from being written: its state, and what its state locks.

Decides which fields of a write must be compared with the row before it; a write of other fields carries
nothing of this. Pure; used by ``write_sql`` and ``insert_sql``.
"""

from collections.abc import Iterable, Mapping

from schemas.compiler.model import Entity
from schemas.compiler.principal import ADMIN_ROLE, SERVICE_ROLE
from schemas.compiler.query.access import Caller
from schemas.compiler.sections.workflow import ALL, Workflow
from schemas.compiler.sql import Const, Fragment, join, quote, sql


class Held:
    """What one write may not change.

    Args:
        entity: whose rows change.
        caller: who asks; ``editors`` of a state may change what it locks. The platform and the tenant's own
            functions are free.
        columns: fields the caller sets.
        hooked: those among them that functions set.
        moves: the write is a transition.

    Attributes:
        field: the state's field, "" without a workflow.
    """

    def __init__(
        self,
        entity: Entity,
        caller: Caller,
        columns: tuple[str, ...],
        hooked: frozenset[str],
        *,
        moves: bool,
    ) -> None:
        workflow: Workflow | None = entity.sections.get("workflow")
        self.field = "" if workflow is None else workflow.field
        self._entity, self._free = entity, moves or SERVICE_ROLE in caller.roles
        self._states = {} if workflow is None else locks(workflow, caller)
        self._hooked = hooked
        begins = self.field in columns and self.field not in hooked
        self._begins = begins and not caller.roles & {ADMIN_ROLE, SERVICE_ROLE}

    def fields(self, names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the fields among those set that are held: in which states, () for the state itself."""
        held: dict[str, tuple[str, ...]] = {}
        if not self.field:
            return held
        for name in names:
            if name == self.field:
                if not self._free:
                    held[name] = ()
                continue
            states = tuple(state for state, locked in self._states.items() if name in locked or ALL in locked)
            if states and name not in self._hooked and name != self._entity.key:
                held[name] = states
        return held

    def refusals(self, held: Mapping[str, tuple[str, ...]], written: str) -> list[Fragment]:
        """Return the refusal of a write that changes what is held.

        Args:
            held: of ``fields``.
            written: FROM item with the rows after (``t0``) and before (``o``).
        """
        if not held:
            return []
        state = f"o.{quote(self.field)}"
        broken = []
        for name, states in held.items():
            where: list[Fragment] = [sql(f"o.{quote(name)} IS DISTINCT FROM t0.{quote(name)}")]
            if states:
                where.append(sql(f"{state} = ANY(", Const(states, "text[]"), ")"))
            broken.append(sql(f"('{name}', ", join(" AND ", where), ")"))
        return [
            sql(
                f"(SELECT backsaas_api.refuse('BS423', json_agg(v)::text) FROM (SELECT f.field,"
                f" '{self.field}' AS of, {state} AS state FROM {written}, LATERAL (VALUES ",
                join(", ", broken),
                ") AS f(field, broken) WHERE f.broken LIMIT 100) v HAVING count(*) > 0)",
            )
        ]

    def beginnings(self, written: str) -> list[Fragment]:
        """Return the refusal of a new row that does not begin where rows begin; ``written`` ends in WHERE."""
        field = self._entity.fields.get(self.field)
        if field is None or not self._begins or not isinstance(field.default_value, str):
            return []
        return [
            sql(
                f"(SELECT backsaas_api.refuse('BS423', json_build_array(json_build_object('field',"
                f" '{self.field}', 'first', ", Const(field.default_value, "text"),
                f"))::text) FROM {written} t0.{quote(self.field)} IS DISTINCT FROM ",
                Const(field.default_value, "text"), " LIMIT 1)",
            )
        ]  # fmt: skip


def locks(workflow: Workflow, caller: Caller) -> dict[str, tuple[str, ...]]:
    """Return the fields each state locks for a caller."""
    if SERVICE_ROLE in caller.roles:
        return {}
    return {
        name: state.lock
        for name, state in workflow.states.items()
        if state.lock and caller.roles.isdisjoint(state.editors)
    }
