"""Every refusal as an RFC 9457 problem: the one table from code to HTTP status, title and page.

Decides status and wording of each code, and the members of the document (PostgREST's own included, because
its clients read them). It never sees SQL or an exception's text other than a ``ProblemError``'s. Called by
``gateway.server``.
"""

from typing import Any

import orjson

from actors.messages import ProblemError, Result

PROBLEM_TYPE = "application/problem+json"

PROBLEMS: dict[str, tuple[int, str]] = {
    # the request itself
    "http.bad_request": (400, "Request not understood"),
    "http.bad_host": (400, "Host not acceptable"),
    "http.bad_path": (400, "Path not acceptable"),
    "http.tenant_mismatch": (400, "Host and path name different tenants"),
    "http.bad_header": (400, "Header not acceptable"),
    "http.bad_body": (400, "Body not understood"),
    "http.not_found": (404, "No such page"),
    "http.not_built": (404, "Not in this installation"),
    "http.method_not_allowed": (405, "Method not allowed"),
    "http.timeout": (408, "Request took too long"),
    "http.body_too_large": (413, "Body too large"),
    "http.uri_too_long": (414, "Request line too long"),
    "http.media_type": (415, "Media type not supported"),
    "http.expectation": (417, "Expectation not met"),
    "http.head_too_large": (431, "Headers too large"),
    "http.internal": (500, "Internal error"),
    "http.rate_limited": (429, "Too many requests"),
    "http.overloaded": (503, "Too busy"),
    "http.draining": (503, "Shutting down"),
    "http.deadline": (504, "Not answered in time"),
    # who asks
    "auth.invalid_token": (401, "Credential not accepted"),
    "auth.required": (401, "Sign in first"),
    "auth.forbidden": (403, "Not allowed"),
    # signing in; under /auth/v1 clients see GoTrue's own code: the part after the dot
    "auth.invalid_credentials": (400, "Address or password wrong"),
    "auth.email_not_confirmed": (400, "Address not confirmed"),
    "auth.user_already_exists": (422, "Already signed up"),
    "auth.email_exists": (422, "Address already used"),
    "auth.email_address_invalid": (422, "Address not acceptable"),
    "auth.weak_password": (422, "Password too weak"),
    "auth.same_password": (422, "Password unchanged"),
    "auth.otp_expired": (403, "Link or code not valid any more"),
    "auth.session_not_found": (403, "Session ended"),
    "auth.session_expired": (403, "Session ended"),
    "auth.refresh_token_not_found": (400, "Refresh token not valid"),
    "auth.refresh_token_already_used": (400, "Refresh token already used"),
    "auth.over_request_rate_limit": (429, "Too many attempts"),
    "auth.over_email_send_rate_limit": (429, "Too many mails"),
    "auth.user_banned": (403, "Account blocked"),
    "auth.user_not_found": (404, "No such user"),
    "auth.signup_disabled": (422, "Sign-up closed"),
    "auth.email_provider_disabled": (422, "Passwords not used here"),
    "auth.anonymous_provider_disabled": (422, "Anonymous sign-in not used here"),
    "auth.provider_disabled": (400, "Provider not used here"),
    "auth.mfa_verification_failed": (422, "Code not right"),
    "auth.mfa_challenge_expired": (422, "Challenge expired"),
    "auth.mfa_factor_not_found": (404, "No such factor"),
    "auth.mfa_totp_enroll_not_enabled": (422, "One-time codes not used here"),
    "auth.too_many_enrolled_mfa_factors": (422, "Too many factors"),
    "auth.insufficient_aal": (401, "Second factor needed"),
    "auth.bad_code_verifier": (400, "Code verifier not right"),
    "auth.flow_state_not_found": (404, "Sign-in not found"),
    "auth.flow_state_expired": (403, "Sign-in took too long"),
    "auth.implicit_flow": (400, "Implicit flow not served"),
    "auth.bad_oauth_state": (400, "Sign-in not begun here"),
    "auth.bad_oauth_callback": (400, "Answer of the provider not understood"),
    "auth.bad_id_token": (401, "ID token not accepted"),
    "auth.identity_already_exists": (422, "Identity already linked"),
    "auth.identity_not_found": (404, "No such identity"),
    "auth.single_identity_not_deletable": (422, "Last way to sign in"),
    "auth.account_exists": (409, "Address belongs to an account"),
    "auth.redirect_refused": (400, "Redirect not allowed"),
    "auth.reauthentication_needed": (400, "Confirm it is you"),
    "auth.validation_failed": (422, "Values not acceptable"),
    "auth.bad_json": (400, "Body not understood"),
    "auth.no_authorization": (401, "Sign in first"),
    "auth.not_admin": (403, "For admins only"),
    "auth.csrf": (403, "Request not from our pages"),
    "auth.last_admin": (409, "Last admin"),
    "auth.key_not_found": (404, "No such key"),
    "auth.key_in_url": (400, "Credential in the URL"),
    "auth.setup_done": (409, "Already set up"),
    "auth.hashing_busy": (503, "Too many sign-ins at once"),
    # tenants
    "tenant.not_found": (404, "No such tenant"),
    "tenant.paused": (503, "Tenant paused"),
    "tenant.suspended": (503, "Tenant suspended"),
    "tenant.slug_refused": (422, "Slug not acceptable"),
    "tenant.slug_taken": (409, "Slug already used"),
    "tenant.unknown_template": (422, "No such template"),
    "tenant.one_at_a_time": (422, "One tenant at a time"),
    "tenant.not_made": (503, "Tenant not made"),
    "tenant.not_deleted": (503, "Tenant not deleted yet"),
    "tenant.busy": (409, "Another operation is under way"),
    "tenant.confirm": (409, "Confirmation needed"),
    "tenant.bad_archive": (422, "Archive not acceptable"),
    "schema.refused": (422, "Tenant file refused"),
    "schema.needs_confirmation": (409, "Plan waits for confirmation"),
    "schema.unknown_version": (404, "No such version"),
    "tenant.failed": (503, "Tenant not available"),
    "tenant.starting": (503, "Tenant starting"),
    "tenant.unavailable": (503, "Tenant not available"),
    "tenant.changing": (503, "Tenant changing"),
    "tenant.overloaded": (503, "Tenant too busy"),
    # servers behind rules whose target is a URL
    "proxy.unreachable": (502, "Server behind not reachable"),
    "proxy.bad_answer": (502, "Server behind gave no proper answer"),
    "proxy.open_circuit": (503, "Server behind not available"),
    "proxy.timeout": (504, "Server behind took too long"),
    "proxy.loop": (508, "Request goes in circles"),
    # rows and writes
    "row.not_found": (404, "No such row"),
    "row.version_mismatch": (412, "Row changed meanwhile"),
    "row.precondition_required": (428, "If-Match required"),
    "validation.failed": (422, "Values not acceptable"),
    "validation.read_only": (422, "Field is read-only"),
    "rule.violated": (422, "Rule not met"),
    "write.needs_filter": (400, "Filter required"),
    "write.refused": (400, "Refused"),
    "idempotency.key_invalid": (400, "Idempotency-Key not acceptable"),
    "idempotency.key_reused": (422, "Idempotency-Key used for another request"),
    "idempotency.in_flight": (409, "Same request still running"),
    "idempotency.quota": (429, "Too many idempotency keys"),
    "batch.invalid": (400, "Batch not understood"),
    "batch.too_many": (400, "Too many operations"),
    "batch.reference": (422, "Reference to an earlier result not found"),
    # the database
    "query_timeout": (504, "Query took too long"),
    "storage_full": (503, "Storage full"),
    "outcome_unknown": (503, "Outcome unknown"),
    "database.unavailable": (503, "Database not available"),
    "database.busy": (503, "Database busy"),
    "database.conflict": (409, "Concurrent change"),
    # PostgREST's vocabulary
    "PGRST002": (503, "Schema not loaded yet"),
    "PGRST003": (503, "No database connection in time"),
    "PGRST100": (400, "Query not understood"),
    "PGRST101": (405, "Method not allowed for functions"),
    "PGRST102": (400, "Body not understood"),
    "PGRST103": (416, "Range not satisfiable"),
    "PGRST105": (405, "PUT not understood"),
    "PGRST106": (406, "Profile not available"),
    "PGRST107": (406, "No acceptable media type"),
    "PGRST108": (400, "Filter on a relation that is not selected"),
    "PGRST111": (500, "Response headers not acceptable"),
    "PGRST112": (500, "Response status not acceptable"),
    "PGRST114": (400, "PUT may have no limit or offset"),
    "PGRST115": (400, "Key in body and URL differ"),
    "PGRST116": (406, "Not exactly one row"),
    "PGRST117": (405, "Method not supported"),
    "PGRST118": (400, "Order by a relation not possible"),
    "PGRST119": (400, "Spread not possible"),
    "PGRST120": (400, "Filter on a relation not possible"),
    "PGRST121": (500, "Error not understood"),
    "PGRST122": (400, "Preference not supported"),
    "PGRST123": (400, "Aggregates not allowed"),
    "PGRST124": (400, "More rows affected than allowed"),
    "PGRST125": (404, "No such path"),
    "PGRST126": (404, "Root not available"),
    "PGRST127": (400, "Not supported"),
    "PGRST128": (400, "Too many rows affected by a function"),
    "PGRST200": (400, "No such relation"),
    "PGRST201": (300, "Relation ambiguous"),
    "PGRST202": (404, "No such function"),
    "PGRST203": (300, "Function ambiguous"),
    "PGRST204": (400, "No such column"),
    "PGRST205": (404, "No such entity"),
    "PGRST300": (500, "Tokens not configured"),
    "PGRST301": (401, "Credential not accepted"),
    "PGRST302": (401, "Sign in first"),
    "PGRST303": (401, "Claims not accepted"),
    # SQLSTATEs that PostgREST's clients look for
    "23502": (422, "Value missing"),
    "23503": (409, "Reference not satisfied"),
    "23505": (409, "Value already taken"),
    "23514": (422, "Value not acceptable"),
    "23P01": (409, "Value overlaps another"),
    "42501": (403, "Not allowed"),
    "P0001": (400, "Refused"),
}

