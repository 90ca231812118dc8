"""Users and sessions, a page at a time."""

from datetime import UTC, datetime
from random import Random

import pytest

from analytics.queries.reports import recency
from tests.analytics.api.payloads import NS, now_ns, span

USERS, SESSIONS = "/api/v1/users", "/api/v1/sessions"
HOUR = 3600 * NS


def error(reply):
    body = reply.json()["error"]
    return reply.status_code, body["code"], body.get("field")


def pages(api, path, query):
    """Return the items of all pages."""
    found, cursor = [], None
    while True:
        reply = api.get(f"{path}?{query}{f'&cursor={cursor}' if cursor else ''}").json()
        found += reply["data"]
        cursor = reply["pagination"].get("cursor")
        if not reply["pagination"]["has_more"]:
            return found


def at(ns):
    return datetime.fromtimestamp(ns // NS, tz=UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def base():
    return (now_ns() // HOUR - 3) * HOUR


@pytest.fixture
def calls(send, base):
    """Jane in two sessions, joe in one, and one call of nobody."""

    def call(minute, user=None, session=None, **more):
        attributes = {"user.id": user, "session.id": session, "input.value": "hello"}
        given = {name: value for name, value in attributes.items() if value}
        return span(start_ns=base + minute * 60 * NS, attributes=given, **more)

    send(
        call(0, "jane", "s1"),
        call(1, "jane", "s1", status={"code": 2}),
        call(2, "jane", "s2"),
        call(3, "joe", "s3"),
        call(4),
    )


def test_users_are_listed_by_who_was_seen_last(api, calls, base):
    body = api.get(USERS).json()
    links = [one.pop("traces_url") for one in body["data"]]
    assert [link.endswith(f"&user_id={name}") for link, name in zip(links, ("joe", "jane"), strict=True)] == [
        True,
        True,
    ]
    assert body["data"] == [
        {
            "user_id": "joe",
            "first_ts": at(base + 180 * NS),
            "last_ts": at(base + 180 * NS),
            "session_count": 1,
            "request_count": 1,
            "error_count": 0,
            "error_rate": 0,
            "total_tokens": 1500,
            "total_cost_usd": 0.0075,
            "unpriced_requests": 0,
        },
        {
            "user_id": "jane",
            "first_ts": at(base),
            "last_ts": at(base + 120 * NS),
            "session_count": 2,
            "request_count": 3,
            "error_count": 1,
            "error_rate": 0.333333,
            "total_tokens": 4500,
            "total_cost_usd": 0.0225,
            "unpriced_requests": 0,
        },
    ]
    assert body["pagination"] == {"has_more": False, "limit": 50}


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("sort_by=first_ts&sort_order=asc", ["s1", "s2", "s3"]),
        ("sort_by=last_ts", ["s3", "s2", "s1"]),
        ("sort_by=total_cost_usd", ["s1", "s2", "s3"]),
        ("sort_by=request_count&sort_order=asc", ["s2", "s3", "s1"]),
    ],
)
def test_pages_follow_each_other_without_gap_or_repetition(api, calls, query, order):
    assert [one["session_id"] for one in pages(api, SESSIONS, f"{query}&limit=1")] == order


@pytest.mark.parametrize("strides", [(2, 3, 4), (5, 20, 40), (1, 1, 1)])
def test_pages_of_the_last_seen_are_the_same_however_far_spans_are_walked_at_once(
    api, send, base, monkeypatch, strides
):
    chance = Random(7)
    sent = [(f"s{chance.randrange(12)}", chance.randrange(40)) for _ in range(60)]
    send(
        *(
            span(start_ns=base + minute * 60 * NS, attributes={"session.id": session, "user.id": f"u{session}"})
            for session, minute in sent
        )
    )
    last = {session: max(minute for one, minute in sent if one == session) for session, _ in sent}
    monkeypatch.setattr(recency, "STRIDES", strides)
    found = pages(api, SESSIONS, "limit=3")
    assert [one["session_id"] for one in found] == sorted(last, key=lambda session: (-last[session], session))
    assert [one["request_count"] for one in found] == [
        len([1 for session, _ in sent if session == one["session_id"]]) for one in found
    ]


@pytest.mark.parametrize(
    ("asked", "expected"), [(f"{USERS}?x", 2), (f"{SESSIONS}?x", 3), (f"{SESSIONS}?user_id=jane", 2)]
)
def test_every_page_tells_the_total_and_links_to_the_next(api, calls, asked, expected):
    url, found = f"{asked.removesuffix('x')}&limit=1&include=total".replace("?&", "?"), []
    while url:
        reply = api.get(url)
        found += reply.json()["data"]
        assert reply.json()["pagination"]["total"] == expected
        assert ("Link" in reply) == reply.json()["pagination"]["has_more"]
        url = reply["Link"][1:].split(">")[0].removeprefix("http://testserver") if "Link" in reply else None
    assert len(found) == expected


def test_a_list_of_nobody_has_the_total_nought(api, calls):
    assert api.get(f"{USERS}?model=none&include=total").json()["pagination"]["total"] == 0


def test_a_cursor_belongs_to_its_query(api, calls):
    cursor = api.get(f"{SESSIONS}?limit=1").json()["pagination"]["cursor"]
    assert error(api.get(f"{SESSIONS}?limit=1&sort_by=first_ts&cursor={cursor}")) == (400, 1207, "cursor")
    assert error(api.get(f"{SESSIONS}?cursor=nonsense")) == (400, 1207, "cursor")
    assert error(api.get(f"{USERS}?cursor={cursor}")) == (400, 1207, "cursor")


def test_a_session_has_its_traces(api, calls, base):
    data = api.get(f"{SESSIONS}/s1").json()["data"]
    traces = data.pop("traces")
    assert (data["user_id"], data["trace_count"], data["request_count"], data["traces_truncated"]) == (
        "jane",
        2,
        2,
        False,
    )
    assert [one["ts"] for one in traces] == [at(base), at(base + 60 * NS)]
    assert traces[0]["input_text"] == "hello"


def test_the_traces_of_a_session_can_be_narrowed(api, calls, base):
    data = api.get(f"{SESSIONS}/s1?fields=request_count,traces.ts,traces.model").json()["data"]
    assert data == {
        "request_count": 2,
        "traces": [{"ts": at(base), "model": "gpt-4o"}, {"ts": at(base + 60 * NS), "model": "gpt-4o"}],
    }
    assert error(api.get(f"{SESSIONS}/s1?fields=traces.colour")) == (400, 1202, "fields")


def test_only_selected_members_are_sent(api, calls):
    assert api.get(f"{USERS}?fields=user_id,request_count&sort_by=request_count").json()["data"] == [
        {"user_id": "jane", "request_count": 3},
        {"user_id": "joe", "request_count": 1},
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{SESSIONS}/nothing", (404, 1306, None)),
        (f"{SESSIONS}/s1%00", (404, 1306, None)),
        (f"{SESSIONS}?include=traces", (400, 1202, "include")),
        (f"{SESSIONS}?sort_by=error_rate", (400, 1202, "sort_by")),
        (f"{USERS}?limit=0", (400, 1200, "limit")),
        (f"{USERS}?offset=3", (400, 1200, "offset")),
        (f"{USERS}?fields=name", (400, 1202, "fields")),
        (f"{USERS}?start_time=now-91d", (400, 1204, "start_time")),
    ],
)
def test_what_is_wrong_is_named(api, calls, path, expected):
    assert error(api.get(path)) == expected
