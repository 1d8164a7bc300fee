"""``run.py token SLUG``: print a development token; a server started with ``--dev`` believes it."""

import argparse
import sys
import time

from actors.features.auth.dev_tokens import mint
from config.errors import StartError
from config.settings import Settings
from gateway.dev_key import load_dev_key


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", help="the tenant the token is for")
    parser.add_argument("--role", default="admin", help="role in the tenant's file; default: admin")
    parser.add_argument("--user", metavar="ID", default=None, help="the user's id; default: a fixed one")
    parser.add_argument(
        "--claim", metavar="NAME=VALUE", action="append", default=[], help="a further claim; repeatable"
    )
    parser.add_argument("--hours", type=float, default=24.0, help="how long it is good; default: 24")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the token."""
    claims: dict[str, str] = {}
    for text in arguments.claim:
        name, equals, value = text.partition("=")
        if not equals or not name:
            msg = f"--claim {text}: write NAME=VALUE"
            raise StartError(msg)
        claims[name] = value
    token = mint(
        load_dev_key(settings.data_dir),
        arguments.slug,
        now=time.time(),
        role=arguments.role,
        subject=arguments.user,
        claims=claims,
        lifetime=arguments.hours * 3600,
    )
    sys.stdout.write(token + "\n")
    return 0
