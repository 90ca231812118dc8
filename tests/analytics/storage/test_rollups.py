"""Rollups say what their spans say, whatever happens to spans in whatever order."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.queries.figures import ask as ask_all
from analytics.queries.plans import Filter, Question, Sort
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.facts import FACTS_BY_KEY
from analytics.registry.grains import ALL
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import MEASURES, Figure, figure
from analytics.registry.rollups import GRAIN_WIDTHS, ROLLUPS, SLICES
from analytics.scope import Scope, ScopedProject
from analytics.storage import slices
from analytics.storage.horizons import move_horizon
from analytics.storage.rollups import refresh

# Every figure that rollups can give.
KEPT = [
    Figure(key=f"{measure.key}_{aggregation}", measure=measure, aggregation=aggregation)
    for measure in MEASURES
    for aggregation, made in measure.of.items()
    if all(FACTS_BY_KEY[key].kept for key in made.facts) and not made.distinct
]
DISTINCT = [figure("unique_users"), figure("unique_sessions")]
COUNTS = [one for one in KEPT if not one.of.quantiles]
DAY = (datetime.now(UTC) - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
NS = 1_000_000_000
_projects = count(1000)


TABLES = (
    *("llm_traces", "llm_contents", "trace_index", "bucket_change", "data_version"),
    *(one.table for one in (*ROLLUPS, *SLICES.values())),
)


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


def raw(
    number,
    *,
    offset=0,
    duration=100,
    model="gpt-4o",
    parent=None,
    trace=1,
    error=False,
    tokens=10,
    user=None,
    session=None,
) -> RawSpan:
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
            **({} if user is None else {"user.id": user}),
            **({} if session is None else {"session.id": session}),
        },
    )


def send(scope, *spans):
    receive(scope=scope, spans=spans, received_at=datetime.now(UTC))


def refresh_all(before=None):
    return {grain: refresh(grain, before=before or datetime.now(UTC)).buckets for grain in GRAIN_WIDTHS}


@dataclass(frozen=True)
class Found:
    totals: dict
    series: list
    source: str
    answers: list


def ask(scope, start, end, *, grain="1hour", exact=False, figures=KEPT, group_by=(), **equal):
    asked = Question(
        scope=scope,
        range=TimeRange(start=start, end=end),
        filters=[Filter(dimension=DIMENSIONS[key], values=(value,)) for key, value in equal.items()],
        figures=figures,
        grain=replace(ALL, exact=exact),
    )
    series = replace(
        asked,
        grain=replace(GRAINS[grain], exact=exact),
        sort=Sort(descending=False),
        group_by=[DIMENSIONS[key] for key in group_by],
    )
    whole, over_time = ask_all(asked, series)
    sources = {whole.source, over_time.source}
    return Found(
        totals=whole.totals,
        series=list(over_time.items()),
        source=sources.pop() if len(sources) == 1 else "mixed",
        answers=[whole, over_time],
    )


def same(rolled, exact):
    """Compare values; percentiles may differ by the bound of the sketch, which is promised from 1 ms on."""
    assert rolled.keys() == exact.keys()
    for key, value in exact.items():
        if key[-4:] in {"_p50", "_p90", "_p95", "_p99"}:
            if value is None:
                assert rolled[key] is None
            else:
                assert abs(rolled[key] - value) <= (Decimal("0.025") * value if value else 1), key
        else:
            assert rolled[key] == value, key


def assert_equal_to_spans(scope, start, end, **given):
    rolled, exact = ask(scope, start, end, **given), ask(scope, start, end, exact=True, **given)
    same(rolled.totals, exact.totals)
    for one, other in zip(rolled.series, exact.series, strict=True):
        same(one, other)
    return rolled.source


def test_a_refreshed_range_is_answered_from_rollups_alone(scope):
    send(scope, *(raw(number, offset=number * 1000, duration=number * 37) for number in range(1, 80)))
    assert refresh_all() == {"1min": 79, "5min": 79, "1hour": 22, "1day": 1}
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "rollup"


def test_before_a_refresh_spans_answer(scope):
    send(scope, raw(1))
    assert ask(scope, DAY, DAY + timedelta(days=1)).totals["request_count_sum"] == 1


def test_a_late_span_is_seen_at_once_and_after_the_next_refresh(scope):
    send(scope, raw(1, offset=10))
    refresh_all()
    send(scope, raw(2, offset=20, duration=999))
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "mixed"
    assert refresh_all() == {"1min": 1, "5min": 1, "1hour": 1, "1day": 1}
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "rollup"


def test_a_bucket_that_has_not_ended_waits(scope):
    send(scope, raw(1, offset=30))
    assert refresh_all(before=DAY + timedelta(seconds=59)) == {"1min": 0, "5min": 0, "1hour": 0, "1day": 0}
    assert refresh_all(before=DAY + timedelta(minutes=1)) == {"1min": 1, "5min": 0, "1hour": 0, "1day": 0}
    assert refresh_all(before=DAY + timedelta(hours=1)) == {"1min": 0, "5min": 1, "1hour": 1, "1day": 0}
    assert refresh_all(before=DAY + timedelta(days=1)) == {"1min": 0, "5min": 0, "1hour": 0, "1day": 1}


def test_a_child_in_another_hour_takes_its_parents_count_from_the_rollup(scope):
    send(scope, raw(1, offset=10))
    refresh_all()
    send(scope, raw(2, offset=3700, parent=1))
    refresh_all()
    assert [one["request_count_sum"] for one in ask(scope, DAY, DAY + timedelta(days=1)).series] == [1]
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1)) == "rollup"


def test_sending_again_changes_no_version_and_marks_nothing(scope):
    send(scope, raw(1))
    refresh_all()
    send(scope, raw(1))
    assert refresh_all() == {"1min": 0, "5min": 0, "1hour": 0, "1day": 0}


def test_labels_narrow_a_rollup_as_they_narrow_spans(scope):
    send(scope, raw(1), raw(2, model="gpt-4o-mini", duration=50), raw(3, offset=4000, model="gpt-4o-mini"))
    refresh_all()
    assert assert_equal_to_spans(scope, DAY, DAY + timedelta(days=1), model="gpt-4o-mini") == "rollup"


def test_what_rollups_do_not_keep_is_answered_from_spans(scope):
    send(scope, raw(1))
    refresh_all()
    assert ask(scope, DAY, DAY + timedelta(days=1), session_id="u").source == "spans"


@pytest.mark.parametrize(("group", "source"), [("user_id", "rollup"), ("team_id", "rollup"), ("session_id", "spans")])
def test_usage_by_user_and_team_is_kept(scope, group, source):
    send(scope, raw(1, user="a"), raw(2, user="b", offset=4000), raw(3, user="a", model="gpt-4o-mini"), raw(4))
    refresh_all()
    end = DAY + timedelta(days=1)
    assert_equal_to_spans(scope, DAY, end, grain="1day", group_by=[group], figures=COUNTS)
    assert ask(scope, DAY, end, grain="1day", group_by=[group], figures=COUNTS).answers[1].source == source


def test_percentiles_of_users_are_kept_by_day(scope):
    send(scope, *(raw(number, user="ab"[number % 2], duration=number * 10) for number in range(1, 50)))
    refresh_all()
    latencies = [one for one in KEPT if one.of.quantiles]
    end = DAY + timedelta(days=1)
    assert_equal_to_spans(scope, DAY, end, grain="1day", figures=latencies, user_id="a")
    found = ask(scope, DAY, end, figures=latencies, grain="1day", user_id="a")
    assert found.source == "rollup"


def test_different_users_and_sessions_merge_over_days(scope):
    for day in range(3):
        for start in range(0, 3000, 500):
            send(
                scope,
                *(
                    raw(
                        start + number + 10_000 * day,
                        offset=day * 86_400 + number,
                        user=f"u{start + number + day * 1000}",
                        session=f"s{(start + number) % 7}",
                    )
                    for number in range(1, 501)
                ),
            )
    refresh_all()
    found = ask(scope, DAY, DAY + timedelta(days=3), figures=DISTINCT, grain="1day")
    assert found.source == "rollup"
    assert [answer.estimated for answer in found.answers] == [True, True]
    assert found.totals["unique_users"] == pytest.approx(5000, rel=0.02)
    assert [one["unique_sessions"] for one in found.series] == [7, 7, 7]


def test_different_users_are_exact_where_spans_answer(scope):
    send(scope, *(raw(number, user=f"u{number % 3}") for number in range(1, 9)))
    found = ask(scope, DAY, DAY + timedelta(minutes=4), figures=DISTINCT)
    assert (found.totals, found.answers[0].estimated) == (
        {"unique_users": 3, "unique_sessions": 0},
        False,
    )


def test_hours_of_usage_that_are_past_their_limit_do_not_come_back(scope):
    old = DAY - timedelta(days=9)
    send(scope, raw(1, offset=-9 * 86_400, user="a"))
    for kind in ("usage_hour", "recent"):
        move_horizon(kind, to=DAY)
    refresh_all()
    tables = ["llm_usage_1hour", "llm_models_5min", "llm_usage_1day", "llm_models_1day"]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(f'(SELECT count(*) FROM {table})' for table in tables)}")
        assert cursor.fetchone() == (0, 0, 1, 1)
    found = ask(scope, old, old + timedelta(hours=3), figures=COUNTS, user_id="a")
    assert (found.totals["request_count_sum"], found.source) == (1, "spans")


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
    for rollup in (*ROLLUPS, *SLICES.values()):
        expected = sorted([*rollup.keys, *rollup.columns])
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [rollup.table],
            )
            assert sorted(name for (name,) in cursor) == expected


steps = st.one_of(
    st.just("refresh"),
    st.integers(1, 130),  # refreshed as far as that minute
    st.lists(
        st.tuples(
            st.integers(1, 12),  # span
            st.none() | st.integers(1, 12),  # parent
            st.integers(1, 3),  # trace
            st.integers(0, 60) | st.integers(3500, 3700) | st.integers(86_300, 86_500),  # offset in seconds
            st.integers(0, 5000),  # duration
            st.booleans(),
            st.sampled_from([None, "a", "b"]),
        ),
        min_size=1,
        max_size=4,
    ),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(script=st.lists(steps, min_size=1, max_size=6), ragged=st.integers(0, 4000), busy=st.sampled_from([1, 3, 9]))
def test_any_history_leaves_the_rollups_as_a_rebuild_would(scope, monkeypatch, script, ragged, busy):
    monkeypatch.setattr(slices, "BUSY_SPANS", busy)
    empty_the_store()
    for step in script:
        if step == "refresh":
            refresh_all()
        elif isinstance(step, int):
            refresh_all(before=DAY + timedelta(minutes=step))
        else:
            send(
                scope,
                *(
                    raw(number, parent=parent, trace=trace, offset=offset, duration=duration, error=error, user=user)
                    for number, parent, trace, offset, duration, error, user in step
                ),
            )
    end = DAY + timedelta(days=2)
    for start in (DAY, DAY + timedelta(seconds=ragged)):
        for grain in ("1min", "1hour", "1day"):
            assert_equal_to_spans(scope, start, end, grain=grain)
        assert_equal_to_spans(scope, start, end, model="gpt-4o")
        assert_equal_to_spans(scope, start, end, group_by=["user_id", "status_code"], figures=COUNTS)
        assert_equal_to_spans(scope, start, end, grain="1day", group_by=["user_id", "model"])
        assert_equal_to_spans(scope, start, end, grain="1day", figures=DISTINCT)
    refresh_all()
    assert assert_equal_to_spans(scope, DAY, end, grain="1day") == "rollup"
