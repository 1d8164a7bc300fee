"""The page about the runtime says what is true."""

import asyncio
import re
from pathlib import Path

from runtime import signals

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "runtime.md").read_text()


def test_its_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    body, _, last = example.rpartition("asyncio.run(main())")
    assert not last.strip()
    names: dict[str, object] = {"__name__": "example"}
    exec(compile(body, "docs/runtime.md", "exec"), names)
    asyncio.run(names["main"]())


def test_every_error_code_has_its_line() -> None:
    errors = {
        (error.code, error.__name__)
        for error in vars(signals).values()
        if isinstance(error, type)
        and issubclass(error, signals.ActorError)
        and error is not signals.ActorError
    }
    assert errors == set(re.findall(r"^\| `(actor\.\w+)` \| `(\w+)` \|", PAGE, re.MULTILINE))


def test_every_status_has_its_line() -> None:
    described = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert {status.value for status in signals.ActorStatus} <= described
