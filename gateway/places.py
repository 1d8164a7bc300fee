"""From a request's host and path to the tenant and route it means, by the rules in force.

Decides what is refused before any tenant is asked. Remembers what it worked out, because clients ask for the
same few paths again and again. Owned by ``server``.
"""

import dataclasses
from collections.abc import Callable, Mapping

import orjson
from aiohttp.web_request import BaseRequest
from msgspec import Struct
from msgspec.structs import replace

from actors.messages import ProblemError, Result
from gateway import problems, routes
from gateway.assets import ASSETS, asset, only_read
from gateway.credentials import prefers_html
from gateway.file_host import FileHost
from gateway.problems import Dialect
from gateway.rules import Kind, Match, Rules
from gateway.tenancy import Target, parse_host, parse_target, tenant_of_host
from schemas.compiler.names import slug_problem

Domains = Callable[[str], str | None]
PLATFORM = "system"
CONSOLE = "admin"
_MAX_CACHED = 4096
_MAX_CACHED_PATH = 512
_API_PATHS = frozenset((part, "v1") for part in ("auth", "rest", "storage", "realtime", "functions"))
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_INDEX = orjson.dumps({"service": "backsaas", "tenants": "/api/tenants/{slug}", "platform": "/api/platform"})


class Place(Struct, frozen=True):
    """Where a request leads, worked out once per distinct host and path.

    Attributes:
        base: path before the words of the target's own surface.
        segments: parts of the path as the rule's target counts them.
        outside: a host that is not under DOMAIN, and the tenant it belonged to when this was worked out.
    """

    match: Match
    slug: str
    base: str
    found: routes.Found | None
    signs_in: bool = False
    segments: tuple[str, ...] = ()
    outside: tuple[str, str | None] | None = None

    @property
    def sign_in_base(self) -> str:
        """Path before ``/auth/v1`` where a browser signs in for this place."""
        return _sign_in_base(self.slug, None if self.outside is None else self.outside[1])

    def dialect(self, headers: Mapping[str, str]) -> Dialect | None:
        """Return which of Supabase's clients, beside all others, is to understand a refusal here."""
        if self.signs_in:
            return "gotrue", headers.get("X-Supabase-Api-Version", "")
        if self.found is not None and self.found.route.path.startswith("storage/"):
            return "storage", ""
        return None

    @property
    def route(self) -> str:
        """What requests to this place are counted by: the route's pattern, or what serves it."""
        found = self.found
        return self.match.rule.kind if found is None else found.route.path or "/"

    @property
    def instance(self) -> str:
        """The resource without a row's key, for problems and logs."""
        found = self.found
        if found is not None and self.signs_in:
            return f"{self.base}/{found.route.path}"
        return f"{self.base}/{found.entity or found.route.path}" if found is not None else self.base or "/"


