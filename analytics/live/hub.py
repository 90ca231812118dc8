"""Events from the logs of organisations to those who listen: one reader, many streams."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from functools import partial

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections

from analytics.live import metrics
from analytics.live.connections import EXPIRED, GOING_AWAY, OVERLOAD, Connection
from analytics.live.feeds import Feed
from analytics.live.filters import EventFilter
from analytics.live.happenings import Happening
from analytics.live.listeners import Credential, Listener
from analytics.live.log import AWAY, MOST_AT_ONCE, START, EventLog
from analytics.live.places import KEEP_SECONDS, RENEW_SECONDS, place_key
from analytics.live.subscriptions import Subscription
from analytics.live.thresholds import Watch, values_of
from analytics.registry.events import EVENT_TYPES
from errors.catalog import INSUFFICIENT_PERMISSIONS
from errors.exceptions import ApiError
from errors.json import dumps

log = structlog.get_logger(__name__)
# Events of a pause go out together, one piece to each stream, and it is pieces that cost. The busier the process, the
# longer: it rests so many times as long as telling took, and ingest has the rest. Up to the first of the longest pauses
# no listener minds; only where that leaves too much to do it rests up to the other, but not where it is behind.
_SHORTEST_PAUSE_SECONDS = 0.01
_RESTS = ((12, 0.12), (6, 0.35))  # times, the longest in seconds
RETRY_SECONDS = 1.0
STALLED_BEATS = 2
_CANCEL_SECONDS = 0.5
THRESHOLD = "metric_threshold"
_UNKNOWN = object()


class Hub:
    """Reads the logs that somebody listens to, and tells.

    `identity` is the key in Redis whose value changes with every change of who may do what: nothing that was read
    after such a change is told before every credential was looked up again. `lookups` runs what asks the database.
    """

    def __init__(self, *, identity: str, lookups: Executor) -> None:
        self._identity = identity
        self._lookups = lookups
        self._log = EventLog()
        self._feeds: dict[int, Feed] = {}
        self._wanted = asyncio.Event()
        self._generation: object = _UNKNOWN
        self._tasks: list[asyncio.Task[None]] = []
        self._joining = asyncio.Lock()
        self.connections: set[Connection] = set()
        self.confirmations = 0
        self.emptied = asyncio.Event()
        self.emptied.set()

    async def start(self) -> None:
        for work in (self._read_for_ever, self._beat_for_ever, self._keep_places_for_ever, self._judge_for_ever):
            self._tasks.append(asyncio.create_task(work()))

    async def stop(self) -> None:
        """Close every stream with 1001 and read no further."""
        for connection in list(self.connections):
            connection.end(GOING_AWAY)
        left = set(self._tasks)
        while left:
            for task in left:
                task.cancel()
            # The client of Redis loses a cancellation that comes together with a reply: it is said again.
            _, left = await asyncio.wait(left, timeout=_CANCEL_SECONDS)

    async def close(self) -> None:
        await self._log.close()

    async def join(self, connection: Connection, *, confirmations: int) -> None:
        """Take a stream in, whose credential was verified after so many `confirmations` of all.

        Raises what the log raises while Redis is away, and 401 when the credential has become none meanwhile.
        """
        listener = connection.listener
        async with self._joining:
            if not self._feeds:
                self._generation = _UNKNOWN  # nobody has watched it
            if (feed := self._feeds.get(listener.organisation_id)) is None:
                position = await self._log.last(listener.organisation_id)
                feed = self._feeds[listener.organisation_id] = Feed(listener.organisation, position)
        feed.connections.add(connection)
        self._show_projects(feed, listener)
        self.connections.add(connection)
        self.emptied.clear()
        metrics.CONNECTIONS.labels(connection.frames.transport).inc()
        self._set_timer(connection)
        self._wanted.set()
        if confirmations != self.confirmations:
            await self._confirm([connection])

    async def leave(self, connection: Connection) -> None:
        """Let a stream go, with its subscriptions and its place."""
        listener = connection.listener
        connection.end(GOING_AWAY)
        for one in list(connection.subscriptions.values()):
            self.unsubscribe(one)
        if connection.timer is not None:
            connection.timer.cancel()
        if connection in self.connections:
            self.connections.discard(connection)
            if not self.connections:
                self.emptied.set()
            metrics.CONNECTIONS.labels(connection.frames.transport).dec()
            feed = self._feeds[listener.organisation_id]
            feed.connections.discard(connection)
            if not feed.connections:
                del self._feeds[listener.organisation_id]
        try:
            await self._log.free(place_key(listener.rate_key), connection.place)
        except AWAY:
            log.warning("stream_place_not_freed")  # it ends by itself

    def subscribe(
        self, connection: Connection, events: Sequence[str], wanted: EventFilter, *, resumes: bool
    ) -> Subscription | None:
        """Add a subscription to those of `events` that the listener may hear of; say 1100 of each of the others.

        One that `resumes` is told nothing before it is replayed to.
        """
        allowed = []
        for name in events:
            permission = EVENT_TYPES[name].permission
            if permission in connection.listener.permissions:
                allowed.append(name)
            else:
                connection.refuse(missing(permission))
        if not allowed:
            return None
        feed = self._feed(connection)
        held = deque[Happening]() if resumes else None
        one = Subscription(connection, frozenset(allowed), wanted, since=feed.position, held=held)
        connection.subscriptions[one.id] = one
        feed.subscriptions.add(one)
        return one

    def unsubscribe(self, one: Subscription) -> None:
        self._feed(one.connection).subscriptions.remove(one)
        del one.connection.subscriptions[one.id]

    def narrow(self, one: Subscription, events: frozenset[str]) -> None:
        """Leave of a subscription only `events`; without any it ends."""
        feed = self._feed(one.connection)
        feed.subscriptions.remove(one)
        one.events = events
        if events:
            feed.subscriptions.add(one)
        else:
            del one.connection.subscriptions[one.id]

    async def replay(self, one: Subscription, after: str) -> None:
        """Tell what the subscription missed since the event `after`, in order, and `gap` first where some is gone."""
        connection, feed = one.connection, self._feed(one.connection)
        organisation = connection.listener.organisation_id
        if not await self._log.holds_all_since(organisation, after):
            connection.say("gap", last_event_id=after)
        async for entry, fields in self._log.between(organisation, after, one.since):
            if connection.is_filling():
                await connection.room()
            if one.id not in connection.subscriptions:
                return
            event = feed.event(entry, fields)
            if event.type in one.events and one.filter.passes(event):
                connection.offer(event)
        held, one.held = one.held or (), None
        for event in held:
            connection.offer(event)

    def _feed(self, connection: Connection) -> Feed:
        return self._feeds[connection.listener.organisation_id]

    @staticmethod
    def _show_projects(feed: Feed, listener: Listener) -> frozenset[int]:
        """Note the names of a listener's projects; return their numbers."""
        found = {number: one.public_id for number, one in listener.scope().projects.items()}
        feed.show(found)
        return frozenset(found)

    async def _read_for_ever(self) -> None:
        away = False
        worked = time.process_time()
        while True:
            while not self._feeds:
                self._wanted.clear()
                await self._wanted.wait()
            try:
                is_behind = await self._read(after_outage=away)
                away = False
            except (*AWAY, DatabaseError) as problem:  # the database: credentials are looked up again
                if not away:
                    log.warning("event_log_away", error=type(problem).__name__)
                away = True
                await asyncio.sleep(RETRY_SECONDS)
                continue
            before, worked = worked, time.process_time()
            await asyncio.sleep(_SHORTEST_PAUSE_SECONDS if is_behind else pause(worked - before))

    async def _read(self, *, after_outage: bool) -> bool:
        """Tell what has happened since the last time; return whether there may be more of it already."""
        if after_outage:
            await self._look_for_losses()
        positions = {organisation: feed.position for organisation, feed in self._feeds.items()}
        if not positions:
            return False  # the last listener left meanwhile
        found, generation = await self._log.read(positions, self._identity)
        # While Redis was away, changes of identities could not be told.
        if generation != self._generation or after_outage:
            if not after_outage:
                await self._look_for_losses()  # a Redis that came back empty before anybody noticed has another one
            await self._confirm_all()
            self._generation = generation
        is_behind = False
        for organisation, entries in found.items():
            feed = self._feeds.get(organisation)
            if feed is None or feed.position != positions[organisation]:
                continue
            # A log that was cut since the last read still holds as many as it keeps.
            full = len(entries) >= min(MOST_AT_ONCE, settings.STREAM_REPLAY_EVENTS)
            is_behind = is_behind or full
            if full and not await self._log.holds_all_since(organisation, feed.position.decode()):
                feed.tell_gap()
            most = max(1, settings.STREAM_QUEUE_EVENTS // 2)
            for begin in range(0, len(entries), most):
                feed.dispatch(entries[begin : begin + most])
                await asyncio.sleep(0)  # who keeps up takes these before the next push them out
        return is_behind

    async def _look_for_losses(self) -> None:
        """Tell the listeners of each log that came back without the events that were read last."""
        for organisation, feed in list(self._feeds.items()):
            last = await self._log.last(organisation)
            if feed.position != START and _order(last) < _order(feed.position):
                feed.tell_gap()
                feed.position = last

    async def _confirm_all(self) -> None:
        """Look every credential up again: end the streams of those that are gone, narrow those of others."""
        self.confirmations += 1
        await self._confirm(list(self.connections))

    async def _confirm(self, connections: Sequence[Connection]) -> None:
        by_credential = defaultdict[Credential, list[Connection]](list)
        for connection in connections:
            by_credential[connection.credential].append(connection)
        loop = asyncio.get_running_loop()
        looked_up = await asyncio.gather(
            *(loop.run_in_executor(self._lookups, _look_up, credential) for credential in by_credential)
        )
        for shown_by, found in zip(by_credential.values(), looked_up, strict=True):
            for connection in shown_by:
                if isinstance(found, ApiError):
                    connection.end(EXPIRED, found)
                elif connection in self.connections:
                    self._renew(connection, *found)

    def _renew(self, connection: Connection, listener: Listener, whole: bool) -> None:
        """Give a stream the listener as it is now: fewer permissions, other projects, another end."""
        feed = self._feed(connection)
        connection.listener, connection.whole = listener, whole
        self._set_timer(connection)
        try:
            reach = self._show_projects(feed, listener)
        except ApiError as nothing_left:
            connection.end(EXPIRED, nothing_left)
            return
        for one in list(connection.subscriptions.values()):
            feed.subscriptions.remove(one)  # it is found by its filter
            one.filter = one.filter.within(reach, whole=whole)
            feed.subscriptions.add(one)
            allowed = frozenset(name for name in one.events if EVENT_TYPES[name].permission in listener.permissions)
            for name in sorted(one.events - allowed):
                connection.refuse(missing(EVENT_TYPES[name].permission))
            if allowed != one.events:
                self.narrow(one, allowed)

    @staticmethod
    def _set_timer(connection: Connection) -> None:
        if connection.timer is not None:
            connection.timer.cancel()
            connection.timer = None
        if (ends := connection.listener.expires_at) is not None:
            connection.timer = asyncio.get_running_loop().call_later(max(0, ends - time.time()), connection.expire)

    async def _beat_for_ever(self) -> None:
        """Give signs of life, end what has expired, and what has not taken a frame for two of them."""
        beat = settings.STREAM_HEARTBEAT_SECONDS
        while True:
            await asyncio.sleep(beat)
            now = time.monotonic()
            for connection in list(self.connections):
                if connection.busy_since is not None and now - connection.busy_since > STALLED_BEATS * beat:
                    connection.end(OVERLOAD)
                    connection.abandon()
                else:
                    connection.beat()

    async def _keep_places_for_ever(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            places = defaultdict[str, list[str]](list)
            for connection in self.connections:
                places[place_key(connection.listener.rate_key)].append(connection.place)
            if places:
                try:
                    await self._log.keep(places, seconds=KEEP_SECONDS)
                except AWAY:
                    continue  # the reader tells of it

    async def _judge_for_ever(self) -> None:
        """Judge the thresholds of subscriptions, one after the other: they never keep the database busy."""
        while True:
            await asyncio.sleep(settings.THRESHOLD_EVALUATION_SECONDS)
            for connection in list(self.connections):
                for one in list(connection.subscriptions.values()):
                    if one.watch is not None and THRESHOLD in one.events:
                        await self._judge(one, one.watch)

    async def _judge(self, one: Subscription, watch: Watch) -> None:
        if not one.filter.projects:  # those that were named are out of reach now
            return
        now = datetime.now(UTC)
        work = partial(values_of, watch.thresholds, listener=one.connection.listener, within=one.filter, now=now)
        try:
            values = await asyncio.get_running_loop().run_in_executor(self._lookups, work)
        except (DatabaseError, ApiError) as problem:
            log.warning("thresholds_not_judged", error=type(problem).__name__)
            return
        if one.connection not in self.connections:
            return
        feed = self._feed(one.connection)
        for risen in watch.rises(values):
            data = {
                "metric_name": risen.metric,
                "threshold_value": risen.value,
                "current_value": values[risen],
                "org_id": str(feed.organisation),
                **{name: one.filter.equal.get(name) for name in ("provider", "model", "environment")},
                "timestamp": now,
            }
            # It is in no log; a client that resumes after it misses nothing.
            event = Happening(feed.position.decode(), THRESHOLD, frozenset(), dumps(data), {}, at=now)
            one.connection.offer(event)


def pause(worked: float) -> float:
    """Return for how many seconds nothing is read after so many of processor time."""
    return max(_SHORTEST_PAUSE_SECONDS, *(min(times * worked, longest) for times, longest in _RESTS))


def missing(permission: str) -> ApiError:
    """Return the error of a permission that is not held."""
    resource, _, action = permission.partition(":")
    return ApiError(INSUFFICIENT_PERMISSIONS, details=permission, action=f"{action} {resource}")


def _look_up(credential: Credential) -> tuple[Listener, bool] | ApiError:
    """Return whose credential it is, and whether that is who reaches the whole organisation."""
    close_old_connections()
    try:
        listener = credential.listener()
    except ApiError as gone:
        return gone
    return listener, listener.reaches_organisation


def _order(position: bytes) -> tuple[int, int]:
    milliseconds, _, number = position.partition(b"-")
    return int(milliseconds), int(number)
