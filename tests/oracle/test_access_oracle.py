"""Random tenants, callers and requests: PostgreSQL's answer to the compiled statement is the naive model's.

A failure prints its seed and the smallest case. ``ORACLE_SEED=<n>`` runs that seed alone, ``ORACLE_ROUNDS=<n>``
more of the requests.
"""

import json
import os
from pathlib import Path
from random import Random

import pytest

from schemas.compiler.principal import Principal
from tests.oracle.oracle_asks import Asker
from tests.oracle.oracle_model import Tables
from tests.oracle.oracle_run import Bench, Case, shrink, tables_of
from tests.oracle.oracle_schema import Doc, caller, row, tenant, uid, with_access
from tests.query.kit import Tenant, open_tenant

SEEDS = [int(os.environ["ORACLE_SEED"])] if "ORACLE_SEED" in os.environ else list(range(8))
ROUNDS = int(os.environ.get("ORACLE_ROUNDS", "12"))
"""Access sections for each seed."""
REQUESTS = 60
"""Requests for each access section."""


async def fill(opened: Tenant, rng: Random, document: Doc) -> Tables:
    """Give every entity some rows, references last, and return them as they are stored."""
    entities: Doc = document["entities"]
    keys = {name: [uid(number) for number in range(1, rng.randint(4, 8))] for name in entities}
    space = opened.identity.namespace
    for name in entities:
        for key in keys[name]:
            values = {**row(rng, name, entities, keys), "id": key}
            held = [item for item in values if "references" not in entities[name]["schema"]["properties"].get(item, {})]  # fmt: skip
            columns = ", ".join(f'"{item}"' for item in held)
            await opened.own.execute(
                f'INSERT INTO "{space}"."{name}" ({columns}) SELECT {columns}'
                f' FROM json_populate_record(NULL::"{space}"."{name}", $1)',
                json.dumps(values),
            )
    taken: set[tuple[object, ...]] = set()
    for name in entities:
        for key in keys[name]:
            values = row(rng, name, entities, keys)
            pair = (values.get("near_id"), values.get("far_id"))
            if pair in taken:
                continue
            taken |= {pair} if name == "j" else set()
            changes = {item: value for item, value in values.items() if "references" in entities[name]["schema"]["properties"][item]}  # fmt: skip
            for item, value in changes.items():
                await opened.own.execute(
                    f'UPDATE "{space}"."{name}" SET "{item}" = $1::text::uuid WHERE id = $2::text::uuid',
                    value,
                    key,
                )
            if entities[name].get("soft_delete") and rng.random() < 0.2:
                await opened.own.execute(
                    f'UPDATE "{space}"."{name}" SET deleted_at = now() WHERE id = $1::text::uuid', key
                )
    return await tables_of(opened, document)


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_compiler_answers_as_the_naive_model(database_url: str, seed: int) -> None:
    rng = Random(seed)
    document = tenant(rng)
    async with open_tenant(database_url, f"oracle-{seed}", json.dumps({**document, "service": {"name": f"oracle-{seed}"}}), Principal()) as opened:  # fmt: skip
        bench = Bench(opened, await fill(opened, rng, document))
        keys = {name: [item["id"] for item in rows] for name, rows in bench.tables.items()}
        asker = Asker(rng, document["entities"], keys)
        asked = 0
        for _ in range(ROUNDS):
            ruled = with_access(rng, document)
            for _ in range(REQUESTS):
                case = Case(ruled, caller(rng), asker.ask())
                asked += 1
                if await bench.difference(case) is not None:
                    case = await shrink(bench, case)
                    pytest.fail(told(seed, case, str(await bench.difference(case))), pytrace=False)
        # most requests must say something: refusals alone would prove little
        assert bench.undetermined + bench.refused < asked * 0.75


def told(seed: int, case: Case, difference: str) -> str:
    """A case for a reader."""
    entities = {
        name: {**item, "schema": {**item["schema"]["properties"]}}
        for name, item in case.document["entities"].items()
    }
    return "\n".join(
        [
            f"seed {seed}: ORACLE_SEED={seed} pytest {Path(__file__).name}",
            f"let: {case.document['let']}",
            *(f"{name}: {json.dumps(item)}" for name, item in entities.items()),
            f"{case.caller}",
            f"{case.ask.verb} {case.ask.entity} key={case.ask.key} rows={case.ask.rows} shows={case.ask.shows}",
            f"?{case.ask.query()}",
            difference,
        ]
    )
