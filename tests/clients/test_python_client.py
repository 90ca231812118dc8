"""The Python client against the service itself, and against answers that the service gives only on bad days."""

import asyncio
import base64
import hashlib
import inspect
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
from django.test import Client as Django
from llm_observatory import AsyncClient, Client, DigestError, ObservatoryError, ServiceAwayError, cli, flows
from llm_observatory.operations import AsyncOperations, Operations

from observatory.env import BASE_DIR
from tests.analytics.api.payloads import request, span

ADDRESS = "http://observatory.test"


class Service(httpx.BaseTransport):
    """The service in this process; a WSGI transport would end the test's transaction with the request."""

    def __init__(self):
        self._client = Django(raise_request_exception=False)

    def handle_request(self, asked):
        asked.read()
        kind = asked.headers.get("Content-Type", "application/octet-stream")
        reply = self._client.generic(
            asked.method, asked.url.raw_path.decode(), asked.content, content_type=kind, headers=dict(asked.headers)
        )
        return httpx.Response(reply.status_code, headers=dict(reply.items()), content=reply.content)


@pytest.fixture
def service(tenant):
    """A client of the service, which answers in this process."""
    with Client(ADDRESS, key=tenant.key, transport=Service()) as client:
        yield client


@pytest.fixture
def stored(api):
    for _ in range(5):
        assert api.post("/v1/traces", request(span()), content_type="application/json").status_code == 200


@pytest.fixture
def waits(monkeypatch):
    """Every wait, in seconds; none takes time."""
    waited = []

    async def wait(seconds):
        waited.append(seconds)

    monkeypatch.setattr("llm_observatory.client.time.sleep", waited.append)
    monkeypatch.setattr("llm_observatory.async_client.asyncio.sleep", wait)
    return waited


def answering(*answers):
    """Return a transport that gives these answers, and the requests that it got."""
    requests, left = [], list(answers)

    def answer(asked):
        requests.append(asked)
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        status, headers, content = given
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))

    return httpx.MockTransport(answer), requests


def json_reply(body, status=200, **headers):
    return status, headers, json.dumps(body).encode()


def both(transport_of, call):
    """Return what `call(client)` gives for both kinds of client, each with a transport of its own."""
    with Client(ADDRESS, key="k", transport=transport_of()) as client:
        one = call(client)

    async def other():
        async with AsyncClient(ADDRESS, key="k", transport=transport_of()) as client:
            return await call(client)

    return one, asyncio.run(other())


