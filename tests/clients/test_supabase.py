"""supabase-js, signing in and data together, against a process started as the README says."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from tests.live import ROOT, Live

HERE = Path(__file__).parent
NOTES = """
version: 1
service: { name: notes-app, title: Notes }
auth:
  signup: open
  default_role: member
  password: { min_length: 8 }
  redirects: ["https://app.example.com/back"]
roles: { member: {} }
let: { mine: self.owner_id == user.id }
storage:
  buckets:
    avatars:
      public: true
      accept: ["image/*"]
      maxSize: 1MiB
      access: { read: member, write: [ { role: member, rule: mine } ], delete: [ { role: member, rule: mine } ] }
    papers:
      access:
        read: [ { role: member, rule: mine } ]
        write: [ { role: member, rule: "self.path.startsWith(user.id + '/')" } ]
        delete: [ { role: member, rule: mine } ]
    closed: {}
entities:
  users:
    schema: { properties: { name: { type: string, maxLength: 80 } } }
  notes:
    schema:
      required: [text]
      properties:
        text: { type: string, maxLength: 200 }
        owner_id: { references: users, default: user.id }
    access:
      read: [ { role: member, rule: mine } ]
      create: [ { role: member, check: mine } ]
      update: [ { role: member, rule: mine, check: mine, fields: [text] } ]
      delete: [ { role: member, rule: mine } ]
"""


async def test_supabase_js(tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not on this machine")
    if not (HERE / "node_modules" / "@supabase" / "supabase-js").is_dir():
        installing = await asyncio.create_subprocess_exec(
            npm, "ci", "--no-audit", "--no-fund", "--silent", cwd=HERE
        )
        assert await installing.wait() == 0, "npm ci failed"
    live = Live(tmp_path)
    shutil.copy(ROOT / "schemas" / "platform.yaml", live.schemas)
    live.write("notes-app", NOTES)
    await live.start(str(tmp_path))  # a normal start: no development tokens
    try:
        key = live.command("key", "notes-app", "--public").stdout.split()[-1]
        admin = live.command("key", "notes-app").stdout.split()[-1]
        process = await asyncio.create_subprocess_exec(
            node, "--test", "supabase.test.mjs", "storage.test.mjs", cwd=HERE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "BASE": live.base("notes-app"), "KEY": key, "ADMIN": admin, "MAIL": str(tmp_path / "data" / "mail")},
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 0, output.decode()[-6000:] + live.output()[-3000:]
    finally:
        await live.stop()
