"""From spans to anomalies that are kept, explained and told once."""

import orjson
import pytest
from django_redis import get_redis_connection

from analytics.anomalies.service import anomalies_forget
from analytics.models import Anomaly, AnomalyProgress, Channel, Delivery
from observatory.jobs import anomalies
from tests.analytics.anomalies.conftest import DAY, HOUR, LAST, calls

FIRST = ("metric", "model", "direction", "status", "started_at", "ended_at")


def kept():
    return list(Anomaly.objects.order_by("metric").values_list(*FIRST))


@pytest.fixture
def slow(send, usual_weeks):
    """An hour in which calls take ten times as long, most of them from one environment."""
    send(*calls(LAST, seconds=2.5))


@pytest.fixture
def told(tenant):
    """Return a function that gives the events of anomalies."""

    def events():
        entries = get_redis_connection("default").xrange(f"llmo:events:{tenant.organisation.pk}")
        return [orjson.loads(fields[b"data"]) for _, fields in entries if fields[b"type"] == b"anomaly"]

    return events


@pytest.fixture
def channel(tenant):
    return Channel.objects.create(
        organisation_id=tenant.organisation.id,
        organisation_uuid=tenant.organisation.public_id,
        name="ops",
        type="webhook",
        target=b"",
        created_at=LAST,
        updated_at=LAST,
    )


def test_usual_hours_are_no_anomaly(send, usual_weeks, judge):
    send(*calls(LAST))

    assert (judge(), kept()) == (0, [])


def test_a_slow_hour_is_one_anomaly_and_is_closed_after_a_quiet_one(send, slow, judge):
    assert (judge(), kept()) == (1, [("latency_p95", "gpt-4o", "up", "open", LAST, None)])

    send(*calls(LAST + HOUR))
    assert judge(LAST + HOUR * 2) == 1
    assert kept() == [("latency_p95", "gpt-4o", "up", "closed", LAST, LAST + HOUR)]


def test_an_anomaly_that_goes_on_or_comes_back_at_once_stays_one(send, slow, judge):
    judge()
    send(*calls(LAST + HOUR * 2, seconds=2.5), *calls(LAST + HOUR, seconds=0.25))

    assert (judge(LAST + HOUR * 2), judge(LAST + HOUR * 3)) == (1, 0)
    assert kept() == [("latency_p95", "gpt-4o", "up", "open", LAST, None)]


def test_an_hour_is_judged_once_and_not_before_a_later_one_has_a_span(slow, judge):
    assert (judge(LAST), judge(), judge()) == (0, 1, 0)
    assert AnomalyProgress.objects.get().judged_until == LAST + HOUR


def test_what_changed_is_explained_by_the_values_with_the_largest_shares(send, usual_weeks, judge):
    send(*calls(LAST, count=5))
    send(*calls(LAST, count=10, seconds=5), **{"service.name": "batch", "deployment.environment.name": "staging"})
    judge()
    parts = {(one["dimension"], one["value"]): one for one in Anomaly.objects.get().explanation}

    assert list(parts)[:2] == [("environment", "staging"), ("service_name", "batch")]
    batch = parts["service_name", "batch"]
    assert (batch["expected"], batch["usual_share_pct"], float(batch["share_pct"]) > 90) == ("0", "0", True)


def test_listeners_hear_of_its_beginning_and_its_end(slow, judge, told, tenant, send):
    judge()
    send(*calls(LAST + HOUR))
    judge(LAST + HOUR * 2)
    begun, ended = told()

    known = Anomaly.objects.get()
    assert begun == {
        "anomaly_id": str(known.id),
        "metric_name": "latency_p95",
        "provider": "openai",
        "model": "gpt-4o",
        "direction": "up",
        "severity": known.severity,
        "expected": int(known.expected),
        "observed": int(known.observed),
        "status": "open",
        "timestamp": f"{LAST:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert (ended["anomaly_id"], ended["status"]) == (begun["anomaly_id"], "closed")


def test_a_channel_gets_one_message_of_an_anomaly(slow, judge, channel, send):
    judge()
    send(*calls(LAST + HOUR, seconds=2.5))
    judge(LAST + HOUR * 2)
    message = Delivery.objects.get()

    known = Anomaly.objects.get()
    assert (message.kind, message.key) == ("anomaly", f"anomaly {known.id}")
    assert message.subject == f"{known.severity}: latency_p95 of gpt-4o of openai is up in main"
    assert message.text.startswith("latency_p95 of gpt-4o of openai in main: 2")
    assert orjson.loads(message.data)["id"] == str(known.id)


def test_what_a_first_look_finds_of_the_days_before_is_no_message(send, usual_weeks, judge, channel):
    send(*calls(LAST - DAY * 2, seconds=2.5, count=40), *calls(LAST))

    assert (judge(), Delivery.objects.count()) == (1, 0)
    assert Anomaly.objects.get().status == "closed"


def test_the_worker_judges_every_project_that_has_spans(slow, send, make_tenant):
    send(*calls(LAST + HOUR, count=1))
    make_tenant("quiet")

    assert (anomalies(), anomalies()) == (1, 0)
    assert [one[:2] for one in kept()] == [("latency_p95", "gpt-4o")]


def test_anomalies_are_forgotten_when_the_rollups_of_their_hours_are(slow, judge, send):
    judge()
    send(*calls(LAST + HOUR))
    judge(LAST + HOUR * 2)

    assert (anomalies_forget(now=LAST + DAY * 210), anomalies_forget(now=LAST + DAY * 211)) == (0, 1)
