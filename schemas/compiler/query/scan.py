"""A cursor over one piece of query text: names, quoted words, balanced lists.

Decides what a word is in PostgREST's grammar. Called by ``parse`` and ``parse_select``.
"""

from schemas.compiler.query.errors import QueryError, parse_error

MAX_TEXT = 16 * 1024
_NAME_END = frozenset(".,:()!&=<>\"'*; ")
_KEY_END = frozenset(".,:()>")


class Cursor:
    """A place in a text. ``what`` names the part of the query, for errors."""

    __slots__ = ("at", "text", "what")

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.at = 0
        self.what = what

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def fail(self) -> QueryError:
        """Return the error for this text."""
        return parse_error(self.what, self.text)

    def peek(self, word: str) -> bool:
        """Whether ``word`` comes next."""
        return self.text.startswith(word, self.at)

    def peek_call(self, word: str) -> bool:
        """Whether ``word`` comes next and, after white space, what stands in parentheses."""
        return self.text.startswith(word, self.at) and self.text[self.at + len(word) :].lstrip()[:1] == "("

    def take(self, word: str) -> bool:
        """Pass ``word`` if it comes next."""
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def expect(self, word: str) -> None:
        """Pass ``word`` or fail."""
        if not self.take(word):
            raise self.fail()

    def spaces(self) -> None:
        """Pass white space."""
        while not self.done and self.text[self.at].isspace():
            self.at += 1

    def name(self) -> str:
        """Take a name, plain or quoted."""
        if self.peek('"'):
            return self.quoted()
        start = self.at
        text = self.text
        while self.at < len(text) and text[self.at] not in _NAME_END:
            if text[self.at] == "-" and text.startswith("->", self.at):
                break
            self.at += 1
        if start == self.at:
            raise self.fail()
        return text[start : self.at].strip()

    def json_key(self) -> str:
        """Take a key of a JSON path, plain or quoted; a plain one may hold what a column's name may not."""
        if self.peek('"'):
            return self.quoted()
        start = self.at
        text = self.text
        while self.at < len(text) and text[self.at] not in _KEY_END and not text.startswith("->", self.at):
            self.at += 1
        key = text[start : self.at].strip()
        if not key:
            raise self.fail()
        return key

    def quoted(self) -> str:
        """Take a text in double quotes; a backslash keeps the next character."""
        self.expect('"')
        out: list[str] = []
        while not self.done:
            char = self.text[self.at]
            self.at += 1
            if char == '"':
                return "".join(out)
            if char == "\\" and not self.done:
                char = self.text[self.at]
                self.at += 1
            out.append(char)
        raise self.fail()

    def until(self, ends: str) -> str:
        """Take raw text up to one of ``ends`` outside quotes, parentheses and braces."""
        start, depth = self.at, 0
        while not self.done:
            char = self.text[self.at]
            if char == '"':
                self.quoted()
                continue
            if depth == 0 and char in ends:
                break
            if char in "({":
                depth += 1
            elif char in ")}":
                depth -= 1
                if depth < 0:
                    break
            self.at += 1
        return self.text[start : self.at]

    def word(self, ends: str) -> str:
        """Take one list element: quoted or raw up to one of ``ends``."""
        if self.peek('"'):
            return self.quoted()
        start = self.at
        while not self.done and self.text[self.at] not in ends:
            self.at += 1
        return self.text[start : self.at]


def elements(text: str, open_: str, close: str, what: str) -> list[str]:
    """Return the words of ``(a,"b,c",d)`` or ``{a,b}``."""
    if (
        text.startswith(open_)
        and text.endswith(close)
        and '"' not in text
        and text.find(close) == len(text) - 1
    ):
        inside = text[1:-1]  # nearly always: no quotes, no second closing
        return inside.split(",") if inside else []
    cursor = Cursor(text, what)
    cursor.expect(open_)
    if cursor.take(close):
        if not cursor.done:
            raise cursor.fail()
        return []
    found: list[str] = []
    while True:
        found.append(cursor.word("," + close))
        if cursor.take(","):
            continue
        cursor.expect(close)
        if not cursor.done:
            raise cursor.fail()
        return found
