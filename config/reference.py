"""Writes ``config/backsaas.yaml`` from the settings themselves, so that file and program cannot differ.

Decides its layout only. Called by the test that compares the shipped file, and by ``make settings``.
"""

from config.parse import Option, options

HEAD = """\
# Settings of this installation. Every value here is the default: change it, or set the environment variable
# beside it, which wins. A wrong value stops the start with one line that names it.
"""
SECTIONS = {
    "database": "PostgreSQL and its connections",
    "limits": "What one client, one tenant and one request may take",
    "reload": "Watching the schemas directory",
    "tenants": "How tenants live in the process",
    "admin": "The first administrator of the platform",
    "log": "What the process says, on standard output",
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


def _bounds(option: Option) -> str:
    return "" if option.least is None else f"; {option.least:.12g} to {option.most:.12g}"


def _plain(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:.12g}"
        case tuple():
            return "[]"
        case "":
            return '""'
        case _:
            return str(value)
