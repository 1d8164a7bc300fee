"""A raw query string to a ``ReadQuery`` and its literals, in PostgREST's grammar.

Decides form only: no name is looked up here. Every literal goes to ``slots`` and is referred to by number.
Pure; called by ``compiler``.
"""

from urllib.parse import unquote_plus

from msgspec.structs import replace

from schemas.compiler.query.errors import QueryError, parse_error
from schemas.compiler.query.parse_select import json_steps, parse_select
from schemas.compiler.query.past_sql import AS_OF, check_moment
from schemas.compiler.query.regex import REGEXES, regex
from schemas.compiler.query.scan import Cursor, elements
from schemas.compiler.query.syntax import Condition, Filter, Level, Logic, Order, Path, ReadQuery
from schemas.compiler.query.tsquery import check_tsquery
from schemas.compiler.sql import Argument

COMPARISONS = frozenset(
    {"eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "isdistinct",
     "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"}
)  # fmt: skip
TEXT_SEARCH = frozenset({"fts", "plfts", "phfts", "wfts"})
QUANTIFIED = frozenset({"eq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch"})
IS_WORDS = frozenset({"null", "not_null", "true", "false", "unknown"})
MAX_PAIRS = 200
MAX_NESTING = 10
PAGING = frozenset({"order", "limit", "offset"})
SINGLE = frozenset(
    {"select", "order", "limit", "offset", "columns", "on_conflict", "search", "after", "as_of"}
)


def split_pairs(query: str) -> list[tuple[str, str]]:
    """Split a raw query string into decoded pairs, in order.

    Raises:
        QueryError: PGRST100 for text that is no UTF-8, holds NUL, or repeats what may stand once;
            query.bad_moment.
    """
    pairs: list[tuple[str, str]] = []
    seen: set[str] = set()
    for part in query.split("&") if query else ():
        name, equals, value = part.partition("=")
        if not part:
            continue
        try:
            key = unquote_plus(name, errors="strict") if "%" in name or "+" in name else name
            text = unquote_plus(value, errors="strict") if "%" in value or "+" in value else value
        except UnicodeDecodeError:
            raise QueryError("PGRST100", "the query string is not UTF-8") from None
        if "\0" in key or "\0" in text or not equals:
            raise parse_error("query string", part[:60].replace("\0", " "))
        if key in SINGLE or ("." in key and key.rpartition(".")[2] in PAGING):
            if key in seen:
                raise QueryError("PGRST100", f"the parameter {key} is given twice")
            seen.add(key)
            if key == AS_OF:
                check_moment(text)
        pairs.append((key, text))
    if len(pairs) > MAX_PAIRS:
        raise QueryError("PGRST100", f"more than {MAX_PAIRS} parameters")
    return pairs


def column_names(query: str) -> tuple[str, ...] | None:
    """Return the names that ``columns=`` lists, None without it.

    Raises:
        QueryError: PGRST100.
    """
    return next((_names(value) for name, value in split_pairs(query) if name == "columns"), None)


