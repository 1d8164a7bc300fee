"""The one error of the expression compiler. Caught by the schema compiler, which adds file and line."""


class ExpressionError(Exception):
    """An expression was refused.

    Attributes:
        message: what is wrong.
        offset_line: line within the expression's text, from 1.
        offset_column: column within that line, from 1.
        hint: what to do, or "".
        code: stable diagnostic code, ``expression.*``.
    """

    def __init__(
        self,
        message: str,
        offset_line: int = 1,
        offset_column: int = 1,
        hint: str = "",
        code: str = "expression.invalid",
    ) -> None:
        super().__init__(f"{offset_line}:{offset_column}: {message}" + (f" ({hint})" if hint else ""))
        self.message = message
        self.offset_line = offset_line
        self.offset_column = offset_column
        self.hint = hint
        self.code = code
