"""Signing in, in OpenAPI: accounts, sessions, second factors, identities at other providers.

Decides which of these paths are described: those programs call. Pages for people are not. Pure; called by
``openapi``.
"""

from collections.abc import Mapping
from typing import Any

from schemas.compiler.emit.openapi_parts import answer, json_body, operation, parameter

_OBJECT: Mapping[str, Any] = {"type": "object"}
_TEXT: Mapping[str, Any] = {"type": "string"}
_UUID: Mapping[str, Any] = {"type": "string", "format": "uuid"}
_PASSWORD = {"email": "ada@example.com", "password": "correct horse battery staple"}
_MAIL = {"email": "ada@example.com"}
_CREDENTIALS: Mapping[str, Any] = {
    "type": "object",
    "properties": {"email": _TEXT, "password": _TEXT, "refresh_token": _TEXT, "data": _OBJECT},
}
_SESSION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "access_token": _TEXT, "token_type": _TEXT, "expires_in": {"type": "integer"},
        "expires_at": {"type": "integer"}, "refresh_token": _TEXT, "user": _OBJECT,
    },
}  # fmt: skip
_ASKED = {"200": answer("Mailed, if there is such an account.", {})}
_DONE = {"200": answer("Done.", {}), "204": answer("Done.")}
_AWAY = {"200": answer("The address.", _OBJECT), "303": answer("There it goes on.")}
_PROVIDER = [
    parameter("provider", "as the tenant's file calls it", example="google"),
    parameter("redirect_to", "Where people go on; the file lists such addresses."),
    parameter("code_challenge", "PKCE, RFC 7636; without one only our own pages go on."),
    parameter("code_challenge_method", "How it was made.", schema={"enum": ["s256", "S256"]}),
]


def account_paths() -> dict[str, Any]:
    """Return what everybody may do about the own account."""
    return {**_signing_in(), **_mails(), **_my_account(), **_factors(), **_sessions(), **_providers()}


def _told(name: str, summary: str, text: str = "What is known.", schema: Mapping[str, Any] = _OBJECT) -> Any:  # noqa: ANN401 - JSON
    return operation(name, "accounts", summary, {"200": answer(text, schema)})


