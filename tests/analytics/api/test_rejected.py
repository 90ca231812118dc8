import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from analytics.ingest import service
from analytics.ingest.normalise import _REJECTIONS
from analytics.jobs import rejected
from analytics.registry.rejections import MALFORMED_REQUEST, REASONS
from analytics.storage.rejected import RejectedSpan, insert_rejected
from analytics.storage.spans import Tenant
from observatory.accounts.models import User
from tests.analytics.api.payloads import request, span

PATH = "/api/v1/ingest/rejected"
JSON = "application/json"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def post(client, body, **headers):
    data = json.dumps(body) if isinstance(body, dict) else body
    return client.generic("POST", "/v1/traces", data, headers=headers, CONTENT_TYPE=JSON)


def listed(client, query=""):
    return client.get(f"{PATH}?{query}").json()


@pytest.fixture
def put(tenant):
    """Return a function that lists entries of `tenant`'s project, received at the given instants."""
    project = tenant.projects[0]
    owner = Tenant(organisation_id=project.organisation_id, project_id=project.id)

    def put_entries(*instants, reason="too_old"):
        insert_rejected(
            owner,
            [
                RejectedSpan(
                    received_at=int(instant.timestamp()) * 10**9, reason=reason, message="m", request_id=str(number)
                )
                for number, instant in enumerate(instants)
            ],
        )

    return put_entries


def test_a_rejected_span_is_listed_with_what_is_known_of_it(api, tenant):
    bad = span() | {"endTimeUnixNano": "1"}
    reply = post(api, request(span(), bad), **{"X-Request-ID": "export-0001"})

    (entry,) = listed(api)["data"]
    assert reply.status_code == 200
    assert entry | {"id": "", "received_at": ""} == {
        "id": "",
        "received_at": "",
        "project_id": str(tenant.projects[0].public_id),
        "trace_id": bad["traceId"],
        "span_id": bad["spanId"],
        "span_name": "chat gpt-4o",
        "service_name": "shop",
        "scope_name": "tests",
        "reason": "end_before_start",
        "message": "The span has no end or ends before it starts: export spans after they ended, with"
        " end_time_unix_nano.",
        "key_prefix": tenant.key.removeprefix("llmo_sk_live_")[:8],
        "request_id": "export-0001",
    }


def test_spans_are_listed_when_all_of_a_request_are_bad(api):
    post(api, request(span() | {"traceId": ""}, span() | {"spanId": "00"}))

    assert sorted((one["reason"], one["trace_id"] is None) for one in listed(api)["data"]) == [
        ("invalid_span_id", False),
        ("invalid_trace_id", True),
    ]


def test_what_cannot_be_stored_lists_nothing_either(api, monkeypatch):
    def fail(*_):
        raise DatabaseError

    monkeypatch.setattr(service, "mark_changed", fail)
    reply = post(api, request(span(), span() | {"traceId": ""}))

    assert (reply.status_code, listed(api)["data"]) == (503, [])


@pytest.mark.parametrize(
    ("body", "headers", "beginning"),
    [
        (b"{", {}, "[1215] The body is not a valid OTLP request"),
        (b"not gzip", {"Content-Encoding": "gzip"}, "[1215] The body is not a valid OTLP request"),
        (b" " * 10_001, {}, "[1209]"),
        (gzip.compress(b" " * 10_001, mtime=0), {"Content-Encoding": "gzip"}, "[1209]"),
    ],
    ids=["no JSON", "no gzip", "too large", "too large unpacked"],
)
def test_a_request_that_is_refused_whole_is_one_entry(api, settings, body, headers, beginning):
    settings.INGEST_MAX_BODY_BYTES = 10_000
    post(api, body, **headers)

    (entry,) = listed(api)["data"]
    assert (entry["reason"], entry["message"][: len(beginning)], entry["trace_id"], entry["span_id"]) == (
        MALFORMED_REQUEST,
        beginning,
        None,
        None,
    )


def test_a_request_whose_project_is_not_decided_is_listed_nowhere(make_tenant):
    client = Client(headers=make_tenant(projects=("one", "two")).headers)

    assert (post(client, b"{").status_code, listed(client)["data"]) == (400, [])


def test_a_sender_that_may_not_send_lists_nothing(make_tenant, api):
    reader = Client(headers=make_tenant("other", permissions=["traces:read"]).headers)

    assert (post(reader, b"{").status_code, listed(reader)["data"]) == (403, [])


def test_entries_of_another_organisation_are_not_seen(api, make_tenant):
    post(api, b"{")

    assert listed(Client(headers=make_tenant("other").headers))["data"] == []


def test_the_list_narrows_to_a_project(make_tenant):
    client = Client(headers=make_tenant(projects=("one", "two")).headers)
    for project in ("one", "two"):
        post(client, b"{", **{"X-Project-ID": project})

    assert [len(listed(client, query)["data"]) for query in ("", "project_id=two")] == [2, 1]


def test_the_list_narrows_to_a_reason(api):
    post(api, request(span() | {"traceId": ""}, span() | {"spanId": ""}))

    assert [one["reason"] for one in listed(api, "reason=invalid_span_id")["data"]] == ["invalid_span_id"]


