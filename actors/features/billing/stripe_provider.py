"""Payments by Stripe: a Checkout Session per invoice, refunds per credit note, signed notices.

Decides how our words become Stripe's. The official library speaks, in a thread; what it did before is
known by idempotency keys made of our own keys. Used by ``collecting``.
"""

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

import orjson
import stripe
from typing_extensions import override

from actors.features.billing.money import CENT, NO_CENTS
from actors.features.billing.providers import Asked, Notice, Provider, ProviderError, SignatureError
from config.settings import BillingSettings

T = TypeVar("T")
_PAID = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})
_RETRIES = 2


class StripeProvider(Provider):
    """See the module's docstring.

    Args:
        settings: key, secret and, for tests, address.
        return_url: where people come back to after paying.
    """

    def __init__(self, settings: BillingSettings, return_url: str) -> None:
        addresses: Any = {"api": settings.stripe_url} if settings.stripe_url else {}
        self._client = stripe.StripeClient(
            settings.stripe_key, base_addresses=addresses, max_network_retries=_RETRIES
        )
        self._secret = settings.stripe_webhook_secret
        self._return_url = return_url

    @override
    async def collect(self, invoice: Mapping[str, Any]) -> Asked:
        currency = str(invoice["currency"])
        customer = _mapping(invoice["customer"])
        params: Any = {
            "mode": "payment",
            "client_reference_id": str(invoice["id"]),
            "success_url": self._return_url,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": currency.lower(),
                        "unit_amount": units(invoice["total"], currency),
                        "product_data": {"name": f"Invoice {invoice['number']}"},
                    },
                }
            ],
            "metadata": {"invoice": str(invoice["id"]), "number": str(invoice["number"])},
            "payment_intent_data": {"metadata": {"invoice": str(invoice["id"])}},
        }
        if customer.get("email"):
            params["customer_email"] = customer["email"]
        options: Any = {"idempotency_key": f"collect-{invoice['id']}"}
        session = await self._ask(lambda: self._client.v1.checkout.sessions.create(params, options))
        return Asked(str(session.id), str(session.url or ""))

    @override
    async def refund(self, invoice: Mapping[str, Any], note: Mapping[str, Any]) -> str:
        params: Any = {
            "payment_intent": invoice["provider_reference"],
            "amount": units(-note["total"], str(note["currency"])),
            "metadata": {"credit_note": str(note["number"])},
        }
        options: Any = {"idempotency_key": f"refund-{note['id']}"}
        made = await self._ask(lambda: self._client.v1.refunds.create(params, options))
        return str(made.id)

    @override
    def read_notice(self, body: bytes, signature: str) -> Notice:
        try:
            stripe.WebhookSignature.verify_header(body.decode(), signature, self._secret, 300)
            event = orjson.loads(body)
            told = event["data"]["object"]
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError) as error:
            raise SignatureError(str(error)) from error
        currency = str(told.get("currency") or "").upper()
        return Notice(
            str(told.get("client_reference_id") or ""),
            event.get("type") in _PAID and told.get("payment_status") == "paid",
            str(told.get("payment_intent") or told.get("id") or ""),
            amount(int(told.get("amount_total") or 0), currency),
            currency,
        )

    async def _ask(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except stripe.StripeError as error:
            raise ProviderError(error.user_message or type(error).__name__) from error


def units(value: Decimal, currency: str) -> int:
    """Return an amount in the currency's smallest unit, as Stripe counts."""
    return int(value) if currency in NO_CENTS else int(value / CENT)


def amount(number: int, currency: str) -> Decimal:
    """Return the amount so many of the smallest unit are."""
    return Decimal(number).quantize(CENT) if currency in NO_CENTS else Decimal(number) * CENT


def _mapping(value: object) -> Mapping[str, Any]:
    found = orjson.loads(value) if isinstance(value, str) else value
    return found if isinstance(found, dict) else {}
