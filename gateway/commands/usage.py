"""``run.py usage``: what tenants used this month, of which plan; with ``--plan`` give one a plan."""

import argparse
import asyncio
import sys

from config.settings import Settings
from gateway.commands.hands import Hands, hands


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", nargs="?", default="", help="one tenant; default: all")
    parser.add_argument("--plan", help="give the tenant this plan")
    parser.add_argument("--no-plan", action="store_true", help="take its plan and limits away, now")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Show it, or change the plan."""
    if (arguments.plan or arguments.no_plan) and not arguments.slug:
        sys.stderr.write("backsaas: name the tenant\n")
        return 2
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with hands(settings) as system:
        if arguments.plan:
            await system.rpc("set_plan", {"tenant": arguments.slug, "plan": arguments.plan})
        elif arguments.no_plan:
            await system.rpc("cancel_plan", {"tenant": arguments.slug, "now": True})
        only = f"&slug=eq.{arguments.slug}" if arguments.slug else ""
        tenants = await system.rows("tenants", f"select=slug&order=slug&limit=10000{only}")
        for row in tenants:
            sys.stdout.write(await _line(system, row["slug"]))
    return 0


async def _line(system: Hands, slug: str) -> str:
    used = (await system.rpc("tenant_usage", {"tenant": slug}))["month"]
    query = f"select=status,plans(name),tenants!inner(slug)&tenants.slug=eq.{slug}"
    plans = await system.rows("subscriptions", query)
    plan = f"{plans[0]['plans']['name']} ({plans[0]['status']})" if plans else "no plan"
    shown = "  ".join(f"{name} {number}" for name, number in used.items())
    return f"{slug:<40}  {plan:<24}  {shown}\n"