def test_the_list_narrows_to_a_half_open_range(api, put):
    put(NOON, NOON + timedelta(hours=1))

    page = listed(api, "start_time=2026-03-01T12:00:00Z&end_time=2026-03-01T13:00:00Z")
    assert [one["received_at"] for one in page["data"]] == ["2026-03-01T12:00:00Z"]


def test_pages_come_newest_first_and_hold_every_entry_once(api, put):
    put(*[NOON] * 3, NOON + timedelta(minutes=1), NOON - timedelta(minutes=1))
    window, seen, cursor = "from=2026-03-01&to=2026-03-02&limit=2", [], ""
    while cursor is not None:
        page = listed(api, window + (f"&cursor={cursor}" if cursor else ""))
        seen += [(one["received_at"], one["id"]) for one in page["data"]]
        cursor = page["pagination"].get("cursor")

    assert (seen, len(set(seen))) == (sorted(seen, reverse=True), 5)


def test_the_next_page_is_linked(api, put):
    put(NOON, NOON)
    reply = api.get(f"{PATH}?from=2026-03-01&to=2026-03-02&limit=1")
    following = api.get(reply["Link"].partition(">")[0].removeprefix("<http://testserver"))

    assert (len(following.json()["data"]), following.json()["pagination"]) == (1, {"has_more": False, "limit": 1})


def test_the_total_is_counted_when_asked_for(api, put):
    put(NOON, NOON, NOON)
    page = listed(api, "from=2026-03-01&to=2026-03-02&limit=1&include=total")

    assert page["pagination"]["total"] == 3


def test_a_cursor_of_another_reason_is_refused(api, put):
    put(NOON, NOON)
    cursor = listed(api, "from=2026-03-01&to=2026-03-02&limit=1")["pagination"]["cursor"]
    reply = api.get(f"{PATH}?from=2026-03-01&to=2026-03-02&limit=1&reason=too_old&cursor={cursor}")

    assert (reply.status_code, reply.json()["error"]["code"]) == (400, 1207)


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("reason=bad_luck", 1202, "reason"),
        ("offset=2", 1200, "offset"),
        ("limit=1001", 1200, "limit"),
        ("include=children", 1202, "include"),
        ("start_time=now-91d", 1204, None),
    ],
)
def test_a_wrong_parameter_is_named(api, query, code, field):
    error = api.get(f"{PATH}?{query}").json()["error"]

    assert (error["code"], error.get("field", field) if field else None) == (code, field)


def test_an_unchanged_list_is_not_sent_again(api):
    post(api, b"{")
    tag = api.get(PATH)["ETag"]
    reply = api.get(PATH, headers={"If-None-Match": tag})

    assert (tag[:3], reply.status_code, reply["Cache-Control"]) == ('W/"', 304, "private, no-cache")


def test_of_a_flood_no_more_is_written_than_is_kept(api, settings):
    settings.REJECTED_MAX_PER_PROJECT = 2
    reply = post(api, request(*(span() | {"traceId": ""} for _ in range(5))))

    assert (reply.json()["partialSuccess"]["rejectedSpans"], len(listed(api)["data"])) == ("5", 2)


def test_old_entries_go_after_their_days(api, put, settings):
    now = datetime.now(UTC)
    put(now, now - timedelta(days=settings.REJECTED_KEEP_DAYS, minutes=1))

    assert (rejected(), len(listed(api, "from=now-30d")["data"]), rejected()) == (1, 1, 0)


def test_the_oldest_entries_beyond_the_number_go(api, put, settings):
    settings.REJECTED_MAX_PER_PROJECT = 2
    now = datetime.now(UTC).replace(microsecond=0)
    put(*(now - timedelta(minutes=age) for age in range(4)))

    assert (rejected(), [one["request_id"] for one in listed(api)["data"]]) == (2, ["0", "1"])


def test_the_number_holds_for_each_project(make_tenant, settings):
    settings.REJECTED_MAX_PER_PROJECT = 1
    client = Client(headers=make_tenant(projects=("one", "two")).headers)
    for project in ("one", "two", "two"):
        post(client, b"{", **{"X-Project-ID": project})

    assert (rejected(), len(listed(client)["data"])) == (1, 2)


def test_every_reason_of_ingest_is_in_the_table():
    assert {reason for reason, *_ in _REJECTIONS} | {MALFORMED_REQUEST} == set(REASONS)


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(User.objects.create_superuser("root", password="correct horse battery"))
    return client


def test_staff_see_the_list_and_change_nothing(api, staff, tenant):
    post(api, request(span() | {"endTimeUnixNano": "1"}))
    page = staff.get("/admin/analytics/rejectedspan/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM rejected_spans")
        (entry,) = cursor.fetchone()
    detail = staff.get(f"/admin/analytics/rejectedspan/{entry}/change/").content.decode()

    assert ("acme/main" in page, "end_before_start" in page, "acme/main" in detail) == (True, True, True)
    assert staff.get("/admin/analytics/rejectedspan/add/").status_code == 403
    assert staff.post(f"/admin/analytics/rejectedspan/{entry}/delete/", {"post": "yes"}).status_code == 403