class Parser:
    """Gathers the parts of one query; ``slots`` are its literals."""

    def __init__(self) -> None:
        self.slots: list[Argument] = []
        self._levels: dict[tuple[str, ...], Level] = {}
        self._query = ReadQuery()

    def finish(self) -> ReadQuery:
        """Return the query."""
        return replace(self._query, levels=tuple(self._levels.items()))

    def slot(self, value: Argument) -> int:
        """Keep a literal and return its number."""
        self.slots.append(value)
        return len(self.slots) - 1

    def add(self, key: str, value: str) -> None:
        """Take one parameter.

        Raises:
            QueryError: PGRST100.
        """
        match key:
            case "select":
                self._query = replace(
                    self._query,
                    select=parse_select("".join(value.split("\n"))) if value else self._query.select,
                )
            case "columns":
                self._query = replace(self._query, columns=_names(value))
            case "on_conflict":
                self._query = replace(self._query, on_conflict=_names(value))
            case "search":
                self._query = replace(self._query, search=self.slot(value))
            case "after":
                self._query = replace(self._query, after=self.slot(value))
            case "as_of":
                self._query = replace(self._query, as_of=self.slot(value))
            case _:
                self._add_to_level(key, value)

    def _add_to_level(self, key: str, value: str) -> None:
        cursor = Cursor(key, "query parameter")
        parts = [cursor.name()]
        while cursor.take("."):
            parts.append(cursor.name())
        steps = json_steps(cursor)
        if not cursor.done:
            raise cursor.fail()
        *path, last = parts
        if last == "not" or (path and path[-1] == "not" and last in {"and", "or"}):
            path = [part for part in path if part != "not"]
        where = tuple(path)
        level = self._levels.get(where, Level())
        if not steps and last in {"and", "or"}:
            negated = len(parts) > 1 and parts[-2] == "not"
            item: Filter = replace(self._logic_list(Cursor(value, "logic tree"), last, 0), negated=negated)
            level = replace(level, filters=(*level.filters, item))
        elif not steps and last == "order":
            level = replace(level, order=_order(value))
        elif not steps and last in {"limit", "offset"}:
            whole_number(value, last)
            number = self.slot(value)
            level = replace(level, limit=number) if last == "limit" else replace(level, offset=number)
        else:
            condition = self._condition(Path(last, steps), value, "filter")
            level = replace(level, filters=(*level.filters, condition))
        self._levels[where] = level

    # -- filters ------------------------------------------------------------------------------------------

    def _condition(self, path: Path, text: str, what: str) -> Condition:  # noqa: C901 - one branch per family
        rest = text
        negated = rest.startswith("not.")
        if negated:
            rest = rest[4:]
        operator, dot, value = rest.partition(".")
        argument = ""
        if "(" in operator:
            operator, _, inside = operator.partition("(")
            argument = inside.removesuffix(")")
            if not argument or not inside.endswith(")"):
                raise parse_error(what, text)
        if not dot or (argument and operator not in QUANTIFIED and operator not in TEXT_SEARCH):
            raise parse_error(what, text)
        if operator == "in":
            words = elements(value, "(", ")", what)
            return Condition(path, "in", negated, slot=self.slot([*words]))
        if operator == "is":
            if value.lower() not in IS_WORDS:
                raise parse_error(what, text)
            return Condition(path, "is", negated, word=value.lower())
        if operator in TEXT_SEARCH:
            if argument and not argument.replace("_", "").isalnum():
                raise parse_error(what, text)
            if operator == "fts":
                check_tsquery(value)
            return Condition(path, operator, negated, argument=argument, slot=self.slot(value))
        if operator not in COMPARISONS:
            raise parse_error(what, text)
        if argument:
            if argument not in {"any", "all"}:
                raise parse_error(what, text)
            words = elements(value, "{", "}", what)
            if operator in REGEXES:
                words = [regex(word) for word in words]
            return Condition(
                path, operator, negated, quantifier=argument, slots=tuple(self.slot(word) for word in words)
            )
        value = regex(value) if operator in REGEXES else value
        return Condition(path, operator, negated, slot=self.slot(value))

    def _logic_list(self, cursor: Cursor, operator: str, depth: int) -> Logic:
        if depth > MAX_NESTING:
            raise QueryError("query.too_deep", f"and/or nest deeper than {MAX_NESTING} levels")
        cursor.expect("(")
        items: list[Filter] = []
        while True:
            cursor.spaces()
            items.append(self._logic_item(cursor, depth))
            cursor.spaces()
            if cursor.take(","):
                continue
            cursor.expect(")")
            cursor.spaces()
            if depth == 0 and not cursor.done:
                raise cursor.fail()
            return Logic(operator, tuple(items))

    def _logic_item(self, cursor: Cursor, depth: int) -> Filter:
        for prefix, negated in (("not.", True), ("", False)):
            for operator in ("and", "or"):
                if cursor.peek_call(prefix + operator):
                    cursor.expect(prefix + operator)
                    cursor.spaces()
                    return replace(self._logic_list(cursor, operator, depth + 1), negated=negated)
        path = Path(cursor.name(), json_steps(cursor))
        cursor.expect(".")
        text = cursor.until(",)")
        bare = text.rstrip()
        if bare[-1:] in {")", "}", '"'}:  # white space after a list or quotes says nothing
            text = bare
        return self._condition(path, _unquote(text), cursor.what)


def _unquote(text: str) -> str:
    """Take the quotes off a value inside a logic tree: ``eq."a,b"`` means a,b."""
    head, dot, value = text.partition(".")
    if head == "not":
        second, dot2, value = value.partition(".")
        head, dot = f"not.{second}", dot2
    if value.startswith('"') and value.endswith('"') and len(value) > 1:
        cursor = Cursor(value, "logic tree")
        plain = cursor.quoted()
        if cursor.done:
            return f"{head}{dot}{plain}"
    return text


def _names(text: str) -> tuple[str, ...]:
    cursor = Cursor(text, "column list")
    names: list[str] = []
    while not cursor.done:
        cursor.spaces()
        names.append(cursor.name())
        cursor.spaces()
        if not cursor.take(",") and not cursor.done:
            raise cursor.fail()
    return tuple(names)


def whole_number(text: object, what: str) -> int:
    """Return a limit or an offset.

    Raises:
        QueryError: PGRST103 for one below zero, PGRST100 for anything else that is none.
    """
    digits = text.removeprefix("-") if isinstance(text, str) else ""
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise QueryError(
            "PGRST100", f"{what} is a whole number, not negative", details=f"{what}={str(text)[:40]}"
        )
    number = int(str(text))
    if number < 0:
        raise QueryError(
            "PGRST103",
            "Requested range not satisfiable",
            details=f"{what.capitalize()} should be greater than or equal to zero.",
        )
    return number


def _order(text: str) -> tuple[Order, ...]:
    cursor = Cursor(text, "order")
    keys: list[Order] = []
    while not cursor.done:
        relation = ""
        cursor.spaces()
        name = cursor.name()
        if cursor.take("("):
            relation, name = name, cursor.name()
        path = Path(name, json_steps(cursor))
        if relation:
            cursor.expect(")")
        descending, nulls = False, ""
        while cursor.take("."):
            word = cursor.name()
            if word in {"asc", "desc"}:
                descending = word == "desc"
            elif word in {"nullsfirst", "nullslast"}:
                nulls = "NULLS FIRST" if word == "nullsfirst" else "NULLS LAST"
            else:
                raise cursor.fail()
        keys.append(Order(path, descending, nulls, relation))
        cursor.spaces()
        if not cursor.take(",") and not cursor.done:
            raise cursor.fail()
        if len(keys) > 20:
            raise cursor.fail()
    return tuple(keys)