_CLASSES: dict[str, tuple[int, str]] = {
    "08": (503, "Database not available"),
    "21": (400, "Row named twice"),
    "22": (400, "Value not acceptable"),
    "23": (409, "Constraint violated"),
    "25": (503, "Database not available"),
    "28": (503, "Database not available"),
    "40": (409, "Concurrent change"),
    "42": (400, "Query not understood"),
    "53": (503, "Database not available"),
    "54": (400, "Query too large"),
    "55": (503, "Database busy"),
    "57": (503, "Database not available"),
}
_FAMILIES: dict[str, tuple[int, str]] = {
    "query": (400, "Query not understood"),
    "access": (403, "Not allowed"),
    "validation": (422, "Values not acceptable"),
    "rule": (422, "Rule not met"),
    "conflict": (409, "Conflict"),
    "tenant": (503, "Tenant not available"),
    "database": (503, "Database not available"),
}
_INTERNAL = PROBLEMS["http.internal"]
_AUTH = "auth."
_KNOWN_ANYWAY = frozenset(code for code in PROBLEMS if code.startswith(_AUTH) and code != "auth.forbidden")
"""Refusals of what was brought, not of who brought it."""
_RETRY = ("Retry-After", "1")


def lookup(code: str, *, signed_in: bool = True) -> tuple[int, str]:
    """Return status and title of a code; an unknown code is our own fault, a 500.

    Args:
        code: as raised.
        signed_in: whether the caller proved who it is; without, a missing right asks for credentials (401).
    """
    found = PROBLEMS.get(code)
    if found is None and len(code) == 5:
        if code.startswith("PT") and code[2:].isdecimal() and 400 <= int(code[2:]) <= 599:
            return int(code[2:]), "Refused"
        found = _CLASSES.get(code[:2])
    if found is None:
        found = _FAMILIES.get(code.partition(".")[0], _INTERNAL)
    if found[0] == 403 and not signed_in and code not in _KNOWN_ANYWAY:
        return 401, "Sign in first"
    return found


