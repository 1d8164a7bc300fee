"""Patterns of ``match`` and ``imatch``: only what every engine reads alike, and none backtracks on.

PostgreSQL's own grammar has back references and look-ahead, which take exponential time. Pure; called by
``parse`` and ``shapes``.
"""

from schemas.compiler.expressions.patterns import translate
from schemas.compiler.query.errors import QueryError

REGEXES = frozenset({"match", "imatch"})


def regex(text: str) -> str:
    """Return a pattern as PostgreSQL's ``~`` takes it.

    Raises:
        QueryError: 2201B for one that is wrong, too long, or outside of what is common to RE2 and PostgreSQL.
    """
    found = translate(text)
    if found is None:
        raise QueryError(
            "2201B",
            f"invalid regular expression: {text[:100]}",
            hint="patterns have literals, classes, groups, alternatives and greedy repeats; "
            "no back references, look-ahead or lazy repeats",
        )
    return found
