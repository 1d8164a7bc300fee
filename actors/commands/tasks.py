"""``run.py tasks SLUG``: what a tenant does in the background; with ``--replay`` what failed runs again."""

import argparse
import asyncio
import sys
from typing import Any
from urllib.parse import urlencode

import orjson

from actors.commands.installation import generation_in_force, opened
from actors.messages import Call, ProblemError
from actors.tenant.due import DueBook
from actors.tenant.operations import execute
from config.errors import StartError
from config.settings import Settings
from schemas.compiler.principal import SERVICE

MOST = 1000


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("slug", help="the tenant")
    parser.add_argument("--state", default="", help="ready, running, done or dead; default: all")
    parser.add_argument("--kind", default="", help="function, subscription, webhook, job, ...")
    parser.add_argument("--name", default="", help="of the function, webhook, job")
    parser.add_argument(
        "--replay", metavar="ID", help="let a dead task run again; 'all': all of --kind and --name"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """List tasks, or let them run again."""
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    chosen = {name: value for name in ("kind", "name", "state") if (value := getattr(arguments, name))}
    async with opened(settings) as installation:
        identity = await installation.provisioned(arguments.slug)
        pool = installation.platform.pool(identity)
        try:
            generation = await generation_in_force(installation, arguments.slug, pool)

            async def ask(operation: str, method: str, entity: str = "", **query: Any) -> Any:  # noqa: ANN401 - JSON
                call = Call(operation, method, entity, query=urlencode(query), principal=SERVICE)
                try:
                    return orjson.loads((await execute(generation, call)).body)
                except ProblemError as error:
                    raise StartError(error.message) from error

            if arguments.replay:
                one = "" if arguments.replay == "all" else arguments.replay
                chosen.pop("state", None)
                told = await ask("tasks.replay", "POST", one, **({} if one else chosen))
                # the server that looks after the tenant, or the first to look, takes them up
                await DueBook(installation.database).release(identity, 0.0)
                sys.stdout.write(f"{told['replayed']} to run again\n")
                return 0
            for task in await ask("tasks.list", "GET", limit=str(MOST), **chosen):
                sys.stdout.write(_line(task))
        finally:
            pool.close()
    return 0


def _line(task: dict[str, Any]) -> str:
    error = f"  {task['error'].splitlines()[0][:100]}" if task.get("error") else ""
    return f"{task['id']}  {task['state']:<8}{task['kind']:<13}{task['name']:<32}{error}\n"
