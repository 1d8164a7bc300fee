"""Payments of issued invoices: asking the provider, hearing from it, giving back.

Decides when a provider is asked: after the invoice is committed, and again whenever billing runs, until it
answered. A notice settles an invoice only when amount and currency are the invoice's. Called by
``functions``.
"""

from collections.abc import Mapping

import structlog

from actors.features.auth.accounts import realm_of
from actors.features.auth.store import Session
from actors.features.billing import invoices
from actors.features.billing.providers import ManualProvider, Provider, ProviderError, SignatureError
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

_UNASKED = """
SELECT i.*, coalesce(s.provider_customer, '') AS provider_customer FROM {ns}.invoices i
LEFT JOIN {ns}.subscriptions s ON s.tenant_id = i.tenant_id
WHERE i.status = 'open' AND i.kind = 'invoice' AND i.provider = ANY($1::text[]) AND i.payment_url IS NULL
ORDER BY i.series LIMIT 1000
"""
_UNREFUNDED = """
SELECT * FROM {ns}.invoices WHERE kind = 'credit_note' AND status = 'open' AND provider = ANY($1::text[])
AND provider_reference IS NULL ORDER BY series LIMIT 1000
"""

log = structlog.get_logger("billing")


def _providers(generation: Generation) -> Mapping[str, Provider]:
    found = generation.platform.payments if generation.platform is not None else {}
    return {"manual": ManualProvider(), **found}


async def collect(generation: Generation) -> None:
    """Ask for the payment of every open invoice that nobody was asked about yet."""
    providers, store = _providers(generation), realm_of(generation).store
    names = [name for name in providers if name != "manual"]
    if not names:
        return
    for invoice in await store.rows(_UNASKED, names):
        try:
            asked = await providers[invoice["provider"]].collect(dict(invoice))
        except ProviderError as error:
            log.warning("billing.not_collected", invoice=invoice["number"], reason=str(error))
            continue
        await store.run(
            "UPDATE {ns}.invoices SET payment_url = $2, provider_reference = $3 "
            "WHERE id = $1 AND status = 'open'",
            invoice["id"],
            asked.url,
            asked.reference,
        )


async def refund(generation: Generation) -> None:
    """Give back what credit notes about paid invoices say."""
    providers, store = _providers(generation), realm_of(generation).store
    names = [name for name in providers if name != "manual"]
    for note in await store.rows(_UNREFUNDED, names) if names else []:
        invoice = await store.row("SELECT * FROM {ns}.invoices WHERE id = $1", note["credits_id"])
        if invoice is None:
            continue
        try:
            reference = await providers[note["provider"]].refund(dict(invoice), dict(note))
        except ProviderError as error:
            log.warning("billing.not_refunded", invoice=note["number"], reason=str(error))
            continue
        await store.run(
            "UPDATE {ns}.invoices SET status = 'refunded', provider_reference = $2, paid_at = now() "
            "WHERE id = $1 AND status = 'open'",
            note["id"],
            reference,
        )


async def webhook(generation: Generation, call: Call, principal: Principal) -> Result:
    """Hear from a provider; the signature is the credential.

    Raises:
        ProblemError: billing.closed, billing.bad_signature.
    """
    del principal
    provider = _providers(generation).get(call.entity) if generation.platform is not None else None
    if provider is None or call.entity == "manual":
        raise ProblemError("billing.closed", "there is no such payment provider here")
    try:
        notice = provider.read_notice(call.body, call.signature)
    except SignatureError as error:
        raise ProblemError("billing.bad_signature", "the signature is not right") from error
    if not notice.paid or not notice.invoice:
        return Result(204)
    store = realm_of(generation).store

    async def work(session: Session) -> str:
        try:
            invoice = await invoices.find(session, notice.invoice, lock=True)
        except ProblemError:
            return "unknown"
        if invoice["provider"] != call.entity:
            return "of another provider"
        if (notice.amount, notice.currency.upper()) != (invoice["total"], invoice["currency"]):
            return "another amount"
        if invoice["status"] not in {"open", "paid"}:
            return str(invoice["status"])
        await invoices.settle(session, notice.invoice, notice.reference)
        return ""

    trouble = await store.transaction(work)
    if trouble:
        # answered all the same: sent again, it would be no better; somebody has to look
        log.error(
            "billing.notice_not_taken", invoice=notice.invoice, reason=trouble, reference=notice.reference
        )
    return Result(204)
