"""Prometheus series of the streams. What is dropped is counted beside what is told: `analytics.events.DROPPED`."""

from functools import cache

from prometheus_client import Counter, Gauge

CONNECTIONS = Gauge("stream_connections", "Open streams.", ["transport"], multiprocess_mode="livesum")
EVENTS = Counter("stream_events_total", "Events sent to listeners.", ["event_type"])


@cache
def sent(event_type: str) -> Counter:
    """Return the counter of one type, which is asked for with everything that is written."""
    return EVENTS.labels(event_type)
