"""What was answered 200 is kept, once, whoever is killed; while a store is away the service says so and goes on after."""

import json
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import Up
from tests.e2e.sending import NO_ANSWER, SPANS_A_TRACE, request_of, sending
from tests.e2e.stores import kill_store, own_stores
from tests.e2e.tenants import LONGEST_ANSWER_SECONDS, Service, eventually, healthy, with_tenant

pytestmark = pytest.mark.e2e

SEED = 20261123
KILLS = ("web process", "web process", "parent of the web processes", "web process") * 2
SENDERS = 4


def children_of(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children")
    return [int(number) for number in found.read_text().split()] if found.exists() else []


# --- web processes ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def survived(start_up):
    """The service after its web processes were killed again and again during ingest, and what the senders know."""
    service = with_tenant(start_up().wait_until_ready())
    chance = random.Random(SEED)
    with sending(service.up.base_url, service.key, senders=SENDERS) as sent:
        for victim in KILLS:
            time.sleep(chance.uniform(0.5, 2.0))
            kill(victim, service.up, chance)
            assert eventually(lambda: healthy(service.up)), service.up.said
        time.sleep(0.5)
    service.wait_until_ready()
    yield service, sent
    service.up.stop()


def kill(victim: str, up: Up, chance: random.Random) -> None:
    parent = up.pid("web")
    workers = children_of(parent)
    os.kill(chance.choice(workers) if victim == "web process" else parent, signal.SIGKILL)
    if victim != "web process":
        assert eventually(lambda: up.pid("web") not in {0, parent})


def test_requests_were_cut_off_by_the_kills(survived):
    _, sent = survived

    assert sent.statuses[NO_ANSWER] > 0


def test_nothing_but_success_was_answered_while_web_processes_died(survived):
    _, sent = survived

    assert set(sent.statuses) == {NO_ANSWER, 200}


@pytest.mark.parametrize("table", ["llm_traces", "llm_contents"])
def test_every_acknowledged_span_is_stored_once(survived, table):
    service, sent = survived

    assert service.stored(table) == sorted(sent.acknowledged)


def test_the_trace_list_shows_every_acknowledged_span_once(survived):
    service, sent = survived
    listed, cursor = [], None
    with service.client as client:
        while True:
            parameters = {"limit": "1000", "fields": "trace_id,span_id"} | ({"cursor": cursor} if cursor else {})
            page = client.get("/api/v1/traces", params=parameters).raise_for_status().json()
            listed += [(span["trace_id"], span["span_id"]) for span in page["data"]]
            cursor = page["pagination"].get("cursor")
            if cursor is None:
                break

    assert sorted(listed) == sorted(sent.acknowledged)


def test_figures_count_every_call_of_the_acknowledged_traces_once(survived):
    service, sent = survived
    with service.client as client:
        figures = client.get("/api/v1/metrics/performance").raise_for_status().json()

    calls = len(sent.acknowledged) // SPANS_A_TRACE * (SPANS_A_TRACE - 1)  # a root's usage is that of its calls
    assert figures["request_count"] == calls


# --- stores -----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def stores(start_up, tmp_path_factory):
    with own_stores(start_up, tmp_path_factory.mktemp("stores") / "home") as made:
        yield made


def otlp(client: httpx.Client, number: int) -> httpx.Response:
    body, _ = request_of(99, number, start_ns=time.time_ns())
    return client.post("/v1/traces", content=body, headers={"Content-Type": "application/json"})


SIGN_IN = {"grant_type": "password", "username": "nobody", "password": "nothing"}
READS = ("/api/v1/traces", f"/api/v1/traces/{'ab' * 16}", "/api/v1/metrics/performance")


@pytest.fixture(scope="module")
def without_postgres(stores):
    """Answers while PostgreSQL is away, by route; and what senders met from before it went until after it came."""
    service = stores.service
    with sending(service.up.base_url, service.key, senders=SENDERS) as sent, service.client as client:
        time.sleep(1.0)
        before = set(sent.acknowledged)
        kill_store(stores.postgres)
        answers = {path: client.get(path) for path in (*READS, "/health", "/health/ready", "/health/live", "/metrics")}
        answers["/auth/token"] = client.post("/auth/token", data=SIGN_IN)
        answers["/v1/traces"] = otlp(client, 0)
        answers["protobuf"] = client.post("/v1/traces", headers={"Content-Type": "application/x-protobuf"}, content=b"")
        time.sleep(2.0)
        stores.postgres.start()
        service.wait_until_ready()
        time.sleep(1.0)
    return answers, sent, before


@pytest.mark.parametrize("path", [*READS, "/auth/token"])
def test_routes_say_that_the_database_is_away(without_postgres, path):
    answers, *_ = without_postgres
    reply = answers[path]

    assert (reply.status_code, reply.json()["error"]["code"], reply.headers.get("Retry-After")) == (503, 1601, "5")


def test_an_exporter_is_told_to_come_again_in_json(without_postgres):
    answers, *_ = without_postgres
    reply = answers["/v1/traces"]

    assert (reply.status_code, reply.json()["code"], reply.headers.get("Retry-After")) == (503, 14, "5")


def test_an_exporter_is_told_to_come_again_in_protobuf(without_postgres):
    answers, *_ = without_postgres
    reply = answers["protobuf"]

    # google.rpc.Status: field 1 is the code, field 2 the message.
    assert (reply.status_code, reply.content[:3], reply.headers["Content-Type"]) == (
        503,
        b"\x08\x0e\x12",
        "application/x-protobuf",
    )


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 503), ("/health/ready", 503), ("/health/live", 200), ("/metrics", 200)]
)
def test_health_tells_a_living_process_from_a_ready_service(without_postgres, path, status):
    answers, *_ = without_postgres

    assert answers[path].status_code == status


