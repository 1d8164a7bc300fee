"""Five requests, three servers, one table: requests per second, latencies, processor time per request.

The servers take turns in short rounds, so that a noisy minute is everybody's.
"""

import random
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from bench.processes import Load, Platform, Process, free_port

SLUG = "bench"
ROWS, CUSTOMERS = 100_000, 2_000
VARIANTS = 2_000
FIELDS = "id,number,customer_id,region,status,net,total,due_on,note,created_at,updated_at"
CONNECTIONS = (1, 16, 64)
OPERATIONS = ("get one", "list 20", "list 20 + parent", "insert one", "patch one")
FILL = """
INSERT INTO {schema}.customers (id, name, city, region)
SELECT gen_random_uuid(), 'Customer ' || n, 'City ' || n % 97, CASE WHEN n % 4 = 0 THEN 'US' ELSE 'EU' END
FROM generate_series(1, {customers}) n;
INSERT INTO {schema}.invoices (id, number, customer_id, region, status, net, total, due_on, note)
SELECT gen_random_uuid(), 'INV-' || n, c.id, c.region,
    (ARRAY['draft','sent','paid','paid','void'])[1 + n % 5],
    (n * 7919 % 500000)::numeric / 100, (n * 7919 % 500000)::numeric * 1.19 / 100,
    date '2025-01-01' + n % 700, 'Note on invoice ' || n
FROM generate_series(1, {rows}) n
JOIN (SELECT id, region, row_number() OVER () AS number FROM {schema}.customers) c
    ON c.number = 1 + n % {customers};
"""


@dataclass
class Tally:
    """What one server did for one operation at one concurrency."""

    count: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    failures: int = 0
    microseconds: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)

    def figures(self) -> dict:
        """Return what is printed."""
        times = sorted(self.microseconds)

        def at(share: float) -> float:
            return times[min(len(times) - 1, int(len(times) * share))] / 1000 if times else 0.0

        return {
            "requests_per_second": round(self.count / self.seconds, 1) if self.seconds else 0.0,
            "p50_ms": round(at(0.5), 3),
            "p99_ms": round(at(0.99), 3),
            "cpu_ms_per_request": round(1000 * self.cpu / self.count, 4) if self.count else 0.0,
            "requests": self.count,
            "failures": self.failures,
        }


async def prepare(dsn: str, rows: int) -> tuple[str, list[str], list[str]]:
    """Fill the tenant's tables; return its namespace, ids the caller may see, and customers."""
    connection = await asyncpg.connect(dsn)
    try:
        names = await connection.fetch(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'invoices' AND schemaname LIKE 't\\_%'"
        )
        schema = names[0]["schemaname"]
        if not await connection.fetchval(f'SELECT EXISTS (SELECT FROM "{schema}".invoices)'):
            await connection.execute(FILL.format(schema=f'"{schema}"', rows=rows, customers=CUSTOMERS))
        await connection.execute(f'VACUUM ANALYZE "{schema}".customers')
        await connection.execute(f'VACUUM ANALYZE "{schema}".invoices')
        ids = await connection.fetch(
            f"SELECT id::text FROM \"{schema}\".invoices WHERE region = 'EU' LIMIT 40000"
        )
        customers = await connection.fetch(f"SELECT id::text FROM \"{schema}\".customers WHERE region = 'EU'")
    finally:
        await connection.close()
    return schema, [row["id"] for row in ids], [row["id"] for row in customers]


def sign_in(platform: Platform, base: str) -> str:
    """Return the access token of a member whose region is in it, signed in with a password."""
    person = {"email": "member@bench.example", "password": secrets.token_urlsafe(24)}
    body = person | {"email_confirm": True, "role": "member", "user_metadata": {"region": "EU"}}
    platform.send(f"{base}/auth/v1/admin/users", body, apikey=platform.key(SLUG))
    return str(platform.send(f"{base}/auth/v1/token?grant_type=password", person)["access_token"])


