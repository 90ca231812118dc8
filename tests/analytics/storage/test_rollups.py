"""Rollups say what their spans say, whatever happens to spans in whatever order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.queries.figures import FigurePlan, figures
from analytics.queries.timerange import TimeRange
from analytics.registry.facts import FACTS, SKETCHES
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import MEASURES
from analytics.registry.rollups import GRAIN_WIDTHS, ROLLUPS
from analytics.scope import Scope, ScopedProject
from analytics.storage.rollups import refresh

DAY = (datetime.now(UTC) - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
NS = 1_000_000_000
_projects = count(1000)


TABLES = ("llm_traces", "llm_contents", "trace_index", "bucket_change", "data_version", *(one.table for one in ROLLUPS))


def empty_the_store():
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DELETE FROM {table}")


@pytest.fixture
def scope(db, tenant) -> Scope:
    empty_the_store()  # tests that need real commits leave spans of other tenants behind
    project = tenant.projects[0]
    return Scope(
        projects={project.id: ScopedProject(organisation_id=tenant.organisation.id, public_id=project.public_id)},
        permissions=frozenset(),
    )


def raw(number, *, offset=0, duration=100, model="gpt-4o", parent=None, trace=1, error=False, tokens=10) -> RawSpan:
    start = int(DAY.timestamp()) * NS + int(offset * NS)
    return RawSpan(
        trace_id=trace.to_bytes(16),
        span_id=number.to_bytes(8),
        parent_span_id=b"" if parent is None else parent.to_bytes(8),
        name="call",
        start_ns=start,
        end_ns=start + duration * 1_000_000,
        status_code=2 if error else 0,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": model,
            "gen_ai.usage.input_tokens": tokens,
            "gen_ai.usage.output_tokens": tokens,
        },
    )


def send(scope, *spans):
    receive(scope=scope, spans=spans, received_at=datetime.now(UTC))


def refresh_all(before=None):
    return {grain: refresh(grain, before=before or datetime.now(UTC)).buckets for grain in GRAIN_WIDTHS}


def ask(scope, start, end, *, grain="1hour", exact=False, **equal):
    plan = FigurePlan(
        scope=scope,
        range=TimeRange(start=start, end=end),
        equal=equal,
        totals=MEASURES,
        series=MEASURES,
        grain=replace(GRAINS[grain], exact=exact),
    )
    return figures(plan)


def same(rolled, exact):
    """Compare values; percentiles may differ by the bound of the sketch and the rounding to whole milliseconds."""
    assert rolled.keys() == exact.keys()
    for key, value in exact.items():
        if key.startswith(("p50", "p95", "p99")):
            if value is None:
                assert rolled[key] is None
            else:
                assert abs(rolled[key] - value) <= Decimal("0.025") * value + 1, key
        else:
            assert rolled[key] == value, key


def assert_equal_to_spans(scope, start, end, **given):
    rolled, exact = ask(scope, start, end, **given), ask(scope, start, end, exact=True, **given)
    same(rolled.totals, exact.totals)
    assert [one["timestamp"] for one in rolled.series] == [one["timestamp"] for one in exact.series]
    for one, other in zip(rolled.series, exact.series, strict=True):
        same({k: v for k, v in one.items() if k != "timestamp"}, {k: v for k, v in other.items() if k != "timestamp"})
    return rolled.source


def test_a_refreshed_range_is_answered_from_rollups_alone(scope):
    send(scope, *(raw(number, offset=number * 1000, duration=number * 37) for number in range(1, 80)))
    assert refresh_all() == {"1min": 79, "1hour": 22, "1day": 1}
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "rollup"


def test_before_a_refresh_spans_answer(scope):
    send(scope, raw(1))
    assert ask(scope, DAY, DAY + timedelta(days=1)).totals["request_count"] == 1


def test_a_late_span_is_seen_at_once_and_after_the_next_refresh(scope):
    send(scope, raw(1, offset=10))
    refresh_all()
    send(scope, raw(2, offset=20, duration=999))
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "mixed"
    assert refresh_all() == {"1min": 1, "1hour": 1, "1day": 1}
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "rollup"


def test_a_bucket_that_has_not_ended_waits(scope):
    send(scope, raw(1, offset=30))
    assert refresh_all(before=DAY + timedelta(seconds=59)) == {"1min": 0, "1hour": 0, "1day": 0}
    assert refresh_all(before=DAY + timedelta(minutes=1)) == {"1min": 1, "1hour": 0, "1day": 0}
    assert refresh_all(before=DAY + timedelta(hours=1)) == {"1min": 0, "1hour": 1, "1day": 0}
    assert refresh_all(before=DAY + timedelta(days=1)) == {"1min": 0, "1hour": 0, "1day": 1}


def test_a_child_in_another_hour_takes_its_parents_count_from_the_rollup(scope):
    send(scope, raw(1, offset=10))
    refresh_all()
    send(scope, raw(2, offset=3700, parent=1))
    refresh_all()
    assert [one["request_count"] for one in ask(scope, DAY, DAY + timedelta(days=1)).series] == [1]
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "rollup"


def test_sending_again_changes_no_version_and_marks_nothing(scope):
    send(scope, raw(1))
    refresh_all()
    send(scope, raw(1))
    assert refresh_all() == {"1min": 0, "1hour": 0, "1day": 0}


def test_labels_narrow_a_rollup_as_they_narrow_spans(scope):
    send(scope, raw(1), raw(2, model="gpt-4o-mini", duration=50), raw(3, offset=4000, model="gpt-4o-mini"))
    refresh_all()
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1), model="gpt-4o-mini") == "rollup"


def test_what_rollups_do_not_keep_is_answered_from_spans(scope):
    send(scope, raw(1))
    refresh_all()
    assert ask(scope, DAY, DAY + timedelta(days=1), user_id="u").source == "spans"


def test_ragged_ends_are_exact(scope):
    send(scope, *(raw(number, offset=number * 7) for number in range(1, 2000, 13)))
    refresh_all()
    start = DAY + timedelta(seconds=95)
    assert assert_equal_to_spans(scope, start, start + timedelta(hours=2, seconds=17)) == "mixed"


def test_folding_marks_keeps_the_number_of_changes(scope):
    def changes():
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT (SELECT count(*) FROM bucket_change WHERE grain = '1hour')
                    + (SELECT coalesce(sum(changes), 0) FROM data_version)"""
            )
            return cursor.fetchone()[0]

    for number in range(1, 6):
        send(scope, raw(number, trace=number))
    before = changes()
    refresh("1hour", before=DAY)  # nothing is due; marks of the open hour are thinned out
    between = changes()
    refresh_all()
    assert (before, between, changes()) == (5, 5, 5)


