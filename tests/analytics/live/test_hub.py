"""From the log to the streams: who is told, what is replayed, what becomes of credentials that changed."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress

import orjson
import pytest
from django.db import InterfaceError, OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from analytics.live.connections import EXPIRED
from analytics.live.filters import EventFilter
from analytics.live.hub import Hub, pause
from analytics.live.places import place_key, take_place
from errors.catalog import REVOKED_TOKEN
from errors.exceptions import ApiError
from tests.analytics.live.listening import Somebody, connected, said

EVENTS = ("trace_created",)
EVERYTHING = EventFilter(projects=frozenset({1, 2}))


@asynccontextmanager
async def started():
    with ThreadPoolExecutor(1) as lookups:
        hub = Hub(identity="identity", lookups=lookups)
        await hub.start()
        try:
            yield hub
        finally:
            await hub.stop()
            await hub.close()


def write(client, *numbers, project="1", kind="trace_created", organisation=7, **facts):
    for number in numbers:
        entry = {"type": kind, "project": project, "data": orjson.dumps({"n": number} | facts)}
        client.xadd(f"llmo:events:{organisation}", entry, id=f"{number}-0")


async def hears(connection, count):
    """Return the next `count` things that are said."""
    found = []
    async with asyncio.timeout(10):
        while len(found) < count and (more := await said(connection)):
            found += more
    return found


def test_events_reach_those_who_subscribed_and_no_others(client):
    async def listen():
        async with started() as hub:
            one, other, elsewhere = connected(), connected(), connected(Somebody(organisation_id=8))
            for connection in (one, other, elsewhere):
                await hub.join(connection, confirmations=hub.confirmations)
                hub.subscribe(connection, EVENTS, EVERYTHING, resumes=False)
            hub.unsubscribe(next(iter(other.subscriptions.values())))
            write(client, 1, project="3")
            write(client, 2, kind="system_alert", project="")
            write(client, 3)
            heard = await hears(one, 1)
            silent = [not connection._waiting for connection in (other, elsewhere)]
            return heard, silent

    assert asyncio.run(listen()) == ([("event", "3-0")], [True, True])


def test_a_subscription_that_resumes_gets_what_it_missed_before_what_happens_now(client):
    write(client, 1, 2, 3)

    async def listen():
        async with started() as hub:
            connection = connected()
            await hub.join(connection, confirmations=hub.confirmations)
            one = hub.subscribe(connection, EVENTS, EVERYTHING, resumes=True)
            other = connected()  # hears of the new one first: it was read while the replay waits
            await hub.join(other, confirmations=hub.confirmations)
            hub.subscribe(other, EVENTS, EVERYTHING, resumes=False)
            write(client, 4)
            await hears(other, 1)
            await hub.replay(one, "1-0")
            write(client, 5)
            return await hears(connection, 4)

    assert asyncio.run(listen()) == [("event", f"{number}-0") for number in (2, 3, 4, 5)]


def test_a_replay_of_what_is_gone_in_part_begins_with_a_gap(client):
    write(client, 1, 2, 3, 4)
    client.xtrim("llmo:events:7", maxlen=2, approximate=False)

    async def listen():
        async with started() as hub:
            connection = connected()
            await hub.join(connection, confirmations=hub.confirmations)
            await hub.replay(hub.subscribe(connection, EVENTS, EVERYTHING, resumes=True), "1-0")
            return await hears(connection, 3)

    assert asyncio.run(listen()) == [("gap", None), ("event", "3-0"), ("event", "4-0")]


def test_a_replay_longer_than_the_room_waits_for_its_listener_and_drops_nothing(client, settings):
    settings.STREAM_QUEUE_EVENTS = 4
    write(client, *range(1, 31))

    async def listen():
        async with started() as hub:
            connection = connected()
            await hub.join(connection, confirmations=hub.confirmations)
            one = hub.subscribe(connection, EVENTS, EVERYTHING, resumes=True)
            replay = asyncio.ensure_future(hub.replay(one, "0-1"))
            heard = await hears(connection, 31)
            await replay
            return heard

    heard = asyncio.run(listen())
    assert [kind for kind, _ in heard if kind != "event"] == ["gap"]
    assert [place for kind, place in heard if kind == "event"] == [f"{number}-0" for number in range(1, 31)]


@pytest.mark.parametrize(
    ("now", "heard", "ended"),
    [
        (ApiError(REVOKED_TOKEN), [("error", 1004)], EXPIRED),
        (Somebody(permissions=frozenset({"costs:read"})), [("error", 1100)], None),
        (Somebody(projects=()), [("error", 1101)], EXPIRED),
    ],
)
def test_nothing_that_follows_a_change_of_identities_is_told_before_the_credential_was_looked_up(
    client, now, heard, ended
):
    async def listen():
        async with started() as hub:
            connection = connected()
            await hub.join(connection, confirmations=hub.confirmations)
            hub.subscribe(connection, EVENTS, EVERYTHING, resumes=False)
            write(client, 1)
            first = await hears(connection, 1)
            connection.credential.told.append(now)
            client.set("identity", "another")
            write(client, 2)
            return first, await hears(connection, 1), connection.ended

    assert asyncio.run(listen()) == ([("event", "1-0")], heard, ended)


def test_projects_that_are_taken_away_are_not_heard_of_any_more(client):
    async def listen():
        async with started() as hub:
            connection = connected()
            await hub.join(connection, confirmations=hub.confirmations)
            hub.subscribe(connection, EVENTS, EVERYTHING, resumes=False)
            connection.credential.told.append(Somebody(projects=(2,)))
            client.set("identity", "another")
            write(client, 1, project="1")
            write(client, 2, project="2")
            return await hears(connection, 1)

    assert asyncio.run(listen()) == [("event", "2-0")]


def test_a_stream_that_leaves_gives_its_place_back_and_nothing_of_it_is_kept(client, settings):
    settings.STREAM_MAX_CONNECTIONS = 1

    async def come_and_go():
        async with started() as hub:
            connection = connected(place="mine")
            await asyncio.to_thread(take_place, "key:test", "mine")
            await hub.join(connection, confirmations=hub.confirmations)
            hub.subscribe(connection, EVENTS, EVERYTHING, resumes=False)
            held = client.zcard(place_key("key:test"))
            await hub.leave(connection)
            with suppress(KeyError):
                await hub.leave(connection)
            return held, client.zcard(place_key("key:test")), len(hub.connections), len(hub._feeds)

    assert asyncio.run(come_and_go()) == (1, 0, 0, 0)


def test_a_hub_without_listeners_does_not_take_redis_for_lost(client, capsys):
    async def come_and_go():
        async with started() as hub:
            for _ in range(5):
                connection = connected()
                await hub.join(connection, confirmations=hub.confirmations)
                await hub.leave(connection)
                await asyncio.sleep(0)

    asyncio.run(come_and_go())
    assert "event_log_away" not in capsys.readouterr().out


def test_a_redis_that_came_back_empty_is_noticed_by_another_generation(client):
    client.set("identity", "first")

    async def listen():
        async with started() as hub:
            connection = connected()
            await hub.join(connection, confirmations=hub.confirmations)
            hub.subscribe(connection, EVENTS, EVERYTHING, resumes=False)
            write(client, 5)
            first = await hears(connection, 1)
            client.flushdb()
            then = await hears(connection, 1)
            write(client, 7)
            return first, then, await hears(connection, 1)

    assert asyncio.run(listen()) == ([("event", "5-0")], [("gap", None)], [("event", "7-0")])


@pytest.mark.parametrize("problem", [OperationalError, InterfaceError])
def test_a_database_that_is_away_while_credentials_are_looked_up_ends_nothing(client, problem):
    class Away:
        def listener(self):
            raise problem("the connection is closed")

    async def listen():
        async with started() as hub:
            one = connected()
            await hub.join(one, confirmations=hub.confirmations)
            hub.subscribe(one, EVENTS, EVERYTHING, resumes=False)
            there, one.credential = one.credential, Away()
            client.set("identity", "another")
            write(client, 1)
            await asyncio.sleep(0.3)
            one.credential = there
            return await hears(one, 1)

    assert len(asyncio.run(listen())) == 1


def test_an_event_of_a_type_that_is_not_known_here_is_passed_over(client):
    async def listen():
        async with started() as hub:
            one = connected()
            await hub.join(one, confirmations=hub.confirmations)
            hub.subscribe(one, EVENTS, EVERYTHING, resumes=False)
            write(client, 1, kind="from_a_newer_release")
            write(client, 2)
            return await hears(one, 1)

    assert len(asyncio.run(listen())) == 1


@pytest.mark.parametrize("away", [True, False])
def test_a_log_that_was_cut_before_it_was_read_is_told(client, settings, away):
    settings.STREAM_REPLAY_EVENTS = 2

    async def listen():
        async with started() as hub:
            one = connected()
            await hub.join(one, confirmations=hub.confirmations)
            hub.subscribe(one, EVENTS, EVERYTHING, resumes=False)
            write(client, 1)
            first = await hears(one, 1)
            read = hub._log.read
            if away:
                hub._log.read = unreachable
                await asyncio.sleep(0.1)
            write(client, *range(2, 10))  # before the reader's next turn
            client.xtrim("llmo:events:7", maxlen=2, approximate=False)
            hub._log.read = read
            return first, await hears(one, 3)

    async def unreachable(*_):
        raise RedisConnectionError

    first, told = asyncio.run(listen())
    assert (len(first), [kind for kind, _ in told]) == (1, ["gap", "event", "event"])


def test_a_busy_process_rests_the_longer_the_more_there_was_to_tell_and_far_longer_only_where_it_must():
    seconds = [pause(worked) for worked in (0, 0.005, 0.01, 0.02, 0.03, 1)]

    assert seconds == pytest.approx([0.01, 0.06, 0.12, 0.12, 0.18, 0.35])
