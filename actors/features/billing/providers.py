"""Who collects money: the port every payment provider has, and the manual one.

Decides nothing about amounts. A provider that cannot be reached raises ``ProviderError``; what it was
asked for is asked again later with the same key, so that nobody pays twice. Used by ``collecting``.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from msgspec import Struct


class ProviderError(Exception):
    """The provider cannot be reached, or refuses; the text says what it said."""


class SignatureError(Exception):
    """A notice is not the provider's."""


class Asked(Struct, frozen=True):
    """A payment that was asked for: the provider's name for it, and where the customer pays."""

    reference: str
    url: str


class Notice(Struct, frozen=True):
    """What a provider told us.

    Attributes:
        invoice: key of the invoice, "" when it is about something else.
        paid: the money is there.
        reference: the provider's name for the payment.
        amount: that was paid.
        currency: of the amount.
    """

    invoice: str
    paid: bool
    reference: str
    amount: Decimal
    currency: str


class Provider(Protocol):
    """Collects payments for invoices."""

    async def collect(self, invoice: Mapping[str, Any]) -> Asked:
        """Ask for an invoice's total; the same invoice again is the same payment.

        Raises:
            ProviderError: try again later.
        """
        ...

    async def refund(self, invoice: Mapping[str, Any], note: Mapping[str, Any]) -> str:
        """Give back what a credit note says; returns the provider's name for it.

        Raises:
            ProviderError: try again later.
        """
        ...

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """Read what the provider sent us.

        Raises:
            SignatureError: somebody else sent it.
        """
        ...


class ManualProvider:
    """People pay by bank transfer, and somebody notes it with ``settle_invoice``."""

    async def collect(self, invoice: Mapping[str, Any]) -> Asked:
        """Nothing is asked of anybody but by the invoice itself."""
        return Asked(str(invoice["number"]), "")

    async def refund(self, invoice: Mapping[str, Any], note: Mapping[str, Any]) -> str:
        """Somebody sends the money by hand."""
        del invoice
        return str(note["number"])

    def read_notice(self, body: bytes, signature: str) -> Notice:
        """Nobody sends any."""
        raise SignatureError("the manual provider sends nothing")
