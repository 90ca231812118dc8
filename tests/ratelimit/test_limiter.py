import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ratelimit.breaker import CircuitBreaker
from ratelimit.limiter import SCRIPT_SHA, Limiter, Order
from ratelimit.metrics import BACKEND_ERRORS, DEGRADED

RETRY_SECONDS = 1


def errors_so_far():
    return BACKEND_ERRORS._value.get()


class Clock:
    """The clock by which the limiter tries again, which stands still between the steps of a test."""

    time = staticmethod(time.time)

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("ratelimit.backend.time", clock)
    return clock


def until(predicate, seconds=5):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if predicate():
            return True
        time.sleep(0.02)
    return False


def test_the_script_is_loaded_where_it_is_missing(redis, bucket):
    redis.script_flush()

    assert Limiter().charge([bucket()]).degraded is False
    assert redis.script_exists(SCRIPT_SHA) == [True]


def test_keys_of_other_slots_are_read_beside_a_charge_in_a_cluster(cluster, bucket):
    cluster.set("llmo:reply:a", b"kept")
    made = Limiter().visit(Order.of([bucket()], ["llmo:reply:a", "llmo:version:b", "llmo:identity"]))

    assert (made.values, made.decision.admitted, made.decision.degraded) == ([b"kept", None, None], True, False)


def test_a_bucket_outlives_the_time_in_which_it_fills_by_a_second(redis, bucket):
    now_us = Limiter().charge([bucket(capacity=12, per_minute=10)]).now_us

    assert round(redis.pexpiretime("llmo:rl:{test}:principal") / 1000 - now_us / 1_000_000) == 73


def test_the_clock_is_that_of_redis(redis, bucket):
    before = redis.time()
    now_us = Limiter().charge([bucket()]).now_us
    after = redis.time()

    assert before[0] * 1_000_000 + before[1] <= now_us <= after[0] * 1_000_000 + after[1]


def test_64_threads_are_admitted_exactly_as_often_as_the_bucket_holds(redis, bucket):
    limiter, one = Limiter(), bucket(capacity=150, per_minute=1)
    other = bucket("llmo:rl:{test}:class:auth", capacity=100, per_minute=1, name="auth")

    with ThreadPoolExecutor(64) as threads:
        decisions = list(threads.map(lambda _: limiter.charge([one, other]), range(640)))

    assert (sum(decision.admitted for decision in decisions), any(decision.degraded for decision in decisions)) == (
        100,
        False,
    )


def test_without_redis_the_process_decides_by_its_share(mortal_redis, bucket):
    mortal_redis.kill()
    limiter = Limiter()

    decisions = [limiter.charge([bucket(capacity=12)]) for _ in range(4)]

    assert [(decision.admitted, decision.degraded, decision.states[0].tokens) for decision in decisions] == [
        (True, True, 2),
        (True, True, 1),
        (True, True, 0),
        (False, True, 0),
    ]


def test_a_share_refills_at_its_part_of_the_rate(mortal_redis, bucket):
    mortal_redis.kill()

    headers = Limiter().charge([bucket(capacity=12, per_minute=10)]).headers()

    assert (headers["RateLimit-Policy"], headers["RateLimit"]) == ('"principal";q=3;w=72', '"principal";r=2;t=24')


def test_a_killed_server_is_noticed_and_its_return_too(mortal_redis, bucket):
    limiter = Limiter()
    charge = lambda: limiter.charge([bucket(capacity=1000)]).degraded  # noqa: E731
    before = charge()
    mortal_redis.kill()
    while_away = charge()
    mortal_redis.start()

    assert (before, while_away, until(lambda: not charge()), DEGRADED._value.get()) == (False, True, True, 0)


def test_a_restart_between_two_requests_goes_unnoticed(mortal_redis, bucket):
    limiter = Limiter()
    limiter.charge([bucket()])
    mortal_redis.kill()
    mortal_redis.start()

    assert limiter.charge([bucket()]).degraded is False


def test_while_redis_is_away_it_is_tried_once_a_second(mortal_redis, bucket, clock):
    limiter = Limiter()
    mortal_redis.kill()
    before = errors_so_far()
    for clock.now in (0, 0.5, 0.9, 1, 1.5, 1.9, 2, 2.5):
        limiter.charge([bucket()])

    assert errors_so_far() - before == 3


@pytest.mark.parametrize("connected", [True, False])
def test_a_server_that_hangs_costs_one_timeout(hanging_redis, bucket, clock, connected):
    limiter = Limiter()
    if connected:
        limiter.charge([bucket()])
    clock.now += RETRY_SECONDS  # should that have failed, on a busy machine
    hanging_redis.send(signal.SIGSTOP)
    before = errors_so_far()
    decisions = [limiter.charge([bucket()]) for _ in range(100)]

    assert (all(decision.degraded for decision in decisions), errors_so_far() - before) == (True, 1)


def test_a_server_that_hangs_costs_many_threads_one_timeout_each_at_most_and_one_of_them_later(
    hanging_redis, bucket, clock
):
    limiter = Limiter()
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: limiter.charge([bucket()]), range(64)))
        clock.now += RETRY_SECONDS
        hanging_redis.send(signal.SIGSTOP)
        before = errors_so_far()
        list(threads.map(lambda _: limiter.charge([bucket()]), range(64)))
        at_first = errors_so_far() - before
        clock.now += RETRY_SECONDS
        list(threads.map(lambda _: limiter.charge([bucket()]), range(64)))

    assert 1 <= at_first <= 16
    assert errors_so_far() - before - at_first == 1


def test_a_server_that_goes_on_is_used_again(hanging_redis, bucket):
    limiter = Limiter()
    hanging_redis.send(signal.SIGSTOP)
    limiter.charge([bucket()])
    hanging_redis.send(signal.SIGCONT)

    assert until(lambda: not limiter.charge([bucket(capacity=1000)]).degraded)


def test_an_answer_that_redis_refuses_does_not_fail_the_request(redis, bucket):
    redis.lpush("llmo:rl:{test}:principal", "not a bucket")

    assert Limiter().charge([bucket()]).degraded is True


def test_an_open_breaker_grants_the_try_to_one_caller():
    breaker = CircuitBreaker(lambda: 1)
    breaker.failed(now=10)

    assert [breaker.admits(now) for now in (10.5, 11, 11.5, 12)] == [False, True, False, True]


def test_a_success_closes_the_breaker():
    breaker = CircuitBreaker(lambda: 1)
    breaker.failed(now=10)

    assert (breaker.succeeded(), breaker.succeeded(), breaker.admits(10.1)) == (True, False, True)
