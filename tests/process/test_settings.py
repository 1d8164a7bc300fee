"""Settings: precedence, bounds, and every mistake named at once."""

from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml

from config.errors import SettingsError
from config.parse import options, parse
from config.reference import settings_file
from config.settings import Settings

HERE = Path("/installation")


def problems(mapping: dict[str, object], **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse(mapping, environ, HERE)
    return caught.value.problems


def test_nothing_set_is_the_defaults_below_the_installation() -> None:
    settings = parse({}, {"PATH": "/bin", "HOME": "/"}, HERE)
    assert (settings.port, settings.host, settings.domain) == (8000, "127.0.0.1", "localhost")
    assert settings.data_dir == HERE / "data"
    assert settings.schemas_dir == HERE / "schemas"
    assert settings.warnings == ()
    assert not settings.dev


def test_the_environment_wins_over_the_file() -> None:
    settings = parse({"port": 1, "database": {"pool_size": 3}}, {"BACKSAAS_PORT": "2"}, HERE)
    assert (settings.port, settings.database.pool_size) == (2, 3)


def test_every_setting_has_its_variable() -> None:
    samples: dict[object, str] = {int: "30", float: "30", bool: "true", str: "x", Path: "/x"}
    for option in options():
        if option.path in {
            "database.url",
            "database.max_connections",
            "admin.email",
            "admin.password",
            "admin_token",
            "files.url",
            "tracing.endpoint",
            "log.level",
            "log.format",
            "trusted_proxies",
            "private_networks",
        }:
            continue
        choices = get_args(option.kind) if get_origin(option.kind) is Literal else ()
        environ = {option.variable: choices[0] if choices else samples[option.kind]}
        if option.least is not None and not option.least <= 30 <= (option.most or 0):
            environ[option.variable] = str(int(option.least))
        value: object = parse({}, environ, HERE)
        for part in option.path.split("."):
            value = getattr(value, part)
        assert str(value) not in {"", "()"}, option.path
    assert parse({}, {"BACKSAAS_LOG_ACCESS": "yes"}, HERE).log.access is True


def test_the_variables_of_the_readme_exist() -> None:
    assert {
        "BACKSAAS_HOST", "BACKSAAS_PORT", "BACKSAAS_ADMIN_PORT", "BACKSAAS_DATA_DIR", "BACKSAAS_SCHEMAS_DIR",
        "BACKSAAS_CONFIG_DIR", "BACKSAAS_DOMAIN", "BACKSAAS_DATABASE_URL", "BACKSAAS_ADMIN_EMAIL", "BACKSAAS_ADMIN_PASSWORD",
    } <= {option.variable for option in options()}  # fmt: skip


def test_paths_may_be_absolute_or_start_at_the_installation() -> None:
    settings = parse({"data_dir": "state"}, {"BACKSAAS_SCHEMAS_DIR": "/srv/tenants"}, HERE)
    assert (settings.data_dir, settings.schemas_dir) == (HERE / "state", Path("/srv/tenants"))


def test_every_mistake_is_named_at_once() -> None:
    found = problems(
        {"prot": 1, "database": {"pool_size": "many", "urll": ""}, "limits": 7, "log": {"level": "loud"}},
        BACKSAAS_PORT="70000",
    )
    assert found == (
        "prot: no such setting (did you mean port?)",
        "database.urll: no such setting (did you mean database.url?)",
        "limits: holds settings of its own, not 7",
        "database.pool_size: 'many' is no whole number",
        "log.level: 'loud' is none of debug, info, warning, error",
        "BACKSAAS_PORT: 70000 is not between 1 and 65535",
    )


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"port": True}, "port: True is no number"),
        ({"port": 1.5}, "port: 1.5 is no whole number"),
        ({"port": [1]}, "port: [1] is no number"),
        ({"drain_seconds": "nan"}, "drain_seconds: nan is not between 0 and 600"),
        ({"drain_seconds": "inf"}, "drain_seconds: inf is not between 0 and 600"),
        ({"host": ["a"]}, "host: ['a'] is no text"),
        ({"host": "a\0b"}, "host: holds a NUL character"),
        ({"log": {"access": "maybe"}}, "log.access: 'maybe' is neither true nor false"),
        ({"log": {"level": ["info"]}}, "log.level: ['info'] is none of debug, info, warning, error"),
        ({"dev": True}, "dev: no such setting"),
        ({"directory": "/x"}, "directory: no such setting"),
        ({1: 2}, "1: no such setting"),
        ({"config_dir": "x"}, "config_dir: only the environment (BACKSAAS_CONFIG_DIR) can move the directory of this file"),
        ({"port": 8001}, "port and admin_port are both 8001"),
        ({"database": {"pool_size": 81}}, "database.pool_size is larger than database.connections"),
        ({"database": {"connections": 110}}, "database.connections must be at least 20 below database.max_connections"),
        ({"database": {"url": "mysql://x"}}, "database.url does not begin with postgresql://"),
        ({"admin": {"email": "a@b.c"}}, "admin.email and admin.password are set together or not at all"),
        ({"admin": {"email": "a@b.c", "password": "short"}}, "admin.password has less than 12 characters"),
        ({"tracing": {"endpoint": "collector:4318"}}, "tracing.endpoint does not begin with http://"),
        ({"admin_token": "short"}, "admin_token has less than 16 characters"),
    ],
)  # fmt: skip
def test_senseless_values(mapping: dict[str, object], message: str) -> None:
    assert problems(mapping) == (message,)


def test_an_unknown_variable_is_a_warning_since_others_may_own_it() -> None:
    settings = parse({}, {"BACKSAAS_PROT": "1", "BACKSAAS_BOOTSTRAPPED": "x"}, HERE)
    assert settings.warnings == ("BACKSAAS_PROT is no setting (did you mean BACKSAAS_PORT?)",)


def test_a_missing_value_means_the_default() -> None:
    assert parse({"port": None, "database": None}, {}, HERE) == parse({}, {}, HERE)


def test_a_secret_is_not_in_the_message() -> None:
    assert "canary" not in str(
        problems({"database": {"url": "mysql://canary@x"}, "admin": {"password": "canary"}})
    )


def test_the_shipped_file_is_written_from_the_settings_and_says_the_defaults() -> None:
    shipped = (Path(__file__).parent.parent.parent / "config" / "backsaas.yaml").read_text()
    assert shipped == settings_file()
    assert parse(yaml.safe_load(shipped), {}, HERE) == parse({}, {}, HERE)
    assert isinstance(parse({}, {}, HERE), Settings)
