"""``GET auth/v1/settings`` and ``auth/v1/health``: what a sign-in form needs to know before anybody signs in.

Decides what of the ``auth`` section is public. Nothing secret, nothing about people.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson

from actors.features.auth.accounts import settings_of
from actors.messages import Call, Result
from actors.tenant.generation import Generation
from schemas.compiler.principal import Principal

if TYPE_CHECKING:
    from actors.tenant.operations import Operation


async def settings(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say how one may sign up and in."""
    del call, principal
    auth = settings_of(generation)
    external: dict[str, bool] = dict.fromkeys(auth.providers, True)
    external |= {"email": auth.password.enabled, "phone": False, "anonymous_users": auth.signup == "open"}
    answer = {
        "external": external,
        "disable_signup": auth.signup in {"closed", "invite"},
        "mailer_autoconfirm": auth.confirm == "off",
        "phone_autoconfirm": False,
        "sms_provider": "",
        "mfa_enabled": auth.mfa.totp != "off",
        "saml_enabled": False,
        "password_min_length": auth.password.min_length,
        "titles": {name: dict(provider.title) for name, provider in auth.providers.items()},
    }
    return Result(200, orjson.dumps(answer))


async def health(generation: Generation, call: Call, principal: Principal) -> Result:
    """Say that people can sign in; clients know the product by its name."""
    del call, principal
    answer = {"version": str(generation.version), "name": "GoTrue", "description": "identity of this tenant"}
    return Result(200, orjson.dumps(answer))


OPERATIONS: "Mapping[str, Operation]" = {"auth.settings": settings, "auth.health": health}
