import pytest

from ratelimit.checks import check_policies
from ratelimit.policies import TIERS, Policy, policy_of

DEFAULTS = {
    "admin": 100_000,
    "developer": 10_000,
    "viewer": 1000,
    "billing": 1000,
    "ingest": 60_000,
    "anonymous": 60,
    "search": 100,
    "query": 100,
    "compare": 50,
    "export": 10,
    "auth": 20,
}


@pytest.fixture(autouse=True)
def default_rates(settings):
    settings.RATE_LIMIT_PER_MINUTE = DEFAULTS
    settings.RATE_LIMIT_BURST_FACTOR = 1.2


@pytest.mark.parametrize(
    ("name", "capacity"),
    [
        ("admin", 120_000),
        ("developer", 12_000),
        ("viewer", 1200),
        ("billing", 1200),
        ("ingest", 72_000),
        ("anonymous", 72),
        ("auth", 24),
    ],
)
def test_a_bucket_holds_120_percent_of_its_minute(name, capacity):
    assert policy_of(name) == Policy(capacity=capacity, units_per_us=DEFAULTS[name])


def test_every_tier_has_its_bucket_name():
    assert {tier.name: tier.bucket for tier in TIERS.values()} == {
        "admin": "principal",
        "developer": "principal",
        "viewer": "principal",
        "billing": "principal",
        "ingest": "ingest",
        "anonymous": "anonymous",
    }


def test_a_tiny_rate_still_has_a_token(settings):
    settings.RATE_LIMIT_PER_MINUTE = DEFAULTS | {"viewer": 1}
    settings.RATE_LIMIT_BURST_FACTOR = 0.5

    assert policy_of("viewer").capacity == 1


def test_the_default_rates_pass_the_checks():
    assert check_policies() == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"gold": 5}, "ratelimit.E001"),
        ({"viewer": 2**53}, "ratelimit.E002"),
        ({"viewer": 0}, "ratelimit.E002"),
    ],
)
def test_rates_that_cannot_work_stop_the_start(settings, change, found):
    settings.RATE_LIMIT_PER_MINUTE = DEFAULTS | change

    assert [message.id for message in check_policies()] == [found]


def test_a_missing_rate_stops_the_start(settings):
    settings.RATE_LIMIT_PER_MINUTE = {name: rate for name, rate in DEFAULTS.items() if name != "auth"}

    assert [message.id for message in check_policies()] == ["ratelimit.E001"]
