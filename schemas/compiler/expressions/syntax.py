"""The abstract syntax of a checked CEL expression, as frozen values that can be compared, hashed and sent."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression. (Provisional: the expressions room completes it.)"""

    text: str
