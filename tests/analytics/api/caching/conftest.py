import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.analytics.api.payloads import NS

HOUR = 3600
PERFORMANCE, TRACES = "/api/v1/metrics/performance", "/api/v1/traces"


@pytest.fixture
def closed() -> int:
    """Nanoseconds of a full hour, three hours ago: a range of that hour is closed."""
    return (int(time.time()) // HOUR - 3) * HOUR * NS


def hour_of(start_ns: int, *, hours: int = 1) -> dict[str, str]:
    """Return the bounds of a range that starts at `start_ns`."""
    start = datetime.fromtimestamp(start_ns // NS, tz=UTC)
    return {"start_time": start.isoformat(), "end_time": (start + timedelta(hours=hours)).isoformat()}


@pytest.fixture
def analytic() -> Callable:
    """Return a context manager that gives the statements on spans and rollups that ran inside it."""

    @contextmanager
    def counted() -> Iterator[list[str]]:
        found: list[str] = []
        with CaptureQueriesContext(connection) as queries:
            yield found
        found += [one["sql"] for one in queries.captured_queries if "llm_" in one["sql"]]

    return counted
