import pytest

from ratelimit.decision import BucketState, Decision
from ratelimit.policies import UNITS_PER_TOKEN, Policy

NOW_S = 1_760_000_000


@pytest.fixture
def state(bucket):
    """Return a function that makes a state of a bucket with so many tokens left."""

    def make(tokens, **facts):
        return BucketState(bucket=bucket(**facts), units=int(tokens * UNITS_PER_TOKEN))

    return make


def decision(*states, admitted=True, now_us=NOW_S * 1_000_000, degraded=False):
    return Decision(admitted=admitted, now_us=now_us, states=states, degraded=degraded)


def test_the_headers_of_one_bucket(state):
    assert decision(state(11_990, capacity=12_000, per_minute=10_000, cost=10)).headers() == {
        "X-RateLimit-Limit": "12000",
        "X-RateLimit-Remaining": "11990",
        "X-RateLimit-Reset": str(NOW_S + 1),
        "RateLimit-Policy": '"principal";q=12000;w=72',
        "RateLimit": '"principal";r=11990;t=1',
    }


def test_the_headers_of_two_buckets_describe_the_tighter_one_and_list_both(state):
    principal = state(11_990, capacity=12_000, per_minute=10_000, cost=10)
    search = state(119, capacity=120, per_minute=100, name="search")

    assert decision(principal, search).headers() == {
        "X-RateLimit-Limit": "120",
        "X-RateLimit-Remaining": "119",
        "X-RateLimit-Reset": str(NOW_S + 1),
        "RateLimit-Policy": '"principal";q=12000;w=72, "search";q=120;w=72',
        "RateLimit": '"principal";r=11990;t=1, "search";r=119;t=1',
    }


def test_what_is_left_is_counted_in_requests_of_this_kind(state):
    costly, cheap = state(50, capacity=100, cost=10), state(6, capacity=100, name="search")

    assert decision(costly, cheap).tightest is costly


def test_of_buckets_that_are_equally_tight_the_principals_is_described(state):
    principal, search = state(59, capacity=100, cost=10), state(5, capacity=100, name="search")

    assert decision(principal, search).tightest is principal


def test_broken_tokens_are_not_left(state):
    assert decision(state(4.99)).headers()["X-RateLimit-Remaining"] == "4"


def test_a_full_bucket_is_reset_now(state):
    assert decision(state(12, capacity=12)).headers()["X-RateLimit-Reset"] == str(NOW_S)


def test_the_reset_is_rounded_up_from_the_exact_instant(state):
    # Half a token at one token a second is missing half a second after the epoch second, and at 0.6 s after it.
    half = state(11.5, capacity=12, per_minute=60)

    assert [
        decision(half, now_us=NOW_S * 1_000_000 + us).headers()["X-RateLimit-Reset"] for us in (500_000, 600_000)
    ] == [
        str(NOW_S + 1),
        str(NOW_S + 2),
    ]


def test_a_refusal_waits_for_the_bucket_that_takes_longest(state):
    slow, slower = state(0.5, per_minute=60), state(0, per_minute=10, name="search")

    assert decision(slow, slower, admitted=False).retry_after == 6


def test_a_refusal_waits_for_all_tokens_of_its_cost(state):
    assert decision(state(2, per_minute=60, cost=10), admitted=False).retry_after == 8


def test_a_bucket_that_could_pay_does_not_refuse(state):
    rich, poor = state(5), state(0.9, name="auth")

    assert decision(rich, poor, admitted=False).refusing == [poor]


def test_nothing_refuses_an_admitted_request(state):
    assert (decision(state(0)).refusing, decision(state(0)).retry_after) == ([], 1)


def test_a_decision_without_redis_says_so(state):
    assert decision(state(5), degraded=True).headers()["X-RateLimit-Degraded"] == "true"


def test_a_share_of_a_process_is_told_in_whole_tokens():
    share = Policy(capacity=12_000, units_per_us=10_000).share(7)

    assert (share.capacity, share.seconds_for(share.capacity_units)) == (1714, 72)


def test_a_share_is_at_least_one_token():
    assert Policy(capacity=2, units_per_us=1).share(16).capacity == 1