def _made(
    name: str, summary: str, answers: Mapping[str, Any], body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return operation(name, "accounts", summary, answers, body=body, writes=True)


def _signing_in() -> dict[str, Any]:
    grant = parameter(
        "grant_type", "What is exchanged for a session.",
        schema={"enum": ["password", "refresh_token", "pkce", "id_token"]}, example="password",
    )  # fmt: skip
    session = {"200": answer("A session.", _SESSION)}
    body = json_body(_CREDENTIALS, _PASSWORD)
    scope = parameter("scope", "Which sessions end.", schema={"enum": ["global", "local", "others"]})
    return {
        "/auth/v1/token": {
            "post": operation(
                "sign_in", "accounts", "Sign in", session, parameters=[grant], body=body, writes=True
            )
        },
        "/auth/v1/signup": {
            "post": _made("sign_up", "Sign up", {"200": answer("The account, or a session.", _OBJECT)}, body)
        },
        "/auth/v1/logout": {
            "post": operation("sign_out", "accounts", "Sign out", _DONE, parameters=[scope], writes=True)
        },
        "/auth/v1/settings": {"get": _told("settings", "How one signs in here")},
        "/auth/v1/health": {"get": _told("auth_health", "Whether signing in works")},
        "/auth/v1/.well-known/jwks.json": {"get": _told("jwks", "Public keys of the tokens")},
        "/auth/v1/.well-known/openid-configuration": {"get": _told("discovery", "Discovery document")},
    }


def _mails() -> dict[str, Any]:
    mail = json_body({"type": "object", "required": ["email"], "properties": {"email": _TEXT}}, _MAIL)
    again = json_body(
        {"type": "object", "properties": {"type": {"enum": ["signup", "email_change"]}, "email": _TEXT}},
        {"type": "signup", **_MAIL},
    )
    proof = json_body(
        {"type": "object", "properties": dict.fromkeys(("type", "email", "token", "token_hash"), _TEXT)},
        {"type": "email", "token": "123456", **_MAIL},
    )
    link = [parameter("token", "of the link"), parameter("type", "of the link")]
    page = {"200": {"description": "A page that asks to go on.", "content": {"text/html": {"schema": _TEXT}}}}
    return {
        "/auth/v1/recover": {"post": _made("recover", "Mail a link to set a new password", _ASKED, mail)},
        "/auth/v1/otp": {"post": _made("mail_code", "Mail a link and code to sign in", _ASKED, mail)},
        "/auth/v1/magiclink": {"post": _made("mail_link", "The same", _ASKED, mail)},
        "/auth/v1/resend": {"post": _made("resend", "Mail a link again", _ASKED, again)},
        "/auth/v1/reauthenticate": {
            "get": operation("reauthenticate", "accounts", "Mail a code that confirms it is me", _ASKED),
            "post": _made("reauthenticate_too", "The same", _ASKED),
        },
        "/auth/v1/verify": {
            "get": operation("open_mailed_link", "accounts", "Open a mailed link", page, parameters=link),
            "post": _made("verify", "Use a link or code", {"200": answer("A session.", _SESSION)}, proof),
        },
        "/auth/v1/verify/look": {
            "post": _made("look_at_link", "What a link is for", {"200": answer("Unused.", _OBJECT)}, proof)
        },
    }  # fmt: skip


def _my_account() -> dict[str, Any]:
    change = json_body(
        {
            "type": "object",
            "properties": {"email": _TEXT, "password": _TEXT, "nonce": _TEXT, "data": _OBJECT},
        },
        {"data": {"theme": "dark"}},
    )
    by_id = [parameter("id", "of the identity", "path", _TEXT)]
    link = operation("link_identity", "accounts", "Link an identity of another provider", _AWAY, parameters=[
        *_PROVIDER, parameter("skip_http_redirect", "true: the address as JSON.")
    ])  # fmt: skip
    return {
        "/auth/v1/user": {
            "get": _told("account", "My account", "The account."),
            "put": _made("update_account_of_mine", "Change it", {"200": answer("It.", _OBJECT)}, change),
        },
        "/auth/v1/user/identities": {"get": _told("identities", "My identities at other providers")},
        "/auth/v1/user/identities/authorize": {"get": link},
        "/auth/v1/user/identities/{id}": {
            "parameters": by_id,
            "delete": _made("unlink_identity", "Unlink an identity", _DONE),
        },
    }


def _factors() -> dict[str, Any]:
    by_id = [parameter("id", "of the factor", "path", _UUID)]
    new = json_body(
        {"type": "object", "properties": {"factor_type": {"const": "totp"}, "friendly_name": _TEXT}},
        {"factor_type": "totp", "friendly_name": "phone"},
    )
    proof = json_body(
        {"type": "object", "properties": {"challenge_id": _TEXT, "code": _TEXT}},
        {"challenge_id": "01900000-0000-7000-8000-000000000000", "code": "123456"},
    )
    one = {"200": answer("It.", _OBJECT)}
    return {
        "/auth/v1/factors": {
            "get": _told("factors", "My second factors", schema={"type": "array", "items": _OBJECT}),
            "post": _made("enroll_factor", "Add a second factor", one, new),
        },
        "/auth/v1/factors/{id}": {
            "parameters": by_id,
            "delete": _made("remove_factor", "Remove a second factor", one),
        },
        "/auth/v1/factors/{id}/challenge": {
            "parameters": by_id,
            "post": _made("challenge_factor", "Ask for a code", one),
        },
        "/auth/v1/factors/{id}/verify": {
            "parameters": by_id,
            "post": _made(
                "verify_factor", "Prove the second factor", {"200": answer("A session.", _SESSION)}, proof
            ),
        },
    }


def _sessions() -> dict[str, Any]:
    listed = _told("sessions", "My sessions", schema={"type": "array", "items": _OBJECT})
    return {
        "/auth/v1/session": {
            "post": _made(
                "open_browser_session", "A browser's session, as a cookie",
                {"200": answer("The session.", _OBJECT), "204": answer("Done.")},
                json_body(_CREDENTIALS, _PASSWORD),
            ),
            "delete": _made("end_browser_session", "End it", _DONE),
        },
        "/auth/v1/sessions": {"get": listed, "delete": _made("end_sessions", "End all of them", _DONE)},
        "/auth/v1/sessions/{id}": {
            "parameters": [parameter("id", "of the session", "path", _UUID)],
            "delete": _made("end_session", "End one session", _DONE),
        },
    }  # fmt: skip


def _providers() -> dict[str, Any]:
    back = [parameter("state", "of the sign-in"), parameter("code", "of the provider")]
    return {
        "/auth/v1/authorize": {
            "get": operation(
                "authorize", "accounts", "Sign in at another provider", _AWAY, parameters=_PROVIDER
            )
        },
        "/auth/v1/callback": {
            "get": operation(
                "callback", "accounts", "Back from another provider", _AWAY, parameters=back
            )
        },
    }  # fmt: skip
