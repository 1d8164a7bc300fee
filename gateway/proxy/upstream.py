"""What a rule says about a server that requests are passed on to.

Decides the form of URL targets and of ``retries``, ``breaker``, ``health`` and ``allow_link_local``. Pure;
called by ``gateway.rules``.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from msgspec import Struct

from gateway.proxy.addresses import refused
from gateway.rule_fields import check_keys, read_count, read_flag, read_seconds
from schemas.compiler.findings import Findings
from schemas.compiler.nodes import Mapping, Node, Scalar

UPSTREAM_KEYS = ("retries", "health", "breaker", "allow_link_local")
_URL = re.compile(
    r"https?://(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9_.~!$&'()*+,=:@%-]+)*/?",
    re.ASCII,
)
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)", re.ASCII)
_HEALTH_PATH = re.compile(r"/[A-Za-z0-9_.~/?&=%-]{0,500}", re.ASCII)
MAX_RETRIES = 5


class Upstream(Struct, frozen=True):
    """A server and how to treat it; rules that say the same share its connections and its state.

    Attributes:
        origin: ``http://host:port``.
        base: path before everything else, without a slash at the end.
        retries: how often an idempotent request is tried again.
        failures: so many in a row open the breaker; 0 switches it off.
        open_seconds: how long it stays open before one request may try.
        health_path: asked regularly when set.
        health_seconds: how often.
        allow_link_local: its address may be one of the machine's own link.
    """

    origin: str
    base: str = ""
    retries: int = 1
    failures: int = 5
    open_seconds: float = 10.0
    health_path: str = ""
    health_seconds: float = 10.0
    allow_link_local: bool = False


def read_upstream(url: Scalar, rule: Mapping, findings: Findings) -> Upstream | None:
    """Return the upstream of a rule whose target is a URL; None when the URL is none."""
    text = url.text
    try:
        parts = urlsplit(text) if _URL.fullmatch(text) else None
        good = parts is not None and parts.port != 0 and not _is_odd(parts.hostname or "")
    except ValueError:
        parts, good = None, False
    if parts is None or not good or ".." in parts.path.split("/"):
        findings.error(
            "gateway.target", "an upstream is http(s)://host, with a port and a path if wanted", url,
            "no user, no query",
        )  # fmt: skip
        return None
    allowed = read_flag(rule.get("allow_link_local"), "allow_link_local", findings)
    if not allowed and refused(parts.hostname or ""):
        findings.error(
            "gateway.target", "this address belongs to the machine's own link or to nobody", url,
            "if it is really meant, add allow_link_local: true",
        )  # fmt: skip
    retries = read_count(rule.get("retries"), "retries", 0, MAX_RETRIES, findings)
    failures, open_seconds = _breaker(rule.get("breaker"), findings)
    path, seconds = _health(rule.get("health"), findings)
    return Upstream(
        f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/"), 1 if retries is None else retries,
        failures, open_seconds, path, seconds, allowed,
    )  # fmt: skip


def _is_odd(host: str) -> bool:
    """Whether a host is an address in a spelling that not everybody reads alike (127.1, 0x7f000001)."""
    if ":" not in host and not _ENDS_IN_NUMBER.fullmatch(host):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return False


def _breaker(node: Node | None, findings: Findings) -> tuple[int, float]:
    if isinstance(node, Mapping):
        check_keys(node, ("failures", "open"), findings)
        failures = read_count(node.get("failures"), "failures", 1, 1000, findings)
        return failures or 5, read_seconds(node.get("open"), findings, "open") or 10.0
    if node is not None:
        if isinstance(node, Scalar) and node.value is False:
            return 0, 10.0
        findings.error("gateway.form", "breaker is a map with failures and open, or false", node)
    return 5, 10.0


def _health(node: Node | None, findings: Findings) -> tuple[str, float]:
    if node is None:
        return "", 10.0
    if not isinstance(node, Mapping):
        findings.error("gateway.form", "health is a map with path and interval", node)
        return "", 10.0
    check_keys(node, ("path", "interval"), findings)
    path = node.get("path")
    if not isinstance(path, Scalar) or not _HEALTH_PATH.fullmatch(path.text):
        findings.error("gateway.form", "health needs a path such as /healthz", path or node)
        return "", 10.0
    return path.text, max(0.1, read_seconds(node.get("interval"), findings, "interval") or 10.0)
