"""Forms of measured values: durations, sizes, rates, dates, time zones, cron lines.

Decides what each means in seconds and bytes, the units of the rest of the program.
"""

from datetime import date

from msgspec import Struct
from typing_extensions import override

from schemas.compiler.findings import Findings, did_you_mean
from schemas.compiler.grammar.cron import cron_problem
from schemas.compiler.grammar.scalars import Text
from schemas.compiler.grammar.zones import ZONES
from schemas.compiler.nodes import Node, Scalar, plain
from schemas.compiler.scope import Scope

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
BYTES = {"B": 1, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Duration(Text):
    """A length of time such as ``15m``; its value is seconds.

    Args:
        least: the shortest that is accepted, as one writes it.
        most: the longest.
        examples: that are accepted.
    """

    def __init__(
        self, least: str = "", most: str = "", examples: tuple[str, ...] = ("10s", "15m", "30d")
    ) -> None:
        super().__init__(
            f"a duration from {least} to {most}" if least else "a duration",
            pattern=r"[1-9][0-9]{0,6}(ms|s|m|h|d|w|y)",
            examples=examples,
        )
        self._bounds = (seconds_of(least), seconds_of(most)) if least else None

    @override
    def _fits(self, node: Scalar, text: str, findings: Findings) -> bool:
        if not super()._fits(node, text, findings):
            return False
        if self._bounds is None or self._bounds[0] <= seconds_of(text) <= self._bounds[1]:
            return True
        findings.error("language.value", f"'{text}' is not {self.expects}", node, self._hint())
        return False

    @override
    def build(self, node: Node, scope: Scope) -> float:
        return seconds_of(str(plain(node)))


def seconds_of(text: str) -> float:
    """Return the seconds a duration such as ``15m`` means."""
    number, unit = _split(text)
    return number * SECONDS[unit]


class Size(Text):
    """A number of bytes such as ``5MiB``."""

    def __init__(self) -> None:
        super().__init__(
            "a size", pattern=r"[1-9][0-9]{0,6}(B|KB|MB|GB|KiB|MiB|GiB)", examples=("500KiB", "5MiB")
        )

    @override
    def build(self, node: Node, scope: Scope) -> int:
        return bytes_of(str(plain(node)))


def bytes_of(text: str) -> int:
    """Return the bytes a size such as ``5MiB`` means."""
    number, unit = _split(text)
    return number * BYTES[unit]


class Rate(Struct, frozen=True):
    """At most ``limit`` times in ``seconds``."""

    limit: int
    seconds: int


class RateText(Text):
    """A rate such as ``60/m``."""

    def __init__(self) -> None:
        super().__init__("a rate", pattern=r"[1-9][0-9]{0,8}/(s|m|h|d)", examples=("10/s", "600/m"))

    @override
    def build(self, node: Node, scope: Scope) -> Rate:
        limit, unit = str(plain(node)).split("/")
        return Rate(int(limit), int(SECONDS[unit]))


class Date(Text):
    """A calendar day."""

    def __init__(self) -> None:
        super().__init__("a date", pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}", examples=("2027-01-31",))

    @override
    def _fits(self, node: Scalar, text: str, findings: Findings) -> bool:
        if not super()._fits(node, text, findings):
            return False
        try:
            date.fromisoformat(text)
        except ValueError as error:
            findings.error("language.value", f"'{text}' is not a date: {error}", node)
            return False
        return True


class Zone(Text):
    """A time zone of the IANA database."""

    def __init__(self) -> None:
        super().__init__("a time zone", most=64, examples=("Europe/Berlin", "UTC"))

    @override
    def _fits(self, node: Scalar, text: str, findings: Findings) -> bool:
        if text in ZONES:
            return True
        findings.error("language.value", f"'{text[:80]}' is not a time zone", node, _zone_hint(text))
        return False


class Cron(Text):
    """When something runs: five cron fields."""

    def __init__(self) -> None:
        super().__init__(
            "a cron line: minute hour day month weekday",
            most=200,
            examples=("0 6 * * *", "*/15 8-18 * * 1-5"),
        )

    @override
    def _fits(self, node: Scalar, text: str, findings: Findings) -> bool:
        problem = cron_problem(text)
        if problem:
            findings.error("language.cron", f"'{text[:80]}' is no cron line: {problem}", node, self._hint())
        return not problem


def _split(text: str) -> tuple[int, str]:
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return int(digits), text[len(digits) :]


def _zone_hint(text: str) -> str:
    last = text.rsplit("/", 1)[-1].lower()
    for zone in ZONES:
        if zone.rsplit("/", 1)[-1].lower() == last:
            return f"did you mean '{zone}'?"
    return did_you_mean(text, ZONES)


DURATION = Duration()
SIZE = Size()
RATE = RateText()
DATE = Date()
ZONE = Zone()
CRON = Cron()
"""Forms without parameters, shared by all who use them."""
