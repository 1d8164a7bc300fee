"""One path of a tenant's surface."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Route:
    """One path.

    Attributes:
        path: parts joined with ``/``; ``{entity}``, ``{id}``, ``{name}`` and ``{function}`` stand for one
            part each, ``{format}`` for what follows the dot.
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
