"""One-time codes of an authenticator application (TOTP, RFC 6238) as a second factor.

Decides whether a code is right. A code works once: its time step, and every earlier one, is used up with it.
"""

from typing import TYPE_CHECKING

import pyotp

from actors.features.auth.sealing import seal, unseal
from actors.features.auth.store import Session

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

STEP_SECONDS = 30
DRIFT_STEPS = 1
"""Clocks may differ by one step either way."""
_PURPOSE = b"totp"


def new_secret(realm: "Realm") -> tuple[str, bytes]:
    """Return a fresh secret in base32, and as it is kept."""
    secret = pyotp.random_base32()
    return secret, seal(realm, _PURPOSE, secret.encode())


def address(secret: str, *, account: str, issuer: str) -> str:
    """Return the ``otpauth`` address an application reads from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


async def use_code(realm: "Realm", session: Session, factor: str, code: str) -> bool:
    """Use a code of a factor.

    Args:
        realm: of the tenant.
        session: the transaction; what it changes has to be kept when the answer is True.
        factor: id of the factor.
        code: six digits.
    """
    if len(code) != 6 or not code.isascii() or not code.isdecimal():
        return False
    row = await session.row(
        "SELECT secret_sealed, last_step FROM {ns}._auth_factors WHERE id::text = $1 FOR UPDATE", factor
    )
    if row is None:
        return False
    totp = pyotp.TOTP(unseal(realm, _PURPOSE, row["secret_sealed"]).decode())
    now = int(realm.services.now().timestamp()) // STEP_SECONDS
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if step > row["last_step"] and pyotp.utils.strings_equal(totp.generate_otp(step), code):
            await session.run(
                "UPDATE {ns}._auth_factors SET last_step = $2, updated_at = $3 WHERE id::text = $1",
                factor,
                step,
                realm.services.now(),
            )
            return True
    return False
