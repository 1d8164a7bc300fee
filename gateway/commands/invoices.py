"""``run.py invoices``: list them, bill what is due, note payments, credit."""

import argparse
import asyncio
import sys
from decimal import Decimal
from pathlib import Path

from config.errors import StartError
from config.settings import Settings
from gateway.commands.hands import Hands, hands

_COLUMNS = "number,slug,kind,status,total,currency,issued_on,due_on"


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="all of them, newest first (the default)")
    actions.add_parser("run", help="bill every period that is over")
    paid = actions.add_parser("paid", help="note that one is paid")
    paid.add_argument("number")
    paid.add_argument("--reference", default="", help="of the payment")
    void = actions.add_parser("void", help="take back one that nobody paid")
    void.add_argument("number")
    void.add_argument("--reason", default="")
    credit = actions.add_parser("credit", help="write a credit note")
    credit.add_argument("number")
    credit.add_argument("--amount", help="with tax; default: all that is left")
    credit.add_argument("--reason", default="")
    show = actions.add_parser("save", help="write one as PDF or CSV")
    show.add_argument("number")
    show.add_argument("file", type=Path, help="ends in .pdf or .csv")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one action."""
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with hands(settings) as system:
        match arguments.action or "list":
            case "run":
                made = await system.rpc("run_billing", {})
                sys.stdout.write(f"{len(made['invoices'])} invoices, {len(made['failed'])} failed\n")
                return 1 if made["failed"] else 0
            case "paid":
                said = {"invoice": arguments.number, "reference": arguments.reference}
                sys.stdout.write(_told(await system.rpc("settle_invoice", said)))
            case "void":
                said = {"invoice": arguments.number, "reason": arguments.reason}
                sys.stdout.write(_told(await system.rpc("void_invoice", said)))
            case "credit":
                said = {"invoice": arguments.number, "reason": arguments.reason}
                if arguments.amount:
                    said["amount"] = arguments.amount
                sys.stdout.write(_told(await system.rpc("credit_invoice", said)))
            case "save":
                await _save(system, arguments.number, arguments.file)
            case _:
                for row in await system.rows("invoices", f"select={_COLUMNS}&order=series.desc&limit=1000"):
                    sys.stdout.write(_told(row))
    return 0


async def _save(system: Hands, number: str, file: Path) -> None:
    found = await system.rows("invoices", f"number=eq.{number}&select=id")
    kind = file.suffix.removeprefix(".")
    if not found or kind not in {"pdf", "csv"}:
        told = f"{file} ends neither in .pdf nor .csv" if found else f"there is no invoice '{number}'"
        raise StartError(told)
    result = await system.call("billing.paper", entity=found[0]["id"], key=kind)
    await asyncio.to_thread(file.write_bytes, result.body)


def _told(row: dict[str, object]) -> str:
    amount = f"{Decimal(str(row['total'])):.2f} {row['currency']}"
    state = f"{row['kind']:<11}  {row['status']:<8}"
    return f"{row['number']:<14}  {row['slug']:<32}  {state}  {amount:>14}  {row['issued_on']}\n"
