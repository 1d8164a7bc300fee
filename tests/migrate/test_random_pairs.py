"""Random pairs of models with rows, there and back: no row lost, no value lost, the catalog as declared."""

import secrets
from typing import Any

import asyncpg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from migrating import Tenant, column, drop_tenant, entity, model, new_tenant

from actors.tenant.migrator import MigrationRefusedError
from schemas.compiler.model import Index, TenantModel

NAMES = ("alpha", "beta", "gamma", "delta")
VALUES = {
    "text": "'v' || n",
    "bigint": "n",
    "integer": "n",
    "numeric(38,2)": "n + 0.25",
    "boolean": "n % 2 = 0",
    "datetime": "now() + n * interval '1 hour'",
    "json": "jsonb_build_object('n', n)",
    "text[]": "ARRAY['a', n::text]",
}


@st.composite
def fields(draw: Any, others: tuple[str, ...]) -> list[Any]:
    made = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4)):
        kind = draw(st.sampled_from(sorted(VALUES)))
        more: dict[str, Any] = {}
        if draw(st.booleans()) and kind in ("text", "bigint", "integer"):
            more["unique"] = True
        elif draw(st.booleans()) and kind in ("text", "integer"):
            more |= {"required": True, "default_value": "-" if kind == "text" else 0}
        if kind == "text" and draw(st.booleans()):
            more |= {
                "schema": {"maxLength": draw(st.sampled_from([5, 50]))},
                "searchable": draw(st.booleans()),
            }
        made.append(column(name, kind, **more))
    if others and draw(st.booleans()):
        made.append(column("ref_id", "uuid", references=draw(st.sampled_from(others))))
    return made


@st.composite
def models(draw: Any) -> TenantModel:
    names = tuple(draw(st.lists(st.sampled_from(["ones", "twos", "threes"]), unique=True, min_size=1)))
    entities = []
    for name in names:
        listed = draw(fields(names))
        keys = [item.name for item in listed if item.kind not in ("json", "array", "boolean")]
        indexes = (Index("", tuple(keys[:2])),) if len(keys) > 1 and draw(st.booleans()) else ()
        entities.append(entity(name, *listed, indexes=indexes, soft_delete=draw(st.booleans())))
    return model(*entities)


@st.composite
def pairs(draw: Any) -> tuple[TenantModel, TenantModel]:
    """Two models; some names of the second are renames of the first's."""
    first, second = draw(models()), draw(models())
    renamed = []
    for wanted in second.entities.values():
        was = first.entities.get(wanted.name)
        listed = dict(wanted.fields)
        if was is not None:
            gone = [name for name in was.fields if name in NAMES and name not in wanted.fields]
            new = [name for name in wanted.fields if name in NAMES and name not in was.fields]
            for old, fresh in zip(gone, new, strict=False):
                source = was.fields[old]
                if draw(st.booleans()):
                    kept = {"schema": source.schema, "unique": source.unique, "searchable": source.searchable}
                    kind = source.pg_type if source.kind not in ("datetime", "json") else source.kind
                    listed[fresh] = column(fresh, kind, renamed_from=old, **kept)
        indexes = tuple(
            i
            for i in wanted.indexes
            if all(listed[n].kind not in ("json", "array", "boolean") for n in i.fields)
        )
        renamed.append(
            entity(wanted.name, *list(listed.values())[1:], indexes=indexes, soft_delete=wanted.soft_delete)
        )
    return first, model(*renamed)


async def fill(tenant: Tenant, wanted: TenantModel) -> None:
    for item in wanted.entities.values():
        stored = [f for f in item.fields.values() if f.name in NAMES]
        kinds = {"timestamp with time zone": "datetime", "jsonb": "json"}
        values = [f"({VALUES[kinds.get(f.pg_type, f.pg_type)]})" for f in stored]
        names = "".join(f', "{f.name}"' for f in stored)
        await tenant.run(
            f"INSERT INTO ns.{item.name} (id{names}) SELECT gen_random_uuid()"
            f"{''.join(', ' + value for value in values)} FROM generate_series(1, 7) n"
        )
        if "ref_id" in item.fields:
            target = item.fields["ref_id"].references.entity
            await tenant.run(
                f"UPDATE ns.{item.name} SET ref_id = (SELECT id FROM ns.{target} ORDER BY id LIMIT 1)"
            )


async def contents(tenant: Tenant, wanted: TenantModel) -> dict[str, list[str]]:
    found = {}
    for item in wanted.entities.values():
        names = ", ".join(f'"{name}"' for name in sorted(item.fields))
        rows = await tenant.rows(
            f"SELECT to_jsonb(x)::text FROM (SELECT {names} FROM ns.{item.name}) x ORDER BY id"
        )
        found[item.name] = [row[0] for row in rows]
    return found


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(pair=pairs(), online=st.booleans())
async def test_there_and_back_loses_nothing(
    database_url: str, pair: tuple[TenantModel, TenantModel], online: bool
) -> None:
    tenant = await new_tenant(database_url, f"acme-{secrets.token_hex(4)}")
    first, second = pair
    try:
        start = await tenant.migrate(first)
        await fill(tenant, first)
        before = await contents(tenant, first)
        tenant.small_bytes = -1 if online else tenant.small_bytes
        there = await tenant.plan(second, text="second")
        if there.level == 3:
            assert all(
                hazard.code in ("migration.no_conversion", "migration.duplicates")
                for hazard in there.hazards
                if hazard.level == 3
            )
            return
        try:
            await tenant.migrate(second, confirmed=True, text="second")
        except MigrationRefusedError:  # e.g. converted values are no longer unique: everything is as it was
            assert await contents(tenant, first) == before
            await tenant.assert_is(first)
            return
        await tenant.back_to(start.version, first)
        assert await contents(tenant, first) == before
        await tenant.assert_is(first)
    except asyncpg.PostgresError as error:
        raise AssertionError(str(error)) from error
    finally:
        await drop_tenant(tenant)
