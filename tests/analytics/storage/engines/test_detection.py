"""The engine is what the server says it is."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from analytics.storage.engines import engine
from analytics.storage.engines.detection import Server, server
from tests import timescale

READY = Server(
    offered="2.29.2",
    installed="2.29.2",
    loaded=True,
    licence="timescale",
    functions=True,
    may_create=True,
    postgres=180_000,
)


def test_the_engine_is_that_of_the_server_of_this_run(db):
    assert engine().name == ("timescaledb" if timescale.wanted() else "plain")


def test_the_server_of_this_run_says_what_it_lacks(db):
    assert (server(connection).lacks is None) is timescale.wanted()


@pytest.mark.parametrize(
    ("given", "lacks"),
    [
        ({}, None),
        ({"installed": "2.22.0-dev"}, None),
        ({"installed": "2.21.4"}, "TimescaleDB 2.21.4 is too old: 2.22 is the oldest that serves."),
        ({"licence": "apache"}, "TimescaleDB 2.29.2 runs under licence apache: it has no columnstore."),
        ({"functions": False}, "TimescaleDB 2.29.2 is installed without its functions in schema public."),
        (
            {"installed": None},
            "TimescaleDB 2.29.2 is here but not installed in this database: CREATE EXTENSION timescaledb.",
        ),
        (
            {"installed": None, "loaded": False},
            "TimescaleDB 2.29.2 is here but not in shared_preload_libraries.",
        ),
        ({"installed": None, "offered": None}, "This server has no TimescaleDB."),
    ],
)
def test_a_server_counts_as_plain_for_a_reason(given, lacks):
    assert replace(READY, **given).lacks == lacks


@pytest.mark.parametrize(
    ("given", "creatable"),
    [
        ({"installed": None}, True),
        ({}, False),
        ({"installed": None, "offered": None}, False),
        ({"installed": None, "loaded": False}, False),
        ({"installed": None, "may_create": False}, False),
    ],
)
def test_the_extension_is_installed_only_where_that_can_work(given, creatable):
    assert replace(READY, **given).creatable is creatable


ROOT = Path(__file__).parents[4]
# What only code that knows an engine would write.
OF_AN_ENGINE = re.compile(
    r"timescaledb_information|_timescaledb_|timescaledb\.|pg_inherits|(show|drop|compress)_chunk|time_bucket"
    r"|PARTITION OF|engine\(\)\.name ==|engine\(\)\.name !="
)


def test_nothing_outside_the_storage_knows_an_engine():
    knowing = {
        str(path.relative_to(ROOT))
        for app in ("analytics", "observatory", "ratelimit", "errors")
        for path in (ROOT / app).rglob("*.py")
        if OF_AN_ENGINE.search(path.read_text())
    }

    assert {path for path in knowing if not path.startswith("analytics/storage/")} == {
        # What they did once stays as it was.
        "analytics/migrations/0011_search.py",
        "analytics/migrations/0031_identifiers.py",
        "analytics/migrations/0033_phrases.py",
    }
