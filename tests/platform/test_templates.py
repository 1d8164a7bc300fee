"""Every template is a believable tenant: it is made in a moment, has rows, views, a dashboard, and tests that pass."""

import time

import pytest
import yaml

from actors.features.platform import templates
from tests.platform.conftest import Platform


def test_the_templates_there_are() -> None:
    assert templates.names() == ("blank", "booking", "crm", "helpdesk", "inventory", "projects")


@pytest.mark.parametrize("name", templates.names())
async def test_a_template_makes_a_tenant(platform: Platform, name: str) -> None:
    slug = f"from-{name}"
    began = time.monotonic()
    status, answer = await platform.create(slug, name=f'My "{name}": a # test', template=name)
    print(f"{name}: {time.monotonic() - began:.2f} s")
    assert status == 201, (answer, platform.live.output()[-1500:])
    inside = await platform.enter(slug)
    _, me = await platform.inside(slug, "GET", "me", **inside)
    assert me["tenant"]["title"] == f'My "{name}": a # test'
    sample = yaml.safe_load((templates.TEMPLATES / f"{name}.sample.yaml").read_bytes())
    for entity, rows in sample.items():
        status, found = await platform.inside(slug, "GET", f"{entity}?select=id", **inside)
        assert (status, len(found)) == (200, len(rows)), entity
    document = yaml.safe_load((platform.live.schemas / f"{slug}.yaml").read_bytes())
    assert document["service"]["name"] == slug
    assert document["dashboards"]
    assert any("views" in entity for entity in document["entities"].values())
    assert any("tests" in entity for entity in document["entities"].values())
