"""Expressions about one row that is not (yet) in its table, as one statement: conditions and templates.

Decides nothing about rights: the file's author wrote them. Pure; called by the functions feature for what the
row alone does not answer, such as ``self.customer.email``.
"""

from collections.abc import Sequence

from schemas.compiler.expressions.celtypes import BOOL
from schemas.compiler.expressions.syntax import Expression
from schemas.compiler.expressions.to_sql import SqlContext, to_sql, to_value_sql
from schemas.compiler.model import TenantModel
from schemas.compiler.sql import Slot, Statement, join, quote, sql, statement


def evaluate_statement(
    model: TenantModel, namespace: str, entity: str, expressions: Sequence[Expression]
) -> Statement:
    """Return a statement that answers with one row of JSON texts, one column per expression.

    Args:
        model: the tenant.
        namespace: where its tables are.
        entity: whose row ``self`` and ``old`` are.
        expressions: with ``in_sql``; truth values are never null.

    Its slots: the row and the row before, as JSON texts; the latter null when there is none.
    """
    table = f"{quote(namespace)}.{quote(entity)}"
    context = SqlContext("t0", namespace, model, "o")
    columns = [
        sql("to_json(", (to_sql if one.type == BOOL else to_value_sql)(one, context), f")::text AS c{number}")
        for number, one in enumerate(expressions)
    ]
    return statement(
        sql(
            "SELECT ", join(", ", columns), f" FROM jsonb_populate_record(NULL::{table}, ", Slot(0, "jsonb"),
            f") t0, jsonb_populate_record(NULL::{table}, ", Slot(1, "jsonb"), ") o",
        )
    )  # fmt: skip
