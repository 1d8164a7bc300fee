"""The compiler's process: what ends it, what the author of the file hears, and that the next file is fine."""

import asyncio
import os
import signal

import pytest

from actors import compile_child
from actors.compile_worker import CompileWorker
from schemas.compiler.diagnostics import CompileError

GOOD = b"version: 1\nservice: { name: fine }\nentities: { things: { schema: { properties: { a: { type: string } } } } }\n"


async def compiled(worker: CompileWorker) -> bool:
    return "things" in (await worker.compile(GOOD, "fine")).model.entities


async def test_a_file_that_computes_too_long_is_refused_by_its_processor_time() -> None:
    worker = CompileWorker()
    assert await compiled(worker)
    process = await worker.launch()
    job = asyncio.get_running_loop().create_task(worker.compile(GOOD * 2, "fine"))
    os.kill(process.pid, signal.SIGPROF)  # what its timer does after CPU_LIMIT
    with pytest.raises(CompileError) as caught:
        await job
    assert [finding.code for finding in caught.value.diagnostics] == ["source.too_slow"]
    assert await compiled(worker)
    await worker.close()


async def test_a_machine_that_is_busy_makes_no_file_bad() -> None:
    worker = CompileWorker()
    assert await compiled(worker)
    process = await worker.launch()
    os.kill(process.pid, signal.SIGSTOP)  # others have the processor for longer than a file may compute
    job = asyncio.get_running_loop().create_task(worker.compile(GOOD, "fine"))
    await asyncio.sleep(compile_child.CPU_LIMIT + 0.3)
    os.kill(process.pid, signal.SIGCONT)
    assert "things" in (await job).model.entities
    await worker.close()
