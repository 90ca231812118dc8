"""The way from what happens to whoever listens: events are appended to their organisation's stream in Redis.

A stream keeps the last `STREAM_REPLAY_EVENTS` events and lives a week after the last of them; the live process reads
it. Telling is the last thing a request does, takes one round trip, and can be left out: what Redis does not take within
`RATE_LIMIT_TIMEOUT_MS` is counted in `stream_dropped_total` and nobody waits for it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha1
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from prometheus_client import Counter
from redis import Redis
from redis.exceptions import NoScriptError

from analytics.registry.events import EVENT_TYPES
from errors.json import dumps
from ratelimit.backend import AwayError, backend

KEY = "llmo:events:{organisation_id}"
SILENT_MS = 7 * 86_400_000
DROPPED = Counter("stream_dropped_total", "Events that a subscriber or the replay log never got.", ["event_type"])
for _type in EVENT_TYPES:
    DROPPED.labels(_type)  # from zero on: to Prometheus the first sample of a series is no rise
SCRIPT = Path(__file__).with_name("events.lua").read_text(encoding="utf-8")
SCRIPT_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


def publish(*, event_type: str, organisation_id: int, project_ids: Sequence[int], data: Mapping[str, Any]) -> None:
    """Tell the organisation's event stream of one event, after the present transaction commits.

    Whoever reads all the projects with the storage's numbers `project_ids` may hear of it; without any, whoever reaches
    the whole organisation. Never raises for what Redis does and never waits for it longer than the limiter does; an
    event that is not taken is counted. Raises `ValueError` for a type that is not in the registry.
    """
    publish_all(event_type=event_type, organisation_id=organisation_id, project_ids=project_ids, data=[data])


def publish_all(
    *, event_type: str, organisation_id: int, project_ids: Sequence[int], data: Sequence[Mapping[str, Any]]
) -> None:
    """Tell of several events of one type and the same projects, in one round trip; of very many only the last."""
    if event_type not in EVENT_TYPES:
        raise ValueError(f"{event_type!r} is no type of event")
    if data:
        append = partial(_append, event_type, organisation_id, project_ids, data)
        transaction.on_commit(append, robust=True)  # robust: what was committed is not unsaid by a fault of the telling


def _append(
    event_type: str, organisation_id: int, project_ids: Sequence[int], data: Sequence[Mapping[str, Any]]
) -> None:
    # More than a connection can hold would only push one another out there.
    told = data[-settings.STREAM_QUEUE_EVENTS :]
    if missing := len(data) - len(told):
        DROPPED.labels(event_type).inc(missing)
    key = KEY.format(organisation_id=organisation_id)
    projects = ",".join(map(str, project_ids))
    arguments = [settings.STREAM_REPLAY_EVENTS, SILENT_MS, event_type, projects, *map(dumps, told)]
    try:
        backend.ask(lambda client: _run(client, key, arguments))
    except AwayError:
        DROPPED.labels(event_type).inc(len(told))


def _run(client: Redis, key: str, arguments: Sequence[Any]) -> Any:
    try:
        return client.evalsha(SCRIPT_SHA, 1, key, *arguments)
    except NoScriptError:
        return client.eval(SCRIPT, 1, key, *arguments)
