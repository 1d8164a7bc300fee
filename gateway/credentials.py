"""From request headers to a principal: which credential counts, and what it proves.

Decides between no credential (anonymous), one that is believed, and a refusal. It never knows a tenant's
roles: the tenant expands them. Called by ``gateway.server`` for every request to a tenant.
"""

import time

from actors.messages import ProblemError
from gateway.dev_tokens import TokenError, Verified, verify
from schemas.compiler.principal import ANONYMOUS, Principal

CACHE_SIZE = 4096
_KEY_PREFIX = "bsk_"


class Credentials:
    """Verifies credentials and remembers those it verified until they expire.

    Args:
        dev_key: key of development tokens; None (the default of every installation) refuses them all.
    """

    def __init__(self, dev_key: bytes | None = None) -> None:
        self._dev_key = dev_key
        self._known: dict[tuple[str, str], Verified] = {}

    def principal(self, slug: str, authorization: str | None, apikey: str | None) -> Principal:
        """Return who asks.

        Args:
            slug: the tenant the request was routed to; a token for any other is refused.
            authorization: that header, or None.
            apikey: that header, or None.

        Raises:
            ProblemError: auth.invalid_token.
        """
        if authorization is None:
            return self._key_only(apikey)
        scheme, _, token = authorization.partition(" ")
        known = self._known.get((slug, token))
        now = time.time()
        if known is not None and known.expires > now and scheme == "Bearer":
            return known.principal
        if scheme.lower() != "bearer" or not token:
            raise _refusal("only 'Authorization: Bearer' is accepted")
        token = token.strip()
        if token == apikey and token.count(".") != 2:
            # a client without a session repeats its project key as bearer
            return self._key_only(apikey)
        if self._dev_key is None:
            raise _refusal("the credential is not accepted")
        try:
            verified = verify(self._dev_key, token, slug, now)
        except TokenError as error:
            raise _refusal(str(error)) from None
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[slug, token] = verified
        return verified.principal

    def _key_only(self, apikey: str | None) -> Principal:
        if apikey is not None and apikey.startswith(_KEY_PREFIX):
            raise _refusal("the API key is not known")
        return ANONYMOUS


def _refusal(message: str) -> ProblemError:
    challenge = ("WWW-Authenticate", 'Bearer error="invalid_token"')
    return ProblemError("auth.invalid_token", message, headers=(challenge,))
