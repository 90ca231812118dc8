import pytest
from django_redis import get_redis_connection

from errors.exceptions import ApiError
from observatory.accounts.tickets import redeem
from tests.observatory.accounts.credentials import client


def ask(api):
    return api.post("/api/v1/events/ticket", {}, content_type="application/json")


def test_a_ticket_says_for_how_long_and_where_it_is_good(api):
    reply = ask(api)

    assert (reply.status_code, reply.json() | {"ticket": None}) == (
        201,
        {
            "ticket": None,
            "expires_in": 30,
            "ws_url": "ws://localhost:8081/ws",
            "sse_url": "http://localhost:8081/api/v1/events",
        },
    )


def test_nobody_gets_a_ticket_without_a_credential(db):
    assert ask(client()).json()["error"]["code"] == 1000


def test_without_redis_there_are_no_tickets(api, settings):
    settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.RATE_LIMIT_RETRY_SECONDS = 0
    reply = ask(api)

    assert (reply.status_code, reply.json()["error"]["code"]) == (503, 1701)


def test_a_ticket_whose_time_is_over_is_none(api):
    redis = get_redis_connection("default")
    before = {*redis.scan_iter("llmo:ticket:*")}
    ticket = ask(api).json()["ticket"]
    (key,) = {*redis.scan_iter("llmo:ticket:*")} - before
    left = redis.ttl(key)
    redis.pexpire(key, 1)
    while redis.exists(key):
        pass

    assert 0 < left <= 30
    with pytest.raises(ApiError) as refused:
        redeem(ticket)
    assert refused.value.spec.code == 1001