def test_health_names_the_store_that_is_away(without_postgres):
    answers, *_ = without_postgres
    body = answers["/health"].json()

    assert (body["status"], body["database"], body["redis"]) == ("degraded", "unhealthy", "healthy")


def test_senders_met_success_and_a_database_that_is_away_and_nothing_else(without_postgres):
    _, sent, _ = without_postgres
    refused = {(status, json.loads(body)["message"][:6], wait) for status, body, wait in sent.refusals}

    assert (set(sent.statuses), refused) == ({200, 503}, {(503, "[1601]", "5")})


def test_no_request_waited_long_for_a_database_that_is_away(without_postgres):
    answers, sent, _ = without_postgres
    slowest = max(sent.slowest_seconds, *(reply.elapsed.total_seconds() for reply in answers.values()))

    assert slowest < LONGEST_ANSWER_SECONDS


def test_spans_are_taken_again_once_the_database_is_back(without_postgres):
    _, sent, before = without_postgres

    assert len(sent.acknowledged) > len(before)


def test_spans_acknowledged_before_during_and_after_are_stored_once(without_postgres, stores):
    _, sent, _ = without_postgres

    assert stores.service.stored("llm_traces") == sorted(sent.acknowledged)


@pytest.fixture(scope="module")
def without_valkey(stores, without_postgres):
    """Answers before, while and after Valkey is away."""
    stores.service.wait_until_ready()
    with stores.service.client as client:
        before = client.get(READS[0])
        kill_store(stores.valkey)
        away = {path: client.get(path) for path in (*READS, "/health", "/health/ready")} | {"otlp": otlp(client, 1)}
        stores.valkey.start()
        is_back = eventually(lambda: "X-RateLimit-Degraded" not in client.get(READS[0]).headers, seconds=10)
        return before, away, is_back, client.get("/health")


def test_the_limiter_is_not_degraded_while_valkey_is_there(without_valkey):
    before, *_ = without_valkey

    assert (before.status_code, before.headers.get("X-RateLimit-Degraded")) == (200, None)


