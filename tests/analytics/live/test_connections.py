"""What waits in a stream, and what a listener that does not take it is told."""

import asyncio

import pytest

from analytics.events import DROPPED
from analytics.live.connections import EXPIRED, GOING_AWAY, MOST_UNREAD, OVERLOAD
from analytics.live.frames import SseFrames
from tests.analytics.live.listening import connected, event, said


@pytest.fixture(autouse=True)
def room_for_three(settings):
    settings.STREAM_QUEUE_EVENTS = 3


def told_after(*happen):
    """Return what a listener is told that took nothing while everything of `happen` was done to its stream."""
    connection = connected()
    for one in happen:
        one(connection)
    return asyncio.run(said(connection))


def offered(*numbers):
    return [lambda to, number=number: to.offer(event(number)) for number in numbers]


def test_what_fits_is_told_in_order():
    assert told_after(*offered(1, 2, 3)) == [("event", "1-0"), ("event", "2-0"), ("event", "3-0")]


def test_of_more_than_fit_the_oldest_go_and_their_number_comes_first():
    assert told_after(*offered(1, 2, 3, 4, 5)) == [
        ("dropped", 2), ("event", "3-0"), ("event", "4-0"), ("event", "5-0"),
    ]  # fmt: skip


def test_what_is_dropped_is_told_once():
    async def twice():
        connection = connected()
        for number in range(1, 6):
            connection.offer(event(number))
        first = await said(connection)
        connection.offer(event(6))
        return len(first), await said(connection)

    assert asyncio.run(twice()) == (4, [("event", "6-0")])


def test_what_the_service_says_is_never_dropped_and_comes_ahead_of_what_pushed_it_out():
    assert told_after(lambda to: to.say("pong"), *offered(1, 2, 3, 4)) == [
        ("pong", None), ("dropped", 1), ("event", "2-0"), ("event", "3-0"), ("event", "4-0"),
    ]  # fmt: skip


def test_an_event_for_two_subscriptions_of_a_stream_is_told_once():
    one = event(1)

    assert told_after(lambda to: to.offer(one), lambda to: to.offer(one)) == [("event", "1-0")]


def test_a_stream_that_ends_says_why_and_tells_nothing_that_waited():
    assert told_after(*offered(1, 2), lambda to: to.expire(), *offered(3)) == [("error", 1002)]


def test_the_first_end_counts_and_nothing_follows_it():
    async def ended():
        connection = connected()
        connection.expire()
        connection.end(GOING_AWAY)
        connection.say("pong")
        return await said(connection), await connection.next(), connection.ended

    assert asyncio.run(ended()) == ([("error", 1002)], [], EXPIRED)


def test_who_waits_for_an_event_is_woken_by_it_and_by_the_end():
    async def woken():
        connection = connected()
        waiting = asyncio.ensure_future(said(connection))
        await asyncio.sleep(0)
        connection.offer(event(1))
        first = await waiting
        waiting = asyncio.ensure_future(said(connection))
        await asyncio.sleep(0)
        connection.end(GOING_AWAY)
        return first, await waiting

    assert asyncio.run(woken()) == ([("event", "1-0")], [])


def test_a_replay_waits_while_half_of_the_room_is_taken():
    async def filled():
        connection = connected()
        before = connection.is_filling()
        connection.offer(event(1))
        connection.offer(event(2))
        after = connection.is_filling()
        waiting = asyncio.ensure_future(connection.room())
        await asyncio.sleep(0)
        waited = not waiting.done()
        await connection.next()
        await waiting
        return before, after, waited

    assert asyncio.run(filled()) == (False, True, True)


def test_a_sign_of_life_is_given_only_where_nothing_waits():
    connection = connected()
    connection.frames = SseFrames()
    connection.beat()
    connection.beat()
    first = asyncio.run(connection.next())
    connection.offer(event(1))
    connection.beat()

    assert first == [": heartbeat\n\n"]
    assert asyncio.run(connection.next()) == [event(1).sse()]


def test_events_that_wait_when_a_stream_ends_are_counted():
    one = connected()
    before = DROPPED.labels("trace_created")._value.get()
    for number in range(5):
        one.offer(event(number))
    one.end(1013)

    assert DROPPED.labels("trace_created")._value.get() - before == 5


def test_who_reads_no_answers_is_closed_and_what_waited_is_not_kept():
    one = connected()
    for number in range(3 * MOST_UNREAD):
        one.say("pong")
        one.offer(event(number))
    waits = len(one._waiting) + len(one._said)

    assert (waits, one.ended, asyncio.run(said(one))[-1]) == (1, OVERLOAD, ("error", 1501))


def test_who_reads_answers_gets_as_many_as_there_are():
    async def read():
        one, found = connected(), 0
        for _ in range(5):
            for _ in range(MOST_UNREAD):
                one.say("pong")
            found += len(await said(one))
        return found, one.ended

    assert asyncio.run(read()) == (5 * MOST_UNREAD, None)
