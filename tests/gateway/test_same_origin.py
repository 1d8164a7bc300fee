"""Whether a browser's page sent a request: what browsers say about it, in every way they do."""

from typing import Any

import pytest

PATH = "/api/tenants/acme-corp/auth/v1/settings"


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ((), False),
        (("Sec-Fetch-Site: same-origin",), True),
        (("Sec-Fetch-Site: none",), True),
        (("Sec-Fetch-Site: same-origin", "Origin: http://localhost"), True),
        (
            ("Sec-Fetch-Site: same-origin", "Origin: null"),
            True,
        ),  # our page under Referrer-Policy: no-referrer
        (("Origin: http://localhost",), True),  # plain http elsewhere: browsers send no Sec-Fetch-Site
        (("Origin: https://localhost",), True),
        (("Origin: null",), False),
        (("Sec-Fetch-Site: none", "Origin: null"), False),
        (("Sec-Fetch-Site: cross-site", "Origin: null"), False),
        (("Sec-Fetch-Site: same-site", "Origin: http://app.localhost"), False),
        (("Sec-Fetch-Site: cross-site", "Origin: http://localhost"), False),
        (("Origin: http://localhost:1234",), False),
        (("Origin: http://localhost.evil.example",), False),
        (("Origin: http://evil.example",), False),
    ],
)
async def test_what_counts_as_our_own_page(served: Any, headers: tuple[str, ...], ours: bool) -> None:
    await served.get(PATH, *headers)
    assert served.tenants["acme-corp"].calls[-1].web.same_origin is ours
