"""One process with two tenants per module of tests."""

import pytest

from tests.conftest import StartLive
from tests.live import Live

TENANT = """
version: 1
service: { name: %s, title: Acme }
roles: { member: {} }
entities:
  projects:
    schema:
      required: [title]
      properties:
        title: { type: string }
    access:
      read: [ { role: admin }, { role: member } ]
      create: [ { role: admin } ]
      update: [ { role: admin } ]
      delete: [ { role: admin } ]
  notes:
    schema:
      required: [title]
      properties:
        title: { type: string, maxLength: 200 }
        secret: { type: string }
        owner: { type: string }
        project_id: { references: projects }
    access:
      read:
        - { role: admin }
        - { role: member, rule: self.owner == user.id, fields: [id, title, owner, project_id] }
      create: [ { role: admin } ]
      update: [ { role: admin } ]
      delete: [ { role: admin } ]
  counts:
    schema:
      properties:
        id: { type: integer }
        n: { type: integer }
    access: { read: [ { role: member } ], create: [ { role: member } ], delete: [ { role: member } ] }
"""
ACME, OTHER = TENANT % "acme-co", TENANT % "other-co"


@pytest.fixture(scope="module")
async def live(start_live: StartLive) -> Live:
    return await start_live({"acme-co": ACME, "other-co": OTHER})
