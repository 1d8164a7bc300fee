"""What happened to accounts and credentials; appended in the transaction that did it, never changed.

The tenant's role has no right to update or delete it. Never holds a secret.
"""

from typing import Any

import orjson

from actors.features.auth.store import Session


async def record(
    session: Session,
    event: str,
    *,
    user_id: str = "",
    actor: str = "",
    address: str = "",
    **data: Any,  # noqa: ANN401 - any JSON
) -> None:
    """Append one event.

    Args:
        session: the transaction of what happened.
        event: ``area.past_tense``.
        user_id: whom it is about.
        actor: who did it.
        address: from where.
        data: further plain values.
    """
    await session.run(
        "INSERT INTO {ns}._auth_audit (event, user_id, actor, address, data) "
        "VALUES ($1, $2, $3, $4, $5::text::jsonb)",
        event,
        user_id,
        actor,
        address,
        orjson.dumps(data, default=str).decode(),
    )