class Places:
    """See the module's docstring.

    Args:
        domain: tenants answer at ``SLUG.DOMAIN``.
        rules: of ``config/gateway.yaml``.
        documents: fixed pages outside every tenant, by path.
        domains: host name to the tenant whose own domain it is.
        files_url: address of the host of files; "" where there is none.
    """

    def __init__(
        self, domain: str, rules: Rules, documents: dict[str, bytes], domains: Domains, files_url: str
    ) -> None:
        self._domain = domain
        self._files = FileHost(files_url)
        self._domains = domains
        self._rules = rules
        self._documents = documents
        self._places: dict[tuple[str, str], Place] = {}

    @property
    def rules(self) -> Rules:
        """The rules in force."""
        return self._rules

    def apply(self, rules: Rules) -> None:
        """Put new rules in force."""
        self._rules = rules
        self._places.clear()

    def find(self, request: BaseRequest) -> Place | Result:
        """Return where a request leads, or the answer when it leads to no tenant.

        Raises:
            ProblemError: host or path are not acceptable, or lead nowhere.
        """
        message = request._message  # noqa: SLF001 - the raw target has no public name
        raw_host = message.headers.get("Host")
        raw_path = message.path.partition("?")[0]
        known = self._places.get((raw_host or "", raw_path))
        if known is not None and "#" not in message.path:
            outside = known.outside
            if outside is None or self._domains(outside[0]) == outside[1]:
                return known
        if request.method not in _METHODS:
            raise ProblemError(
                "http.method_not_allowed",
                "this method is not used here",
                headers=(("Allow", ", ".join(sorted(_METHODS))),),
            )
        if raw_host is None:
            raise ProblemError("http.bad_host", "the request has no Host header")
        if message.path == "*":
            raise ProblemError("http.bad_path", "the request target '*' leads nowhere")
        host = parse_host(raw_host)
        target = parse_target(message.path, host)
        if host == self._files.name:
            return self._file(target, request.method)
        place = self._work_out(host, target, request)
        if isinstance(place, Place) and self._files.takes(place.found):
            return self._files.send_on(place.slug, place.base, target, request.method) or place
        if isinstance(place, Place) and len(raw_path) <= _MAX_CACHED_PATH:
            if len(self._places) >= _MAX_CACHED:
                self._places.clear()
            self._places[raw_host, raw_path] = place
        return place

    def _work_out(self, host: str, target: Target, request: BaseRequest) -> Place | Result:
        if target.segments[:1] == (ASSETS,):
            return only_read(asset(target.segments), request)
        outside = None if self._is_ours(host) else (host, self._domains(host))
        if outside is not None and outside[1] is not None:
            place = self._on_own_domain(host, outside[1], target.segments)
            if place is not None:
                return replace(place, outside=outside)
        elif tenant_of_host(host, self._domain) is None:
            page = self._page(target.path)
            if page is not None:
                return only_read(page, request)
        match = self._rules.match(host, target.segments)
        if match is None:
            if target.path == "/":
                return self._root(host, request)
            raise ProblemError("http.not_found", "there is nothing at this address")
        place = self._settle(match, host, target.segments, None if outside is None else outside[1])
        return replace(place, segments=target.segments, outside=outside)

    def _file(self, target: Target, method: str) -> Place:
        """Return where a path on the host of files leads."""
        slug = _named_by_path(target.segments)
        if slug is None:
            raise ProblemError("http.not_found", "there is nothing at this address")
        place = self._of_tenant(slug, target.segments, 3, api=True)
        self._files.check(place.found, method)
        return place

    def _root(self, host: str, request: BaseRequest) -> Result:
        """Return what is at ``/``: browsers go to the console, which says nothing of tenants to strangers."""
        vary = ("Vary", "Accept")
        console = self._rules.match(host, (CONSOLE,))
        person = request.method == "GET" and prefers_html(request.headers.get("Accept", ""))
        if person and console is not None and console.rule.kind == "console":
            return Result(303, headers=(("Location", f"/{CONSOLE}/"), vary))
        return Result(200, _INDEX, headers=(vary,))

    def _is_ours(self, host: str) -> bool:
        """Whether a host can belong to no tenant as its own domain: DOMAIN, what is under it, an address."""
        return host == self._domain or host.endswith("." + self._domain) or host[-1] in "]0123456789"

    def _on_own_domain(self, host: str, slug: str, segments: tuple[str, ...]) -> Place | None:
        """Return where a path on a tenant's own domain leads; None where a rule names this very host.

        ``/api/*`` and the paths of Supabase's clients are the tenant's API, all else are its pages, both by
        the rules for ``SLUG.api.DOMAIN`` and ``SLUG.DOMAIN``. Rules without a host do not hold here.
        """
        if self._rules.match(host, segments, hosted=True) is not None:
            return None
        named = _named_by_path(segments)
        if named not in {None, slug}:
            raise ProblemError("http.tenant_mismatch", "the host names one tenant and the path another")
        depth = 3 if named is not None else 1 if segments[:1] == ("api",) else 0
        return self._of_tenant(slug, segments, depth, api=depth > 0 or segments[:2] in _API_PATHS)

    def _of_tenant(self, slug: str, segments: tuple[str, ...], depth: int, *, api: bool) -> Place:
        """Return where a path leads by the rules of a tenant's hosts, its first ``depth`` parts left out."""
        words = segments[depth:]
        canonical = f"{slug}.api.{self._domain}" if api else f"{slug}.{self._domain}"
        match = self._rules.match(canonical, words, hosted=True)
        if match is None:
            raise ProblemError("http.not_found", "there is nothing at this address")
        place = self._settle(match, canonical, words, slug)
        prefix = "".join(f"/{part}" for part in segments[:depth])
        return replace(place, base=prefix + place.base, segments=words)

    def _settle(self, match: Match, host: str, segments: tuple[str, ...], owner: str | None) -> Place:
        kind = match.rule.kind
        named = tenant_of_host(host, self._domain)
        if kind in {"tenant", "ui"} or (kind == "proxy" and match.rule.for_tenants):
            slug = match.slug
        elif kind == "proxy":
            slug = owner or PLATFORM
        else:
            slug = (kind == "auth" and (owner or named)) or PLATFORM
        meant = {slug, _named_by_path(segments) or slug}
        by_tenant = kind in {"tenant", "platform"} or match.rule.for_tenants
        if by_tenant and named is not None and meant != {named}:
            raise ProblemError("http.tenant_mismatch", "the host names one tenant and the path another")
        if kind == "tenant" and slug_problem(slug):
            raise ProblemError("tenant.not_found", "there is no such tenant")
        if kind == "auth":
            # the words after /auth are those after a tenant's base
            found = routes.find(("auth", *segments[match.depth :]))
            return Place(match, slug, "", found, signs_in=found is not None)
        if match.rule.required:
            place = _sign_in_of(match, slug, _sign_in_base(slug, owner), segments)
            if place is not None:
                return place
        base = "".join(f"/{part}" for part in segments[: match.depth])
        found = None
        if kind in {"tenant", "platform"}:
            find = routes.find_of_platform if kind == "platform" else routes.find
            found = find(match.seen(segments))
        signs_in = found is not None and found.route.path.startswith("auth/")
        return Place(_open(match) if signs_in else match, slug, base, found, signs_in)

    def _page(self, path: str) -> Result | None:
        """Return a page that belongs to no tenant: the language's schema, a problem's description."""
        if path.startswith("/problems/"):
            page = problems.page(path.removeprefix("/problems/"))
        elif path in self._documents:
            page = Result(200, self._documents[path], "application/schema+json")
        else:
            return None
        return page