def test_the_generated_files_are_those_of_the_document():
    done = subprocess.run(
        [sys.executable, "clients/python/generate.py", "--check"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_both_clients_have_the_same_operations():
    def signatures(operations):
        return {name: inspect.signature(one) for name, one in vars(operations).items() if not name.startswith("_")}

    assert signatures(Operations) == signatures(AsyncOperations)
    assert len(signatures(Operations)) > 40


def test_a_list_is_read_page_by_page(service, stored):
    spans = list(service.each(service.traces_list, limit=2, fields=["span_id", "total_cost_usd"]))

    assert (len(spans), len({one["span_id"] for one in spans})) == (5, 5)
    assert {type(one["total_cost_usd"]) for one in spans} == {Decimal}


def test_a_list_with_offsets_is_read_page_by_page(service):
    for number in range(4):
        service.keys_create(name=f"key {number}", permissions=["traces:read"], projects=["main"])

    assert len(list(service.each(service.keys_list, limit=2))) == 5


def test_times_lists_and_bodies_are_sent_as_the_service_reads_them(service, stored):
    start = datetime.now(UTC) - timedelta(hours=2)
    found = service.traces_search(filter={"field": "model", "operator": "eq", "value": "gpt-4o"}, start_time=start)
    counted = service.metrics_summary(start_time=start, project_id=["main"])

    assert (len(found["data"]), counted["current_period"]["total_requests"]) == (5, 5)


def test_a_time_without_an_offset_is_refused_before_it_is_sent(service):
    with pytest.raises(ValueError, match="no offset"):
        service.metrics_summary(start_time=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_refusal_is_told_in_the_service_s_words(service):
    with pytest.raises(ObservatoryError) as refused:
        service.traces_list(sort_by="rain")

    error = refused.value
    assert (error.status, error.code, error.field) == (400, 1202, "sort_by")
    assert error.request_id.startswith("req_")


def test_what_has_not_changed_is_not_sent_again(service, stored):
    sent = []
    service._http.event_hooks["response"].append(lambda reply: sent.append(reply.status_code))

    first, second = (service.metrics_summary(start_time="2026-01-01", end_time="2026-02-01") for _ in range(2))

    assert (first, sent) == (second, [200, 304])


def test_money_keeps_every_digit_on_its_way_there():
    transport, requests = answering(json_reply({}))
    with Client(ADDRESS, transport=transport) as client:
        client._call("POST", "/x", body={"amount": Decimal("0.123456789012345678"), "name": "a\\u0000b"})

    assert requests[0].content == b'{"amount": 0.123456789012345678, "name": "a\\\\u0000b"}'


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_limited_or_away_is_asked_again_after_the_time_that_is_told(waits, status):
    def transport():
        return answering(json_reply({}, status, **{"Retry-After": "7"}), json_reply({"user": "me"}))[0]

    assert both(transport, lambda client: client.me()) == ({"user": "me"}, {"user": "me"})
    assert waits == [7.0, 7.0]


def test_a_creation_that_is_tried_again_carries_one_key(waits):
    transport, requests = answering(httpx.ReadError("gone"), json_reply({"ticket": "t"}))
    with Client(ADDRESS, transport=transport) as client:
        client.events_ticket()

    first, second = (one.headers["Idempotency-Key"] for one in requests)
    assert (first == second, len(first)) == (True, 36)


def test_a_service_that_stays_away_is_told_after_four_tries(waits):
    transport, requests = answering(httpx.ConnectError("refused"))

    with Client(ADDRESS, transport=transport) as client, pytest.raises(ServiceAwayError):
        client.me()

    assert (len(requests), len(waits)) == (4, 3)


def test_a_refusal_is_not_tried_again(waits):
    transport, requests = answering(json_reply({"error": {"code": 1100, "message": "no"}}, 403))

    with Client(ADDRESS, transport=transport) as client, pytest.raises(ObservatoryError, match=r"no \[1100\]"):
        client.me()

    assert (len(requests), waits) == (1, [])


def digest(content):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __iter__(self):
        yield b"half "
        raise httpx.ReadError("gone")

    async def __aiter__(self):
        yield b"half "
        raise httpx.ReadError("gone")


def test_a_download_that_breaks_goes_on_where_it_broke(tmp_path, waits):
    whole = b"half and half"
    requests = []

    def transport():
        def answer(asked):
            requests.append(asked)
            headers = {"ETag": '"e"', "Repr-Digest": digest(whole)}
            if "Range" in asked.headers:
                return httpx.Response(206, headers=headers, stream=httpx.ByteStream(whole[5:]))
            return httpx.Response(200, headers=headers, stream=Broken())

        return httpx.MockTransport(answer)

    paths = both(transport, lambda client: client.download("1", tmp_path / f"{type(client).__name__}.csv"))

    assert [path.read_bytes() for path in paths] == [whole, whole]
    assert [requests[n].headers.get("Range") for n in range(4)] == [None, "bytes=5-", None, "bytes=5-"]
    assert requests[1].headers["If-Range"] == '"e"'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["AsyncClient.csv", "Client.csv"]


def test_a_file_store_that_is_away_is_asked_again(tmp_path, waits):
    refused = json_reply({"error": {"code": 1702, "message": "away"}}, 503, **{"Retry-After": "3"})

    def transport():
        return answering(refused, (200, {"Repr-Digest": digest(b"file")}, b"file"))[0]

    paths = both(transport, lambda client: client.download("1", tmp_path / type(client).__name__))

    assert ([path.read_bytes() for path in paths], waits) == ([b"file"] * 2, [3.0, 3.0])


def test_a_download_that_is_given_up_leaves_nothing_behind(tmp_path, waits):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Broken()))

    with Client(ADDRESS, transport=transport) as client, pytest.raises(ServiceAwayError):
        client.download("1", tmp_path / "file.csv")

    assert ([*tmp_path.iterdir()], len(waits)) == ([], 3)


def test_a_time_that_nobody_would_wait_is_told_instead(waits):
    transport, requests = answering(
        json_reply({"error": {"code": 1500, "message": "full"}}, 429, **{"Retry-After": "inf"})
    )

    with Client(ADDRESS, transport=transport) as client, pytest.raises(ObservatoryError):
        client.me()

    assert (len(requests), waits) == (1, [])


def test_a_file_with_another_digest_is_not_kept(tmp_path):
    transport, _ = answering((200, {"Repr-Digest": digest(b"other")}, b"this"))

    with Client(ADDRESS, transport=transport) as client, pytest.raises(DigestError):
        client.download("1", tmp_path / "file.csv")

    assert list(tmp_path.iterdir()) == []


def test_an_export_that_fails_says_why(tmp_path):
    transport, _ = answering(
        json_reply({"job_id": "1"}, 202), json_reply({"status": "failed", "error_message": "disk full"})
    )

    with Client(ADDRESS, transport=transport) as client, pytest.raises(ObservatoryError, match="disk full"):
        client.export(tmp_path / "file.csv", format="csv")


def test_a_stream_that_breaks_is_resumed_after_its_last_event(waits):
    events = b'id: 1-0\nevent: trace_created\ndata: {"cost_usd": 0.1}\n\n: beat\n\nid: 2-0\ndata: {}\n\n'
    transport, requests = answering(json_reply({"sse_url": f"{ADDRESS}/stream"}), (200, {}, events))

    with Client(ADDRESS, transport=transport) as client:
        stream = client.events("trace_created", model="gpt-4o")
        told = [next(stream) for _ in range(3)]

    assert [(one.id, one.type) for one in told] == [
        ("1-0", "trace_created"),
        ("2-0", "message"),
        ("1-0", "trace_created"),
    ]
    assert told[0].data == {"cost_usd": Decimal("0.1")}
    assert dict(requests[1].url.params) == {"events": "trace_created", "model": "gpt-4o"}
    assert [one.headers.get("Last-Event-ID") for one in requests[1:]] == [None, "2-0"]


@pytest.mark.parametrize("cut", [b"id: 2-0\n", b"id: 2-0\nevent: x\ndata: {"], ids=["after the id", "inside the data"])
def test_an_event_that_breaks_off_is_told_again(waits, cut):
    whole = b"id: 1-0\ndata: {}\n\n"
    parts = [(200, {}, whole + cut), (200, {}, b"id: 2-0\ndata: {}\n\n")]
    transport, requests = answering(json_reply({"sse_url": f"{ADDRESS}/stream"}), *parts)

    with Client(ADDRESS, transport=transport) as client:
        stream = client.events("trace_created")
        told = [next(stream).id for _ in range(2)]

    assert (told, requests[2].headers["Last-Event-ID"]) == (["1-0", "2-0"], "1-0")


def test_a_stream_that_is_refused_says_so():
    transport, _ = answering(json_reply({}), json_reply({"error": {"code": 1100, "message": "no"}}, 403))

    with Client(ADDRESS, transport=transport) as client, pytest.raises(ObservatoryError):
        next(client.events("trace_created"))


def test_data_of_several_lines_are_one_event():
    reader = flows.EventReader()
    lines = ["data: {", 'data: "a": 1}', ""]

    assert [event.data for line in lines for event in reader.feed(line)] == [{"a": 1}]


@pytest.fixture
def command(tenant, monkeypatch, capsys):
    """Return a function that runs `observatory` and tells its exit status, output and errors."""
    monkeypatch.setattr(cli, "Client", lambda _url, *, key: Client(ADDRESS, key=key or tenant.key, transport=Service()))

    def run(*arguments):
        capsys.readouterr()
        status = cli.main(arguments)
        told = capsys.readouterr()
        return (
            status,
            told.out,
            "".join(line for line in told.err.splitlines(keepends=True) if not line.startswith("{")),
        )

    return run


def test_a_search_is_a_table_or_lines_of_json(command, stored):
    status, table, _ = command("search", "model:gpt-4o", "--limit", "3")
    head, *rows = table.splitlines()

    assert (status, head.split()[:3], len(rows)) == (0, ["ts", "trace_id", "model"], 3)
    before, behind = (command(*words)[1].splitlines() for words in (("--json", "search"), ("search", "--json")))
    assert [json.loads(line)["model"] for line in before] == ["gpt-4o"] * 5
    assert behind == before


def test_nothing_found_is_said(command):
    assert command("search") == (0, "", "Nothing found.\n")


def test_costs_are_told_by_model(command, stored):
    status, table, _ = command("cost", "--by", "model", "--since", "7d")

    assert (status, "gpt-4o" in table) == (0, True)


def test_what_spans_hold_reaches_no_terminal_as_a_command(command, api):
    api.post("/v1/traces", request(span(model="\x1b[31mred")), content_type="application/json")

    assert "\x1b" not in command("search")[1]


def test_what_an_event_holds_reaches_no_terminal_as_a_command(command, monkeypatch):
    event = flows.Event(id="1", type="trace_created", data={"model": "\x1b[31mred", "duration_ms": 5})
    monkeypatch.setattr(Client, "events", lambda *_, **__: iter([event]))

    assert command("tail")[1] == "-  trace_created   [31mred  -  5  -  -\n"


def test_the_spans_of_a_trace_stand_below_their_parents(command, api):
    parent = span()
    child = span(traceId=parent["traceId"], parentSpanId=parent["spanId"])
    api.post("/v1/traces", request(parent, child), content_type="application/json")

    _, *rows = command("trace", parent["traceId"])[1].splitlines()
    assert [row.startswith("  ") for row in rows] == [False, True]


def test_a_refused_command_fails_with_the_cure(command):
    status, out, err = command("search", "sort:", "--sort", "rain")

    assert (status, out, err.startswith("observatory: ")) == (1, "", True)


@pytest.mark.parametrize("name", ["search", "trace", "cost", "tail", "export", "me"])
def test_every_command_explains_itself(capsys, name):
    with pytest.raises(SystemExit) as end:
        cli.main([name, "--help"])

    assert (end.value.code, "usage: observatory" in capsys.readouterr().out) == (0, True)
