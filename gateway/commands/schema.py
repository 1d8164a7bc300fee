"""``run.py schema``: a tenant's file and its history.

``plan``, ``apply`` and ``rollback`` are commands of their own.
"""

import argparse
import asyncio
import json
import sys

import orjson

from config.errors import StartError
from config.settings import Settings
from gateway.commands.hands import Hands, hands


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in (
        ("show", "print the file"),
        ("history", "list the versions"),
        ("diff", "what a version changed"),
    ):
        actions.add_parser(name, help=text).add_argument("slug")
    actions.choices["diff"].add_argument("version", type=int)
    edit = actions.add_parser("set", help="set one value; comments and order stay")
    edit.add_argument("slug")
    edit.add_argument("path", help="for example entities.notes.title")
    edit.add_argument("value", help="JSON, or a text")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one action."""
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    async with hands(settings) as system:
        match arguments.action:
            case "show":
                result = await system.call("platform.schema", entity=arguments.slug)
                sys.stdout.write(result.body.decode(errors="replace"))
            case "history":
                for version in await _history(system, arguments.slug, "limit=1000"):
                    moment = str(version["deployed_at"] or version["saved_at"])[:19]
                    line = f"{version['number']:>5}  {version['status']:<10}  {moment}  {version['author']}"
                    sys.stdout.write(line + "\n")
            case "diff":
                (version,) = await _history(system, arguments.slug, f"version={arguments.version}")
                sys.stdout.write(version["diff"] + "\n")
            case _:
                await _set(system, arguments)
    return 0


async def _history(system: Hands, slug: str, query: str) -> list[dict[str, str]]:
    result = await system.call("platform.schema.history", entity=slug, query=query)
    found = orjson.loads(result.body)
    return found if isinstance(found, list) else [found]


async def _set(system: Hands, arguments: argparse.Namespace) -> None:
    try:
        value = json.loads(arguments.value)
    except ValueError:
        value = arguments.value
    edit = {"op": "set", "path": arguments.path.split("."), "value": value}
    if not all(edit["path"]):
        raise StartError(f"'{arguments.path}' is no path: names with dots between them")
    await system.rpc("edit_schema", {"slug": arguments.slug, "edits": [edit]})
    sys.stdout.write(f"{arguments.slug}: written\n")
