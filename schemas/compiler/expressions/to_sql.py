"""The SQL back end: a checked expression to a fragment.

Called by query (access, computed fields) and layout (indexes). Every boolean fragment is true or false, never
null, without wrapping the comparison, so that indexes serve it; it can be negated, combined and used in
SELECT lists alike. Any other value is null when absent.
"""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from schemas.compiler.expressions.celtypes import BOOL
from schemas.compiler.expressions.sql_writer import Writer
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.sql import Fragment


class SqlEntity(Protocol):
    """What the back end needs of an entity; ``model.Entity`` has it."""

    @property
    def soft_delete(self) -> bool:
        """Whether rows are marked deleted instead of removed."""


class SqlModel(Protocol):
    """What the back end needs of a tenant; ``model.TenantModel`` has it."""

    @property
    def slug(self) -> str:
        """The tenant's name."""

    @property
    def timezone(self) -> str:
        """The time zone of ``today()`` and ``date()``."""

    @property
    def entities(self) -> Mapping[str, SqlEntity]:
        """The tenant's entities by name."""


class SqlContext(Struct, frozen=True):
    """Where a fragment will stand.

    Attributes:
        alias: table alias of ``self``.
        namespace: where the tenant's tables are.
        model: the tenant.
        old_alias: table alias of the row before the change, when there is one.
        namespaces: for entities whose table is elsewhere: entity -> namespace.
    """

    alias: str
    namespace: str
    model: SqlModel
    old_alias: str | None = None
    namespaces: Mapping[str, str] | None = None


class NotSqlError(Exception):
    """The expression cannot be SQL; the schema compiler refuses such a one where SQL is needed."""


def to_sql(expression: Expression, context: SqlContext) -> Fragment:
    """Compile an expression.

    Args:
        expression: checked, with ``in_sql``.
        context: aliases and tables.

    Returns:
        A parenthesised fragment; of type boolean and never null when the expression is a truth value.

    Raises:
        NotSqlError: when ``expression.in_sql`` is false, or it reads the old row and there is no alias.
    """
    writer = _writer(expression, context)
    if expression.type == BOOL:
        return writer.predicate(expression.node)
    return writer.value(expression.node)


def to_value_sql(expression: Expression, context: SqlContext) -> Fragment:
    """Compile an expression for a SELECT list: like ``to_sql``, but an absent truth value stays null."""
    return _writer(expression, context).value(expression.node)


def _writer(expression: Expression, context: SqlContext) -> Writer:
    if not expression.in_sql:
        raise NotSqlError(f"{expression.text!r}: {expression.obstacle}")
    if expression.uses_old and context.old_alias is None:
        raise NotSqlError(f"{expression.text!r}: there is no row before the change here")
    namespaces = context.namespaces or {}
    return Writer(context.alias, context.old_alias, context.namespace, context.model, namespaces)