def render(
    error: ProblemError, *, request_id: str, instance: str, signed_in: bool = True, gotrue: str | None = None
) -> Result:
    """Return the answer that tells a caller about a refusal.

    Args:
        error: what was refused and why.
        request_id: names the request in our logs.
        instance: the resource asked for, without the row's key, so that a row one may not see and a row that
            does not
            exist are answered alike.
        signed_in: see ``lookup``.
        gotrue: under ``/auth/v1`` the ``X-Supabase-Api-Version`` the client sent, "" without one; elsewhere
            None.
    """
    status, title = lookup(error.code, signed_in=signed_in)
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": title,
        "status": status,
        "detail": error.message,
        "instance": instance,
        "request_id": request_id,
        "code": error.code,
        "message": error.message,
        "details": error.details or None,
        "hint": error.hint or None,
    }
    if error.errors:
        document["errors"] = list(error.errors)
    document |= error.more
    headers = error.headers
    if gotrue is not None:
        name = error.code.removeprefix(_AUTH)
        # without the header the client expects the older form, whose code is the status
        document |= {"code": name if gotrue else status, "error_code": name, "msg": error.message}
        headers = (*headers, ("x-sb-error-code", name))
        if gotrue:
            headers = (*headers, ("X-Supabase-Api-Version", gotrue))
    names = {name.lower() for name, _ in headers}
    if status in {429, 503} and "retry-after" not in names:
        headers = (*headers, _RETRY)
    if status == 401 and "www-authenticate" not in names:
        headers = (*headers, ("WWW-Authenticate", "Bearer"))
    if status >= 500 or status == 429:
        headers = (*headers, ("Proxy-Status", f"backsaas; error={error.code}"))
    return Result(status, orjson.dumps(document, default=str), PROBLEM_TYPE, headers)


def page(code: str) -> Result | None:
    """Return the page a problem's ``type`` leads to, None when there is no such code."""
    found = PROBLEMS.get(code)
    if found is None:
        return None
    return Result(200, orjson.dumps({"code": code, "status": found[0], "title": found[1]}))
