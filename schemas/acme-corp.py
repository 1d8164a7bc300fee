"""What Acme's backend does beyond what acme-corp.yaml says. Both are one version: save either."""

from datetime import date, timedelta

DUE_AFTER = timedelta(days=14)


def price_invoice(record, ctx):
    """Before an invoice is written: its amount is the sum of its lines, and it is due in two weeks."""
    lines = record["lines"] or []
    if lines:
        record["net"] = sum(line["net"] for line in lines)
        if record["net"] < 0:
            ctx.reject("the discounts are more than the price", field="lines")
    if record["issued_on"] and not record["due_on"]:
        record["due_on"] = date.fromisoformat(record["issued_on"]) + DUE_AFTER
    return record


async def settle_invoice(record, ctx):
    """After a payment: an invoice of which nothing is left open is paid."""
    invoice = await ctx.data.get("invoices", record["invoice_id"], select="id,status,total,paid")
    if invoice and invoice["status"] == "sent" and invoice["paid"] >= invoice["total"]:
        await ctx.data.transition("invoices", invoice["id"], "pay")


async def send_reminders(args, ctx):
    """Every morning: remind customers of invoices that are overdue, once in so many days, so many times."""
    today = date.today()
    before = today - timedelta(days=ctx.config["days"])
    late = await ctx.data.find(
        "invoices",
        f"status=eq.sent&due_on=lt.{today}&reminders=lt.{ctx.config['times']}"
        f"&or=(reminded_on.is.null,reminded_on.lte.{before})",
        select="*,customer(email)",
        order="due_on",
        limit=500,
    )
    for invoice in late:
        if invoice["customer"]["email"]:
            await ctx.mail.send(invoice["customer"]["email"], template="overdue", record=invoice)
        told = {"reminders": invoice["reminders"] + 1, "reminded_on": today}
        await ctx.data.update("invoices", invoice["id"], told)
    ctx.log(f"{len(late)} reminders")


async def revenue(args, ctx):
    """Called by managers: what was invoiced in a year, and what has been paid of it."""
    year = args["year"]
    written = f"issued_on=gte.{year}-01-01&issued_on=lte.{year}-12-31"
    return {
        "year": year,
        "invoiced": await ctx.data.sum("invoices", "net", f"{written}&status=in.(sent,paid)"),
        "paid": await ctx.data.sum("invoices", "net", f"{written}&status=eq.paid"),
        "open": await ctx.data.count("invoices", f"{written}&status=eq.sent"),
    }
