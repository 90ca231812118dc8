import itertools
import json

import pytest
from prometheus_client import REGISTRY

from analytics.queries import positions
from analytics.storage import positions as stored
from errors.exceptions import ApiError
from tests.analytics.api.payloads import request, span

KEY = "a key of the service"
READS = ["/api/v1/traces", "/api/v1/metrics/performance", "/api/v1/ingest/rejected"]


def position_of(api, path="/v1/traces", body=None):
    reply = api.post(path, body if body is not None else request(span()), content_type="application/json")
    assert reply.status_code == 200
    return reply["X-Ingest-Position"]


def timeouts():
    return REGISTRY.get_sample_value("read_after_timeouts_total") or 0


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/metrics", "/v1/logs"])
def test_a_success_bears_a_position_of_at_most_64_characters(api, path):
    assert 0 < len(position_of(api, path, {})) <= 64


def test_positions_never_go_back(api, settings):
    told = [positions.decode(position_of(api), key=settings.SECRET_KEY, field="") for _ in range(3)]

    assert told == sorted(told)


@pytest.mark.parametrize("path", READS)
def test_a_read_after_a_position_is_answered_and_not_kept_by_caches(api, path):
    reply = api.get(path, headers={"X-Read-After": position_of(api)})

    assert (reply.status_code, reply["Cache-Control"]) == (200, "private, no-cache")


@pytest.mark.parametrize("given", ["", "x", "0" * 22, "A" * 65, "käse", "16/B374D848"])
def test_what_is_no_position_is_refused(api, given):
    reply = api.get(READS[0], headers={"X-Read-After": given})
    error = reply.json()["error"]

    assert (reply.status_code, error["code"], error["field"]) == (400, 1214, "X-Read-After")


def test_a_position_ahead_of_everything_written_is_refused(api, settings):
    ahead = positions.encode(2**62, key=settings.SECRET_KEY)
    reply = api.get(READS[0], headers={"X-Read-After": ahead})

    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 1214)


def test_a_position_of_another_deployment_is_refused(api):
    reply = api.get(READS[0], headers={"X-Read-After": positions.encode(1, key="another")})

    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 1214)


def test_a_position_that_reads_do_not_reach_in_time_is_told_to_come_again(api, monkeypatch, settings):
    settings.READ_AFTER_MAX_WAIT_MS = 1
    position, before = position_of(api), timeouts()
    monkeypatch.setattr(stored, "_readable", lambda: 0)
    reply = api.get(READS[0], headers={"X-Read-After": position})

    assert (reply.status_code, reply.json()["error"]["code"], reply["Retry-After"], timeouts() - before) == (
        503,
        1604,
        "1",
        1,
    )


def test_a_read_waits_until_its_position_is_reached(db, monkeypatch):
    replayed, pauses = itertools.chain([0, 0], itertools.repeat(5)), []
    monkeypatch.setattr(stored, "_readable", lambda: next(replayed))

    assert (stored.wait_for(5, seconds=60, pause=pauses.append), len(pauses)) == (stored.Wait.REACHED, 2)


def test_a_caller_without_permission_does_not_wait(make_tenant, client):
    other = make_tenant(permissions=["ingest:write"])
    reply = client.get(READS[0], headers=other.headers | {"X-Read-After": "nonsense"})

    assert reply.json()["error"]["code"] == 1100


def test_a_preflight_names_no_position_wrongly(client, db):
    assert client.options(READS[0], headers={"X-Read-After": "nonsense"}).status_code == 200


@pytest.mark.parametrize("position", [0, 1, 2**40, 2**63 - 1])
def test_a_position_comes_back_as_it_went(position):
    assert positions.decode(positions.encode(position, key=KEY), key=KEY, field="") == position


def test_a_changed_position_is_none():
    text = positions.encode(2**40, key=KEY)
    changed = ("B" if text[0] == "A" else "A") + text[1:]
    with pytest.raises(ApiError):
        positions.decode(changed, key=KEY, field="X-Read-After")


def test_a_refused_export_bears_no_position(api):
    reply = api.generic("POST", "/v1/traces", json.dumps([]), "application/json")

    assert (reply.status_code, "X-Ingest-Position" in reply) == (400, False)
