"""Independent providers as processes, and a browser that walks through their pages."""

import asyncio
import os
import re
import shutil
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import pytest

HERE = Path(__file__).parent


async def start_peer(script: str, *arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """Start a node script; returns it and the first line it printed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not on this machine")
    if not (HERE / "node_modules" / ".package-lock.json").is_file():
        installing = await asyncio.create_subprocess_exec(
            npm, "ci", "--no-audit", "--no-fund", "--silent", cwd=HERE
        )
        assert await installing.wait() == 0, "npm ci failed"
    process = await asyncio.create_subprocess_exec(
        node, script, *arguments, cwd=HERE, env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    return process, line.decode().strip()


def browser() -> aiohttp.ClientSession:
    """A browser's own cookies."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def walk(session: aiohttp.ClientSession, url: str, until: str, login: str = "") -> tuple[int, str]:
    """Follow redirects and fill in forms until an address begins with ``until``, or nothing leads on.

    Returns:
        The last status, and the address (or the text where nothing led on).
    """
    for _ in range(20):
        if url.startswith(until):
            return 303, url
        async with session.get(url, allow_redirects=False) as answer:
            text, onward = await answer.text(), answer.headers.get("Location")
        if onward:
            url = urljoin(url, onward)
            continue
        form = re.search(r'<form[^>]*action="([^"]+)"', text)
        if form is None or answer.status != 200 or not login:
            return answer.status, text
        fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', text))
        if "login" in text:
            fields |= {"login": login, "password": "x"}
        async with session.post(urljoin(url, form[1]), data=fields, allow_redirects=False) as answer:
            url = urljoin(str(answer.url), answer.headers.get("Location", ""))
    raise AssertionError("walked in circles")
