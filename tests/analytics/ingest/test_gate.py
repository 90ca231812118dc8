import threading

import pytest

from analytics.api import otlp
from analytics.ingest.gate import Gate
from errors.exceptions import ApiError
from tests.analytics.api.payloads import request, span


def test_no_more_pass_at_a_time_than_are_let():
    gate = Gate()
    with gate.passing(most=2), gate.passing(most=2), pytest.raises(ApiError, match="1605"), gate.passing(most=2):
        raise AssertionError("a third passed")


def test_whoever_leaves_makes_room_also_by_failing():
    gate = Gate()
    with pytest.raises(ZeroDivisionError), gate.passing(most=1):
        raise ZeroDivisionError
    with gate.passing(most=1):
        pass


def test_an_export_request_too_many_is_told_to_come_again_and_its_body_is_not_read(api, settings):
    settings.INGEST_MAX_CONCURRENCY = 1
    inside, told, replies = threading.Event(), threading.Event(), []

    def hold():
        with otlp.gate.passing(most=1):
            inside.set()
            told.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(30)
    try:
        replies.append(api.post("/v1/traces", request(span()), content_type="application/json"))
    finally:
        told.set()
        holder.join()
    replies.append(api.post("/v1/traces", request(span()), content_type="application/json"))

    assert [(reply.status_code, reply.headers.get("Retry-After")) for reply in replies] == [(503, "1"), (200, None)]
    assert replies[0].json()["message"].startswith("[1605]")
