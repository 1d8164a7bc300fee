"""A platform with plans and a fake of Stripe's API: the endpoints we use, on loopback."""

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from tests.metering.conftest import PLANS
from tests.platform.conftest import Platform, installation

SECRET = "whsec_test_secret"


@dataclass
class FakeStripe:
    """What it was asked for, by idempotency key."""

    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    url: str = ""
    down: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        if self.down:
            return web.json_response({"error": {"type": "api_error", "message": "down"}}, status=503)
        assert request.headers["Authorization"] == "Bearer sk_test_key"
        key = request.headers["Idempotency-Key"]
        self.asked.setdefault(key, dict(parse_qsl((await request.read()).decode())))
        number = list(self.asked).index(key)
        if request.path == "/v1/checkout/sessions":
            return web.json_response(
                {"id": f"cs_{number}", "object": "checkout.session", "url": f"https://pay.example/{number}"}
            )
        assert request.path == "/v1/refunds"
        return web.json_response({"id": f"re_{number}", "object": "refund"})

    def sign(self, body: bytes, *, at: float | None = None, secret: str = SECRET) -> str:
        moment = int(time.time() if at is None else at)
        mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
        return f"t={moment},v1={mac.hexdigest()}"


@pytest.fixture(scope="module")
async def stripe() -> AsyncIterator[FakeStripe]:
    fake = FakeStripe()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield fake
    await runner.cleanup()


@pytest.fixture(scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory, stripe: FakeStripe) -> AsyncIterator[Platform]:
    live = installation(tmp_path_factory.mktemp("billing"))
    live.env |= {
        "BACKSAAS_BILLING_STRIPE_KEY": "sk_test_key",
        "BACKSAAS_BILLING_STRIPE_WEBHOOK_SECRET": SECRET,
        "BACKSAAS_BILLING_STRIPE_URL": stripe.url,
    }
    dear = "  dear: { title: Dear, price: 31.00, trial_days: 0 }\n  try: { title: Try, price: 20, trial_days: 14 }\n"
    (live.config / "plans.yaml").write_text(PLANS + dear)
    platform = Platform(live)
    await platform.start()
    yield platform
    await live.stop()


Rows = Callable[[str], Any]
