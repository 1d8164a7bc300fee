"""Whom this process trusts when it speaks TLS to others: the system's certificate authorities.

Decides when they are read: with the first such connection, in a thread. It takes a tenth of a second and
2 MB, which most servers never need; ``run.py`` keeps aiohttp from doing it twice at every start. Called by
the clients.
"""

import asyncio
import functools
import ssl


async def client_context(scheme: str) -> ssl.SSLContext | bool:
    """Return what aiohttp is to be told of TLS for an address with this scheme."""
    return await asyncio.to_thread(_trusting) if scheme in {"https", "wss"} else True


@functools.cache
def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    return context
