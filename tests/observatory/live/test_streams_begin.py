"""What a stream is opened with, and what refuses one."""

import time

import httpx
import pytest
from django.test import Client
from websockets.exceptions import InvalidStatus

from tests.observatory.live.conftest import bearer
from tests.observatory.live.following import ask, follow, talk


@pytest.mark.parametrize(
    ("credential", "given", "answer"),
    [
        (None, {}, (401, 1000)),
        ("nonsense", {}, (401, 1001)),
        (None, {"ticket": "llmo_tk_nothing"}, (401, 1001)),
        ("costs", {"events": "trace_created"}, (403, 1100)),
        ("all", {"events": "trace_created,rain"}, (400, 1202)),
        ("all", {"events": ""}, (400, 1203)),
        ("all", {"events": "trace_created", "colour": "red"}, (400, 1202)),
        ("all", {"events": "trace_created", "min_cost": "-1"}, (400, 1200)),
        ("all", {"events": "trace_created", "project_id": "elsewhere"}, (403, 1101)),
        ("all", {"events": "trace_created", "last_event_id": "yesterday"}, (400, 1203)),
        ("all", {"events": "trace_created", "headers": {"Last-Event-ID": "1-x"}}, (400, 1203)),
        ("elsewhere", {"events": "trace_created"}, (403, 1103)),
        ("signing", {"events": "trace_created"}, (401, 1006)),
    ],
)
def test_what_cannot_be_a_stream_is_refused_in_the_catalogue_s_words(live, tenant, credential, given, answer):
    keys = {
        "all": tenant.key,
        "costs": lambda: tenant.key("costs:read"),
        "elsewhere": lambda: tenant.key(allowed_ips=["192.0.2.0/24"]),
        "signing": lambda: tenant.key(signing="required"),
    }
    reply = ask(live, keys[credential]() if credential in keys else credential, **given)

    assert (reply.status_code, reply.json()["error"]["code"]) == answer


def test_a_refused_websocket_is_answered_like_any_request(live, tenant):
    with pytest.raises(InvalidStatus) as refused, talk(live, None):
        pass

    response = refused.value.response
    assert (response.status_code, b'"code":1000' in response.body) == (401, True)


def test_a_token_in_the_url_is_not_read(live, tenant):
    assert ask(live, None, events="trace_created", token=tenant.token()).status_code == 401


def test_a_websocket_takes_a_token_as_subprotocol_and_names_it(live, tenant):
    offered = f"llmo.bearer.{tenant.token()}"
    with talk(live, None, path="/api/v1/ws", subprotocols=[offered]) as stream:
        assert (stream.connection.subprotocol, stream.answer(type="ping")) == (offered, {"type": "pong"})


def test_a_client_that_also_offers_the_plain_name_is_not_told_its_token(live, tenant):
    offered = ["llmo", f"llmo.bearer.{tenant.token()}"]
    with talk(live, None, subprotocols=offered) as stream:
        assert stream.connection.subprotocol == "llmo"


def test_opening_a_stream_costs_five_tokens(live, tenant):
    with follow(live, tenant.key()) as stream:
        headers = stream.response.headers

    assert int(headers["X-RateLimit-Limit"]) - int(headers["X-RateLimit-Remaining"]) == 5


def test_more_streams_than_allowed_are_refused_until_one_ends(start_live, tenant):
    live, key = start_live(STREAM_MAX_CONNECTIONS="2"), tenant.key()
    with follow(live, key), follow(live, tenant.key()):
        with talk(live, key):
            refused = ask(live, key, events="trace_created")
        deadline = time.monotonic() + 10
        while ask_status(live, key) != 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert ask_status(live, key) == 200

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, 1501)
    assert refused.headers["Retry-After"]


def ask_status(live, key):
    with httpx.stream("GET", f"{live.url}/api/v1/events?events=trace_created", headers=bearer(key)) as response:
        return response.status_code


def test_a_browser_s_preflight_is_answered(live):
    reply = httpx.options(
        f"{live.url}/api/v1/events",
        headers={
            "Origin": "https://example.com",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,last-event-id",
        },
    )

    assert (reply.status_code, reply.headers["Access-Control-Allow-Origin"]) == (200, "*")


def test_head_tells_what_a_stream_would_begin_with(live, tenant):
    reply = httpx.head(f"{live.url}/api/v1/events?events=trace_created", headers=bearer(tenant.key()))

    assert (reply.status_code, reply.content) == (200, b"")


@pytest.mark.parametrize("path", ["/ws", "/api/v1/ws"])
def test_a_plain_request_to_the_websocket_is_refused(live, tenant, path):
    reply = httpx.get(f"{live.url}{path}", headers=bearer(tenant.key()))

    assert (reply.status_code, reply.json()["error"]["field"]) == (400, "Upgrade")


@pytest.mark.parametrize(
    ("path", "headers", "place"),
    [
        ("/api/v1/events?events=trace_created", {}, "http://localhost:8081/api/v1/events?events=trace_created"),
        ("/ws", {}, "http://localhost:8081/ws"),
        ("/api/v1/ws", {"Upgrade": "websocket"}, "ws://localhost:8081/ws"),
    ],
)
def test_the_web_process_says_where_streams_are(path, headers, place):
    reply = Client().get(path, headers=headers)

    assert (reply.status_code, reply["Location"]) == (307, place)
