"""Windows, backoff, parking and probes, without a clock."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.restarts import GiveUp, History, Restart, RestartPolicy, after_failure, on_probe

POLICY = RestartPolicy(
    limit=3, window=30.0, first_delay=1.0, max_delay=3.0, jitter=0.5, probe_delay=10.0, max_probe_delay=50.0
)


def test_pauses_double_up_to_the_longest_then_it_is_given_up() -> None:
    history = History()
    verdicts = []
    for at in range(4):
        history, verdict = after_failure(POLICY, history, float(at), 0.0)
        verdicts.append(verdict)
    assert verdicts == [Restart(1.0), Restart(2.0), Restart(3.0), GiveUp(10.0)]


def test_old_failures_are_forgotten() -> None:
    history = History()
    for at in (0.0, 1.0, 2.0, 40.0, 41.0, 42.0):
        history, verdict = after_failure(POLICY, history, at, 0.0)
        assert isinstance(verdict, Restart)


def test_a_failed_probe_parks_at_once_and_for_longer() -> None:
    history = History()
    for at in range(4):
        history, verdict = after_failure(POLICY, history, float(at), 0.0)
    delays = []
    for attempt in range(1, 6):
        now = attempt * 100.0
        history = on_probe(history, now)
        history, verdict = after_failure(POLICY, history, now + 1.0, 0.0)
        assert isinstance(verdict, GiveUp)
        delays.append(verdict.probe_delay)
    assert delays == [20.0, 40.0, 50.0, 50.0, 50.0]


def test_a_probe_that_lasts_clears_the_record() -> None:
    history = on_probe(History(probes=4), 100.0)
    history, verdict = after_failure(POLICY, history, 200.0, 0.0)
    assert verdict == Restart(1.0)
    assert history.probes == 0


@given(
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 1, exclude_max=True)), max_size=40),
    st.builds(RestartPolicy, limit=st.integers(0, 6), window=st.floats(1, 60)),
)
def test_never_more_restarts_in_a_window_than_the_limit(
    steps: list[tuple[float, float]], policy: RestartPolicy
) -> None:
    history, now, restarts = History(), 0.0, []
    for gap, chance in steps:
        now += gap
        history, verdict = after_failure(policy, history, now, chance)
        match verdict:
            case Restart(delay):
                restarts.append(now)
                assert (1 - policy.jitter) * policy.first_delay <= delay <= policy.max_delay
            case GiveUp(delay):
                assert (1 - policy.jitter) * policy.probe_delay <= delay <= policy.max_probe_delay
                history = on_probe(history, now + delay)
                now += delay
        assert sum(1 for at in restarts if now - at < policy.window) <= policy.limit + 1
