"""GET /api/v1/anomalies: what is shown, to whom, narrowed how, under which validators."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from analytics.models import Anomaly, ModelPrice
from tests.analytics.anomalies.conftest import HOUR, LAST, calls

URL = "/api/v1/anomalies"


@pytest.fixture
def add(tenant):
    """Return a function that keeps an anomaly of the tenant."""

    def make(owner=tenant, **given):
        usual = {
            "organisation_id": owner.organisation.id,
            "project_id": owner.projects[0].id,
            "metric": "latency_p95",
            "provider": "openai",
            "model": "gpt-4o",
            "direction": "up",
            "severity": "warning",
            "status": "closed",
            "started_at": LAST,
            "last_hour": LAST + HOUR,
            "ended_at": LAST + HOUR * 2,
            "score": Decimal("9.25"),
            "expected": Decimal(3000),
            "observed": Decimal(12000),
            "explanation": [
                {
                    "dimension": "environment",
                    "value": "production",
                    "expected": "812.5",
                    "observed": "4100",
                    "share_pct": "92.5",
                    "usual_share_pct": "90",
                }
            ],
            "created_at": LAST + HOUR,
            "updated_at": LAST + HOUR * 3,
        }
        return Anomaly.objects.create(**usual | given)

    return make


def items(api, query=""):
    reply = api.get(f"{URL}?start_time=now-20d{query}")
    assert reply.status_code == 200, reply.content
    return reply.json()["items"]


def test_an_anomaly_is_shown_whole(api, add, tenant):
    known = add()
    body = api.get(f"{URL}?start_time={LAST:%Y-%m-%d}&end_time={LAST + timedelta(days=1):%Y-%m-%d}").json()

    assert body == {
        "items": [
            {
                "id": str(known.id),
                "project_id": str(tenant.projects[0].public_id),
                "metric": "latency_p95",
                "provider": "openai",
                "model": "gpt-4o",
                "started_at": f"{LAST:%Y-%m-%dT%H:%M:%SZ}",
                "ended_at": f"{LAST + HOUR * 2:%Y-%m-%dT%H:%M:%SZ}",
                "severity": "warning",
                "expected": 3000,
                "observed": 12000,
                "score": 9.25,
                "direction": "up",
                "explanation": [
                    {
                        "dimension": "environment",
                        "value": "production",
                        "expected": 812.5,
                        "observed": 4100,
                        "share_pct": 92.5,
                        "usual_share_pct": 90,
                    }
                ],
                "status": "closed",
            }
        ],
        "metadata": {
            "start_time": f"{LAST:%Y-%m-%dT00:00:00Z}",
            "end_time": f"{LAST + timedelta(days=1):%Y-%m-%dT00:00:00Z}",
            "as_of": f"{LAST + HOUR * 3:%Y-%m-%dT%H:%M:%SZ}",
            "data_source": "rollup",
            "has_more": False,
        },
    }


def test_the_newest_come_first_up_to_the_limit(api, add):
    for hours in (3, 1, 2):
        add(started_at=LAST - HOUR * hours, model=f"m{hours}")
    body = api.get(f"{URL}?start_time=now-20d&limit=2").json()

    assert ([one["model"] for one in body["items"]], body["metadata"]["has_more"]) == (["m1", "m2"], True)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("&metric=cost", 1),
        ("&severity=critical", 1),
        ("&status=open", 1),
        ("&model=other", 1),
        ("&provider=openai", 2),
        ("&metric=cost&severity=warning", 0),
    ],
)
def test_they_are_narrowed_by_what_they_are(api, add, query, count):
    add()
    add(metric="cost", severity="critical", status="open", ended_at=None, model="other", expected=Decimal("0.5"))

    assert len(items(api, query)) == count


def test_one_that_reaches_into_the_range_is_shown_and_one_that_ended_before_is_not(api, add):
    add(started_at=LAST - HOUR * 5, ended_at=LAST - HOUR * 2, model="before")
    add(started_at=LAST - HOUR * 5, ended_at=LAST, model="reaching")
    add(started_at=LAST - HOUR * 500, ended_at=None, status="open", model="open")
    start = f"{LAST - HOUR * 2:%Y-%m-%dT%H:%M:%SZ}"

    assert [one["model"] for one in api.get(f"{URL}?start_time={start}").json()["items"]] == ["reaching", "open"]


def test_only_members_that_are_asked_for_are_sent(api, add):
    add()

    assert items(api, "&fields=items.metric,items.score") == [{"metric": "latency_p95", "score": 9.25}]


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("metric=price", 1202, "metric"),
        ("severity=bad", 1202, "severity"),
        ("status=ended", 1202, "status"),
        ("limit=201", 1200, "limit"),
        ("fields=items.nothing", 1202, "fields"),
        ("environment=production", 1202, "environment"),
        ("start_time=now-91d", 1204, "start_time"),
    ],
)
def test_what_is_not_allowed_is_refused(api, query, code, field):
    reply = api.get(f"{URL}?{query}")

    assert (reply.status_code, reply.json()["error"]["code"], reply.json()["error"]["field"]) == (400, code, field)


def test_nobody_sees_those_of_another_organisation(api, add, make_tenant):
    other = make_tenant("umbrella")
    add(owner=other, model="secret")
    theirs = Client(headers=other.headers).get(f"{URL}?start_time=now-20d").json()["items"]

    assert (items(api), [one["model"] for one in theirs]) == ([], ["secret"])


def test_without_the_permission_there_is_nothing_to_see(make_tenant):
    tenant = make_tenant("bills", permissions=["costs:read"])

    assert Client(headers=tenant.headers).get(URL).status_code == 403


def test_the_tag_changes_with_what_is_written_though_newer_ones_were_committed_before(api, add):
    known = add()
    bounds = f"{URL}?start_time={LAST:%Y-%m-%d}&end_time={LAST + timedelta(days=1):%Y-%m-%d}"
    fresh = {"Cache-Control": "no-cache"}
    tags = [api.get(bounds, headers=fresh)["ETag"]]
    add(metric="cost")  # of the same moment
    tags.append(api.get(bounds, headers=fresh)["ETag"])
    add(metric="requests", updated_at=known.updated_at + HOUR)
    tags.append(api.get(bounds, headers=fresh)["ETag"])
    Anomaly.objects.filter(id=known.id).update(status="closed", updated_at=known.updated_at + HOUR / 2)
    tags.append(api.get(bounds, headers=fresh)["ETag"])

    assert len({*tags}) == 4


def test_the_tag_changes_when_an_anomaly_does(api, add):
    known = add()
    bounds = f"{URL}?start_time={LAST:%Y-%m-%d}&end_time={LAST + timedelta(days=1):%Y-%m-%d}"
    tag = api.get(bounds)["ETag"]
    same = api.get(bounds, headers={"If-None-Match": tag})
    Anomaly.objects.filter(id=known.id).update(score=20, updated_at=LAST + HOUR * 4)
    other = api.get(bounds, headers={"If-None-Match": tag, "Cache-Control": "no-cache"})

    assert (same.status_code, same["Cache-Control"], other.status_code) == (304, "private, max-age=60", 200)


def test_the_tag_stays_when_spans_and_prices_are_written(api, add, send):
    add()
    bounds = f"{URL}?start_time={LAST:%Y-%m-%d}&end_time={LAST + timedelta(days=1):%Y-%m-%d}"
    fresh = {"Cache-Control": "no-cache"}
    before = api.get(bounds, headers=fresh)["ETag"]
    send(*calls(LAST))
    ModelPrice.objects.create(
        organisation_id=0, provider="openai", model_pattern="gpt-4o", valid_from=LAST, input=1, output=1, source="test"
    )

    assert api.get(bounds, headers=fresh)["ETag"] == before
