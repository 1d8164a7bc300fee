"""What was worked out for one request is believed for no other: docs/attacks.md A3, A5, A7, A23, H8."""

import pytest

from tests.gateway.conftest import Served, parse

ACME = "/api/tenants/acme-corp"


@pytest.mark.parametrize(
    ("request_line", "hosts", "status"),
    [
        ("GET {path} HTTP/1.1", ("localhost", "globex.api.localhost"), 400),
        ("GET {path} HTTP/1.1", (), 400),
        ("GET {path}?a#b HTTP/1.1", ("localhost",), 400),
        ("GET {path} HTTP/1.1", ("globex.api.localhost",), 400),
        ("GET http://globex.api.localhost{path} HTTP/1.1", ("localhost",), 400),
        ("GET {path}%2f HTTP/1.1", ("localhost",), 400),
        ("GET {path}/../x HTTP/1.1", ("localhost",), 400),
        ("GET {path} HTTP/1.1", ("localhost\tx",), 400),
        ("GET {path} HTTP/1.1", ("a@localhost",), 400),
        ("TRACE {path} HTTP/1.1", ("localhost",), 405),
        ("PROPFIND {path} HTTP/1.1", ("localhost",), 405),
        ("GET {path} HTTP/1.1", ("LOCALHOST.:80",), 200),
    ],
)
async def test_a_known_path_is_checked_again(
    served: Served, request_line: str, hosts: tuple[str, ...], status: int
) -> None:
    path = f"{ACME}/known"
    for _ in range(2):
        assert (await served.get(path))[0] == 200
    before = len(served.tenants["acme-corp"].calls), len(served.tenants["globex"].calls)
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    head = f"{request_line.format(path=path)}\r\n{lines}Connection: close\r\n\r\n"
    got, _, _ = parse(await served.raw(head.encode(), wait=1))
    assert got == status
    after = len(served.tenants["acme-corp"].calls), len(served.tenants["globex"].calls)
    assert after == (before[0] + (status == 200), before[1])


async def test_a_flood_of_paths_and_hosts_is_forgotten(served: Served) -> None:  # D4
    places = served.gateway._places
    requests = [
        f"GET {ACME}/{'p' * (n % 40)}{n} HTTP/1.1\r\nHost: localhost\r\n\r\n" for n in range(4500)
    ] + [f"GET {ACME}/{'long' * 200} HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    for start in range(0, len(requests), 500):
        await served.raw("".join(requests[start : start + 500]).encode(), wait=0.3)
    assert 0 < len(places._places) <= 4096
    assert max(len(path) for _, path in places._places) <= 512
