"""``search=``: rows that have the words, begin with them or nearly do; the best first, their words marked.

Decides what a search finds and in which order. A word finds its other forms in the tenant's language, the
last one words that begin with it; where the server has pg_trgm, a mistyped word finds what it nearly is.
Pure; called by ``read_sql`` and ``read_statement``.
"""

from schemas.compiler.migrate.catalog import Ref, Template, render
from schemas.compiler.model import Field
from schemas.compiler.query.columns import Rows
from schemas.compiler.query.errors import QueryError
from schemas.compiler.query.selected import Selected, Sorted
from schemas.compiler.query.syntax import Path
from schemas.compiler.sql import Fragment, Slot, join, quote, sql
from schemas.compiler.text_search import PLAIN, configuration, search_document, searchable, words

HIGHLIGHT = "_highlight"
"""Column to select beside ``search=``: the fields that have the words, as HTML with them marked."""
_EXACT = r"(^|\s)-|\""
"""What says that nothing else than the words is wanted: a word that must not be there, or a phrase."""
_MARKED = "StartSel=<mark>, StopSel=</mark>, MaxWords=40, MinWords=15"


class Search:
    """What a search of one entity is in SQL.

    Args:
        rows: what is searched.
        slot: of the words.

    Raises:
        QueryError: query.not_searchable; what only some rows show is searched for nobody who is masked.
    """

    def __init__(self, rows: Rows, slot: int) -> None:
        self._rows = rows
        self._fields = searchable(rows.entity)
        sight = rows.sight
        hidden = [one for one in self._fields if one.name not in sight.fields or sight.masked(one.name)]
        if not self._fields or hidden:
            raise QueryError(
                "query.not_searchable",
                f"{rows.entity.name} has no field to search in",
                hint="mark fields with searchable: true",
            )
        self._configuration = configuration(rows.frame.model)
        self._trigram = rows.frame.trigram
        self._text = Slot(slot, "text")
        self._document = self._render(search_document(rows.entity, self._configuration))

    def condition(self) -> Fragment:
        """Return what a row that is found meets."""
        found = sql(self._document, " @@ ", self._query())
        if not self._trigram:
            return found
        operator = f"OPERATOR({quote(self._trigram)}.%>)"
        nearly = [sql(f"{self._column(item)} {operator} ", self._text) for item in self._fields]
        # the index finds what resembles the whole; each word must be like one of the row's
        text = " || ' ' || ".join(f"coalesce({self._column(item)}, '')" for item in self._fields)
        missing = sql(
            "EXISTS (SELECT FROM regexp_split_to_table(", self._text, r", '\s+') w WHERE w <> '' AND NOT ",
            f"w OPERATOR({quote(self._trigram)}.<%) ({text}))",
        )  # fmt: skip
        meant = sql(self._text, f" !~ '{_EXACT}' AND (", join(" OR ", nearly), ") AND NOT ", missing)
        return sql("(", found, " OR (", meant, "))")

    def order(self) -> Sorted:
        """Return the order of a search that names none: the best first."""
        rank = sql("ts_rank_cd(", self._document, ", ", self._query(), ")")
        if self._trigram:
            likeness = f"{quote(self._trigram)}.word_similarity("
            alike = [
                sql(f"coalesce({likeness}", self._text, f", {self._column(item)}), 0)")
                for item in self._fields
            ]
            rank = sql(rank, " + greatest(", join(", ", alike), ")")
        return Sorted(sql("(", rank, ")::real"), " DESC", Path(""), pg_type="real")

    def highlight(self, name: str) -> Selected:
        """Return the key of the row that shows the words: an object of HTML texts by field."""
        pairs: list[Fragment] = []
        for item in self._fields:
            has_them = self._render(words((Ref(item.name),), self._configuration))
            text = self._column(item)
            # what people wrote is text; only our marks are HTML
            for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
                text = f"replace({text}, '{character}', '{entity}')"
            query = self._query()
            marked = sql(
                f"ts_headline('{self._configuration}'::regconfig, {text}, ", query, f", '{_MARKED}')"
            )
            key = item.name.replace("'", "''")
            pairs.append(sql(f"'{key}', CASE WHEN {has_them} @@ ", query, " THEN ", marked, " END"))
        return Selected(name, sql("json_strip_nulls(json_build_object(", join(", ", pairs), "))"), json=True)

    def _query(self) -> Fragment:
        plain = sql(f"websearch_to_tsquery('{PLAIN}'::regconfig, ", self._text, ")")
        # a query that ends in a word ends in its quote; "a phrase" is meant as it stands
        ends_in_word = sql("right(", plain, "::text, 1) = ''''")
        is_phrase = sql("right(rtrim(", self._text, "), 1) = '\"'")
        begins = sql(
            "CASE WHEN ", ends_in_word, " AND NOT ", is_phrase, " THEN (", plain, "::text || ':*')::tsquery",
            " ELSE ", plain, " END",
        )  # fmt: skip
        if self._configuration == PLAIN:
            return sql("(", begins, ")")
        stems = sql(f"websearch_to_tsquery('{self._configuration}'::regconfig, ", self._text, ")")
        return sql("(", stems, " || ", begins, ")")

    def _render(self, template: Template) -> str:
        return render(template, prefix=f"{self._rows.alias}.")

    def _column(self, item: Field) -> str:
        return f"{self._rows.alias}.{quote(item.name)}"
