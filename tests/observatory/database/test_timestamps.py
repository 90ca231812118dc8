"""Instants come from the server as Django's own loader reads them."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import DataError, connection

from observatory.database.timestamps import UtcLoader


def read(text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        return cursor.fetchone()[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-29 13:00:00+00", datetime(2026, 11, 29, 13, tzinfo=UTC)),
        ("2026-11-29 13:00:00.1+00", datetime(2026, 11, 29, 13, 0, 0, 100_000, tzinfo=UTC)),
        ("2026-11-29 13:00:00.123456+05:30", datetime(2026, 11, 29, 7, 30, 0, 123_456, tzinfo=UTC)),
        ("0001-01-01 00:00:00+00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31 23:59:59.999999+00", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_an_instant_is_that_of_utc(text, expected):
    assert (read(text), read(text).tzinfo, read(text).utcoffset()) == (expected, UTC, timedelta(0))


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["infinity", "-infinity", "10000-01-01 00:00:00+00", "0044-03-15 00:00:00+00 BC"])
def test_what_python_has_no_instant_for_is_refused(text):
    with pytest.raises(DataError):
        read(text)


@pytest.mark.django_db
def test_connections_read_so():
    with connection.cursor() as cursor:
        oid = psycopg.adapters.types["timestamptz"].oid
        assert cursor.adapters.get_loader(oid, psycopg.pq.Format.TEXT) is UtcLoader
