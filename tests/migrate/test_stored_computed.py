"""Stored computed fields: filled for old rows, kept by the row trigger, refilled when the formula changes."""

import pytest
from migrating import Tenant

from schemas.compiler.compile import compile_source
from schemas.compiler.model import TenantModel

SOURCE = """
version: 1
service: {{ name: acme-corp }}
entities:
  offers:
    schema:
      type: object
      properties:
        net: {{ type: number, multipleOf: 0.01 }}
        {more}
"""
PLAIN = "note: { type: string }"


def stored(formula: str) -> str:
    return f"gross: {{ type: number, computed: {formula}, stored: true }}"


def source(more: str) -> TenantModel:
    return compile_source(SOURCE.format(more=more), "acme-corp")


@pytest.mark.parametrize("way", ["direct", "online"])
async def test_stored_values_follow_their_formula(tenant: Tenant, way: str) -> None:
    tenant.small_bytes = -1 if way == "online" else tenant.small_bytes
    await tenant.migrate(source(PLAIN))
    await tenant.run(
        "INSERT INTO ns.offers (id, net) SELECT gen_random_uuid(), n FROM generate_series(1, 1500) n"
    )
    wanted = source(stored("self.net * 2"))
    migration = await tenant.migrate(wanted, confirmed=True)
    assert migration.level == (0 if way == "direct" else 1)
    await tenant.assert_is(wanted)
    assert await tenant.value("SELECT count(*) FROM ns.offers WHERE gross = net * 2") == 1500
    await tenant.run("UPDATE ns.offers SET net = net + 1")
    assert await tenant.value("SELECT count(*) FROM ns.offers WHERE gross = net * 2") == 1500
    other = source(stored("self.net * 3"))
    await tenant.migrate(other)
    await tenant.assert_is(other)
    assert await tenant.value("SELECT count(*) FROM ns.offers WHERE gross = net * 3") == 1500
    renamed = compile_source(
        SOURCE.format(more=stored("self.base * 3")).replace("net: {", "base: { renamed_from: net,"),
        "acme-corp",
    )
    assert (await tenant.migrate(renamed)).level == 0
    await tenant.assert_is(renamed)
    await tenant.migrate(source(PLAIN), confirmed=True, text="without")
