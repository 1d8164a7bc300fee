"""Filters to SQL predicates. Pure; called by ``read_sql`` and ``write_sql``."""

from schemas.compiler.query.columns import Rows
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.syntax import Condition, Filter, Logic
from schemas.compiler.sql import Const, Fragment, Slot, join, sql

_OPERATORS = {
    "eq": "=",
    "neq": "<>",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "isdistinct": "IS DISTINCT FROM",
}
_PATTERNS = {"like": "LIKE", "ilike": "ILIKE", "match": "~", "imatch": "~*"}
_RANGES = {"sl": "<<", "sr": ">>", "nxr": "&<", "nxl": "&>", "adj": "-|-"}
_CONTAINERS = {"cs": "@>", "cd": "<@", "ov": "&&"}
_SEARCHES = {
    "fts": "to_tsquery",
    "plfts": "plainto_tsquery",
    "phfts": "phraseto_tsquery",
    "wfts": "websearch_to_tsquery",
}
_LANGUAGES = frozenset(
    [
        "simple",
        "arabic",
        "armenian",
        "basque",
        "catalan",
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "greek",
        "hindi",
        "hungarian",
        "indonesian",
        "irish",
        "italian",
        "lithuanian",
        "nepali",
        "norwegian",
        "portuguese",
        "romanian",
        "russian",
        "serbian",
        "spanish",
        "swedish",
        "tamil",
        "turkish",
        "yiddish",
    ]
)
"""Text search configurations of every PostgreSQL we run on."""
_WORDS = {
    "null": "IS NULL",
    "not_null": "IS NOT NULL",
    "true": "IS TRUE",
    "false": "IS FALSE",
    "unknown": "IS UNKNOWN",
}


def predicate(item: Filter, rows: Rows) -> Fragment:
    """Return a filter as SQL.

    Raises:
        QueryError: a field that is not there, or an operator that does not go with it.
    """
    if isinstance(item, Logic):
        if not item.items:
            return sql("true")
        inner = sql(
            "(", join(f" {item.operator.upper()} ", [predicate(part, rows) for part in item.items]), ")"
        )
        return sql("NOT ", inner) if item.negated else inner
    inner = _condition(item, rows)
    return sql("NOT (", inner, ")") if item.negated else inner


def _condition(item: Condition, rows: Rows) -> Fragment:  # noqa: C901 - one branch per family of operators
    value, pg_type, _ = rows.value(item.path)
    operator = item.operator
    array = pg_type.endswith("[]")
    if operator == "is":
        if item.word not in {"null", "not_null"} and pg_type != "boolean":
            raise QueryError(
                "42804", f"argument of IS {item.word.upper()} must be type boolean, not type {pg_type}"
            )
        return sql(value, " ", _WORDS[item.word])
    if operator == "in":
        if array:
            raise _unfit(operator, item, pg_type)
        return sql(value, " = ANY(", Slot(item.slot, f"{pg_type}[]"), ")")
    if operator in _PATTERNS:
        return _pattern(item, value if pg_type == "text" else sql("(", value, ")::text"))
    if operator in _SEARCHES:
        return _search(item, value, pg_type)
    if operator in _RANGES:
        if not pg_type.endswith("range"):
            raise _unfit(operator, item, pg_type)
        return sql(value, f" {_RANGES[operator]} ", Slot(item.slot, pg_type))
    if operator in _CONTAINERS:
        if not (array or pg_type.endswith("range") or (pg_type == "jsonb" and operator != "ov")):
            raise _unfit(operator, item, pg_type)
        # an array's literal comes as PostgreSQL writes it, {a,b}: one text, not a list
        literal = sql("(", Slot(item.slot, "text"), f")::{pg_type}")
        return sql(value, f" {_CONTAINERS[operator]} ", literal)
    symbol = _OPERATORS[operator]
    if item.quantifier:
        return _quantified(item, [sql(value, f" {symbol} ", Slot(slot, pg_type)) for slot in item.slots])
    if array:
        return sql(value, f" {symbol} (", Slot(item.slot, "text"), f")::{pg_type}")
    return sql(value, f" {symbol} ", Slot(item.slot, pg_type))


def _pattern(item: Condition, value: Fragment) -> Fragment:
    symbol = _PATTERNS[item.operator]

    def one(slot: int) -> Fragment:
        pattern = (
            sql("replace(", Slot(slot, "text"), ", '*', '%')")
            if "like" in item.operator
            else sql(Slot(slot, "text"))
        )
        return sql(value, f" {symbol} ", pattern)

    return _quantified(item, [one(slot) for slot in item.slots]) if item.quantifier else one(item.slot)


def _quantified(item: Condition, parts: list[Fragment]) -> Fragment:
    if not parts:
        return sql("true" if item.quantifier == "all" else "false")
    return sql("(", join(" OR " if item.quantifier == "any" else " AND ", parts), ")")


def _search(item: Condition, value: Fragment, pg_type: str) -> Fragment:
    if pg_type not in {"text", "jsonb"}:
        raise _unfit(item.operator, item, pg_type)
    if item.argument and item.argument not in _LANGUAGES:
        raise QueryError("42704", f'text search configuration "{item.argument[:60]}" does not exist')
    language = Const(item.argument, "regconfig") if item.argument else None
    head: tuple[Const | str, ...] = (language, ", ") if language else ()
    return sql(
        "to_tsvector(", *head, value, f") @@ {_SEARCHES[item.operator]}(", *head, Slot(item.slot, "text"), ")"
    )


def _unfit(operator: str, item: Condition, pg_type: str) -> QueryError:
    return QueryError("42883", f"operator {operator} does not go with column {item.path.column} ({pg_type})")
