"""A setting that nothing reads is a lie to the operator."""

import re
from pathlib import Path

from config.parse import options

ROOT = Path(__file__).resolve().parent.parent.parent
USED_LATER = {"admin.email", "admin.password"}
"""Read by identity, which is not built yet."""


def test_every_setting_is_read_somewhere() -> None:
    # logging reads its own section, where settings live
    files = [
        ROOT / "run.py",
        ROOT / "config" / "logs.py",
        *(file for room in ("actors", "gateway") for file in (ROOT / room).rglob("*.py")),
    ]
    text = "\n".join(file.read_text() for file in files)
    unread = {
        option.path
        for option in options()
        if not re.search(
            rf"(settings|limits|database|log|tenants|reload)\.{option.path.rpartition('.')[2]}\b", text
        )
    }
    assert unread <= USED_LATER
