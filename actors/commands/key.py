"""``run.py key SLUG``: make an API key of a tenant and print it; whoever may run this is the operator."""

import argparse
import asyncio
import sys

from actors.commands.installation import opened
from actors.features.auth import api_keys
from actors.features.auth.store import Session
from actors.tenant import registry
from actors.tenant.audit import Who, act
from actors.tenant.furniture import ACCOUNTS, furnish
from config.errors import StartError
from config.settings import Settings
from schemas.compiler.compile import compile_source
from schemas.compiler.principal import ADMIN_ROLE


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", help="the tenant the key is for")
    parser.add_argument("--role", default=ADMIN_ROLE, help="role in the tenant's file; default: admin")
    parser.add_argument("--public", action="store_true", help="a key for programs that anybody can read")
    parser.add_argument(
        "--scope", metavar="ENTITY:VERB", action="append", help="limit it to this; repeatable"
    )
    parser.add_argument("--name", default="made by run.py key", help="how it is listed")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the key."""
    key = asyncio.run(_make(arguments, settings))
    sys.stdout.write(key + "\n")
    return 0


async def _make(arguments: argparse.Namespace, settings: Settings) -> str:
    async with opened(settings) as installation:
        identity = await installation.identity(arguments.slug)
        async with installation.database.owner() as connection:
            deployed = await registry.current(connection, identity)
            text = await registry.version(connection, identity, deployed.version)
            if text is None:
                msg = f"the tenant '{arguments.slug}' has no version in force"
                raise StartError(msg)
            _check_role(arguments, compile_source(text.text, arguments.slug).roles)
            await furnish(connection, identity, ACCOUNTS.tables)
            session = Session(connection, identity.namespace)
            made, key = await api_keys.create(
                session,
                now=installation.platform.now(),
                name=arguments.name,
                role=arguments.role,
                public=arguments.public,
                scopes=frozenset(arguments.scope) if arguments.scope else None,
                created_by="operator",
            )
            said = {"name": arguments.name, "role": arguments.role, "key": made}
            await act(connection, "api_key.created", arguments.slug, Who("operator"), said)
    return key


def _check_role(arguments: argparse.Namespace, roles: object) -> None:
    known = {*roles, ADMIN_ROLE} if isinstance(roles, dict) else {ADMIN_ROLE}
    if arguments.role not in known:
        there = ", ".join(sorted(known))
        msg = f"the file of '{arguments.slug}' has no role '{arguments.role}'; it has {there}"
        raise StartError(msg)
