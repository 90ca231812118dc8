"""Real transactions beside one another: what is committed here is deleted again."""

import itertools
import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connections

from analytics.registry.rollups import ANSWERING
from analytics.scope import Scope, ScopedProject
from analytics.storage.engines.plain import Plain
from analytics.storage.rows import blank_row, span_text
from analytics.storage.spans import insert_spans
from tests import servers, timescale

# A day of its own: no other test's spans are in its partitions, and they can be dropped.
DAY = date(2001, 3, 2)
NOON = datetime(2001, 3, 2, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 1_000_000_000
ONE_DAY = timedelta(days=1)
_WRITTEN = ("llm_traces", "llm_contents", "trace_index", "bucket_change", "data_version")
_organisations = itertools.count(1_000_000)


def insert_rows(rows: list[dict[str, Any]]) -> None:
    """Store rows of columns by name, each with its marks, as they are."""
    insert_spans([(span_text({**blank_row(), **row}), (row["usage_counted"], row["call_counted"])) for row in rows])


def drop_days(owner: psycopg.Connection, days: list[date]) -> None:
    """Drop the partitions or chunks of `days` where there are any."""
    for relation, day in itertools.product(("llm_traces", "llm_contents"), days):
        if timescale.wanted():
            owner.execute("SELECT drop_chunks(%s, newer_than => %s, older_than => %s)", [relation, day, day + ONE_DAY])
        else:
            owner.execute(f"DROP TABLE IF EXISTS {relation}_{day:%Y%m%d}")


@pytest.fixture
def projects(make_tenant):
    return {
        "acme/main": make_tenant("acme").projects[0],
        "globex/main": make_tenant("globex").projects[0],
    }


@pytest.fixture
def owner() -> Iterator[psycopg.Connection]:
    """A connection of its own as the owner of the tables; every statement commits."""
    url = os.environ["TEST_OWNER_URL"].replace("/observatory?", f"/{servers.DATABASE}?")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any, owner: psycopg.Connection) -> Iterator[Scope]:
    """The scope of a project that nobody else has; whatever is written there commits, and is gone afterwards."""
    organisation = next(_organisations)
    with django_db_blocker.unblock():
        yield Scope(
            projects={organisation: ScopedProject(organisation_id=organisation, public_id=UUID(int=organisation))},
            permissions=frozenset(),
        )
        connections.close_all()
    for table in (*_WRITTEN, *ANSWERING):
        owner.execute(f"DELETE FROM {table} WHERE organisation_id = %s", [organisation])
    # Those of everybody, and what a true worker has queued, would be every later test's.
    owner.execute("DELETE FROM retention_horizons")
    owner.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def drop_day(owner: psycopg.Connection) -> Iterator[Callable[[], None]]:
    """Return a function that drops the partitions of `DAY`, as it is done once more at the end."""

    def drop() -> None:
        drop_days(owner, [DAY])

    drop()
    yield drop
    drop()
    Plain().forget_days()  # the engine is not asked for: a test without a database is not allowed to look for it
