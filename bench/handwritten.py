"""The yardstick: what a good engineer writes by hand for the same five requests. Nothing of ours in it.

aiohttp, an asyncpg pool, uvloop, and SQL that builds its JSON in PostgreSQL; the region of the caller is a
constant here, so it verifies no token. ``python -m bench.handwritten DSN SCHEMA PORT``.
"""

import json
import os
import sys
import time
import uuid

import asyncpg
import uvloop
from aiohttp import web

REGION = "EU"
FIELDS = "id, number, customer_id, region, status, net, total, due_on, note, created_at, updated_at"
PAGE = 20
JSON = "application/json"


def statements(schema: str) -> dict[str, str]:
    """Return the SQL of the five requests."""
    invoices, customers = f'"{schema}"."invoices"', f'"{schema}"."customers"'
    changed = f"RETURNING row_to_json((SELECT r FROM (SELECT {FIELDS}) r))::text"
    return {
        "get": f"""SELECT row_to_json(r)::text FROM (
            SELECT {FIELDS} FROM {invoices} WHERE id = $1 AND region = $2) r""",
        "list": f"""SELECT coalesce(json_agg(r), '[]')::text FROM (
            SELECT {FIELDS} FROM {invoices} WHERE status = $1 AND region = $2
            ORDER BY due_on DESC, id LIMIT $3) r""",
        "embed": f"""SELECT coalesce(json_agg(r), '[]')::text FROM (
            SELECT i.id, i.number, i.net, i.due_on,
                json_build_object('id', c.id, 'name', c.name, 'city', c.city) AS customer
            FROM {invoices} i LEFT JOIN {customers} c ON c.id = i.customer_id AND c.region = $2
            WHERE i.status = $1 AND i.region = $2 ORDER BY i.due_on DESC, i.id LIMIT $3) r""",
        "insert": f"""INSERT INTO {invoices}
            (id, number, customer_id, region, status, net, total, due_on, note, created_by, updated_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) {changed}""",
        "patch": f"""UPDATE {invoices} SET note = $2, net = $3, updated_at = now(), updated_by = $5,
            row_version = row_version + 1 WHERE id = $1 AND region = $4 {changed}""",
    }


def uuid7() -> uuid.UUID:
    """Return a time-ordered UUID, as our server does."""
    chance = int.from_bytes(os.urandom(10))
    bits = time.time_ns() // 1_000_000 << 80 | 7 << 76 | (chance >> 64 & 0xFFF) << 64 | 2 << 62
    return uuid.UUID(int=bits | chance & (1 << 62) - 1)


def application(dsn: str, schema: str) -> web.Application:
    """Return the five handlers over a pool."""
    sql = statements(schema)
    user = "00000000-0000-7000-8000-000000000001"

    async def get(request: web.Request) -> web.Response:
        try:
            key = uuid.UUID(request.match_info["id"])
        except ValueError:
            return web.json_response({"message": "no such row"}, status=404)
        async with request.app["pool"].acquire() as connection:
            body = await connection.fetchval(sql["get"], key, REGION)
        if body is None:
            return web.json_response({"message": "no such row"}, status=404)
        return web.Response(text=body, content_type=JSON)

    async def many(request: web.Request) -> web.Response:
        status = request.query.get("status", "eq.sent").removeprefix("eq.")
        limit = min(int(request.query.get("limit", PAGE)), 1000)
        statement = sql["embed"] if "customer" in request.query.get("select", "") else sql["list"]
        async with request.app["pool"].acquire() as connection:
            body = await connection.fetchval(statement, status, REGION, limit)
        return web.Response(text=body, content_type=JSON)

    async def insert(request: web.Request) -> web.Response:
        row = json.loads(await request.read())
        values = (
            uuid7(),
            row["number"],
            uuid.UUID(row["customer_id"]),
            REGION,
            row["status"],
            row["net"],
            row["total"],
            row["due_on"],
            row["note"],
            user,
        )
        async with request.app["pool"].acquire() as connection:
            body = await connection.fetchval(sql["insert"], *values)
        return web.Response(text=body, status=201, content_type=JSON)

    async def patch(request: web.Request) -> web.Response:
        row = json.loads(await request.read())
        key = uuid.UUID(request.match_info["id"])
        async with request.app["pool"].acquire() as connection:
            body = await connection.fetchval(sql["patch"], key, row["note"], row["net"], REGION, user)
        if body is None:
            return web.json_response({"message": "no such row"}, status=404)
        return web.Response(text=body, content_type=JSON)

    async def pool(app: web.Application):
        async def prepare(connection: asyncpg.Connection) -> None:
            # numbers and dates as they stand in JSON: no detour over Decimal and date objects
            for name in ("numeric", "date"):
                await connection.set_type_codec(
                    name, schema="pg_catalog", encoder=str, decoder=str, format="text"
                )

        async with asyncpg.create_pool(dsn, min_size=10, max_size=10, init=prepare) as connections:
            app["pool"] = connections
            yield

    app = web.Application()
    app.cleanup_ctx.append(pool)
    app.router.add_get("/invoices", many)
    app.router.add_post("/invoices", insert)
    app.router.add_get("/invoices/{id}", get)
    app.router.add_patch("/invoices/{id}", patch)
    return app


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    web.run_app(
        application(sys.argv[1], sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[3]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )
