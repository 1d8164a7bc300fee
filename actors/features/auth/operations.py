"""Every operation of ``auth``, by name; the routes that lead to them are the gateway's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from actors.features.auth import (
    admin_operations,
    factor_operations,
    first_start,
    key_operations,
    link_operations,
    oidc_operations,
    page_operations,
    session_operations,
    settings_operations,
    sign_up,
    token_operations,
    user_operations,
)

if TYPE_CHECKING:
    from actors.tenant.operations import Operation

OPERATIONS: "Mapping[str, Operation]" = {
    **sign_up.OPERATIONS,
    **token_operations.OPERATIONS,
    **user_operations.OPERATIONS,
    **admin_operations.OPERATIONS,
    **settings_operations.OPERATIONS,
    **session_operations.OPERATIONS,
    **key_operations.OPERATIONS,
    **link_operations.OPERATIONS,
    **page_operations.OPERATIONS,
    **factor_operations.OPERATIONS,
    **oidc_operations.OPERATIONS,
    **first_start.OPERATIONS,
}
