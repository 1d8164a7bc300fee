"""The few pages signing in needs before any application is there: plain HTML without scripts.

Decides how they look and that nothing in them is ever markup but ours. What a form does is the operations'.
"""

import base64
import hashlib
import html
import secrets
from collections.abc import Sequence

from msgspec import Struct

from actors.features.auth import accounts
from actors.messages import Call, ProblemError, Result
from actors.tenant.generation import Generation

FORM_COOKIE = "bs_form"
FORM_FIELD = "form_token"
HTML = "text/html; charset=utf-8"
_STYLE = """
:root{color-scheme:light dark;--a:#0f766e;--b:#fff;--f:#16191d;--m:#5c6570;--l:#d5dae0;--p:#f5f6f8}
@media(prefers-color-scheme:dark){:root{--a:#2dd4bf;--b:#191c20;--f:#eceff2;--m:#9aa4af;--l:#3a4149;--p:#101215}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;
background:var(--p);color:var(--f);font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:400px;background:var(--b);border:1px solid var(--l);border-radius:12px;padding:32px}
h1{font-size:20px;margin:0 0 8px}p{margin:0 0 16px;color:var(--m)}
label{display:block;margin:0 0 16px;font-size:14px}
input{display:block;width:100%;margin-top:4px;padding:10px 12px;border:1px solid var(--l);border-radius:8px;
background:var(--b);color:inherit;font:inherit}
button,.button{display:block;width:100%;margin:0 0 12px;padding:10px 16px;border:1px solid var(--a);
border-radius:8px;
background:var(--a);color:var(--b);font:inherit;font-weight:600;cursor:pointer;text-align:center;text-decoration:none}
.plain{background:none;color:var(--a);border-color:var(--l)}
:focus-visible{outline:3px solid var(--a);outline-offset:2px}.error{color:#c2410c}
@media(prefers-color-scheme:dark){.error{color:#fdba74}}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self' https: http:; frame-ancestors "
    "'none'; base-uri 'none'"
)
_HEADERS = (
    ("Content-Security-Policy", POLICY),
    # not no-referrer: with it browsers send "Origin: null" along with our own forms
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)


class Field(Struct, frozen=True):
    """One input."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    complete: str = "off"


class Form(Struct, frozen=True):
    """One form, posted to the page's own address unless ``action`` says otherwise."""

    button: str
    fields: Sequence[Field] = ()
    hidden: Sequence[tuple[str, str]] = ()
    action: str = ""
    plain: bool = False


def show(  # noqa: PLR0913 - what a page has
    generation: Generation,
    call: Call,
    heading: str,
    *,
    text: str = "",
    error: str = "",
    forms: Sequence[Form] = (),
    links: Sequence[tuple[str, str]] = (),
    status: int = 200,
) -> Result:
    """Return a page.

    Args:
        generation: of the tenant whose name it bears.
        call: the request; the browser's form token is kept when it has one.
        heading: what one does here.
        text: a sentence.
        error: what went wrong before.
        forms: in order.
        links: label and address of further ways.
        status: of the answer.
    """
    token = _browser_token(call) or secrets.token_urlsafe(24)
    title = next(iter(generation.model.title.values()), "") or generation.identity.slug
    body = [f"<h1>{html.escape(heading)}</h1>"]
    if text:
        body.append(f"<p>{html.escape(text)}</p>")
    if error:
        body.append(f'<p class="error" role="alert">{html.escape(error)}</p>')
    body += [_form(form, token) for form in forms]
    body += [
        f'<a class="button plain" href="{html.escape(to)}">{html.escape(label)}</a>' for label, to in links
    ]
    document = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(heading)} · '
        f'{html.escape(title)}</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><p>{html.escape(title)}</p>{''.join(body)}</main></body></html>"
    )
    secure = "; Secure" if accounts.realm_of(generation).services.url.startswith("https:") else ""
    cookie = ("Set-Cookie", f"{FORM_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax{secure}")
    return Result(status, document.encode(), HTML, (*_HEADERS, cookie))


def check_form(call: Call, body: dict[str, object]) -> None:
    """Refuse a form that is not from a page of ours in this very browser.

    Raises:
        ProblemError: auth.csrf.
    """
    token = _browser_token(call)
    shown = body.get(FORM_FIELD)
    good = token and isinstance(shown, str) and secrets.compare_digest(token.encode(), shown.encode())
    if call.web is None or not call.web.same_origin or not good:
        raise ProblemError("auth.csrf", "this form was not sent by our page: load the page again")


def is_form(call: Call) -> bool:
    """Whether a browser posted a form."""
    return call.content_type == "application/x-www-form-urlencoded"


def _browser_token(call: Call) -> str:
    return call.web.cookies.get(FORM_COOKIE, "")[:64] if call.web is not None else ""


def _form(form: Form, token: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in ((FORM_FIELD, token), *form.hidden)
    )
    fields = "".join(
        f'<label>{html.escape(field.label)}<input name="{html.escape(field.name)}" type="{field.kind}" '
        f'value="{html.escape(field.value)}" autocomplete="{field.complete}" required></label>'
        for field in form.fields
    )
    action = f' action="{html.escape(form.action)}"' if form.action else ""
    style = ' class="plain"' if form.plain else ""
    return (
        f'<form method="post"{action}>{hidden}{fields}'
        f"<button{style}>{html.escape(form.button)}</button></form>"
    )
