"""What aiohttp costs with nothing behind it. ``python -m bench.hello PORT``."""

import sys

import uvloop
from aiohttp import web

BODY = b'{"hello":"world"}'


async def hello(_request: web.Request) -> web.Response:
    """Answer."""
    return web.Response(body=BODY, content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/invoices/{id}", hello)
    web.run_app(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )
