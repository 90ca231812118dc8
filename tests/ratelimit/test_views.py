import json
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.response import Response
from rest_framework.views import APIView

from errors.catalog import DATABASE_CONNECTION_FAILED, INSUFFICIENT_PERMISSIONS, INVALID_API_KEY, INVALID_CREDENTIALS
from errors.exceptions import ApiError
from ratelimit import throttle
from ratelimit.limiter import Limiter
from ratelimit.metrics import DEGRADED_DECISIONS, EXCEEDED, REMAINING, LowestOfWindow
from ratelimit.throttle import charge_more
from ratelimit.views import LimitedAPIView

RATES = {"admin": 1000, "developer": 100, "viewer": 10, "billing": 10, "ingest": 60, "anonymous": 5, "auth": 3}
LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "RateLimit-Policy", "RateLimit", "X-RateLimit-Degraded")


@dataclass(frozen=True)
class Caller:
    rate_key: str
    rate_tier: str


class HeaderAuthentication(BaseAuthentication):
    """`X-Caller: <tier>` is that tier; three other words fail in the three ways that there are."""

    def authenticate(self, request):
        match request.headers.get("X-Caller", "anonymous"):
            case "wrong":
                raise ApiError(INVALID_API_KEY)
            case "wrong-in-drf":
                raise AuthenticationFailed
            case "database-away":
                raise ApiError(DATABASE_CONNECTION_FAILED)
            case tier:
                return Caller(rate_key=f"user:{tier}", rate_tier=tier), None


class Limited(LimitedAPIView):
    authentication_classes = [HeaderAuthentication]

    def get(self, request):
        match request.query_params.get("fail"):
            case "forbidden":
                raise ApiError(INSUFFICIENT_PERMISSIONS, action="do this")
            case "bug":
                raise KeyError("insides")
        return Response({"price": Decimal("1.50")})

    def post(self, request):
        return Response(request.data)


class Costly(Limited):
    rate_cost = 5


class Ingest(Limited):
    rate_bucket = "ingest"

    def post(self, request):
        charge_more(request, int(request.headers.get("X-More", "0")))
        return HttpResponse(b"")


class SignIn(LimitedAPIView):
    authentication_classes = []
    rate_class = "auth"

    def post(self, _request):
        raise ApiError(INVALID_CREDENTIALS)


class OpenToAll(LimitedAPIView):
    authentication_classes = []

    def get(self, _request):
        return Response({})


class BothBuckets(Limited):
    rate_class = "auth"


class Unlimited(APIView):
    authentication_classes = []

    def get(self, _request):
        return Response({})


@pytest.fixture(autouse=True)
def limits(settings, redis, monkeypatch):
    settings.RATE_LIMIT_ENABLED = True
    settings.RATE_LIMIT_PER_MINUTE = RATES
    settings.RATE_LIMIT_BURST_FACTOR = 1.0
    monkeypatch.setattr(throttle, "limiter", Limiter())


def ask(view, caller="viewer", method="GET", path="/", address="192.0.2.1", **headers):
    body = {"data": headers.pop("body", b""), "content_type": "application/json"} if method == "POST" else {}
    request = RequestFactory().generic(
        method, path, headers={"X-Caller": caller} | headers, REMOTE_ADDR=address, **body
    )
    return view.as_view()(request)


def limits_of(response):
    return {name: response.headers[name] for name in LIMIT_HEADERS if name in response.headers}


def code_of(response):
    return response.status_code, json.loads(response.content)["error"]["code"]


def told(limit, remaining, name="principal", window=60, full_in=6):
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "RateLimit-Policy": f'"{name}";q={limit};w={window}',
        "RateLimit": f'"{name}";r={remaining};t={full_in}',
    }


def test_a_request_pays_one_token_and_is_told_what_is_left():
    response = ask(Limited)

    assert (response.status_code, limits_of(response)) == (200, told(10, 9))


def test_a_costly_route_pays_its_cost():
    assert limits_of(ask(Costly)) == told(10, 5, full_in=30)


def test_every_tier_has_its_own_limits():
    assert [ask(Limited, caller=tier).headers["X-RateLimit-Limit"] for tier in ("admin", "developer", "billing")] == [
        "1000",
        "100",
        "10",
    ]


def test_an_empty_bucket_refuses_and_says_for_how_long():
    for _ in range(2):
        ask(Costly)
    response = ask(Costly, Accept="application/problem+json")
    problem = json.loads(response.content)

    assert (response.status_code, problem["type"], problem["violated-policies"], response.headers["Retry-After"]) == (
        429,
        "https://iana.org/assignments/http-problem-types#quota-exceeded",
        ["principal"],
        "30",
    )


def test_a_refusal_bears_the_limits():
    for _ in range(2):
        ask(Costly)

    assert limits_of(ask(Costly)) == told(10, 0, full_in=60)


@pytest.mark.parametrize(
    ("request_facts", "status"),
    [
        ({"path": "/?fail=forbidden"}, 403),
        ({"path": "/?fail=bug"}, 500),
        ({"method": "DELETE"}, 405),
        ({"method": "POST", "body": b"{"}, 400),
        ({"Accept": "text/html"}, 406),
    ],
)
def test_every_failure_after_the_charge_bears_the_limits(request_facts, status):
    response = ask(Limited, **request_facts)

    assert (response.status_code, limits_of(response)) == (status, told(10, 9))


