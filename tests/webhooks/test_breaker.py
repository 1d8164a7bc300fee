"""When an endpoint is left alone."""

from actors.features.webhooks.breaker import FAILURES, FIRST_SECONDS, MOST_SECONDS, Breakers


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_after_failures_in_a_row_and_one_tries_for_all() -> None:
    time = Time()
    breakers = Breakers(time)
    for _ in range(FAILURES):
        assert breakers.wait("t", "hook") == 0
        breakers.failed("t", "hook")
    assert breakers.is_open("t", "hook")
    assert breakers.wait("t", "hook") == FIRST_SECONDS
    assert breakers.wait("t", "other") == 0
    assert breakers.wait("neighbour", "hook") == 0
    time.now = FIRST_SECONDS
    assert breakers.wait("t", "hook") == 0
    assert breakers.wait("t", "hook") > 0, "one tries, the others wait"
    breakers.failed("t", "hook")
    assert breakers.wait("t", "hook") == 2 * FIRST_SECONDS
    for _ in range(20):
        time.now += MOST_SECONDS
        assert breakers.wait("t", "hook") == 0
        breakers.failed("t", "hook")
    assert breakers.wait("t", "hook") == MOST_SECONDS
    time.now += MOST_SECONDS
    assert breakers.wait("t", "hook") == 0
    breakers.succeeded("t", "hook")
    assert not breakers.is_open("t", "hook")
