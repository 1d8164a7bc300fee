"""What the builders of writes share: slots of the body, marks in it, and the change they build.

Decides nothing. Used by ``write_sql``, ``insert_sql``, ``lock_sql`` and ``write_statement``.
"""

from msgspec import Struct

from schemas.compiler.model import Rule
from schemas.compiler.sql import Fragment

BODY = 0
"""Slot of the rows' JSON text."""
INSERTED = '"?inserted"'
"""Column that tells the new rows of an upsert: nobody can have locked or changed them yet."""
ROW_KEY = "?key"
"""Member of a row in the body that says which row it is for; no field has such a name."""


class Change(Struct, frozen=True):
    """The data-modifying part of a statement and what is checked afterwards.

    Attributes:
        ctes: ``WITH`` items; the last one is ``w``.
        refusals: scalar subqueries that raise.
        process_rules: rules left to the process.
        merges: ``w`` has rows that were there before, and says which are new in ``INSERTED``.
    """

    ctes: tuple[Fragment, ...]
    refusals: tuple[Fragment, ...]
    process_rules: tuple[Rule, ...] = ()
    merges: bool = False
