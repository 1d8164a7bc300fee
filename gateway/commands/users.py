"""``run.py users``: the platform's people: list them, invite somebody, change a role."""

import argparse
import asyncio
import sys
from urllib.parse import quote

from actors.addresses import canonical_email
from config.errors import StartError
from config.settings import Settings
from gateway.commands.hands import hands


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="everybody (the default)")
    invite = actions.add_parser("invite", help="mail somebody the way in")
    invite.add_argument("email")
    invite.add_argument("--role", default="", help="for example platform_admin")
    role = actions.add_parser("role", help="give somebody another role")
    role.add_argument("email")
    role.add_argument("role", help="'' for none")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one action."""
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with hands(settings) as system:
        match arguments.action or "list":
            case "invite":
                body = {"email": arguments.email} | ({"role": arguments.role} if arguments.role else {})
                await system.call("auth.invite", "POST", body=body)
                sys.stdout.write(f"{arguments.email}: invited\n")
            case "role":
                address = quote(canonical_email(arguments.email), safe="")
                found = await system.rows("users", f"email=eq.{address}&select=id")
                if not found:
                    raise StartError(f"there is no account '{arguments.email}'")
                query, body = f"id=eq.{found[0]['id']}", {"role": arguments.role or None}
                await system.call("update", "PATCH", entity="users", query=query, body=body)
                sys.stdout.write(f"{arguments.email}: {arguments.role or 'no role'}\n")
            case _:
                query = "select=email,name,role,created_at&order=email&limit=1000"
                for row in await system.rows("users", query):
                    day = str(row["created_at"])[:10]
                    sys.stdout.write(f"{row['email'] or '-':<40}  {row['role'] or '-':<16}  {day}\n")
    return 0
