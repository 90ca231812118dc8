"""The events of one organisation, as its log tells them."""

from uuid import UUID

import orjson

from analytics.live.feeds import Feed
from tests.analytics.live.listening import ORGANISATION


def told(feed, project):
    fields = {b"type": b"trace_created", b"project": project, b"data": b'{"trace_id":"1"}'}
    return orjson.loads(feed.event(b"1-0", fields).data)


def test_a_project_is_named_once_somebody_reaches_it():
    feed = Feed(ORGANISATION, b"0-0")
    feed.show({1: UUID(int=1)})
    before = told(feed, b"2")
    feed.show({2: UUID(int=2)})

    assert (before, told(feed, b"2")) == (
        {"org_id": str(ORGANISATION), "trace_id": "1"},
        {"org_id": str(ORGANISATION), "project_id": str(UUID(int=2)), "trace_id": "1"},
    )


def test_events_of_many_projects_are_each_told_with_their_own():
    feed = Feed(ORGANISATION, b"0-0")
    feed.show({number: UUID(int=number) for number in range(1, 1502)})
    heard = [told(feed, str(number).encode())["project_id"] for number in (*range(1, 1502), 1)]

    assert heard == [str(UUID(int=number)) for number in (*range(1, 1502), 1)]