def requests(base: str, head: str, ids: list[str], customers: list[str]) -> dict[str, list[str]]:
    """Return the raw requests of every operation."""
    chance = random.Random(1)
    filters = "status=eq.{}&order=due_on.desc,id&limit=20"
    embed = "select=id,number,net,due_on,customer:customers(id,name,city)&" + filters

    def read(path: str) -> str:
        return f"GET {base}{path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n"

    def write(method: str, path: str, body: str) -> str:
        return (
            f"{method} {base}{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Prefer: return=representation\r\nContent-Length: {len(body)}\r\n{head}\r\n{body}"
        )

    def status() -> str:
        return chance.choice(("draft", "sent", "paid", "void"))

    made: dict[str, list[str]] = {name: [] for name in OPERATIONS}
    for number in range(VARIANTS):
        key = chance.choice(ids)
        net = chance.randrange(0, 500_000) / 100
        made["get one"].append(read(f"/invoices/{key}?select={FIELDS}"))
        made["list 20"].append(read(f"/invoices?select={FIELDS}&{filters.format(status())}"))
        made["list 20 + parent"].append(read(f"/invoices?{embed.format(status())}"))
        body = (
            f'{{"number":"NEW-{number}","customer_id":"{chance.choice(customers)}","region":"EU","status":"draft",'
            f'"net":{net},"total":{round(net * 1.19, 2)},"due_on":"2026-03-01","note":"A new invoice"}}'
        )
        made["insert one"].append(write("POST", f"/invoices?select={FIELDS}", body))
        change = f'{{"note":"Changed {number}","net":{net}}}'
        made["patch one"].append(write("PATCH", f"/invoices/{key}?select={FIELDS}", change))
    return made


async def measure(dsn: str, folder: Path, load: Load, *, quick: bool) -> dict:
    """Run the comparison; return figures by operation, concurrency and server."""
    seconds, rounds = (0.5, 2) if quick else (1.5, 4)
    schemas = folder / "speed"
    schemas.mkdir()
    (schemas / f"{SLUG}.yaml").write_bytes((Path(__file__).parent / f"{SLUG}.yaml").read_bytes())
    platform = Platform("backsaas", schemas, folder / "data", dsn)
    servers: dict[str, Process] = {"backsaas": platform}
    try:
        platform.wait_for("/readyz", platform.admin_port)
        base = f"/api/tenants/{SLUG}"
        platform.wait_for(base)
        schema, ids, customers = await prepare(dsn, ROWS // 10 if quick else ROWS)
        for name, arguments in {"handwritten": [dsn, schema], "hello": []}.items():
            port = free_port()
            command = [sys.executable, "-m", f"bench.{name}", *arguments, str(port)]
            servers[name] = Process(name, command, port)
        token = sign_in(platform, base)
        plans = {
            "backsaas": requests(base, f"Authorization: Bearer {token}\r\n", ids, customers),
            "handwritten": requests("", "", ids, customers),
            "hello": requests("", "", ids, customers),
        }
        servers["handwritten"].wait_for(f"/invoices/{ids[0]}")
        servers["hello"].wait_for("/invoices/1")
        figures = _rounds(servers, plans, load, seconds, rounds)
        return {
            "rows": ROWS // 10 if quick else ROWS,
            "memory_mb": round(platform.memory_mb(), 1),
            "server_memory_mb": round(platform.memory_mb(alone=True), 1),
            "figures": figures,
        }
    finally:
        for server in servers.values():
            server.stop()


def _rounds(servers: dict, plans: dict, load: Load, seconds: float, rounds: int) -> dict:
    figures: dict = {}
    for operation in OPERATIONS:
        taking_part = [name for name in servers if name != "hello" or operation == "get one"]
        for name in taking_part:  # everything prepared and cached before anything counts
            load.run(servers[name].port, plans[name][operation], 16, 0.5)
        for connections in CONNECTIONS:
            tallies = {name: Tally() for name in taking_part}
            for turn in range(rounds):
                for name in taking_part[turn % len(taking_part) :] + taking_part[: turn % len(taking_part)]:
                    one_round(
                        servers[name], plans[name][operation], connections, seconds, load, tallies[name]
                    )
            figures.setdefault(operation, {})[str(connections)] = {
                name: tally.figures() for name, tally in tallies.items()
            }
            for name, tally in tallies.items():
                for sample in tally.samples[:1]:
                    print(f"! {name}, {operation}: {sample}", file=sys.stderr)
    return figures


def one_round(
    server: Process, plan: list[str], connections: int, seconds: float, load: Load, tally: Tally
) -> None:
    """Run one round and add it up."""
    before = server.cpu_seconds()
    result = load.run(server.port, plan, connections, seconds)
    tally.cpu += server.cpu_seconds() - before
    tally.count += result["count"]
    tally.seconds += result["seconds"]
    tally.failures += result["failures"]
    tally.microseconds += result["microseconds"]
    tally.samples += result["samples"]
