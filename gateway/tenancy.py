"""Where a request goes: host and raw path to canonical parts, once, before anything else looks at them.

Decides which hosts and paths are acceptable at all. It never decodes twice, never folds characters, never
guesses: what is not plainly right is refused. Pure; called by ``gateway.server``, read by ``gateway.rules``.
"""

import re
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from actors.messages import ProblemError
from schemas.compiler.names import slug_problem

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_V6 = re.compile(r"\[[0-9a-f:.]{2,45}\]", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?", re.ASCII)
_RAW_PATH = re.compile(r"/[A-Za-z0-9_.~!$&'()*+,=:@%/-]*", re.ASCII)
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029/\\%;]")
MAX_HOST = 253
MAX_SEGMENTS = 16


class Target(Struct, frozen=True):
    """A request target in parts.

    Attributes:
        path: canonical, begins with ``/``.
        segments: its decoded parts; no empty one.
        query: raw, without ``?``.
    """

    path: str
    segments: tuple[str, ...]
    query: str


def parse_host(raw: str) -> str:
    """Return the canonical host name of a Host header: lower case, no port, no trailing dot.

    Raises:
        ProblemError: http.bad_host.
    """
    host = raw.lower()
    if host.startswith("["):
        name, bracket, port = host.partition("]")
        name, port = (
            name + bracket,
            port.removeprefix(":") if port.startswith(":") else ("x" if port else "0"),
        )
        good = _V6.fullmatch(name) is not None
    else:
        name, colon, port = host.partition(":")
        port = port if colon else "0"
        name = name.removesuffix(".")
        good = len(name) <= MAX_HOST and _NAME.fullmatch(name) is not None
    if not good or not raw.isascii() or not _PORT.fullmatch(port) or int(port) > 65535:
        raise ProblemError("http.bad_host", "the Host header is not a host name with an optional port")
    return name


def parse_target(raw: str, host: str) -> Target:
    """Split a request target.

    Args:
        raw: as on the request line: origin form, or absolute form naming the same host.
        host: canonical host of the Host header.

    Raises:
        ProblemError: http.bad_path; http.bad_host when an absolute target names another host.
    """
    path, _, query = raw.partition("?")
    if path[:1] != "/":
        path = _origin_form(path, host)
    if _PLAIN_PATH.fullmatch(path):
        segments = path.split("/")
        # the first is empty, so is the last after a trailing slash
        parts = tuple(segments[1:-1] if not segments[-1] else segments[1:])
    else:
        parts = _decode(path)
    if len(parts) > MAX_SEGMENTS:
        raise ProblemError("http.bad_path", "the path has too many parts")
    if "#" in query:
        raise ProblemError("http.bad_path", "a request target has no fragment")
    return Target("/" + "/".join(parts), parts, query)


def tenant_of_host(host: str, domain: str) -> str | None:
    """Return the slug of a host name (``slug.api.DOMAIN``, ``slug.DOMAIN``), None when it names none."""
    if not host.endswith("." + domain):
        return None
    label = host[: -len(domain) - 1].removesuffix(".api")
    return None if "." in label or slug_problem(label) else label


def _origin_form(target: str, host: str) -> str:
    scheme, separator, rest = target.partition("://")
    if scheme.lower() not in {"http", "https"} or not separator:
        raise ProblemError("http.bad_path", "the request target is neither a path nor a URL")
    authority, slash, path = rest.partition("/")
    if parse_host(authority) != host:
        raise ProblemError("http.bad_host", "the request target and the Host header name different hosts")
    return slash + path or "/"


def _decode(path: str) -> tuple[str, ...]:
    """Decode a path with escapes or rare characters, refusing whatever could mean two things."""
    if not _RAW_PATH.fullmatch(path) or _ESCAPE.search(path) or "//" in path:
        raise ProblemError("http.bad_path", "the path holds characters or escapes that are not allowed")
    parts: list[str] = []
    for segment in path.removesuffix("/").split("/")[1:]:
        try:
            part = unquote_to_bytes(segment).decode("utf-8")
        except UnicodeDecodeError:
            raise ProblemError("http.bad_path", "the path is not UTF-8") from None
        if part in {".", ".."} or _CONTROL.search(part):
            raise ProblemError("http.bad_path", "the path holds dot segments or escaped separators")
        parts.append(part)
    return tuple(parts)
