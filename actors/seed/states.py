"""In which state of its workflow a row is: as far along as its age allows, by transitions that exist.

Decides by walking from the first state; guards hold at every step. Called by ``rows``.
"""

from collections.abc import Callable

from actors.seed.story import Story
from schemas.compiler.expressions.to_python import Env, to_python
from schemas.compiler.model import Entity
from schemas.compiler.sections.workflow import Transition, Workflow

_STEPS = 6
_OLD_DAYS = 75


class States:
    """The states of one entity's rows."""

    def __init__(self, entity: Entity) -> None:
        workflow = entity.sections.get("workflow")
        self.workflow: Workflow | None = workflow if isinstance(workflow, Workflow) else None
        if self.workflow is None:
            return
        field = entity.fields[self.workflow.field]
        words = [str(word) for word in field.schema.get("enum", ())]
        self.field = field.name
        self.first = str(field.default_value) if field.default_value in words else words[0]
        self._ways = [
            (way, to_python(way.guard) if way.guard is not None else None)
            for way in self.workflow.transitions.values()
        ]

    def walk(self, story: Story, environment: Callable[[], Env]) -> str:
        """Return the state the row has reached; ``environment`` gives the row for guards."""
        going_on = min(0.96, 0.35 + story.age / _OLD_DAYS)
        state = self.first
        for _ in range(_STEPS):
            ways = [way for way, guard in self._ways if _open(way, guard, state, environment)]
            if not ways or story.chance.random() > going_on:
                break
            weights = [1 / len(way.sources) ** 2 / (4 if way.confirm else 1) for way in ways]
            state = story.chance.choices(ways, weights)[0].target
        return state


def _open(
    way: Transition, guard: Callable[[Env], object] | None, state: str, environment: Callable[[], Env]
) -> bool:
    return state in way.sources and (guard is None or guard(environment()) is True)
