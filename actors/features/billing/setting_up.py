"""The payment providers that the settings name. Called once, at the start."""

from collections.abc import Mapping

from actors.features.billing.providers import Provider
from config.errors import StartError
from config.settings import BillingSettings


def payment_providers(settings: BillingSettings, address: str) -> Mapping[str, Provider]:
    """Return the configured providers by name.

    Args:
        settings: what is configured.
        address: of the installation, where people come back to after paying.

    Raises:
        StartError: one is configured by half.
    """
    if not settings.stripe_key:
        return {}
    if not settings.stripe_webhook_secret:
        raise StartError("billing.stripe_key needs billing.stripe_webhook_secret too")
    from actors.features.billing.stripe_provider import StripeProvider  # noqa: PLC0415 - a large library

    return {"stripe": StripeProvider(settings, settings.return_url or f"{address}/")}
