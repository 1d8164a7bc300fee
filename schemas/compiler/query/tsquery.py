"""The grammar of ``to_tsquery``, so that a search that is none is refused as such.

PostgreSQL 15 cannot be asked without failing, and its error is not told from one of the statement. Decides
form only. Pure; called by ``parse`` and ``shapes``.
"""

import re

from schemas.compiler.query.errors import QueryError

_WORD = re.compile(
    r"""(?:'(?:[^'\\]|\\.|'')+'(?!')|(?:[^\s\\:!&|()'<]|\\.)(?:[^\s\\:!&|()<]|\\.)*)(?::[*a-dA-D]*)?""",
    re.DOTALL | re.ASCII,
)
_OPERATOR = re.compile(r"[&|]|<(?:-|[0-9]{1,5})>")


def check_tsquery(text: str) -> None:
    """Refuse a text that is no search expression.

    Raises:
        QueryError: 22P02.
    """
    at, depth, wants_word, size = 0, 0, True, len(text)
    while at < size:
        char = text[at]
        if char in " \t\n\r\v\f":
            at += 1
        elif wants_word and char in "!(":
            depth += char == "("
            at += 1
        elif not wants_word and char == ")" and depth:
            depth -= 1
            at += 1
        else:
            found = (_WORD if wants_word else _OPERATOR).match(text, at)
            if found is None:
                raise _bad(text)
            at, wants_word = found.end(), not wants_word
    if depth or (wants_word and text.strip()):
        raise _bad(text)


def _bad(text: str) -> QueryError:
    return QueryError(
        "22P02",
        f'syntax error in search expression: "{text[:100]}"',
        hint="write words joined by & | ! and <->, or use plfts or wfts for what people type",
    )
