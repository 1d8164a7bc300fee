"""What only the operator writes into a tenant's file, whoever else may edit it.

Decides which keys these are: limits that protect the other tenants, where sign-ins are believed from, and
names of secrets, which are values of the operator's environment. Called by ``files`` for everybody who is no
administrator.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from actors.messages import ProblemError

KEYS = (
    ("service", "name"),
    ("api", "rate_limit"),
    ("api", "batch"),
    ("auth", "providers"),
    ("auth", "signing"),
    ("quotas",),
    ("plan",),
    ("secrets",),
)
_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def refuse_changes(before: bytes, after: bytes) -> None:
    """Refuse a text that changes what only the operator may.

    Raises:
        ProblemError: auth.forbidden, naming every such key.
    """
    was, will = _document(before), _document(after)
    changed = [".".join(key) for key in KEYS if _at(was, key) != _at(will, key)]
    named = set(_SECRET.findall(after.decode(errors="replace"))) - set(
        _SECRET.findall(before.decode(errors="replace"))
    )
    changed += [f"${{{name}}}" for name in sorted(named)]
    if changed:
        raise ProblemError(
            "auth.forbidden",
            f"only the operator changes {', '.join(changed)}",
            errors=tuple(
                {"pointer": f"/{key.replace('.', '/')}", "code": "operator_key", "detail": "the operator's"}
                for key in changed
            ),
        )


def _document(text: bytes) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        # it does not compile either, and is refused with its lines
        return {}
    return document if isinstance(document, dict) else {}


def _at(document: Any, key: tuple[str, ...]) -> Any:  # noqa: ANN401 - YAML values
    for part in key:
        document = document.get(part) if isinstance(document, dict) else None
    return document