def test_every_rollup_has_the_columns_of_the_registry(db):
    for rollup in ROLLUPS:
        expected = [*rollup.keys, *(one.key for one in FACTS), *(name for one in SKETCHES for name in one.columns)]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                [rollup.table],
            )
            assert [name for (name,) in cursor] == expected


steps = st.one_of(
    st.just("refresh"),
    st.lists(
        st.tuples(
            st.integers(1, 12),  # span
            st.none() | st.integers(1, 12),  # parent
            st.integers(1, 3),  # trace
            st.integers(0, 60) | st.integers(3500, 3700) | st.integers(86_300, 86_500),  # offset in seconds
            st.integers(0, 5000),  # duration
            st.booleans(),
        ),
        min_size=1,
        max_size=4,
    ),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(script=st.lists(steps, min_size=1, max_size=6), ragged=st.integers(0, 4000))
def test_any_history_leaves_the_rollups_as_a_rebuild_would(scope, script, ragged):
    empty_the_store()
    for step in script:
        if step == "refresh":
            refresh_all()
        else:
            send(
                scope,
                *(
                    raw(number, parent=parent, trace=trace, offset=offset, duration=duration, error=error)
                    for number, parent, trace, offset, duration, error in step
                ),
            )
    end = DAY + timedelta(days=2)
    for start in (DAY, DAY + timedelta(seconds=ragged)):
        for grain in ("1min", "1hour", "1day"):
            assert_equal_to_spans(scope, start, end, grain=grain)
        assert_equal_to_spans(scope, start, end, model="gpt-4o")
    refresh_all()
    assert assert_equal_to_spans(scope, DAY, end, grain="1day") == "rollup"
