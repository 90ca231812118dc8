"""The script and its local twin against an ideal bucket of rational numbers."""

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratelimit.decision import Bucket
from ratelimit.limiter import SCRIPT, Limiter
from ratelimit.local import LocalBuckets
from ratelimit.policies import Policy

START_US = 1_760_000_000_000_000

policies = st.builds(Policy, capacity=st.integers(1, 120_000), units_per_us=st.integers(1, 100_000))
# Steps back in time are a clock that was set back.
steps = st.lists(st.tuples(st.integers(-5_000_000, 100_000_000), st.integers(1, 50)), max_size=30)


class IdealBucket:
    """Tokens as fractions, refilled by elapsed time times rate, up to the capacity."""

    def __init__(self, policy):
        self.capacity = Fraction(policy.capacity)
        self.per_us = Fraction(policy.units_per_us, policy.token_units)
        self.tokens = self.capacity
        self.since_us = None

    def refill(self, now_us):
        elapsed = max(0, now_us - self.since_us) if self.since_us is not None else 0
        return min(self.capacity, self.tokens + elapsed * self.per_us)

    def charge(self, now_us, cost):
        tokens = self.refill(now_us)
        if tokens < cost:
            return False, tokens
        self.tokens, self.since_us = tokens - cost, now_us
        return True, self.tokens


@given(policy=policies, divisor=st.integers(1, 16), steps=steps)
def test_the_local_bucket_is_the_ideal_one(policy, divisor, steps):
    share = policy.share(divisor)
    ideal, local, now_us = IdealBucket(share), LocalBuckets(), START_US

    for step, cost in steps:
        now_us += step
        decision = local.charge([Bucket(key="k", policy=share, cost=cost, name="n")], now_us=now_us)
        exact = Fraction(decision.states[0].units, share.token_units)
        assert (decision.admitted, exact) == ideal.charge(now_us, cost)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    policies=st.tuples(policies, policies),
    steps=st.lists(st.tuples(st.integers(-5_000_000, 100_000_000), st.integers(1, 50), st.integers(1, 3)), max_size=12),
)
def test_the_script_and_the_local_buckets_agree(redis, policies, steps):
    redis.flushall()
    scripted = redis.register_script(SCRIPT.replace("redis.call('TIME')", "{ARGV[#ARGV - 1], ARGV[#ARGV]}"))
    local, now_us = LocalBuckets(), START_US

    for step, cost, class_cost in steps:
        now_us += step
        buckets = [
            Bucket(key=f"{{k}}:{place}", policy=policy, cost=cost, name="n")
            for place, (policy, cost) in enumerate(zip(policies, (cost, class_cost), strict=True))
        ]
        arguments = [
            part
            for bucket in buckets
            for part in (bucket.policy.capacity_units, bucket.policy.units_per_us, bucket.cost_units, 60_000)
        ]
        reply = scripted(keys=[bucket.key for bucket in buckets], args=[*arguments, *divmod(now_us, 1_000_000)])
        decision = local.charge(buckets, now_us=now_us)
        assert reply == [int(decision.admitted), now_us, *(state.units for state in decision.states)]


@pytest.fixture(params=["script", "local"])
def charge(request, redis):
    """Charge by the script, and by this process."""
    if request.param == "script":
        return Limiter().charge
    local = LocalBuckets()
    return lambda buckets: local.charge(buckets, now_us=START_US)


def test_a_bucket_starts_full(charge, bucket):
    assert charge([bucket(capacity=12)]).states[0].tokens == 11


def test_a_bucket_is_charged_its_cost(charge, bucket):
    assert charge([bucket(capacity=12, cost=5)]).states[0].tokens == 7


def test_an_empty_bucket_refuses(charge, bucket):
    outcomes = [charge([bucket(capacity=3)]).admitted for _ in range(4)]

    assert outcomes == [True, True, True, False]


def test_a_refusal_by_the_second_bucket_charges_neither(charge, bucket):
    one, other = bucket(capacity=12), bucket("llmo:rl:{test}:class:auth", capacity=2, name="auth")

    decisions = [charge([one, other]) for _ in range(4)]

    assert [[state.tokens for state in decision.states] for decision in decisions] == [
        [11, 1],
        [10, 0],
        [10, 0],
        [10, 0],
    ]


def test_a_refusal_by_the_first_bucket_charges_neither(charge, bucket):
    one, other = bucket(capacity=2), bucket("llmo:rl:{test}:class:auth", capacity=12, name="auth")

    decisions = [charge([one, other]) for _ in range(3)]

    assert [[state.tokens for state in decision.states] for decision in decisions] == [[1, 11], [0, 10], [0, 10]]


def test_a_smaller_capacity_holds_at_once(charge, bucket):
    charge([bucket(capacity=100)])

    assert charge([bucket(capacity=10)]).states[0].tokens == 9


def test_of_too_many_local_buckets_the_longest_unused_are_forgotten(bucket):
    local = LocalBuckets(most_keys=2)
    for key in ("a", "b", "a", "c"):
        local.charge([bucket(key)], now_us=START_US)

    tokens = {key: local.charge([bucket(key)], now_us=START_US).states[0].tokens for key in ("a", "b")}

    assert tokens == {"a": 9, "b": 11}
