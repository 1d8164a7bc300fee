"""Turns the settings file and the environment into Settings.

Decides precedence (environment over file over default) and reports every mistake at once. It reads neither by
itself: ``run.py`` hands both in.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from config.errors import SettingsError
from config.settings import Settings

PREFIX = "BACKSAAS_"
NOT_SETTINGS = frozenset({"directory", "dev", "warnings"})
INTERNAL = frozenset({"BACKSAAS_BOOTSTRAPPED"})
EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Option:
    """One setting as the reference shows it.

    Attributes:
        path: as in the file, ``database.pool_size``.
        variable: as in the environment.
        kind: its type.
        default: its value when nobody sets it.
        text: one line of help.
    """

    path: str
    variable: str
    kind: Any
    default: Any
    text: str
    least: float | None
    most: float | None


def options(of: type = Settings, prefix: str = "") -> Iterator[Option]:
    """Yield every setting in the order of the file."""
    hints = get_type_hints(of)
    for item in fields(of):
        kind, path = hints[item.name], prefix + item.name
        if is_dataclass(kind) and isinstance(kind, type):
            yield from options(kind, path + ".")
        elif path not in NOT_SETTINGS:
            yield _option(item, kind, path)


def parse(
    mapping: Mapping[str, Any], environ: Mapping[str, str], directory: Path, *, dev: bool = False
) -> Settings:
    """Return the settings of an installation.

    Args:
        mapping: the content of ``backsaas.yaml``.
        environ: the environment; only ``BACKSAAS_*`` is looked at.
        directory: absolute; relative paths in both start here.
        dev: accept development tokens.

    Raises:
        SettingsError: naming every unknown or senseless setting.
    """
    problems: list[str] = []
    known = {option.path: option for option in options()}
    given = dict(_flatten(mapping, known, problems))
    variables = {option.variable: option for option in known.values()}
    warnings = []
    for name, text in environ.items():
        if name in variables:
            given[variables[name].path] = (name, text)
        elif name.startswith(PREFIX) and name not in INTERNAL:
            warnings.append(f"{name} is no setting{_did_you_mean(name, variables)}")
    values: dict[str, Any] = {}
    for path, (source, raw) in given.items():
        try:
            values[path] = _convert(raw, known[path])
        except (TypeError, ValueError) as error:
            problems.append(f"{source}: {error}")
    if "config_dir" in given and given["config_dir"][0] == "config_dir":
        problems.append(
            "config_dir: only the environment (BACKSAAS_CONFIG_DIR) can move the directory of this file"
        )
    if problems:
        raise SettingsError(tuple(problems))
    settings: Settings = _build(
        Settings, "", values, {"directory": directory, "dev": dev, "warnings": tuple(warnings)}
    )
    _cross_check(settings)
    return settings


def _flatten(
    mapping: Mapping[str, Any], known: Mapping[str, Option], problems: list[str], prefix: str = ""
) -> Iterator[tuple[str, tuple[str, Any]]]:
    sections = {path.split(".")[0] for path in known if "." in path}
    for key, value in mapping.items():
        path = f"{prefix}{key}"
        if not prefix and key in sections:
            if isinstance(value, Mapping):
                yield from _flatten(value, known, problems, f"{key}.")
            elif value is not None:
                problems.append(f"{key}: holds settings of its own, not {value!r}")
        elif path in known:
            if value is not None:
                yield path, (path, value)
        else:
            problems.append(
                f"{path}: no such setting{_did_you_mean(path, {**known, **dict.fromkeys(sections)})}"
            )


def _convert(raw: object, option: Option) -> Any:  # noqa: ANN401 - the option's own type
    kind = option.kind
    if get_origin(kind) is Literal:
        if raw in get_args(kind):
            return raw
        msg = f"{raw!r} is none of {', '.join(get_args(kind))}"
        raise ValueError(msg)
    if kind is bool:
        return _boolean(raw)
    if kind in {int, float}:
        return _number(raw, option)
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        msg = f"{raw!r} is no text"
        raise TypeError(msg)
    if "\0" in str(raw):
        msg = "holds a NUL character"
        raise ValueError(msg)
    return Path(str(raw)) if kind is Path else str(raw)


def _boolean(raw: object) -> bool:
    known = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    value = known.get(str(raw).lower())
    if value is None:
        msg = f"{raw!r} is neither true nor false"
        raise ValueError(msg)
    return value


def _number(raw: object, option: Option) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        msg = f"{raw!r} is no number"
        raise TypeError(msg)
    try:
        value: int | float = int(str(raw)) if option.kind is int else float(raw)
    except ValueError:
        msg = f"{raw!r} is no {'whole ' if option.kind is int else ''}number"
        raise ValueError(msg) from None
    least, most = option.least, option.most
    # written so that NaN, which compares with nothing, is refused too
    if (least is not None and not value >= least) or (most is not None and not value <= most):
        msg = f"{value:g} is not between {least:g} and {most:g}"
        raise ValueError(msg)
    return value


def _build(of: type, prefix: str, values: Mapping[str, Any], extra: Mapping[str, Any] = EMPTY) -> Any:  # noqa: ANN401
    hints = get_type_hints(of)
    arguments: dict[str, Any] = dict(extra)
    for item in fields(of):
        kind, path = hints[item.name], prefix + item.name
        if is_dataclass(kind) and isinstance(kind, type):
            arguments[item.name] = _build(kind, path + ".", values)
        elif kind is Path and path not in NOT_SETTINGS:
            arguments[item.name] = extra["directory"] / values.get(path, item.default)
        elif path in values:
            arguments[item.name] = values[path]
    return of(**arguments)


def _cross_check(settings: Settings) -> None:
    problems = []
    if settings.port == settings.admin_port and settings.host == settings.admin_host:
        problems.append(f"port and admin_port are both {settings.port}")
    if settings.database.pool_size > settings.database.connections:
        problems.append("database.pool_size is larger than database.connections")
    if not settings.database.url and settings.database.connections > settings.database.max_connections - 20:
        problems.append("database.connections must be at least 20 below database.max_connections")
    if bool(settings.admin.email) != bool(settings.admin.password):
        problems.append("admin.email and admin.password are set together or not at all")
    secrets = (("admin_token", settings.admin_token, 16), ("admin.password", settings.admin.password, 12))
    for name, secret, least in secrets:
        if secret and len(secret) < least:
            problems.append(f"{name} has less than {least} characters")
    for name, url, schemes in (
        ("database.url", settings.database.url, ("postgresql://", "postgres://")),
        ("tracing.endpoint", settings.tracing.endpoint, ("http://", "https://")),
        ("files.url", settings.files.url, ("https://", "http://")),
    ):
        if url and not url.startswith(schemes):
            problems.append(f"{name} does not begin with {schemes[0]}")
    problems += _bad_networks(settings)
    if problems:
        raise SettingsError(tuple(problems))


def _option(item: "Field[Any]", kind: object, path: str) -> Option:
    default = item.default if item.default is not MISSING else None
    meta = item.metadata
    variable = PREFIX + path.replace(".", "_").upper()
    return Option(path, variable, kind, default, meta["help"], meta["least"], meta["most"])


def _did_you_mean(name: str, known: Mapping[str, object]) -> str:
    close = get_close_matches(name, known, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _bad_networks(settings: Settings) -> list[str]:
    problems = []
    for name, words in (
        ("trusted_proxies", settings.trusted_proxies),
        ("private_networks", settings.private_networks),
    ):
        for word in words.replace(",", " ").split():
            try:
                ipaddress.ip_network(word)
            except ValueError:
                problems.append(f"{name}: {word!r} is neither an address nor a network")
    return problems
