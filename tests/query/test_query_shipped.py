"""The tenants that come with the platform: every entity can be listed, counted, paged and embedded by its relations."""

import pytest

from schemas.compiler.query.relationships import relationships
from tests.query.kit import ROOT, open_tenant, who


@pytest.mark.parametrize("slug", ["acme-corp", "sample-crm"])
async def test_every_entity_answers(database_url: str, slug: str) -> None:
    caller = who(1, "admin", "manager", "member", "sales", "sales_lead")
    async with open_tenant(
        database_url, slug, (ROOT / "schemas" / f"{slug}.yaml").read_text(), caller
    ) as tenant:
        model = tenant.queries._model
        known = relationships(model)
        readable = [
            name
            for name, entity in model.entities.items()
            if entity.access.read or not entity.access.declared
        ]
        for name in readable:
            assert await tenant.get(name, "", prefer="count=estimated") == []
            assert await tenant.get(name, "after=&limit=5") == []
            for relation in known[name]:
                if relation.kind == "one":
                    assert await tenant.get(name, f"select=*,{relation.source_column}(*)") == []
