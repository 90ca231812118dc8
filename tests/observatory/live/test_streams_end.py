"""What ends a stream, what refuses one, and what goes on after it."""

import asyncio
import json
import signal
import socket
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.test import Client
from websockets.exceptions import ConnectionClosed

from analytics.events import publish_all
from analytics.live.connections import Connection
from analytics.live.frames import MessageFrames
from observatory.accounts.authentication import Shown
from observatory.accounts.models import ApiKey
from tests.analytics.api.payloads import span
from tests.analytics.live.listening import Somebody
from tests.observatory.accounts.credentials import claims, signed
from tests.observatory.live.conftest import bearer
from tests.observatory.live.following import ask, follow, talk
from tests.ratelimit.conftest import ValkeyServer


def code_of(stream):
    """Return the code that the service closes the WebSocket with, once everything it said before is read."""
    try:
        while True:
            stream.next()
    except ConnectionClosed as end:
        return end.rcvd.code


def test_a_revoked_token_hears_nothing_more(live, tenant):
    token = tenant.token()
    with follow(live, token) as stream, talk(live, token) as other:
        other.subscribe()
        Client().post("/auth/revoke", {"token": token}, content_type="application/json")
        tenant.send(span())

        kind, error = stream.next()
        assert (kind, error["code"]) == ("error", 1004)
        with pytest.raises(EOFError):
            stream.frame()
        assert other.next()["code"] == 1004
        assert code_of(other) == 4401


def test_a_deleted_key_hears_nothing_more(live, tenant):
    secret = tenant.key(name="gone")
    key = ApiKey.objects.get(name="gone", organisation=tenant.organisation)
    with talk(live, secret) as stream:
        stream.subscribe()
        reply = Client(headers=bearer(tenant.token("admin"))).delete(f"/api/v1/keys/{key.id}")
        assert reply.status_code == 204
        tenant.send(span())

        assert (stream.next()["code"], code_of(stream)) == (1003, 4401)


def test_permissions_that_are_taken_away_end_what_they_allowed(live, tenant):
    secret = tenant.key("traces:read", "costs:read", name="narrowed")
    key = ApiKey.objects.get(name="narrowed", organisation=tenant.organisation)
    with talk(live, secret) as stream:
        stream.subscribe("trace_created", "cost_threshold")
        Client(headers=bearer(tenant.token("admin"))).patch(
            f"/api/v1/keys/{key.id}", {"permissions": ["costs:read"]}, content_type="application/json"
        )
        tenant.send(span())

        refused = stream.next()
        assert (refused["code"], refused["details"]) == (1100, "traces:read")
        assert stream.answer(type="ping") == {"type": "pong"}


@pytest.mark.parametrize("narrows", ["key", "organisation"])
def test_a_stream_from_an_address_that_is_no_longer_allowed_ends(live, tenant, narrows):
    secret = tenant.key(name="narrowed")
    key = ApiKey.objects.get(name="narrowed", organisation=tenant.organisation)
    with talk(live, secret) as stream, follow(live, tenant.key(), "system_alert") as other:
        stream.subscribe("system_alert")
        narrowed = key if narrows == "key" else tenant.organisation
        narrowed.allowed_ips = ["192.0.2.0/24"]
        narrowed.save()
        told = {"kind": "rollup_lag", "message": "late"}
        publish_all(event_type="system_alert", organisation_id=tenant.organisation.pk, project_ids=[], data=[told])

        assert (stream.next()["code"], code_of(stream)) == (1103, 4401)
        assert other.next()[0] == ("system_alert" if narrows == "key" else "error")


def test_a_token_that_expires_ends_its_streams(live, tenant):
    # The tolerated clock skew counts from here.
    token = signed(claims(tenant, age=100, lives=2 - settings.JWT_LEEWAY_SECONDS))
    with follow(live, token) as stream, talk(live, token) as other:
        assert stream.next()[1]["code"] == 1002
        assert code_of(other) == 4401


