"""How long the paths take that an author waits for. Generous bounds: the machine is shared."""

import time

from migrating import Tenant, column, entity, model

from actors.tenant import migrator
from actors.tenant.introspect import introspect
from tests.speed import slowness


def big(tables: int, columns: int) -> object:
    kinds = ("text", "bigint", "numeric(38,2)", "boolean", "datetime")
    return model(
        *(
            entity(
                f"table_{n}",
                *(column(f"c{m}", kinds[m % 5], schema={"maxLength": 99}) for m in range(columns)),
            )
            for n in range(tables)
        )
    )


async def best(times: int, work: object) -> float:
    figures = []
    for _ in range(times):
        started = time.perf_counter()
        await work()
        figures.append(time.perf_counter() - started)
    return min(figures) * 1000


async def test_figures(tenant: Tenant) -> None:
    wanted = big(10, 12)
    migration = await tenant.plan(wanted)
    started = time.perf_counter()
    await migrator.expand(tenant.connection, tenant.identity, migration)
    created = (time.perf_counter() - started) * 1000

    more = big(10, 13)
    started = time.perf_counter()
    migration = await tenant.plan(more)
    planned = (time.perf_counter() - started) * 1000
    await migrator.expand(tenant.connection, tenant.identity, migration)
    added = (time.perf_counter() - started) * 1000 - planned

    await tenant.migrate(big(200, 20))
    looked = await best(5, lambda: introspect(tenant.connection, tenant.namespace))
    print(
        f"10 tables {created:.1f} ms; 10 columns: plan {planned:.1f} ms, expand {added:.1f} ms; 200 tables read in {looked:.1f} ms"
    )
    slow = slowness()
    assert created < 500 * slow
    assert planned + added < 250 * slow
    assert looked < 250 * slow
