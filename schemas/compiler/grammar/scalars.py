"""Forms of single values: texts, choices, numbers, durations, sizes, rates, dates, zones, cron lines.

Decides what each accepts and what it means in seconds and bytes. Names and expressions, which need the rest
of the file, are in ``slots``.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from typing_extensions import override

from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.grammar.shape import AnyValue, Definitions, JsonSchema, Shape
from schemas.compiler.nodes import Node, Scalar
from schemas.compiler.scope import Scope

EVENT_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
"""Of an event that functions publish."""
SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", re.ASCII)


class Text(Shape):
    """A text, optionally with a pattern, perhaps holding ``${NAME}`` secrets."""

    def __init__(
        self,
        expects: str = "a text",
        *,
        pattern: str | None = None,
        most: int = 2000,
        secret: bool = False,
        examples: Iterable[str] = (),
    ) -> None:
        self.expects = expects
        self.secret = secret
        self.most = most
        self.pattern = pattern
        self._pattern = None if pattern is None else re.compile(pattern, re.ASCII)
        self.examples = tuple(examples)

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            number = isinstance(node, Scalar) and node.value is not None
            self.wrong_kind(
                node, findings, f'quote it: "{node.text}"' if isinstance(node, Scalar) and number else ""
            )
            return None
        names = SECRET.findall(node.text)
        if names and self.secret:
            if not node.style:
                findings.error(
                    "language.unquoted_secret", "a secret must be quoted", node, f'write "{node.text[:80]}"'
                )
                return None
            findings.secrets.update(names)
            return node
        if names:
            findings.error("language.secret", f"a secret is not read here: {node.text[:80]}", node)
            return None
        return node if self._fits(node, node.text, findings) else None

    def _fits(self, node: Scalar, text: str, findings: Findings) -> bool:
        if not text.strip() or len(text) > self.most:
            findings.error(
                "language.value", f"a text of 1 to {self.most:,} characters is expected here", node
            )
            return False
        if self._pattern is not None and not self._pattern.fullmatch(text):
            findings.error("language.value", f"'{text[:80]}' is not {self.expects}", node, self._hint())
            return False
        return True

    def _hint(self) -> str:
        return f"for example {', '.join(self.examples)}" if self.examples else ""

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        schema: JsonSchema = {"type": "string", "minLength": 1, "maxLength": self.most}
        if self.pattern is not None:
            pattern = f"^(?:{self.pattern})$"
            schema["pattern"] = rf"{pattern}|^.*\$\{{[A-Za-z_][A-Za-z0-9_]*\}}.*$" if self.secret else pattern
        if self.examples:
            schema["examples"] = list(self.examples)
        return schema


class Choice(Shape):
    """One of a closed set of words; the values of ``words`` say what each means."""

    def __init__(self, words: Mapping[str, str] | Iterable[str], expects: str = "") -> None:
        self.words = dict(words) if isinstance(words, Mapping) else dict.fromkeys(words, "")
        self.expects = expects or "one of " + ", ".join(self.words)

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Scalar):
            self.wrong_kind(node, findings)
            return None
        if node.text in self.words and (isinstance(node.value, str) or node.value is None or not node.style):
            return node
        findings.error(
            "language.choice",
            f"'{node.text[:80]}' is not {self.expects}",
            node,
            did_you_mean(node.text, self.words),
        )
        return None

    @override
    def build(self, node: Node, scope: Scope) -> Any:
        return node.text if isinstance(node, Scalar) else None

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        if any(self.words.values()):
            return {"oneOf": [{"const": word, "description": says} for word, says in self.words.items()]}
        return {"enum": list(self.words)}


class Integer(Shape):
    """A whole number within bounds."""

    def __init__(self, least: int = 0, most: int = 2**31 - 1) -> None:
        self.least, self.most = least, most
        self.expects = f"a whole number from {least:,} to {most:,}" if least < most else f"the number {least}"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if not isinstance(node, Scalar) or isinstance(node.value, bool) or not isinstance(node.value, int):
            self.wrong_kind(node, findings)
            return None
        if not self.least <= node.value <= self.most:
            findings.error("language.value", f"{node.text} is not {self.expects}", node)
            return None
        return node

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Number(Shape):
    """Any number."""

    expects = "a number"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if (
            isinstance(node, Scalar)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            return node
        self.wrong_kind(node, findings)
        return None

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"type": "number"}


class Boolean(Shape):
    """true or false; YAML 1.2 has no yes and no."""

    expects = "true or false"

    @override
    def check(self, node: Node, findings: Findings) -> Node | None:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node
        word = node.text.lower() if isinstance(node, Scalar) else ""
        meant = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}.get(
            word
        )
        self.wrong_kind(node, findings, f"write {meant}" if meant else "")
        return None

    @override
    def schema(self, definitions: Definitions) -> JsonSchema:
        return {"type": "boolean"}


class HttpUrl(Text):
    """Where something outside is reached: http or https, no user, no odd scheme."""

    def __init__(self, *, secret: bool = True) -> None:
        super().__init__(
            "an http or https address",
            pattern=r"https?://[A-Za-z0-9\[][A-Za-z0-9.\-:\]]*(?:[/?][^\s\\]*)?",
            secret=secret,
            examples=("https://hooks.acme.example/in",),
        )


TEXT = Text()
BOOLEAN = Boolean()
NUMBER = Number()
ANY = AnyValue()
"""Forms without parameters, shared by all who use them."""