@pytest.mark.parametrize(("is_key", "code"), [(False, 1002), (True, 1003)])
def test_the_holder_of_a_key_that_expires_is_not_sent_for_a_token(is_key, code):
    connection = Connection(
        Somebody(), whole=True, credential=Shown(secret="x", is_key=is_key), place="here", frames=MessageFrames()
    )
    connection.expire()
    (frame,) = asyncio.run(connection.next())

    assert json.loads(frame)["code"] == code


def test_more_subscriptions_than_allowed_are_refused_and_the_others_stay(live, tenant):
    with talk(live, tenant.key()) as stream:
        for number in range(settings.STREAM_MAX_SUBSCRIPTIONS):
            stream.subscribe(filters={"user_id": f"u{number}"})
        refused = stream.subscribe()
        tenant.send(span(attributes={"user.id": "u7"}))

        assert (refused["type"], refused["code"], stream.next()["data"]["user_id"]) == ("error", 1205, "u7")


def test_thousands_of_subscriptions_hear_what_is_for_them(live, tenant):
    with ExitStack() as open_streams:
        streams = []
        for key in (tenant.key(), tenant.key()):
            streams += [open_streams.enter_context(talk(live, key)) for _ in range(20)]
        for place, stream in enumerate(streams):
            for number in range(50):
                stream.say(type="subscribe", events=["trace_created"], filters={"user_id": f"user {place} {number}"})
            for _ in range(50):
                assert stream.next()["type"] == "subscribed"
        tenant.send(*(span(attributes={"user.id": f"user {place} 49"}) for place in range(len(streams))))

        assert [stream.next()["data"]["user_id"] for stream in streams] == [f"user {n} 49" for n in range(40)]


@pytest.mark.parametrize("text", ["no json", "[]", '{"type":"dance"}', "{}", b"bytes"])
def test_the_third_malformed_message_ends_the_stream(live, tenant, text):
    with talk(live, tenant.key()) as stream:
        for _ in range(3):
            stream.connection.send(text)

        assert [stream.next()["type"] for _ in range(3)] == ["error"] * 3
        assert code_of(stream) == 4400


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "subscribe"}, 1201),
        ({"type": "subscribe", "events": []}, 1203),
        ({"type": "subscribe", "events": ["rain"]}, 1202),
        ({"type": "subscribe", "events": ["trace_created"], "filters": {"colour": "red"}}, 1202),
        ({"type": "subscribe", "events": ["trace_created"], "filters": {"project_id": "elsewhere"}}, 1101),
        ({"type": "subscribe", "events": ["trace_created"], "last_event_id": "1"}, 1203),
        ({"type": "unsubscribe"}, 1201),
        ({"type": "unsubscribe", "subscription_id": "sub_x"}, 1300),
        ({"type": "unsubscribe", "subscription_id": "sub_x", "events": ["trace_created"]}, 1211),
        ({"type": "ping", "more": 1}, 1202),
    ],
)
def test_a_wrong_message_is_answered_and_changes_nothing(live, tenant, message, code):
    with talk(live, tenant.key()) as stream:
        answers = [stream.answer(**message) for _ in range(4)]

        assert {(one["type"], one["code"]) for one in answers} == {("error", code)}
        assert stream.answer(type="ping") == {"type": "pong"}


def test_a_long_message_ends_the_stream(live, tenant):
    with talk(live, tenant.key()) as stream:
        stream.connection.send("x" * 70_000)

        assert code_of(stream) == 1009


def test_a_frame_of_ten_megabytes_is_refused_before_it_is_read(live, tenant):
    with talk(live, tenant.key()) as stream:
        with suppress(ConnectionClosed):
            stream.connection.send("x" * 10_000_000)
        with pytest.raises(ConnectionClosed):
            stream.next()


def test_what_is_unsubscribed_is_not_told(live, tenant):
    with talk(live, tenant.key()) as stream:
        first = stream.subscribe("trace_created", "cost_threshold")
        second = stream.subscribe("trace_updated")
        ended = [
            stream.answer(type="unsubscribe", events=["trace_created"]),
            stream.answer(type="unsubscribe", subscription_id=second["subscription_id"]),
            stream.answer(type="unsubscribe", subscription_id=first["subscription_id"]),
        ]
        tenant.send(span())

        assert [one["events"] for one in ended] == [["trace_created"], ["trace_updated"], ["cost_threshold"]]
        assert stream.answer(type="ping") == {"type": "pong"}


