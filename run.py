#!/usr/bin/env python3
"""BackSaas, a backend per tenant from one YAML file: ``python3 run.py`` starts it.

The composition root: it alone reads the environment and knows gateway and actors. Commands live in
``actors.commands``, one module each, with ``configure(parser)`` and ``run(arguments, settings)``.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - exactly those Pythons are to be told
    sys.exit("BackSaas needs Python 3.11 or newer; this is " + sys.version.split()[0])

import argparse
import asyncio
import contextlib
import gc
import importlib
import os
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from config import bootstrap
from config.errors import StartError
from config.parse import parse
from config.settings import Settings
from config.version import VERSION

ROOT = Path(__file__).resolve().parent
COMMANDS = {
    "serve": ("", "run the platform (the default)"),
    "test": ("", "run the tests; arguments go to pytest"),
    "bench": ("", "measure speed side by side with a hand-written handler"),
    "check": ("actors.commands.check", "check tenant files; exit code 1 when one has errors"),
    "plan": ("actors.commands.plan", "show what a tenant's file would change in the database"),
    "apply": ("actors.commands.apply", "apply a tenant's plan that waits for a person"),
    "rollback": ("actors.commands.rollback", "bring a tenant back to an earlier version"),
    "tenants": ("gateway.commands.tenants", "list, make, close, copy, move and delete tenants"),
    "backup": ("gateway.commands.backup", "write backups of tenants"),
    "restore": ("gateway.commands.restore", "bring tenants back from backups; list those"),
    "new": ("gateway.commands.new", "make a tenant of a template"),
    "schema": ("gateway.commands.schema", "a tenant's file and its versions"),
    "users": ("gateway.commands.users", "the platform's people"),
    "usage": ("gateway.commands.usage", "what tenants used, and of which plan"),
    "invoices": ("gateway.commands.invoices", "list invoices, bill, note payments, credit"),
    "tasks": ("actors.commands.tasks", "what a tenant does in the background; replay what failed"),
    "doctor": ("actors.commands.doctor", "check the installation and say what is wrong"),
    "seed": ("actors.commands.seed", "fill a tenant with believable data"),
    "key": ("actors.commands.key", "make an API key of a tenant"),
    "token": ("gateway.commands.token", "print a development token (the server needs --dev)"),
}
RUN_AS_MODULE = {"test": "pytest", "bench": "bench"}
WITHOUT_SETTINGS = frozenset({"check"})


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    _keep_standard_streams()
    arguments = sys.argv[1:] if argv is None else argv
    command = arguments[0] if arguments and arguments[0] in COMMANDS else "serve"
    try:
        bootstrap.ensure_packages(
            ROOT, [str(ROOT / "run.py"), *arguments], os.environ, development=command in RUN_AS_MODULE
        )
        if command in RUN_AS_MODULE:
            os.chdir(ROOT)
            os.execv(sys.executable, [sys.executable, "-m", RUN_AS_MODULE[command], *arguments[1:]])  # noqa: S606
        return _dispatch(arguments)
    except (StartError, bootstrap.BootstrapError) as error:
        print(f"backsaas: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in {*COMMANDS, "-h", "--help", "--version"}:
        arguments = ["serve", *arguments]
    parser = argparse.ArgumentParser(prog="run.py", description="A backend per tenant from one YAML file.")
    parser.add_argument("--version", action="version", version=f"BackSaas {VERSION}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    module = None
    for name, (place, text) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=text, description=text)
        if name != arguments[0]:
            continue
        if name == "serve":
            subparser.add_argument("directory", nargs="?", type=Path, help="installation; default: here")
            subparser.add_argument(
                "--dev", action="store_true", help="accept development tokens; never in production"
            )
        else:
            subparser.add_argument("--directory", type=Path, help="installation; default: here")
            with _quick_imports():
                module = importlib.import_module(place)
            module.configure(subparser)
    chosen = parser.parse_args(arguments)
    directory = getattr(chosen, "directory", None)
    if chosen.command == "serve":
        return serve(load_settings(directory, dev=chosen.dev))
    assert module is not None  # noqa: S101 - argparse knows only these commands
    settings = None if chosen.command in WITHOUT_SETTINGS else load_settings(directory)
    return int(module.run(chosen, settings))


@contextlib.contextmanager
def _quick_imports() -> Iterator[None]:
    """Import a thousand modules quicker: what they make lives for good, there is nothing to collect."""
    for unwanted in ("rich", "greenlet", "frozenlist._frozenlist"):
        # others would take it where they find it, and we never use it; the last brings a C++ library along
        sys.modules.setdefault(unwanted, None)  # type: ignore[arg-type]
    # aiohttp reads all certificate authorities, twice; what we connect to is trusted by actors.tls
    trusted = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = os.devnull
    gc.disable()
    yield
    gc.freeze()
    gc.enable()
    if trusted is None:
        del os.environ["SSL_CERT_FILE"]
    else:
        os.environ["SSL_CERT_FILE"] = trusted


def _keep_standard_streams() -> None:
    """Fill closed standard descriptors; the next file opened would get their numbers and our prints."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", closefd=False))


def load_settings(directory: Path | None = None, *, dev: bool = False) -> Settings:
    """Read the settings file and the environment.

    Args:
        directory: the installation. By default the working directory if it looks like one, else the checkout.
        dev: accept development tokens.

    Raises:
        StartError: naming every mistake.
    """
    import yaml  # noqa: PLC0415 - installed by the bootstrap

    here = Path.cwd()
    if directory is not None and not directory.is_dir():
        raise StartError(f"{directory} is no directory")
    looks_right = (here / "schemas").is_dir() or (here / "config" / "backsaas.yaml").exists()
    base = (directory or (here if looks_right or not (ROOT / "schemas").is_dir() else ROOT)).resolve()
    file = base / os.environ.get("BACKSAAS_CONFIG_DIR", "config") / "backsaas.yaml"
    mapping: object = None
    try:
        if file.exists():
            mapping = yaml.safe_load(file.read_bytes())
    except (OSError, yaml.YAMLError) as error:
        raise StartError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(mapping, dict | None):
        raise StartError(f"{file}: settings are names with values, not a {type(mapping).__name__}")
    return parse(mapping or {}, os.environ, base, dev=dev)


def serve(settings: Settings) -> int:
    """Run the platform until a signal.

    Raises:
        StartError: it cannot start; one line saying why.
    """
    with _quick_imports():
        import uvloop  # noqa: PLC0415 - installed by the bootstrap

        from config.logs import set_up  # noqa: PLC0415
        from gateway.serve import Server  # noqa: PLC0415

    set_up(settings.log)
    for warning in settings.warnings:
        print(f"backsaas: {warning}", file=sys.stderr)
    secrets = {name: value for name, value in os.environ.items() if not name.startswith("BACKSAAS_")}
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(Server(settings, secrets).run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
