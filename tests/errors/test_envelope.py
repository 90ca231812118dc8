from datetime import UTC, datetime

import orjson
import pytest
from django.test import RequestFactory

from errors.accept import Accept
from errors.catalog import (
    INVALID_TOKEN,
    MISSING_AUTHORIZATION,
    NUMBER_OUT_OF_RANGE,
    RATE_LIMIT_EXCEEDED,
    RESOURCE_NOT_FOUND,
    SERVICE_UNAVAILABLE,
)
from errors.envelope import envelope, error_response, prefers_problem, problem
from errors.exceptions import ApiError

NOW = datetime(2025, 11, 5, 10, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture(autouse=True)
def docs_base_url(settings):
    settings.DOCS_BASE_URL = "http://localhost:8080"


@pytest.fixture
def out_of_range():
    return ApiError(NUMBER_OUT_OF_RANGE, field="limit", low=1, high=1000, details="Received value: 5000")


def reply(error, accept="*/*", method="GET", request_id="req_abc123"):
    request = RequestFactory().generic(method, "/", headers={"Accept": accept})
    if request_id:
        request.request_id = request_id
    return error_response(error, request)


def test_the_envelope_has_the_facts_of_the_error(out_of_range):
    assert envelope(out_of_range, request_id="req_abc123", now=NOW) == {
        "error": {
            "code": 1200,
            "error_code": "INVALID_REQUEST",
            "category": "VALIDATION",
            "message": "Invalid value for field 'limit': must be between 1 and 1000",
            "details": "Received value: 5000",
            "field": "limit",
        },
        "meta": {
            "timestamp": datetime(2025, 11, 5, 10, 30, tzinfo=UTC),
            "request_id": "req_abc123",
            "documentation_url": "http://localhost:8080/errors/1200",
        },
    }


def test_empty_details_and_field_are_left_out():
    assert list(envelope(ApiError(RESOURCE_NOT_FOUND), request_id="r", now=NOW)["error"]) == [
        "code",
        "error_code",
        "category",
        "message",
    ]


def test_a_problem_has_the_same_facts(out_of_range):
    assert problem(out_of_range, request_id="req_abc123") == {
        "type": "http://localhost:8080/errors/1200",
        "title": "Invalid request",
        "status": 400,
        "detail": "Invalid value for field 'limit': must be between 1 and 1000",
        "instance": "urn:request:req_abc123",
        "code": 1200,
        "error_code": "INVALID_REQUEST",
        "category": "VALIDATION",
        "field": "limit",
        "request_id": "req_abc123",
    }


def test_a_refusal_as_problem_names_the_limits_that_refused():
    error = ApiError(RATE_LIMIT_EXCEEDED, violated_policies=["principal", "search"])

    assert problem(error, request_id="req_abc123") == {
        "type": "https://iana.org/assignments/http-problem-types#quota-exceeded",
        "title": "Rate limit exceeded",
        "status": 429,
        "detail": "Too many requests: wait the seconds in the Retry-After header",
        "instance": "urn:request:req_abc123",
        "code": 1500,
        "error_code": "RATE_LIMIT_EXCEEDED",
        "category": "RATE_LIMIT",
        "violated-policies": ["principal", "search"],
        "request_id": "req_abc123",
    }


def test_an_unavailable_service_has_the_registered_problem_type():
    assert problem(ApiError(SERVICE_UNAVAILABLE), request_id="r")["type"] == (
        "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
    )


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("application/*", False),
        ("application/json", False),
        ("application/problem+json", True),
        ("Application/Problem+JSON", True),
        ("application/problem+json;q=0", False),
        ("application/json, application/problem+json", True),
        ("application/json, application/problem+json;q=0.9", False),
        ("application/json;q=0.5, application/problem+json;q=0.5", True),
        ("application/problem+json;q=0.5, */*", False),
        ("application/problem+json;q=0.5, application/json;q=0.4, */*", True),
    ],
)
def test_a_problem_is_sent_to_who_weighs_it_not_below_json(accept, expected):
    assert prefers_problem(Accept(accept)) is expected


@pytest.mark.parametrize(("accept", "content_type"), [("*/*", "application/json"), ("application/problem+json",) * 2])
def test_the_reply_bears_the_content_type_of_its_form(out_of_range, accept, content_type):
    assert reply(out_of_range, accept=accept).headers["Content-Type"] == content_type


def test_no_error_reply_is_stored_by_a_cache():
    assert dict(reply(ApiError(RESOURCE_NOT_FOUND)).headers) == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Vary": "Authorization, X-API-Key, Accept, Accept-Encoding",
    }


def test_the_timestamp_is_utc_in_whole_seconds():
    stamp = orjson.loads(reply(ApiError(RESOURCE_NOT_FOUND)).content)["meta"]["timestamp"]

    assert datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007  the format holds the zone


def test_a_request_that_came_past_the_middleware_gets_an_id():
    request_id = orjson.loads(reply(ApiError(RESOURCE_NOT_FOUND), request_id=None).content)["meta"]["request_id"]

    assert len(request_id) == 36
    assert request_id.startswith("req_")


def test_a_head_request_gets_no_body():
    assert reply(ApiError(RESOURCE_NOT_FOUND), method="HEAD").content == b""


@pytest.mark.parametrize(
    ("spec", "challenge"),
    [
        (MISSING_AUTHORIZATION, 'Bearer realm="llm-observatory"'),
        (INVALID_TOKEN, 'Bearer realm="llm-observatory", error="invalid_token"'),
    ],
)
def test_every_401_has_a_challenge(spec, challenge):
    assert reply(ApiError(spec)).headers["WWW-Authenticate"] == challenge