@pytest.mark.parametrize(("path", "status"), [(READS[0], 200), (READS[1], 404), (READS[2], 200), ("otlp", 200)])
def test_requests_go_on_without_valkey_and_say_that_limits_are_degraded(without_valkey, path, status):
    _, away, *_ = without_valkey

    assert (away[path].status_code, away[path].headers.get("X-RateLimit-Degraded")) == (status, "true")


def test_health_is_degraded_while_valkey_is_away(without_valkey):
    _, away, *_ = without_valkey
    body = away["/health"].json()

    assert (body["status"], body["database"], body["redis"]) == ("degraded", "healthy", "unhealthy")


def test_the_service_is_ready_without_valkey(without_valkey):
    _, away, *_ = without_valkey

    assert away["/health/ready"].status_code == 200


def test_limits_are_shared_again_once_valkey_is_back(without_valkey):
    *_, is_back, health = without_valkey

    assert (is_back, health.status_code) == (True, 200)


def test_the_supervisor_is_undisturbed_by_stores_that_are_not_its_own(stores, without_valkey):
    assert stores.service.up.process.poll() is None, stores.service.up.said


# --- Valkey, killed while it is in use --------------------------------------------------------------------------------
READERS, ANSWERS_BETWEEN = 4, 40


@pytest.fixture(scope="module")
def read_through(stores, without_valkey):
    """Every answer that readers of one question met while Valkey was killed and started again, twice.

    And what a token is answered with afterwards that was used before and revoked while Valkey was away.
    """
    service = stores.service
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    question = {"start_time": today.isoformat(), "end_time": (today + timedelta(days=2)).isoformat()}
    answers: list[httpx.Response] = []
    stop = threading.Event()

    def read() -> None:
        with service.client as client:
            while not stop.is_set():
                answers.append(client.get(READS[2], params=question))

    def further() -> None:
        seen = len(answers)
        assert eventually(lambda: len(answers) >= seen + ANSWERS_BETWEEN)

    with service.client as client, ThreadPoolExecutor(READERS) as readers:
        key_id = client.get("/api/v1/me").json()["id"]
        bought = client.post("/auth/token", json={"client_id": key_id, "client_secret": service.key}).json()
        token = bought["access_token"]
        before = [as_a_new_client(service, token) for _ in range(8)]
        running = [readers.submit(read) for _ in range(READERS)]
        try:
            for _ in range(2):
                further()
                kill_store(stores.valkey)
                further()
                client.post("/auth/revoke", json={"token": token})
                stores.valkey.start()
                further()
        finally:
            stop.set()
        for reader in running:
            reader.result()
    assert eventually(lambda: "X-RateLimit-Degraded" not in as_a_new_client(service, service.key).headers, seconds=10)
    return answers, before, [as_a_new_client(service, token) for _ in range(8)]


def as_a_new_client(service: Service, credential: str) -> httpx.Response:
    """Ask on a connection of its own: any of the processes may take it."""
    headers = {"Authorization": f"Bearer {credential}"}
    return httpx.get(f"{service.up.base_url}{READS[2]}", headers=headers, timeout=10)


def figures(reply: httpx.Response) -> str:
    """Return what was answered but for where it was read from, which changes as an hour ends."""
    told = reply.json()
    return json.dumps(told | {"metadata": told["metadata"] | {"as_of": None, "data_source": None}})


def test_valkey_killed_under_load_changes_no_answer(read_through):
    answers, *_ = read_through

    assert {one.status_code for one in answers} == {200}
    assert len({figures(one) for one in answers}) == 1
    assert {one.headers.get("X-RateLimit-Degraded") for one in answers} == {None, "true"}


def test_a_token_that_was_revoked_while_valkey_was_away_is_dead_on_every_process(read_through):
    _, before, after = read_through

    assert [one.status_code for one in before] == [200] * 8
    assert [(one.status_code, one.json()["error"]["code"]) for one in after] == [(401, 1004)] * 8