def test_callers_without_a_credential_share_the_bucket_of_their_address():
    responses = [
        ask(Limited, caller="anonymous", address=address) for address in ("2001:db8::1", "2001:db8::2", "192.0.2.2")
    ]

    assert [response.headers["X-RateLimit-Remaining"] for response in responses] == ["4", "3", "4"]


@pytest.mark.parametrize("caller", ["wrong", "wrong-in-drf"])
def test_a_credential_that_fails_is_paid_for_by_the_address(caller):
    response = ask(Limited, caller=caller)

    assert (response.status_code, limits_of(response)) == (401, told(5, 4, name="anonymous", full_in=12))


def test_an_address_that_fails_too_often_is_refused_before_its_credential_is_judged():
    codes = [code_of(ask(Limited, caller="wrong")) for _ in range(6)]

    assert codes == [(401, 1003)] * 5 + [(429, 1500)]


def test_failures_and_anonymous_requests_pay_from_one_bucket():
    ask(Limited, caller="wrong")

    assert ask(Limited, caller="anonymous").headers["X-RateLimit-Remaining"] == "3"


def test_a_spoofed_forwarding_header_gives_no_fresh_bucket():
    responses = [ask(Limited, caller="wrong", **{"X-Forwarded-For": f"198.51.100.{n}"}) for n in range(6)]

    assert responses[-1].status_code == 429


def test_a_database_that_is_away_is_not_paid_for():
    response = ask(Limited, caller="database-away")

    assert (response.status_code, limits_of(response)) == (503, {})


def test_signing_in_pays_from_the_class_bucket_of_the_address():
    response = ask(SignIn, method="POST")

    assert (response.status_code, limits_of(response)) == (401, told(3, 2, name="auth", full_in=20))


def test_too_many_sign_ins_are_refused_by_their_own_error():
    codes = [code_of(ask(SignIn, method="POST")) for _ in range(4)]

    assert codes == [(401, 1009)] * 3 + [(429, 1502)]


def test_a_route_that_asks_for_no_credential_is_paid_for_by_the_address():
    assert limits_of(ask(OpenToAll)) == told(5, 4, name="anonymous", full_in=12)


def test_a_route_with_a_class_pays_from_both_buckets():
    assert limits_of(ask(BothBuckets)) == {
        "X-RateLimit-Limit": "3",
        "X-RateLimit-Remaining": "2",
        "RateLimit-Policy": '"principal";q=10;w=60, "auth";q=3;w=60',
        "RateLimit": '"principal";r=9;t=6, "auth";r=2;t=20',
    }


def test_both_buckets_of_a_principal_are_in_one_hash_slot(redis):
    ask(BothBuckets)

    assert sorted(redis.keys()) == [b"llmo:rl:{user:viewer}:class:auth", b"llmo:rl:{user:viewer}:principal"]


def test_ingest_pays_from_a_bucket_beside_the_reading_one():
    ask(Limited)

    assert limits_of(ask(Ingest, method="POST")) == told(60, 59, name="ingest", full_in=1)


def test_a_large_batch_pays_the_rest_after_decoding():
    response = ask(Ingest, method="POST", **{"X-More": "49"})

    assert (response.status_code, limits_of(response)) == (200, told(60, 10, name="ingest", full_in=50))


def test_a_batch_that_the_bucket_cannot_pay_is_refused():
    response = ask(Ingest, method="POST", **{"X-More": "89"})

    assert (*code_of(response), response.headers["Retry-After"], response.headers["X-RateLimit-Remaining"]) == (
        429,
        1500,
        "30",
        "59",
    )


def test_options_is_free_and_needs_no_credential():
    response = ask(Limited, caller="wrong", method="OPTIONS").render()

    assert (response.status_code, response.content, response.headers["Allow"], limits_of(response)) == (
        200,
        b"",
        "GET, POST, HEAD, OPTIONS",
        {},
    )


def test_views_of_other_bases_are_not_limited():
    assert limits_of(ask(Unlimited)) == {}


@pytest.mark.parametrize("caller", ["viewer", "wrong", "anonymous"])
def test_switched_off_nothing_is_limited_and_nothing_is_told(settings, caller):
    settings.RATE_LIMIT_ENABLED = False

    assert [limits_of(ask(Limited, caller=caller)) for _ in range(20)] == [{}] * 20


def test_switched_off_nothing_more_is_charged(settings):
    settings.RATE_LIMIT_ENABLED = False

    assert ask(Ingest, method="POST", **{"X-More": "1000000"}).status_code == 200


def test_without_redis_the_reply_says_so_and_tells_the_share(mortal_redis):
    mortal_redis.kill()
    before = DEGRADED_DECISIONS.labels(tier="viewer")._value.get()

    response = ask(Limited)

    assert (limits_of(response), DEGRADED_DECISIONS.labels(tier="viewer")._value.get() - before) == (
        told(2, 1, window=48, full_in=24) | {"X-RateLimit-Degraded": "true"},
        1,
    )


def test_refusals_are_counted_by_tier_and_class():
    labels = {"tier": "anonymous", "class": "auth"}
    before = EXCEEDED.labels(**labels)._value.get()
    for _ in range(4):
        ask(SignIn, method="POST")

    assert EXCEEDED.labels(**labels)._value.get() - before == 1


def test_the_lowest_bucket_of_a_minute_is_shown():
    lowest, shown = LowestOfWindow(), []
    for tokens, now in ((9, 0), (7, 10), (8, 20), (9, 59), (6, 60), (8, 61)):
        lowest.observe("test", tokens, now)
        shown.append(REMAINING.labels(tier="test")._value.get())

    assert shown == [9, 7, 7, 7, 6, 6]
