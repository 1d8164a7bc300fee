"""``run.py tenants``: list, make, close, copy, move and delete tenants."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, BinaryIO

from actors.messages import Part, Sending
from config.errors import StartError
from config.settings import Settings
from gateway.commands.hands import Hands, hands

PLAIN = {
    "suspend": ("suspend_tenant", "close a tenant; callers read the reason"),
    "resume": ("resume_tenant", "open a tenant again"),
    "delete": ("delete_tenant", "delete a tenant after a time of grace"),
    "domain": ("rename_domain", "give a tenant a host name of its own"),
    "clone": ("clone_tenant", "copy a tenant"),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="every tenant with state and version (the default)")
    create = actions.add_parser("create", help="make a tenant of a template")
    describe_new(create)
    verbs = {name: actions.add_parser(name, help=text) for name, (_, text) in PLAIN.items()}
    for verb in verbs.values():
        verb.add_argument("slug")
    verbs["suspend"].add_argument("--reason", default="", help="what callers read")
    verbs["delete"].add_argument("--confirm", required=True, metavar="SLUG", help="the slug again")
    verbs["delete"].add_argument("--grace-days", type=int, default=30, help="0: now; default: 30")
    verbs["domain"].add_argument("domain", nargs="?", default="", help="none takes it away")
    verbs["clone"].add_argument("to", help="slug of the copy")
    verbs["clone"].add_argument("--name", default="")
    verbs["clone"].add_argument("--data", default="all", choices=["none", "sample", "all"])
    verbs["clone"].add_argument(
        "--rows", type=int, default=100, help="of each table in a sample; default: 100"
    )
    verbs["clone"].add_argument(
        "--unmasked", dest="mask", action="store_false", help="personal fields as they are"
    )
    export = actions.add_parser("export", help="write everything of a tenant into one archive")
    export.add_argument("slug")
    export.add_argument(
        "--with-hashes",
        action="store_true",
        help="passwords and keys too, hashed, so that they go on working",
    )
    export.add_argument("file", type=Path, nargs="?", help="default: SLUG.zip")
    bring = actions.add_parser("import", help="make a tenant from such an archive")
    bring.add_argument("file", type=Path)
    bring.add_argument("--slug", default="", help="default: as in the archive")
    bring.add_argument("--owner", default="", metavar="EMAIL", help="invited as its owner")


def describe_new(parser: argparse.ArgumentParser) -> None:
    """Name the arguments of a new tenant."""
    parser.add_argument("slug")
    parser.add_argument(
        "--template", default="blank", help="blank, booking, crm, helpdesk, inventory or projects"
    )
    parser.add_argument("--name", default="", help="title people read")
    parser.add_argument("--owner", default="", metavar="EMAIL", help="invited as its owner")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one action."""
    return asyncio.run(_run(arguments, settings))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    action = arguments.action or "list"
    async with hands(settings) as system:
        if action == "list":
            await _list(system, settings)
        elif action == "create":
            await create(system, arguments)
        elif action == "export":
            await _export(system, arguments)
        elif action == "import":
            await _import(system, arguments)
        else:
            given = {k: v for k, v in vars(arguments).items() if k not in {"action", "command", "directory"}}
            row = await system.rpc(PLAIN[action][0], given)
            what = "gone" if row.get("deleted") else row.get("status") or "made"
            sys.stdout.write(f"{row['slug']}: {what}\n")
    return 0


async def create(system: Hands, arguments: argparse.Namespace) -> None:
    """Make a tenant of a template."""
    body = {"slug": arguments.slug, "template": arguments.template}
    body |= {"name": arguments.name} if arguments.name else {}
    body |= {"owner_email": arguments.owner} if arguments.owner else {}
    await system.call("create", "POST", entity="tenants", body=body)
    sys.stdout.write(f"{arguments.slug}: made from '{arguments.template}'\n")


async def _list(system: Hands, settings: Settings) -> None:
    known = {row["slug"]: row for row in await system.rows("tenants", "select=slug,status&limit=1000")}
    versions: list[dict[str, Any]] = await system.rpc("list_tenants", {})
    for tenant in versions:
        slug = tenant["slug"]
        state = known.get(slug, {}).get("status", "active")
        if state == "active" and not tenant["file"]:
            state = "paused"
        sys.stdout.write(f"{slug:<40}  version {tenant['version']:<5}  {state:<9}  {tenant['namespace']}\n")
    if not versions:
        sys.stdout.write(
            f"no tenants yet: put a YAML file into {settings.schemas_dir} and start the server\n"
        )


async def _export(system: Hands, arguments: argparse.Namespace) -> None:
    query = "hashes=true" if arguments.with_hashes else ""
    result = await system.call("platform.export", entity=arguments.slug, query=query)
    file, size = arguments.file or Path(f"{arguments.slug}.zip"), 0
    if result.stream is None:
        raise StartError("the tenant has no archive")
    try:
        with file.open("xb") as written:
            file.chmod(0o600)
            async with aclosing(result.stream.pieces) as pieces:
                async for piece in pieces:
                    size += written.write(piece)
    except OSError as error:
        raise StartError(f"{file}: {error.strerror}") from error
    sys.stdout.write(f"{file}: {size:,} bytes\n")


async def _parts(file: BinaryIO) -> AsyncIterator[Part]:
    async def pieces() -> AsyncIterator[bytes]:
        while piece := await asyncio.to_thread(file.read, 1 << 20):
            yield piece

    yield Part("", "", "application/zip", pieces())


async def _import(system: Hands, arguments: argparse.Namespace) -> None:
    query = f"owner_email={arguments.owner}" if arguments.owner else ""
    try:
        with arguments.file.open("rb") as file:
            sending = Sending(_parts(file))
            slug = arguments.slug or "-"
            await system.call("platform.import", "POST", entity=slug, query=query, sending=sending)
    except OSError as error:
        raise StartError(f"{arguments.file}: {error.strerror}") from error
    sys.stdout.write("imported\n")
