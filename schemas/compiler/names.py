"""What may be a name: slugs, entities, fields; which are taken; when two are one.

Decides every name that can reach PostgreSQL, a URL or a browser. It never quotes (``sql.quote`` does). Used
by ``parse``, ``sections`` and whoever creates tenants.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Scalar

SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]", re.ASCII)
ENTITY_PATTERN = r"[A-Za-z][A-Za-z0-9_]*"
FIELD_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"
MAX_NAME = 48
"""PostgreSQL keeps 63 bytes of a name; the rest is room for ``_arch_<name>_<version>``."""
MAX_IDENTIFIER = 63

RESERVED_SLUGS = frozenset(
    (
        *("admin", "api", "app", "auth", "backsaas", "console", "default", "docs", "health"),
        *("internal", "livez", "localhost", "login", "metrics", "platform", "postgres", "public"),
        *("readyz", "root", "static", "system", "template0", "template1", "tenant", "tenants", "www"),
    )
)
RESERVED_ENTITIES = frozenset(
    (
        *("rpc", "auth", "batch", "rest", "realtime", "storage", "functions", "graphql", "openapi"),
        *("docs", "schema", "types", "me", "mcp", "capabilities", "information_schema", "pg_catalog"),
        *("constructor", "prototype"),
    )
)
RESERVED_FIELDS = frozenset(
    (
        *("__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf"),
        *("row_version", "tableoid", "xmin", "xmax", "cmin", "cmax", "ctid"),
    )
)
URL_WORDS = frozenset(
    (
        *("select", "order", "limit", "offset", "and", "or", "not", "columns", "on_conflict"),
        *("after", "search", "as_of", "explain", "capabilities"),
    )
)
"""Names of query parameters: a field may have such a name, but no filter can name it."""

HISTORY_SUFFIX, COMMENTS_SUFFIX = "_history", "_comments"

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def history_name(entity: str) -> str:
    """Return the name of the entity that keeps what another one's rows were."""
    return _beside(entity, HISTORY_SUFFIX)


def comments_name(entity: str) -> str:
    """Return the name of the entity that keeps what people say about another one's rows."""
    return _beside(entity, COMMENTS_SUFFIX)


def _beside(entity: str, suffix: str) -> str:
    name = entity + suffix
    if len(name) <= MAX_NAME:
        return name
    return entity[: MAX_NAME - 9 - len(suffix)] + "_" + sha256(entity.encode()).hexdigest()[:8] + suffix


def slug_problem(slug: str) -> str:
    """Return why a text cannot be a tenant's slug, or ``""``."""
    if not SLUG.fullmatch(slug):
        return "a slug has 3 to 40 characters: a-z, 0-9 and '-', beginning with a letter, not ending with '-'"
    if slug.startswith("xn--") or "--" in slug[2:4]:
        return "a slug may not look like an internationalised host name"
    if slug in RESERVED_SLUGS or slug.startswith("pg-"):
        return f"the slug '{slug}' is reserved"
    return ""


def folded(name: str) -> str:
    """Return the form in which two names must differ: ``dueOn``, ``due_on`` and ``DUE_ON`` are one."""
    return _CAMEL.sub("_", name).lower()


def check_name(what: str, key: Scalar, reserved: frozenset[str], findings: Findings) -> bool:
    """Report a name that is reserved or too long; return whether it is good."""
    name = key.text
    if name in reserved or name.startswith(("_arch_", "pg_")) or name.lower() in reserved:
        findings.error("names.reserved", f"{what} '{name}' uses a reserved name", key, "choose another")
        return False
    if len(name) > MAX_NAME:
        findings.error(
            "names.too_long", f"{what} '{name[:60]}' has {len(name)} characters; {MAX_NAME} are allowed", key
        )
        return False
    return True


def check_collisions(what: str, keys: Iterable[Scalar], findings: Findings) -> None:
    """Report names that differ only in case or in the style of writing."""
    seen: dict[str, Scalar] = {}
    for key in keys:
        for form in {folded(key.text), key.text.lower()}:
            first = seen.setdefault(form, key)
            if first is not key:
                both = f"'{key.text}' (line {key.line}) and '{first.text}' (line {first.line})"
                message = f"{what} {both} are the same name in another style"
                findings.error("names.collision", message, key, "rename one of the two")
                break


def derived_name(prefix: str, *parts: str) -> str:
    """Return a name for an index or a constraint: readable, at most 63 bytes, never an entity's name."""
    name = "_".join((prefix, *parts))
    if len(name) <= MAX_IDENTIFIER:
        return name
    return f"{name[: MAX_IDENTIFIER - 9]}_{sha256(name.encode()).hexdigest()[:8]}"


def circle(start: str, reads: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the way from a name back to itself along what each name reads, () when there is none."""
    waiting: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        for name in reads.get(path[-1], ()):
            if name == start:
                return (*path, name)
            if name not in seen:
                seen.add(name)
                waiting.append((*path, name))
    return ()
