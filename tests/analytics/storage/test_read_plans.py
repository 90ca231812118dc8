"""How reads that are not figures find their few rows among many: by which index, in the days of their range alone."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.queries.filters.document import read_filter
from analytics.queries.filters.values import Limits
from analytics.queries.plans import Sort
from analytics.queries.reports.costs import costs_unpriced
from analytics.queries.reports.people import SESSIONS, people, select_session, session
from analytics.queries.reports.samples import (
    attribute_keys,
    dearest_spans,
    error_messages,
    repeated_prompts,
    retried_traces,
)
from analytics.queries.selection import DEFAULT_SELECTION
from analytics.queries.sorting import RELEVANCE
from analytics.queries.sorting import Sort as Order
from analytics.queries.spans import SpanList, Spans, list_spans
from analytics.queries.statistics import span_statistics
from analytics.queries.timerange import TimeRange
from analytics.queries.traces import SpansSelection, locate_trace, trace_spans
from analytics.scope import Scope
from errors.json import dumps
from tests.analytics.storage.test_dashboard_plans import read_by, refreshed
from tests.analytics.storage.test_plans import (
    A_TRACE,
    BY_TIME,
    BY_TRACE,
    BY_WORDS,
    DAYS,
    SPANS_A_DAY,
    asked,
    at,
    filled,
    scans,
    scans_of_list,
)

__all__ = ["filled", "refreshed"]  # fixtures
BY_COST = "(organisation_id, project_id, total_cost_nanousd DESC NULLS LAST)"
BY_SESSION = "(organisation_id, project_id, session_id) WHERE (session_id IS NOT NULL)"
FAILED = "(organisation_id, project_id, ts) WHERE (status_code = 'ERROR'::text)"
FAILURES = (
    "(organisation_id, project_id, COALESCE(error_type, ''::text), ts)"
    " WHERE (call_counted AND (status_code = 'ERROR'::text))"
)
RANGE = TimeRange(start=at(1, 2), end=at(2, 20))


@pytest.fixture
def told(filled: Scope, owner: psycopg.Connection) -> Iterator[Scope]:
    """The scope of days with sessions of ten spans, costs, and a failure among a hundred spans."""
    owner.execute(
        """
        UPDATE llm_traces SET
            session_id = 's' || extract(epoch FROM ts)::bigint / 216, total_cost_nanousd = extract(epoch FROM ts)::bigint,
            status_code = CASE WHEN span_id < '\\x0000000000000028'::bytea OR get_byte(span_id, 7) = 7 THEN 'ERROR' ELSE 'OK' END,
            error_type = CASE WHEN get_byte(span_id, 7) = 7 THEN 'timeout' END,
            provider = 'openai', model = CASE WHEN get_byte(span_id, 7) %% 2 = 1 THEN 'gpt-4o' ELSE 'gpt-4o-mini' END
        WHERE organisation_id = ANY(%s)
        """,
        [list(filled.projects)],
    )
    owner.execute("VACUUM (ANALYZE) llm_traces")
    return filled


def read(work: Callable[[], Any]) -> set[tuple[str, str]]:
    """Return (table, index) of every scan of spans that `work` really makes; an index over a bitmap has no table."""
    with CaptureQueriesContext(connection) as made:
        work()
    statements = [one["sql"] for one in made if one["sql"].lstrip().startswith(("SELECT", "WITH"))]
    found = set().union(*(scans(sql) for sql in statements if "llm_traces" in sql))
    return {
        (table, index) for table, how, index in found if table.startswith("llm_traces") or how.startswith("Bitmap I")
    }


def indexes(made: set[tuple[str, str]]) -> set[str]:
    return {index for _, index in made if index}


def days(made: set[tuple[str, str]]) -> set[str]:
    return {table for table, _ in made if table}


def test_failed_spans_are_listed_by_an_index_of_them_alone(told):
    document = {"field": "status_code", "operator": "eq", "value": "ERROR"}
    limits = Limits(depth=9, leaves=9, values=9, regex_chars=99, text_chars=99, now=at(DAYS))
    made = scans_of_list(told, at(0), at(DAYS), filter=read_filter(document, limits=limits))

    assert {index for table, _, index in made if table.startswith("llm_traces")} == {FAILED}


def test_the_newest_message_of_an_error_is_looked_for_among_failures_of_its_type(told):
    made = read(lambda: error_messages(told, RANGE, (), ["timeout"]))

    assert (indexes(made), days(made)) == ({FAILURES}, {"llm_traces 02", "llm_traces 03"})


def test_retries_are_looked_for_among_failed_spans(told):
    made = read(lambda: retried_traces(told, RANGE, ()))

    assert (indexes(made) <= {FAILED, FAILURES}, days(made)) == (True, {"llm_traces 02", "llm_traces 03"})


def test_the_dearest_spans_are_read_from_the_top_of_each_day(told):
    made = read(lambda: dearest_spans(told, RANGE, (), limit=10))

    assert (indexes(made), days(made)) == ({BY_COST}, {"llm_traces 02", "llm_traces 03"})


@pytest.mark.parametrize("sample", [attribute_keys, repeated_prompts], ids=lambda one: one.__name__)
def test_samples_walk_the_newest_day(told, sample):
    made = read(lambda: sample(told, RANGE, ()))

    assert made == {("llm_traces 03", BY_TIME)}


def test_sessions_seen_last_are_found_in_the_newest_day_and_read_by_their_index(told):
    asked_for = {"scope": told, "where": TimeRange(start=at(0), end=at(DAYS)), "filters": ()}
    paged = {"listing": SESSIONS, "limit": 5, "after": None, "wanted": SESSIONS.shape, "link_to": str}
    made = read(lambda: people(sort=Sort(by="last_ts"), **asked_for, **paged))

    assert indexes(made) == {BY_TIME, BY_SESSION}


def test_a_session_is_read_by_its_index(told):
    name, found = f"s{int(at(1, 3).timestamp()) // 216}", []
    asked_for = {"scope": told, "where": RANGE, "session_id": name, "wanted": select_session([]), "link_to": str}
    made = read(lambda: found.append(session(**asked_for)))

    assert (len(orjson.loads(dumps(found[0]))["traces"]) > 5, indexes(made)) == (True, {BY_SESSION})


def test_the_order_of_relevance_ranks_what_the_index_of_words_finds(told):
    document = {"field": "content", "operator": "search", "value": f"word{SPANS_A_DAY + 7}"}
    ranked = Spans(scope=told, range=RANGE, **asked(told, document, RANGE.start, RANGE.end))
    plan = SpanList(spans=ranked, selection=DEFAULT_SELECTION, sort=Order(key=RELEVANCE), limit=50, clock=RANGE.end)
    with CaptureQueriesContext(connection) as made:
        list_spans(plan)
    found = set().union(*(scans(one["sql"]) for one in made if "ts_rank_cd" in one["sql"]))

    assert {index.split(" WHERE")[0] for _, _, index in found if "gin" in index} == {BY_WORDS}
    assert {table for table, *_ in found if table.startswith("llm_traces")} <= {"llm_traces 02", "llm_traces 03"}


def test_figures_of_a_list_prune_days(told):
    made = read(lambda: span_statistics(Spans(scope=told, range=RANGE)))

    assert days(made) == {"llm_traces 02", "llm_traces 03"}


def test_a_later_page_of_the_spans_of_a_trace_reads_its_day_alone(told):
    where = locate_trace(told, A_TRACE)
    first = trace_spans(where, selection=SpansSelection(), limit=2)
    after = where.cursor(first.last, clock=RANGE.end)
    pages = []
    made = read(lambda: pages.append(trace_spans(where, selection=SpansSelection(), limit=2, after=after)))

    assert len(orjson.loads(pages[0].json)) == 2
    assert (indexes(made) <= {BY_TRACE, BY_TIME}, days(made)) == (True, {"llm_traces 02"})


def test_what_has_no_price_is_read_from_the_days_that_keep_it(refreshed):
    with CaptureQueriesContext(connection) as made:
        costs_unpriced(scope=refreshed, where=TimeRange(start=at(0), end=at(DAYS)))

    assert read_by(made) == {"llm_unpriced_1day"}