def test_a_stream_goes_on_after_the_last_event_that_was_received(live, tenant):
    key = tenant.key()
    with follow(live, key) as stream:
        tenant.send(span(spanId="11" * 8))
        last = stream.frame()["id"]
    tenant.send(span(spanId="22" * 8), span(spanId="33" * 8))

    with follow(live, key, headers={"Last-Event-ID": last}, last_event_id="1-1") as stream:
        tenant.send(span(spanId="44" * 8))

        assert [stream.next()[1]["span_id"] for _ in range(3)] == ["22" * 8, "33" * 8, "44" * 8]


def test_a_stream_goes_on_across_a_restart_of_the_process(start_live, tenant):
    live, key = start_live(), tenant.key()
    with follow(live, key) as stream:
        tenant.send(span(spanId="11" * 8))
        last = stream.frame()["id"]
        live.stop()
        with pytest.raises(EOFError):
            stream.frame()
    tenant.send(span(spanId="22" * 8))
    live.start()

    with follow(live, key, last_event_id=last) as stream:
        assert stream.next()[1]["span_id"] == "22" * 8


def test_a_stop_is_said_to_every_stream(start_live, tenant):
    live = start_live()
    with talk(live, tenant.key()) as stream:
        stream.subscribe()
        live.process.terminate()

        assert code_of(stream) == 1001
    assert (live.stop(), "Traceback" in live.said) == (-signal.SIGTERM, False)


def test_a_listener_that_is_too_slow_is_told_how_many_events_it_lost(start_live, tenant):
    live = start_live(STREAM_QUEUE_EVENTS="10")
    with follow(live, tenant.key(), "system_alert") as stream:
        sent = 0
        for number in range(90):
            data = [{"kind": "rollup_lag", "message": f"{number} {place} {'x' * 2000}"} for place in range(100)]
            publish_all(event_type="system_alert", organisation_id=tenant.organisation.pk, project_ids=[], data=data)
            sent += len(data)
        time.sleep(2)
        publish_all(
            event_type="system_alert",
            organisation_id=tenant.organisation.pk,
            project_ids=[],
            data=[{"message": "end"}],
        )
        heard, lost = 0, 0
        while True:
            kind, data = stream.next()
            if data.get("message") == "end":
                break
            heard, lost = (heard, lost + data["count"]) if kind == "dropped" else (heard + 1, lost)

    assert (heard + lost, lost > 0) == (sent, True)


def test_signs_of_life_come_and_a_silent_websocket_is_closed(start_live, tenant):
    live = start_live(STREAM_HEARTBEAT_SECONDS="1")
    with follow(live, tenant.key()) as stream:
        assert stream.frame() == {":": "heartbeat"}
    request = (
        f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-API-Key: {tenant.key()}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", live.port), timeout=20) as mute:
        mute.sendall(request.encode())
        heard = b""
        while piece := mute.recv(4096):
            heard += piece

    assert heard.startswith(b"HTTP/1.1 101")


def test_without_redis_no_stream_is_opened_and_those_that_are_wait_for_it(start_live, tenant):
    # A socket's path may have 107 characters; pytest's own folders are longer.
    with tempfile.TemporaryDirectory(prefix="llmo-") as folder:
        valkey = ValkeyServer(Path(folder))
        valkey.start()
        live, key = start_live(REDIS_URL=valkey.url), tenant.key()
        add = {"type": "trace_created", "project": str(tenant.projects[0].pk), "data": '{"span_id":"a"}'}
        with follow(live, key) as stream, redis.Redis.from_url(valkey.url) as client:
            client.xadd(f"llmo:events:{tenant.organisation.pk}", add)
            heard = [stream.next()[0]]
            valkey.kill()
            refused = ask(live, key, events="trace_created")
            valkey.start()
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, 1701)
            heard.append(stream.next()[0])
            client.xadd(f"llmo:events:{tenant.organisation.pk}", add)
            heard.append(stream.next()[0])
        valkey.kill()

    assert heard == ["trace_created", "gap", "trace_created"]
