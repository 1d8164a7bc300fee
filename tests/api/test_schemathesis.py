"""Schemathesis against the running API: no server error, no status, media type or body that is not described."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.api.harness import World

FILE = """
version: 1
service: { name: fuzzed }
storage:
  buckets: { avatars: { public: true } }
entities:
  notes:
    soft_delete: true
    schema:
      required: [title]
      properties:
        title: { type: string, minLength: 1, maxLength: 40, unique: true }
        state: { type: string, enum: [open, paid], default: open }
        paper: { type: string, format: file }
        cost: { type: number, minimum: 0, multipleOf: 0.01 }
    workflow:
      field: state
      states: { open: {}, paid: {} }
      transitions: { pay: { from: open, to: paid } }
    access:
      read: [ { role: public, hide: [cost] }, { role: admin } ]
      write: [ { role: admin } ]
      delete: [ { role: admin } ]
"""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.parametrize(("role", "phases"), [("admin", "examples,fuzzing"), (None, "coverage")])
async def test_it_finds_nothing(world: World, role: str | None, phases: str, tmp_path: Path) -> None:
    await world.tenant("fuzzed", FILE)
    client = world.client("fuzzed", role)
    signed = ["-H", f"Authorization: Bearer {client.token}"] if client.token else []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{client.base}/openapi.json",
        "--checks", CHECKS, "--phases", phases, "--max-examples", "6", "--seed", "1", "--generation-database", "none",
        # a write that answers no rows has no media type either; passwords are hashed too slowly to fuzz them
        "-H", "Prefer: return=representation", "--exclude-path-regex", "^/(auth|users|workflow|realtime)", *signed,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]