def _sign_in_base(slug: str, owner: str | None) -> str:
    """Return the path before ``/auth/v1`` where people of a tenant sign in, on a host somebody may own."""
    if slug == owner or (slug == PLATFORM and owner is None):
        return ""
    return "/api/platform" if slug == PLATFORM else f"/api/tenants/{slug}"


def _sign_in_of(match: Match, slug: str, base: str, segments: tuple[str, ...]) -> Place | None:
    """Return where signing in leads on a host that one rule guards as a whole; None for everything else.

    Else a browser that has to sign in would be sent from the sign-in page to the sign-in page.
    """
    before = tuple(base.split("/")[1:])
    if segments[: len(before)] != before or segments[len(before) : len(before) + 2] != ("auth", "v1"):
        return None
    found = routes.find(segments[len(before) :])
    if found is None:
        return None
    return Place(_open(match, "auth"), slug, base, found, signs_in=True)


def _open(match: Match, kind: Kind | None = None) -> Match:
    """Return the match for signing in behind a rule: everybody may, and what it limits stays limited."""
    rule = match.rule
    if not rule.required and kind is None:
        return match
    opened = dataclasses.replace(rule, kind=kind or rule.kind, required=False, required_roles=frozenset())
    return replace(match, rule=opened)


def _named_by_path(segments: tuple[str, ...]) -> str | None:
    """Return the tenant a path would name if the host named none."""
    if segments[:2] == ("api", "tenants") and len(segments) > 2:
        return segments[2]
    return PLATFORM if segments[:2] == ("api", "platform") else None
