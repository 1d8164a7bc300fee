"""types.ts and types.py mean something to the compilers people use: right programs pass, wrong ones do not."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from schemas.compiler.compile import compile_source
from schemas.compiler.emit.python_types import types_py
from schemas.compiler.emit.typescript import types_ts
from schemas.compiler.model import TenantModel
from schemas.compiler.principal import ADMIN_ROLE, Principal

HERE = Path(__file__).parent
SHOP = """
version: 1
service: { name: shop }
functions:
  total: { trigger: rpc, function: validate_email, args: { type: object, required: [a], properties: { a: { type: integer }, b: true } } }
  ping: { trigger: rpc, function: validate_email }
entities:
  people:
    schema:
      required: [name]
      properties:
        name: { type: string }
        wage: { type: number }
        tags: { type: array, items: { type: string } }
        class: { type: string }
  orders:
    schema:
      required: [person_id, state]
      properties:
        person_id: { references: people }
        state: { type: string, enum: [open, paid], default: open }
        paper: { type: string, format: file }
"""
PROGRAM = """\
import { createClient } from '@supabase/supabase-js'
import type { Database } from './database'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const same = <A, B>(_: Equal<A, B>) => undefined
type State = Database['public']['Enums']['orders_state']
const client = createClient<Database>('https://example.com', 'key')

export async function right() {
  const { data } = await client.from('orders').select('state, person:people(name, wage)').eq('state', 'paid').single()
  if (data === null) return
  same<State, 'open' | 'paid'>(true)
  same<typeof data.state, State>(true)
  same<typeof data.person.name, string>(true)
  same<typeof data.person.wage, number | null>(true)
  const back = await client.from('people').select('name, orders(state)')
  same<NonNullable<typeof back.data>[number]['orders'], { state: State }[]>(true)
  await client.from('people').insert({ name: 'Ada', tags: ['a'] })
  await client.from('people').update({ wage: 3 }).eq('name', 'Ada').maxAffected(1)
  await client.from('orders').select('state, count()')
  await client.from('people').select('name, ...orders(state)')
  await client.rpc('total', { a: 1 })
  await client.rpc('ping')
  client.channel('x').on<Database['public']['Tables']['orders']['Row']>(
    'postgres_changes', { event: 'UPDATE', schema: 'public', table: 'orders' }, (change) => same<typeof change.new.state, State>(true))
}

export async function wrong() {
  // @ts-expect-error no such table
  await client.from('nowhere').select()
  // @ts-expect-error no such state
  await client.from('orders').select().eq('state', 'lost')
  // @ts-expect-error the name is missing
  await client.from('people').insert({ wage: 1 })
  // @ts-expect-error no such column
  await client.from('people').insert({ name: 'Ada', colour: 'red' })
  // @ts-expect-error kept by the server
  await client.from('people').insert({ name: 'Ada', row_version: 2 })
  // @ts-expect-error a number
  await client.from('people').update({ wage: 'much' })
  // @ts-expect-error no such function
  await client.rpc('nothing')
  // @ts-expect-error a is a number
  await client.rpc('total', { a: 'one' })
  const { data } = await client.from('people').select('name').single()
  // @ts-expect-error not selected
  data?.wage
}
"""
SETTINGS = """{ "compilerOptions": { "strict": true, "noEmit": true, "module": "esnext", "target": "es2022",
  "moduleResolution": "bundler", "skipLibCheck": true, "types": [] }, "files": ["program.ts"] }"""
PYTHON = """\
from typing import assert_type, Literal
import shop

def right(person: shop.People, order: shop.Orders) -> None:
    assert_type(person["name"], str)
    assert_type(person["wage"], float | None)
    assert_type(order["state"], Literal["open", "paid"])
    new: shop.PeopleInsert = {"name": "Ada"}
    change: shop.OrdersUpdate = {"state": "paid"}
    called: shop.TotalArgs = {"a": 1}
    print(new, change, called)

def wrong(person: shop.People) -> None:
    person["colour"]  # type: ignore[typeddict-item]
    missing: shop.PeopleInsert = {"wage": 1}  # type: ignore[typeddict-item]
    state: shop.OrdersUpdate = {"state": "lost"}  # type: ignore[typeddict-item]
    number: shop.TotalArgs = {"a": "one"}  # type: ignore[typeddict-item]
    version: shop.PeopleUpdate = {"row_version": 2}  # type: ignore[typeddict-unknown-key]
"""


@pytest.fixture(scope="module")
def model() -> TenantModel:
    return compile_source(SHOP, "shop")


ADMIN = Principal(roles=frozenset({ADMIN_ROLE}))


async def passes(*command: str, where: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=where, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_a_typed_supabase_client(model: TenantModel, tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not on this machine")
    if not (HERE / "node_modules" / "typescript").is_dir():
        await passes(npm, "ci", "--no-audit", "--no-fund", "--silent", where=HERE)
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    (tmp_path / "database.ts").write_text(types_ts(model, 1, ADMIN))
    (tmp_path / "program.ts").write_text(PROGRAM)
    (tmp_path / "tsconfig.json").write_text(SETTINGS)
    await passes(node, str(HERE / "node_modules" / "typescript" / "bin" / "tsc"), where=tmp_path)


async def test_a_typed_python_program(model: TenantModel, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(types_py(model, 1, ADMIN))
    (tmp_path / "program.py").write_text(PYTHON)
    await passes(
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache"),
        "program.py", where=tmp_path,
    )  # fmt: skip
