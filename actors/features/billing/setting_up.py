"""The payment providers that the settings name. Called once, at the start."""

from collections.abc import Mapping

from actors.features.billing.providers import Provider
from config.errors import StartError
from config.settings import BillingSettings


def payment_providers(settings: BillingSettings) -> Mapping[str, Provider]:
    """Return the configured providers by name.

    Raises:
        StartError: one is configured by half.
    """
    if not settings.stripe_key:
        return {}
    if not settings.stripe_webhook_secret:
        raise StartError("billing.stripe_key needs billing.stripe_webhook_secret too")
    from actors.features.billing.stripe_provider import StripeProvider  # noqa: PLC0415 - a large library

    return {"stripe": StripeProvider(settings)}
