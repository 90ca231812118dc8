from datetime import timedelta

import orjson
import pytest
from django.db import connection
from django.utils import timezone
from django_redis import get_redis_connection

from analytics.jobs import rollups
from observatory.jobs import alerts
from ratelimit.backend import DEGRADED_MARK, Backend
from ratelimit.breaker import CircuitBreaker
from tests.analytics.api.payloads import request, span


@pytest.fixture
def told(tenant, django_capture_on_commit_callbacks):
    """Return a function that runs the job and gives kind and message of what the tenant is told."""

    def run():
        with django_capture_on_commit_callbacks(execute=True):
            alerts()
        entries = get_redis_connection("default").xrange(f"llmo:events:{tenant.organisation.pk}")
        data = [orjson.loads(fields[b"data"]) for _, fields in entries if fields[b"type"] == b"system_alert"]
        return [(one["kind"], one["message"]) for one in data]

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM bucket_change")
    get_redis_connection("default").flushdb()  # a slow machine may have decided without Redis before
    return run


def test_while_all_is_well_nothing_is_told(told):
    assert told() == []


def test_rollups_that_are_behind_are_told_once(told, tenant):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bucket_change VALUES (%(organisation)s, 1, '1hour', %(at)s, %(at)s)",
            {"organisation": tenant.organisation.pk, "at": timezone.now() - timedelta(hours=3)},
        )
    told()

    ((kind, message),) = told()
    assert (kind, message.startswith("Figures by 1hour are 72")) == ("rollup_lag", True)


def test_a_model_without_a_price_is_told_once(told, api):
    an_hour_ago = int((timezone.now() - timedelta(hours=1)).timestamp()) * 10**9
    calls = [span(start_ns=an_hour_ago, attributes={"gen_ai.request.model": "nothing-1"}) for _ in range(2)]
    api.post("/v1/traces", request(*calls), content_type="application/json")
    rollups()
    told()

    assert told() == [("unpriced_model", "Model nothing-1 of openai has usage without a price.")]


def test_limits_that_were_decided_without_redis_are_told_when_it_is_back(told):
    broken = Backend()
    broken._breaker = CircuitBreaker(lambda: 0)
    broken._breaker.failed(0)
    broken.ask(lambda client: client.ping())
    told()

    assert told() == [("rate_limit_degraded", "Redis was away: each process decided rate limits by its own share.")]
    assert get_redis_connection("default").get(DEGRADED_MARK) is None


def test_without_redis_the_job_does_nothing(told, settings):
    settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.RATE_LIMIT_RETRY_SECONDS = 0

    assert alerts() == 0
