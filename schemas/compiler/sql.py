"""SQL text with late-bound parameters.

Decides how a value reaches PostgreSQL: always as a parameter sent as text and cast by PostgreSQL itself
(``$1::text::uuid``), never spliced into the statement. Identifiers come only from the compiled model through
``quote``. Called by expressions, query and migrate; it executes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from schemas.compiler.expressions.claims import claim_text
from schemas.compiler.principal import Principal

Scalar: TypeAlias = str | None
Argument: TypeAlias = str | list[str | None] | None


class Const(Struct, frozen=True):
    """A value fixed when the schema was compiled; text form, or a list of text forms for an array type."""

    value: str | tuple[str | None, ...] | None
    pg_type: str


class Slot(Struct, frozen=True):
    """The request's literal number ``index`` (0-based); its text form is supplied when the statement runs."""

    index: int
    pg_type: str


class Claim(Struct, frozen=True):
    """A value of the principal, by path: ``("id",)``, ``("roles",)``, ``("claims", "region")``."""

    path: tuple[str, ...]
    pg_type: str


class Now(Struct, frozen=True):
    """The request's time, as timestamptz."""

    pg_type: str = "timestamptz"


Bind: TypeAlias = Const | Slot | Claim | Now


class Fragment(Struct, frozen=True):
    """A piece of SQL: literal text and binds in order. Hashable; joined with ``+`` and ``join``."""

    parts: tuple[str | Bind, ...]

    def __add__(self, other: "Fragment | str") -> "Fragment":
        return Fragment(self.parts + (other.parts if isinstance(other, Fragment) else (other,)))

    def __radd__(self, other: str) -> "Fragment":
        return Fragment((other, *self.parts))


def sql(*parts: "str | Bind | Fragment") -> Fragment:
    """Build a fragment from text, binds and other fragments."""
    flat: list[str | Bind] = []
    for part in parts:
        if isinstance(part, Fragment):
            flat.extend(part.parts)
        else:
            flat.append(part)
    return Fragment(tuple(flat))


def join(separator: str, fragments: Iterable[Fragment]) -> Fragment:
    """Join fragments with literal text between them."""
    flat: list[str | Bind] = []
    for fragment in fragments:
        if flat:
            flat.append(separator)
        flat.extend(fragment.parts)
    return Fragment(tuple(flat))


def quote(identifier: str) -> str:
    """Quote an identifier of the compiled model for PostgreSQL."""
    return '"' + identifier.replace('"', '""') + '"'


class Statement(Struct, frozen=True):
    """Final SQL text with ``$n`` parameters, and the binds that fill them in that order.

    Attributes:
        fixed: what is sent for each bind, None for those that a request fills.
        slots: (place, index) of the request's literals.
        claims: (place, claim) of the caller's values.
        times: places of the request's time.
    """

    text: str
    binds: tuple[Bind, ...]
    fixed: tuple[Argument, ...]
    slots: tuple[tuple[int, int], ...]
    claims: tuple[tuple[int, Claim], ...]
    times: tuple[int, ...]

    def arguments(self, slots: Sequence[Argument], principal: Principal, now: str) -> list[Argument]:
        """Resolve every bind to the text (or list of texts) that is sent.

        Args:
            slots: the request's literals, indexed by ``Slot.index``.
            principal: who asks; fills ``Claim`` binds.
            now: the request's time in ISO 8601, fills ``Now`` binds.
        """
        values = [*self.fixed]
        for place, index in self.slots:
            values[place] = slots[index]
        for place, claim in self.claims:
            values[place] = claim_text(principal.lookup(claim.path), claim.pg_type)
        for place in self.times:
            values[place] = now
        return values


def statement(fragment: Fragment) -> Statement:
    """Number the binds of a fragment; equal binds share one parameter."""
    text: list[str] = []
    numbers: dict[Bind, int] = {}
    for part in fragment.parts:
        if isinstance(part, str):
            text.append(part)
            continue
        number = numbers.setdefault(part, len(numbers) + 1)
        wire = "text[]" if part.pg_type.endswith("[]") else "text"
        text.append(f"${number}::{wire}" if part.pg_type == wire else f"${number}::{wire}::{part.pg_type}")
    binds = tuple(numbers)
    return Statement(
        "".join(text),
        binds,
        tuple(_sent(bind) for bind in binds),
        tuple((place, bind.index) for place, bind in enumerate(binds) if isinstance(bind, Slot)),
        tuple((place, bind) for place, bind in enumerate(binds) if isinstance(bind, Claim)),
        tuple(place for place, bind in enumerate(binds) if isinstance(bind, Now)),
    )


def _sent(bind: Bind) -> Argument:
    """Return what is sent for a bind whatever the request."""
    if not isinstance(bind, Const):
        return None
    return list(bind.value) if isinstance(bind.value, tuple) else bind.value
