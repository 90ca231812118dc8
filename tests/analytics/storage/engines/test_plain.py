"""What plain PostgreSQL answers where TimescaleDB would be needed."""

import pytest
from django.core.management import call_command

from analytics.storage.engines import NotOnThisEngineError, engine
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
