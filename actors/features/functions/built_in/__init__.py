"""Functions that need no Python: named in a tenant's file, run in this process."""

from collections.abc import Mapping

from actors.features.functions.built_in.checks import require_role, validate_email, validate_price
from actors.features.functions.built_in.context import BuiltIn
from actors.features.functions.built_in.mails import send_email
from actors.features.functions.built_in.outward import http_request, publish_event, webhook
from actors.features.functions.built_in.values import create_record, generate_slug, set_fields

BUILT_IN: Mapping[str, BuiltIn] = {
    "create_record": create_record,
    "generate_slug": generate_slug,
    "http_request": http_request,
    "publish_event": publish_event,
    "require_role": require_role,
    "send_email": send_email,
    "set_fields": set_fields,
    "validate_email": validate_email,
    "validate_price": validate_price,
    "webhook": webhook,
}
