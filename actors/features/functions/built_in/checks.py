"""Built-in functions that refuse: addresses, prices, callers without a role."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from actors.addresses import canonical_email
from actors.features.functions.built_in.context import Context
from actors.features.functions.calls import Row, rejected
from actors.messages import ProblemError
from schemas.compiler.principal import SERVICE_ROLE

MAX_DECIMALS = 2


async def validate_email(context: Context, record: Row, config: Mapping[str, Any]) -> None:
    """Refuse an address that cannot receive mail; an absent one is none of its business."""
    for name in context.call.fields or ("email",):
        value = record.get(name)
        if value is None:
            continue
        try:
            canonical_email(str(value))
        except ProblemError:
            message = config.get("message") or "this is no address that can receive mail"
            raise rejected(str(message), (name,), "email") from None


async def validate_price(context: Context, record: Row, config: Mapping[str, Any]) -> None:
    """Refuse a negative or badly rounded price, or one out of the given bounds."""
    least, most = Decimal(str(config.get("min", 0))), config.get("max")
    decimals = int(config.get("decimals", MAX_DECIMALS))
    for name in context.call.fields or ("price",):
        value = record.get(name)
        if value is None:
            continue
        try:
            price = Decimal(str(value))
        except InvalidOperation:
            raise rejected("this is no number", (name,), "price") from None
        problem = ""
        if not price.is_finite() or price < least:
            problem = f"must be at least {least}"
        elif most is not None and price > Decimal(str(most)):
            problem = f"must be at most {most}"
        elif price != price.quantize(Decimal(1).scaleb(-decimals)):
            problem = f"must have at most {decimals} decimals"
        if problem:
            raise rejected(str(config.get("message") or problem), (name,), "price")


async def require_role(context: Context, record: Row, config: Mapping[str, Any]) -> None:
    """Refuse callers who have none of the roles."""
    del record
    wanted = config["role"] if isinstance(config["role"], list) else [config["role"]]
    if not context.call.principal.roles & {SERVICE_ROLE, *wanted}:
        message = config.get("message") or f"this needs the role {' or '.join(map(str, wanted))}"
        raise ProblemError("42501", str(message))
