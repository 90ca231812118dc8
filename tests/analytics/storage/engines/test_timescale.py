"""Days in the columnstore read and write like days in row storage."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from analytics.ingest.service import receive
from analytics.queries.selection import DEFAULT_SELECTION
from analytics.queries.traces import SpansSelection, locate_trace, trace_spans
from analytics.storage.engines import RELATIONS, State, engine
from analytics.storage.engines.compression import after_days, compress_due, due
from tests.analytics.storage.conftest import DAY, NOON
from tests.analytics.storage.test_concurrency import raw

pytestmark = pytest.mark.usefixtures("drop_day")
SPANS_A_TRACE = 3


@pytest.fixture
def send(committed, owner):
    """Return a function that stores spans; the horizon of a day that was dropped is not left for other tests."""
    yield lambda *spans: receive(scope=committed, spans=spans, received_at=NOON).stored
    owner.execute("DELETE FROM retention_horizons")


@pytest.fixture
def packed(send):
    """Traces 1 to 9 of three spans each, all in the columnstore."""
    send(*(raw(number, trace=trace) for trace in range(1, 10) for number in range(1, SPANS_A_TRACE + 1)))
    for relation in RELATIONS:
        engine().compress_day(relation, DAY)
    return send


def states():
    return [stored.state for relation in RELATIONS for stored in engine().days(relation) if stored.day == DAY]


def rows(committed, trace):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT span_id, usage_counted FROM llm_traces WHERE organisation_id = ANY(%s) AND trace_id = %s ORDER BY 1",
            [list(committed.projects), trace.to_bytes(16, "big")],
        )
        return [(int.from_bytes(span_id, "big"), counted) for span_id, counted in cursor.fetchall()]


def test_a_compressed_day_says_so_and_what_it_took_before(packed):
    (stored,) = (stored for stored in engine().days("llm_traces") if stored.day == DAY)

    assert stored.state is State.COLUMNS
    assert stored.bytes_before > 0


def test_chunks_are_utc_days(packed, owner):
    found = owner.execute(
        "SELECT DISTINCT range_start, range_end FROM timescaledb_information.chunks WHERE range_start = %s",
        [NOON.replace(hour=0)],
    ).fetchall()

    assert found == [(NOON.replace(hour=0), NOON.replace(hour=0) + timedelta(days=1))]


def test_a_trace_is_read_from_the_columnstore_whole(packed, committed):
    where = locate_trace(committed, f"{5:032x}")
    page = trace_spans(where, selection=SpansSelection(members=DEFAULT_SELECTION), limit=9)

    assert len(json.loads(page.json)) == 3


def test_late_spans_are_stored_beside_compressed_ones(packed, committed):
    assert packed(raw(4, trace=5)) == 1

    assert [span for span, _ in rows(committed, 5)] == [1, 2, 3, 4]
    assert states() == [State.BOTH, State.BOTH]


def test_spans_sent_again_are_known_in_the_columnstore(packed, committed):
    assert packed(raw(1, trace=5), raw(2, trace=5)) == 0


def test_a_late_child_takes_the_mark_of_its_compressed_parent(packed, committed):
    packed(raw(4, trace=5, parent=2))

    assert rows(committed, 5) == [(1, True), (2, False), (3, True), (4, True)]


def test_a_mark_moves_however_many_rows_are_unpacked_for_it(packed, committed):
    with connection.cursor() as cursor:
        cursor.execute("SET timescaledb.max_tuples_decompressed_per_dml_transaction = 1")
    packed(raw(4, trace=5, parent=2))

    assert rows(committed, 5) == [(1, True), (2, False), (3, True), (4, True)]


def test_a_late_parent_leaves_the_mark_with_its_compressed_child(send, committed):
    send(raw(2, trace=5, parent=1))
    engine().compress_day("llm_traces", DAY)
    send(raw(1, trace=5))

    assert rows(committed, 5) == [(1, False), (2, True)]


def test_marks_that_move_unpack_the_batches_of_their_traces_alone(send, committed, owner):
    hour = 3600 * 10**9
    for trace in (1, 2, 3):
        start = raw(1).start_ns - trace * hour
        send(
            *(
                replace(raw(number, trace=trace), start_ns=start + number, end_ns=start + hour)
                for number in range(1, 1001)
            )
        )
    engine().compress_day("llm_traces", DAY)
    send(raw(2001, trace=1, parent=1000), raw(2001, trace=3, parent=1000))
    (day,) = (stored for stored in engine().days("llm_traces") if stored.day == DAY)

    assert [counted for _, counted in rows(committed, 3)].count(False) == 1
    # A batch has a thousand rows: two of three were unpacked, and two spans came.
    assert owner.execute(f"SELECT count(*) FROM ONLY {day.table}").fetchone() == (2002,)


def test_what_came_late_is_due_again(packed, committed):
    def is_due():
        return [one.relation for one in due(today=DAY + timedelta(days=9), after=7) if one.day == DAY]

    assert is_due() == []
    packed(raw(4, trace=5))
    assert is_due() == ["llm_contents", "llm_traces"]


def test_a_day_is_due_when_it_ended_more_than_so_many_days_ago(send):
    send(raw(1))

    assert [len(due(today=DAY + timedelta(days=age), after=7)) for age in (7, 8)] == [0, 2]


def test_every_due_day_is_compressed_and_told(send):
    send(raw(1))
    told = []

    assert compress_due(today=date(2001, 4, 1), report=told.append) == 2
    assert [(one.relation, one.day, one.left) for one in told] == [("llm_contents", DAY, 1), ("llm_traces", DAY, 0)]
    assert states() == [State.COLUMNS, State.COLUMNS]


def test_a_dry_run_tells_what_is_due_and_compresses_nothing(send, capsys):
    send(raw(1))
    call_command("compression", "apply", "--dry-run")

    assert capsys.readouterr().out.startswith("2001-03-02  llm_contents  ")
    assert states() == [State.ROWS, State.ROWS]


def test_apply_compresses_and_reports_in_json(send, capsys):
    send(raw(1))
    call_command("compression", "apply", "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["days"], told["dry_run"]) == (2, False)
    assert states() == [State.COLUMNS, State.COLUMNS]


def test_apply_tells_rows_rate_and_time_left_of_each_day(send, capsys):
    send(*(raw(number) for number in range(1, 4)))
    call_command("compression", "apply")

    told = [
        re.sub(r"[0-9,]+ (bytes|->|rows/s)|about [0-9,]+", "N", line) for line in capsys.readouterr().err.splitlines()
    ]
    assert told == [
        "2001-03-02  llm_contents: 3 rows, N N; 1 days left, N, N s",
        "2001-03-02  llm_traces: 3 rows, N N; 0 days left, N, N s",
    ]


def test_apply_is_refused_while_another_is_under_way(send, owner, capsys):
    owner.execute("SELECT pg_advisory_lock(hashtext('llm-observatory compression'))")
    with pytest.raises(SystemExit) as exit_:
        call_command("compression", "apply")

    assert exit_.value.code == 1
    assert capsys.readouterr().err.startswith("Another run of compression is under way")


def test_the_age_that_was_set_holds(db):
    call_command("compression", "set", "--after-days", "3")

    assert after_days() == 3


def test_a_dry_run_sets_nothing(db, settings):
    call_command("compression", "set", "--after-days", "3", "--dry-run")

    assert after_days() == settings.COMPRESS_AFTER_DAYS


@pytest.mark.parametrize("days", ["0", "3651"])
def test_an_age_outside_the_range_is_a_wrong_argument(db, days):
    with pytest.raises(SystemExit) as exit_:
        call_command("compression", "set", "--after-days", days)

    assert exit_.value.code == 2


def test_show_tells_each_day_with_its_state(packed, capsys):
    call_command("compression", "show", "--json")

    days = json.loads(capsys.readouterr().out)["days"]
    assert [(one["relation"], one["state"]) for one in days if one["day"] == DAY.isoformat()] == [
        ("llm_contents", "columns"),
        ("llm_traces", "columns"),
    ]


def test_a_compressed_day_is_dropped_once(packed, committed, owner):
    owner.execute("DELETE FROM bucket_change WHERE organisation_id = ANY(%s)", [list(committed.projects)])

    assert [engine().drop_day("llm_contents", DAY) for _ in range(2)] == ["dropped", "missing"]
    assert engine().drop_day("llm_traces", DAY) == "dropped"


def test_a_day_with_marks_is_not_dropped(packed):
    assert engine().drop_day("llm_traces", DAY) == "marked"


def test_a_day_under_a_legal_hold_is_not_dropped(packed, committed, owner):
    (organisation,) = committed.projects
    owner.execute("INSERT INTO legal_holds (organisation_id, reason) VALUES (%s, 'a court asked')", [organisation])
    try:
        assert engine().drop_day("llm_contents", DAY) == "held"
    finally:
        owner.execute("DELETE FROM legal_holds WHERE organisation_id = %s", [organisation])


@pytest.mark.django_db(databases=["default", "owner"])
def test_there_is_nothing_to_migrate(capsys):
    call_command("migrate_engine")

    assert capsys.readouterr().out == "The spans are in hypertables already.\n"


def test_a_day_that_does_not_exist_is_not_compressed(db):
    assert engine().compress_day("llm_traces", timezone.now().date() + timedelta(days=300)) is False
