import time

import pytest

from analytics.live.places import KEEP_SECONDS, place_key, take_place
from errors.exceptions import ApiError

KEY = place_key("key:a")


@pytest.fixture(autouse=True)
def two_places(settings, client):
    settings.STREAM_MAX_CONNECTIONS = 2


def taken(place, rate_key="key:a"):
    """Return 200, or the status and code of the refusal."""
    try:
        take_place(rate_key, place)
    except ApiError as refused:
        return refused.spec.status, refused.spec.code
    return 200


def test_a_caller_gets_as_many_places_as_there_are_and_another_one_its_own():
    assert [taken("p"), taken("q"), taken("r"), taken("r", "key:b")] == [200, 200, (429, 1501), 200]


def test_a_place_that_was_given_is_given_again_to_who_did_not_hear_the_answer():
    assert [taken("p"), taken("q"), taken("q")] == [200, 200, 200]


def test_a_place_that_is_freed_is_given_to_the_next(with_log):
    taken("p"), taken("q")
    with_log(lambda log: log.free(KEY, "p"))

    assert [taken("r"), taken("s")] == [200, (429, 1501)]


def test_a_place_that_nobody_renews_ends_by_itself(client):
    taken("p"), taken("q")
    ends = client.zscore(KEY, "p")
    client.zadd(KEY, {"p": time.time() - 1})

    assert ends - time.time() <= KEEP_SECONDS
    assert [taken("r"), taken("s")] == [200, (429, 1501)]


def test_places_of_open_streams_are_kept_whatever_was_lost_of_them(client, with_log):
    taken("p")
    client.flushdb()  # a Redis that was begun anew
    with_log(lambda log: log.keep({KEY: ["p", "q"]}, seconds=KEEP_SECONDS))

    assert taken("r") == (429, 1501)
    assert 0 < client.pttl(KEY) <= KEEP_SECONDS * 1000


def test_without_redis_no_place_is_given(settings):
    settings.CACHES = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.RATE_LIMIT_RETRY_SECONDS = 0

    assert taken("p") == (503, 1701)
