"""What plain PostgreSQL answers where TimescaleDB would be needed."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.utils import timezone

from analytics.jobs import partitions
from analytics.storage.engines import RELATIONS, NotOnThisEngineError, engine
from analytics.storage.partitions import ensure_days
from tests.analytics.storage.conftest import DAY


@pytest.mark.django_db(databases=["default", "owner"])
@pytest.mark.parametrize(
    "command",
    [
        ["compression", "show"],
        ["compression", "set", "--after-days", "3"],
        ["compression", "apply", "--dry-run"],
        ["migrate_engine", "--dry-run"],
        ["migrate_engine"],
    ],
    ids=" ".join,
)
def test_commands_of_the_other_engine_exit_with_3_and_the_reason(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        call_command(*command)

    assert exit_.value.code == 3
    assert capsys.readouterr().err.startswith("This server has no TimescaleDB.")


@pytest.mark.django_db(databases=["default", "owner"])
@pytest.mark.parametrize(
    ("command", "asks"),
    [
        (["compression", "show"], "analytics.management.commands.compression.require_columnstore"),
        (["migrate_engine"], "analytics.management.commands.migrate_engine.has_hypertables"),
    ],
    ids=["compression", "migrate_engine"],
)
def test_what_the_database_refuses_is_one_sentence(command, asks, capsys, monkeypatch):
    def refuse(*_args):
        raise ProgrammingError("permission denied for table llm_traces\nDETAIL:  a row")

    monkeypatch.setattr(asks, refuse)
    with pytest.raises(SystemExit) as exit_:
        call_command(*command)
    told = capsys.readouterr().err
    assert (exit_.value.code, told) == (1, "The database refused: permission denied for table llm_traces\n")


def test_a_day_cannot_be_compressed(db):
    with pytest.raises(NotOnThisEngineError):
        engine().compress_day("llm_traces", DAY)


def test_days_are_told_with_their_partitions(committed, drop_day):
    ensure_days([DAY])

    (stored,) = (one for one in engine().days("llm_traces") if one.day == DAY)
    assert (stored.table, stored.state, stored.bytes_before) == ("llm_traces_20010302", "rows", None)


def test_a_day_is_dropped_once(committed, drop_day, owner):
    ensure_days([DAY])

    assert [engine().drop_day("llm_contents", DAY) for _ in range(2)] == ["dropped", "missing"]
    owner.execute("DELETE FROM retention_horizons")


def test_the_worker_makes_the_days_ahead_of_both_relations(db, settings):
    settings.PARTITIONS_AHEAD_DAYS = 3
    today = timezone.now().date()
    partitions()

    wanted = {today + timedelta(days=ahead) for ahead in range(4)}
    assert [wanted - {stored.day for stored in engine().days(relation)} for relation in RELATIONS] == [set(), set()]


def test_there_is_no_default_partition_that_could_fill_unseen(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_partitioned_table WHERE partdefid <> 0")
        assert cursor.fetchone() == (0,)
