"""Failed sign-ins, counted so that attackers are locked out and owners are not.

Decides whether one more password may be tried. A try counts before it is made, so that parallel ones cannot
overtake the count; one that succeeds is given back. Somebody who signed in before from this device or network
has a count of their own, which strangers cannot use up. In memory and per process: an attack that is spread
over processes gets as many tries more as there are processes. Called by ``sign_in``.
"""

import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from actors.messages import ProblemError, Web
from runtime.buckets import Buckets, network

if TYPE_CHECKING:
    from actors.features.auth.realm import Realm

_QUARTER, _HOUR = 900.0, 3600.0
STRANGER = (5, _QUARTER)
"""Tries of one network at one account."""
FRIEND = (10, _QUARTER)
"""Tries of a device, or of a network, that has signed in to the account before."""
ACCOUNT = (50, _HOUR)
"""Tries of all strangers at one account: attackers who change their address."""
NETWORK = (60, _QUARTER)
"""Tries of one network at any account of a tenant: lists of stolen passwords."""
_MAX_FRIENDS = 20_000
_DEVICE_SECONDS = 365 * 86_400


class Guard:
    """Counts for all tenants of a process.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = Buckets(clock)
        self._friends: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def check(self, realm: "Realm", account_key: str, address: str, known_device: bool) -> None:  # noqa: FBT001
        """Count one try.

        Args:
            realm: of the tenant.
            account_key: the canonical address that is tried, whether or not anybody has it.
            address: of the client.
            known_device: the browser showed that it has signed in to this account before.

        Raises:
            ProblemError: auth.over_request_rate_limit with Retry-After.
        """
        for key, (limit, window) in self._counts(realm, account_key, address, known=known_device).items():
            taken = self._buckets.take(key, limit, window)
            if not taken.allowed:
                raise ProblemError(
                    "auth.over_request_rate_limit",
                    "Request rate limit reached",
                    headers=(("Retry-After", str(math.ceil(taken.retry_after))),),
                )

    def succeeded(self, realm: "Realm", account_key: str, address: str, known_device: bool) -> None:  # noqa: FBT001
        """Give the try back, and remember where it came from."""
        for key, (limit, window) in self._counts(realm, account_key, address, known=known_device).items():
            whole = key[1] in {"stranger", "friend", "device"}
            self._buckets.take(key, limit, window, cost=-limit if whole else -1)
        friend = (realm.identity.id, account_key, network(address))
        self._friends[friend] = None
        self._friends.move_to_end(friend)
        if len(self._friends) > _MAX_FRIENDS:
            self._friends.popitem(last=False)

    def _counts(
        self, realm: "Realm", account_key: str, address: str, *, known: bool
    ) -> dict[tuple[str, ...], tuple[int, float]]:
        tenant, near = realm.identity.id, network(address)
        if known:
            return {(tenant, "device", account_key): FRIEND}
        if (tenant, account_key, near) in self._friends:
            return {(tenant, "friend", account_key, near): FRIEND}
        return {
            (tenant, "network", near): NETWORK,
            (tenant, "stranger", account_key, near): STRANGER,
            (tenant, "account", account_key): ACCOUNT,
        }


def is_known(realm: "Realm", account_key: str, web: Web | None) -> bool:
    """Whether the browser shows that it has signed in to this account before."""
    shown = "" if web is None else web.cookies.get(_name(realm), "")
    nonce, _, proof = shown.partition(".")
    return bool(proof) and hmac.compare_digest(proof.encode(), _proof(realm, account_key, nonce).encode())


def device_cookie(realm: "Realm", account_key: str, web: Web | None) -> tuple[str, str]:
    """Return the header that lets this browser show, next time, that it has signed in before."""
    nonce = secrets.token_urlsafe(16)
    secure = "; Secure" if web is not None and web.secure else ""
    value = f"{nonce}.{_proof(realm, account_key, nonce)}"
    return (
        "Set-Cookie",
        f"{_name(realm)}={value}; Path=/; Max-Age={_DEVICE_SECONDS}; HttpOnly; SameSite=Lax{secure}",
    )


def _name(realm: "Realm") -> str:
    return f"bsd_{realm.identity.slug}"


def _proof(realm: "Realm", account_key: str, nonce: str) -> str:
    text = "\0".join(("device", realm.identity.id, account_key, nonce))
    return hmac.new(realm.services.key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
