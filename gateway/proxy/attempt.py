"""One request to an upstream, up to the head of its answer, again where that is safe.

Decides what is tried again: only what may be repeated (RFC 9110 section 9.2.2), only while no byte of the
body was taken from the client, only within the budget. Called by ``proxy``.
"""

import asyncio

import aiohttp
import structlog
from multidict import CIMultiDict
from yarl import URL

from actors.messages import ProblemError
from gateway.proxy.link import Link
from gateway.proxy.upload import Upload

_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_BUSY = frozenset({502, 503, 504})
_BACKOFF_SECONDS = 0.05
log = structlog.get_logger("gateway.proxy")


def enter(link: Link) -> None:
    """Ask the breaker.

    Raises:
        ProblemError: proxy.open_circuit, saying when to come back.
    """
    wait = link.enter()
    if wait > 0:
        raise ProblemError(
            "proxy.open_circuit",
            "the server behind this address does not answer at the moment",
            headers=(("Retry-After", str(max(1, round(wait)))),),
        )


async def ask(
    link: Link, method: str, url: URL, fields: CIMultiDict[str], upload: Upload | None, seconds: float
) -> aiohttp.ClientResponse:
    """Send a request and return its answer, head received, body not read.

    Args:
        link: to the upstream.
        method: of the request.
        url: at the upstream.
        fields: every header but those of the body's frame.
        upload: the body, or None.
        seconds: until the answer begins, all tries together; waiting for the client does not count.

    Raises:
        ProblemError: proxy.*, or what was wrong with the body.
    """
    left = link.upstream.retries if method in _REPEATABLE else 0
    pause = _BACKOFF_SECONDS
    link.budget.deposit()
    try:
        async with asyncio.timeout(seconds) as deadline:
            if upload is not None:
                upload.hold(deadline, seconds)
            while True:
                enter(link)
                response, refusal = await _try(link, method, url, fields, upload)
                if response is not None and response.status not in _BUSY:
                    return response
                untouched = upload is None or not upload.begun
                if left > 0 and untouched and link.budget.withdraw():
                    if response is not None:
                        response.close()
                    left -= 1
                    await asyncio.sleep(pause)
                    pause *= 2
                elif response is not None:
                    return response
                elif refusal is not None:
                    raise refusal
    except TimeoutError:
        link.failed()
        raise ProblemError("proxy.timeout", "the server behind this address did not answer in time") from None
    finally:
        if upload is not None:
            upload.release()


async def _try(
    link: Link, method: str, url: URL, fields: CIMultiDict[str], upload: Upload | None
) -> tuple[aiohttp.ClientResponse | None, ProblemError | None]:
    """Send it once; returns the answer, or the refusal when trying again may help.

    Raises:
        ProblemError: trying again helps nobody.
    """
    fields = fields.copy()
    if upload is not None and upload.length is not None:
        fields["Content-Length"] = str(upload.length)
    if upload is not None and upload.decoded:
        fields.popall("Content-Encoding", None)
    try:
        session = await link.session()
        response = await session.request(
            method, url, headers=fields, data=None if upload is None else upload.pieces(),
            allow_redirects=False,
        )  # fmt: skip
    except asyncio.CancelledError:
        link.breaker.unknown()
        raise
    except aiohttp.ClientResponseError as error:
        link.failed()
        raise bad_answer(link, error) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        if upload is not None and upload.refusal is not None:
            link.breaker.unknown()
            raise upload.refusal from None
        link.failed()
        return None, unreachable(link, error)
    if response.status < 200:
        # an upgrade nobody asked for
        response.close()
        link.failed()
        raise bad_answer(link, None)
    link.count(response.status)
    return response, None


def unreachable(link: Link, error: Exception) -> ProblemError:
    """Return what a client hears of an upstream that cannot be reached; the log hears more."""
    log.warning("upstream.unreachable", upstream=link.upstream.origin, reason=type(error).__name__)
    return ProblemError("proxy.unreachable", "the server behind this address cannot be reached")


def bad_answer(link: Link, error: Exception | None) -> ProblemError:
    """Return what a client hears of an answer that is none."""
    log.warning("upstream.bad_answer", upstream=link.upstream.origin, reason=type(error).__name__)
    return ProblemError("proxy.bad_answer", "the server behind this address gave no proper answer")
