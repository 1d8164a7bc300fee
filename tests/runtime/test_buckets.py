"""Rates: what is allowed, what is told, how much is remembered; docs/attacks.md C19, D11."""

import random

import pytest

from runtime.buckets import Buckets, network, rate_headers


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_as_many_as_the_limit_then_one_by_one() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    taken = [buckets.take("a", 5, 10.0) for _ in range(7)]
    assert [one.allowed for one in taken] == [True] * 5 + [False] * 2
    assert [one.remaining for one in taken] == [4, 3, 2, 1, 0, 0, 0]
    assert taken[4].reset_seconds == pytest.approx(10.0)
    assert taken[5].retry_after == pytest.approx(2.0)
    clock.now += 1.9
    assert not buckets.take("a", 5, 10.0).allowed
    clock.now += 0.11
    assert buckets.take("a", 5, 10.0).allowed
    assert not buckets.take("a", 5, 10.0).allowed
    assert buckets.take("b", 5, 10.0).remaining == 4


def test_costs() -> None:
    buckets = Buckets(Clock())
    assert buckets.take("a", 10, 1.0, cost=0).remaining == 10
    assert len(buckets) == 0
    assert buckets.take("a", 10, 1.0, cost=7.5).remaining == 2
    assert not buckets.take("a", 10, 1.0, cost=3).allowed
    assert buckets.take("a", 10, 1.0, cost=2.5).allowed
    never = buckets.take("b", 10, 1.0, cost=11)
    assert (never.allowed, never.remaining) == (False, 10)


def test_never_more_than_limit_plus_refill() -> None:
    generator = random.Random(7)
    for _ in range(50):
        clock = Clock()
        buckets = Buckets(clock)
        limit, window = generator.randint(1, 20), generator.uniform(0.1, 100)
        began, passed = clock.now, 0
        for _ in range(200):
            clock.now += generator.expovariate(limit / window * generator.choice([0.5, 2, 20]))
            passed += buckets.take("k", limit, window).allowed
            assert passed <= limit + (clock.now - began) / window * limit + 1e-6


def test_the_memory_ends_and_a_flood_frees_nobody() -> None:
    clock = Clock()
    buckets = Buckets(clock, max_keys=100)
    for _ in range(10):
        buckets.take("greedy", 10, 60.0)
    for number in range(5000):
        buckets.take(("flood", number), 10, 60.0)
        assert len(buckets) <= 100
    assert not buckets.take("greedy", 10, 60.0).allowed
    clock.now += 60
    buckets.take("late", 10, 60.0)
    assert buckets.take("greedy", 10, 60.0).remaining == 9


def test_a_smaller_limit_locks_nobody_for_long() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    for _ in range(1000):
        buckets.take("a", 1000, 86400.0)
    assert buckets.take("a", 10, 1.0).retry_after <= 1.0


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("not:an:address", "not:an:address"),
    ],
)
def test_one_customer_is_one_client(address: str, client: str) -> None:
    assert network(address) == client


def test_a_clocks_rounding_is_no_second() -> None:
    taken = Buckets(lambda: 32728.185951439325).take("a", 3, 3600.0)
    assert taken.reset_seconds > 1200
    assert dict(rate_headers({"route": taken}))["RateLimit"] == '"route";r=2;t=1200'


def test_the_headers_tell_what_is_left() -> None:
    buckets = Buckets(Clock())
    first = buckets.take("a", 2, 60.0)
    assert rate_headers({}) == ()
    assert rate_headers({"default": first}) == (
        ("RateLimit-Policy", '"default";q=2;w=60'),
        ("RateLimit", '"default";r=1;t=30'),
    )
    buckets.take("a", 2, 60.0)
    other = buckets.take("b", 100, 0.5)
    refused = dict(rate_headers({"ip": buckets.take("a", 2, 60.0), "key": other}))
    assert refused["RateLimit-Policy"] == '"ip";q=2;w=60, "key";q=100;w=1'
    assert refused["RateLimit"] == '"ip";r=0;t=60, "key";r=99;t=1'
    assert refused["Retry-After"] == "30"
