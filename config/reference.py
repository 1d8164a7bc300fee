"""Writes ``config/backsaas.yaml`` and ``docs/settings.md`` from the settings themselves.

Decides their layout only. Called by ``make settings`` and by the tests that compare what is shipped.
"""

from config.parse import Option, options

HEAD = """\
# Settings of this installation. Every value here is the default: change it, or set the environment variable
# beside it, which wins. A wrong value stops the start with one line that names it.
"""
PAGE_HEAD = """\
# Settings

Every setting has a default. `config/backsaas.yaml` may change it, and the environment variable wins over
the file. `python3 run.py serve DIR` reads `DIR/config/backsaas.yaml`; relative paths start at `DIR`. A wrong
value or an unknown name in the file ends the start with one line that names it and exit code 2. Secrets
belong in the environment. Development tokens are no setting: they exist only with `serve --dev`.

This page is written from the program's own definitions (`make settings`)."""
SECTIONS = {
    "database": "PostgreSQL and its connections",
    "limits": "What one client, one tenant and one request may take",
    "reload": "Changing a tenant while it runs",
    "tenants": "How tenants live in the process",
    "functions": "Python functions of tenants",
    "files": "Files of tenants: where they are, and how large one may be",
    "backup": "Backups of tenants and of everything, and archives that come in",
    "metering": "Counting what tenants use",
    "billing": "Who collects the money",
    "admin": "The first administrator of the platform",
    "mail": "Mail: how it goes out",
    "log": "What the process says, on standard output",
    "tracing": "Traces by OpenTelemetry",
}


def settings_file() -> str:
    """Return the whole file with every default."""
    lines = [HEAD]
    section = ""
    for option in options():
        group, _, name = option.path.rpartition(".")
        if group != section:
            section = group
            lines += ["", f"# {SECTIONS[group]}", f"{group}:"]
        indent = "  " if group else ""
        lines.append(f"{indent}# {option.text}{_bounds(option)} [{option.variable}]")
        # the environment alone moves the directory this file is found in
        shown = "# " if option.path == "config_dir" else ""
        lines.append(f"{indent}{shown}{name}: {_plain(option.default)}")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return the reference page."""
    lines = [PAGE_HEAD]
    section = None
    for option in options():
        group = option.path.rpartition(".")[0]
        if group != section:
            section = group
            title = f"`{group}`: {SECTIONS[group]}" if group else "Where it listens and where things are"
            lines += [
                "",
                f"## {title}",
                "",
                "| Setting | Variable | Default | Meaning |",
                "|---|---|---|---|",
            ]
        default = f"`{_plain(option.default)}`"
        lines.append(
            f"| `{option.path}` | `{option.variable}` | {default} | {option.text}{_bounds(option)} |"
        )
    return "\n".join(lines) + "\n"


def _bounds(option: Option) -> str:
    return "" if option.least is None else f"; {option.least:.12g} to {option.most:.12g}"


def _plain(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:.12g}"
        case "":
            return '""'
        case _:
            return str(value)
