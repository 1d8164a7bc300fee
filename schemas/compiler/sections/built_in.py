"""What the built-in functions are configured with.

Decides which keys each of them takes, and that the names in them exist. What they do is in
``actors/features/functions/built_in``.
"""

from collections.abc import Mapping as MappingType

from msgspec import Struct

from schemas.compiler.findings import did_you_mean
from schemas.compiler.grammar.config import Config
from schemas.compiler.nodes import Entry, Mapping, Node, items, pairs, plain
from schemas.compiler.scope import Scope

_ADDRESS = ("http://", "https://", "{{", "${")


class Takes(Struct, frozen=True):
    """The keys of one function's configuration.

    Attributes:
        needs: must be there.
        may: may be there.
        fields: any other key is a field of the row.
    """

    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    fields: bool = False


TAKES: MappingType[str, Takes] = {
    "send_email": Takes(("to",), ("subject", "text", "html", "cc", "reply_to", "template")),
    "webhook": Takes(("url",), ("body", "headers", "secret", "method", "timeout")),
    "http_request": Takes(("url",), ("body", "headers", "method", "timeout", "into", "expect_status")),
    "publish_event": Takes(("event",), ("data", "delay")),
    "set_fields": Takes(fields=True),
    "create_record": Takes(("entity", "values")),
    "validate_email": Takes(may=("message",)),
    "validate_price": Takes(may=("min", "max", "decimals", "message")),
    "require_role": Takes(("role",), ("message",)),
    "generate_slug": Takes(("from",), ("unique", "max_length")),
    "filter_rows": Takes(),
}


def check_config(
    function: str, config: Config | None, entries: MappingType[str, Entry], scope: Scope
) -> None:
    """Report what is wrong with the configuration of a built-in function; of others it may be anything."""
    takes = TAKES.get(function)
    if takes is None:
        return
    place = entries["config"].value if "config" in entries else None
    if place is not None and not isinstance(place, Mapping):
        scope.findings.error("function.config", f"{function} is configured with a map", place)
        return
    written = place.entries if place is not None else {}
    at = place if place is not None else entries["function"].value
    for name in takes.needs:
        if name not in written:
            scope.findings.error("function.config", f"{function} needs '{name}' in its config", at)
    known = (*takes.needs, *takes.may)
    for key, value in pairs(place):
        if takes.fields:
            scope.find_field(key, key.text)
        elif key.text not in known:
            hint = did_you_mean(key.text, known)
            scope.findings.error("function.config", f"{function} takes no '{key.text[:80]}'", key, hint)
        else:
            _check_value(function, key.text, value, scope)
    if function == "send_email" and not ({"text", "html", "template"} & written.keys()):
        scope.findings.error("function.config", "send_email needs text, html or template", at)
    del config


def _check_value(function: str, key: str, node: Node, scope: Scope) -> None:
    text = plain(node)
    match function, key:
        case "create_record", "entity":
            scope.check_entity(node, str(text))
        case "create_record", "values":
            _check_values(node, scope)
        case "require_role", "role":
            for item in items(node) if isinstance(text, list) else (node,):
                scope.check_role(item, str(plain(item)))
        case "generate_slug", "from":
            scope.find_field(node, str(text))
        case "send_email", "template":
            _check_template(node, str(text), scope)
        case _, "url":
            if not str(text).startswith(_ADDRESS):
                scope.findings.error("function.config", "an address begins with https:// or http://", node)
        case _:
            pass


def _check_template(node: Node, name: str, scope: Scope) -> None:
    mails = scope.tenant.mails
    if name not in mails:
        hint = did_you_mean(name, mails) or f"write mails: {{ {name}: {{ subject: ..., text: ... }} }}"
        message = f"the file has no mail '{name[:80]}': a plain line about the row is sent"
        scope.findings.warn("mail.template", message, node, hint)
        return
    about, here = mails[name], scope.entity.name if scope.entity is not None else None
    if about is not None and scope.known and about != here:
        what = f"a row of {here}" if here else "no row"
        scope.findings.error("mail.entity", f"the mail '{name}' is about {about}; here is {what}", node)


def _check_values(node: Node, scope: Scope) -> None:
    if not isinstance(node, Mapping):
        scope.findings.error("function.config", "values is a map of fields", node)
