"""Each index of the storage is there for a query, and the server answers that query with it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import psycopg
import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.queries.figures import ask
from analytics.queries.filters.document import read_filter
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.values import Limits
from analytics.queries.reports.costs import costs_unpriced
from analytics.queries.reports.people import select_session, session
from analytics.queries.reports.samples import dearest_spans, error_messages, feedback_of
from analytics.queries.selection import DEFAULT_SELECTION
from analytics.queries.spans import SpanList, Spans, list_spans
from analytics.queries.timerange import TimeRange
from analytics.queries.traces import SpansSelection, links_of, locate_trace, trace_spans
from analytics.registry.rollups import ROLLUPS, SLICES
from analytics.scope import Scope
from analytics.storage import slices
from analytics.storage.changes import changes_of
from analytics.storage.costs import later_run_on_same_spans
from analytics.storage.erasing import traces_naming
from analytics.storage.rollups import refresh
from analytics.storage.spans import Tenant
from tests.analytics.storage.test_dashboard_plans import ALL_DAYS, RAGGED, by, mark, refreshed
from tests.analytics.storage.test_plans import A_TRACE, DAYS, at, filled
from tests.analytics.storage.test_read_plans import RANGE, told

__all__ = ["filled", "refreshed", "told"]  # fixtures
OTHERS = 9_000_000  # organisations from here on have the rows among which those of the test are few
WHOLE = TimeRange(start=at(0), end=at(DAYS))
FILLED = {one.table: one for one in (*ROLLUPS, *SLICES.values())}
GROWN = (*FILLED, "bucket_change", "cost_run_spans", "trace_links", "trace_feedback")
RUN = 2_000_000_000


def listed(scope: Scope, where: TimeRange = WHOLE, **narrowed: Any) -> None:
    spans = Spans(scope=scope, range=where, **narrowed)
    list_spans(SpanList(spans=spans, selection=DEFAULT_SELECTION, limit=50, clock=where.end))


def narrowed_by(scope: Scope, field: str, operator: str, value: str) -> dict[str, Any]:
    limits = Limits(depth=9, leaves=9, values=9, regex_chars=99, text_chars=99, now=at(DAYS))
    node = read_filter({"field": field, "operator": operator, "value": value}, limits=limits)
    return {"filter": node, "searches": searches_of(node, scope=scope, where=WHOLE)}


def tenant_of(scope: Scope) -> Tenant:
    ((number, project),) = scope.projects.items()
    return Tenant(organisation_id=project.organisation_id, project_id=number)


def a_session(scope: Scope) -> None:
    name = f"s{int(at(1, 3).timestamp()) // 216}"
    session(scope=scope, where=RANGE, session_id=name, wanted=select_session([]), link_to=str)


def a_trace(scope: Scope) -> None:
    trace_spans(locate_trace(scope, A_TRACE), selection=SpansSelection(), limit=100)


def failures_of_a_type(scope: Scope) -> None:
    error_messages(scope, RANGE, (), ["timeout"])


def changes_of_a_day(scope: Scope) -> None:
    tenant = tenant_of(scope)
    changes_of({"organisations": [tenant.organisation_id], "projects": [tenant.project_id]}, at(1), at(2))


def figures_of(label: str, where: Any = ALL_DAYS) -> Callable[[Scope], None]:
    return lambda scope: ask(by(label, scope, *where)) and None


def unpriced_of(where: Any) -> Callable[[Scope], None]:
    start, end = where
    return lambda scope: costs_unpriced(scope=scope, where=TimeRange(start=start, end=end)) and None


def minutes(_scope: Scope) -> None:
    refresh("1min", before=at(DAYS))


def hours_of_slices(scope: Scope) -> None:
    minutes(scope)
    refresh("1hour", before=at(DAYS))


@dataclass(frozen=True)
class Need:
    """What is asked of the product, so that it runs the statement an index is for."""

    of: str
    work: Callable[[Scope], Any]


NEEDED: Mapping[str, Need] = {
    "llm_traces_by_trace": Need("the spans of a trace", a_trace),
    "llm_traces_failed": Need(
        "a list of failed spans", lambda one: listed(one, **narrowed_by(one, "status_code", "eq", "ERROR"))
    ),
    "llm_traces_failures": Need("the newest message of an error", failures_of_a_type),
    "llm_traces_by_cost": Need("the dearest spans", lambda one: dearest_spans(one, RANGE, (), limit=10)),
    "llm_traces_by_session": Need("a session", a_session),
    "llm_traces_by_user": Need("erasing a user", lambda one: traces_naming(tenant_of(one), "u7")),
    "llm_contents_by_words": Need(
        "a search", lambda one: listed(one, **narrowed_by(one, "content", "search", "word77"))
    ),
    "llm_contents_unsearchable": Need(
        "rows without a vector, in a search", lambda one: narrowed_by(one, "content", "search", "word7")
    ),
    "bucket_change_of_tenant": Need("which buckets of a range are behind", changes_of_a_day),
    "bucket_change_due": Need("which buckets are to be made anew", minutes),
    "cost_run_spans_of_span": Need(
        "whether a later run changed the same spans", lambda _: later_run_on_same_spans(RUN)
    ),
    "trace_links_of_trace": Need(
        "what a trace links to", lambda one: links_of(locate_trace(one, A_TRACE), ["linked_to"])
    ),
    "trace_feedback_by_time": Need("the feedback of a range", lambda one: feedback_of(one, RANGE, ())),
    "llm_metrics_1hour_by_bucket": Need("the ends of a range by service", figures_of("service_name", RAGGED)),
    "llm_metrics_1day_by_bucket": Need("days by service", figures_of("service_name")),
    "llm_models_1day_by_bucket": Need("days by model", figures_of("model")),
    "llm_models_5min_by_bucket": Need("the ends of a range by model", figures_of("model", RAGGED)),
    "llm_usage_1day_by_bucket": Need("days by user", figures_of("user_id")),
    "llm_usage_1hour_by_bucket": Need("the open day by user", figures_of("user_id")),
    "llm_unpriced_1day_by_bucket": Need("what has no price, by day", unpriced_of(ALL_DAYS)),
    "llm_unpriced_1hour_by_bucket": Need("what has no price, at the ends of a range", unpriced_of(RAGGED)),
    **{
        f"{one.table}_by_bucket": Need("an hour that is made of its slices", hours_of_slices) for one in SLICES.values()
    },
}


def empty_of(kind: str, *, sparse: bool) -> str:
    if kind.endswith("[]"):
        return "NULL" if sparse else "'{}'"
    return "'epoch'" if kind.startswith("timestamp") else "1"


@pytest.fixture
def among_many(told: Scope, refreshed: Scope, owner: psycopg.Connection) -> Iterator[Scope]:
    """The scope of a project whose rows are few in every table."""
    (organisation,) = told.projects
    try:
        fill(owner, organisation)
        yield told
    finally:
        of = f"organisation_id >= {OTHERS} OR organisation_id = {organisation}"
        for table in GROWN:
            owner.execute(f"DELETE FROM {table} WHERE {of}")


def fill(owner: psycopg.Connection, organisation: int) -> None:
    owner.execute(
        "UPDATE llm_traces SET user_id = 'u' || get_byte(span_id, 7) WHERE organisation_id = %s", [organisation]
    )
    owner.execute("VACUUM (ANALYZE) llm_traces")
    for table, one in FILLED.items():
        values = [empty_of(kind, sparse=one.sparse) for kind in one.columns.values()]
        owner.execute(
            f"""INSERT INTO {table} ({", ".join([*one.keys, *one.columns])})
            SELECT {OTHERS} + number / 50, {OTHERS}, %s::timestamptz + number %% 50 * %s::interval,
                {", ".join(["''"] * len(one.labels) + values)}
            FROM generate_series(1, 8000) AS number""",
            [at(1), one.width],
        )
    owner.execute(
        f"""
        INSERT INTO bucket_change (organisation_id, project_id, grain, bucket)
        SELECT {OTHERS} + number / 50, {OTHERS}, '1min', now() + number % 50 * interval '1 minute'
        FROM generate_series(1, 8000) AS number;
        INSERT INTO cost_run_spans (run_id, organisation_id, project_id, ts, trace_id, span_id)
        SELECT {RUN} + (number < 8000)::int * 5, {OTHERS}, {OTHERS}, now() + number * interval '1 second', '\\x01', '\\x01'
        FROM generate_series(1, 8005) AS number;
        INSERT INTO trace_links (organisation_id, project_id, linked_trace_id, trace_id, span_id, linked_span_id, ts)
        SELECT {organisation}, {organisation}, int8send(number), int8send(number / 4), '\\x01', '\\x01', now()
        FROM generate_series(1, 8000) AS number;
        INSERT INTO trace_feedback (organisation_id, project_id, trace_id, ts, created_at, score)
        SELECT {organisation}, {organisation}, int8send(number), now() - number * interval '1 hour', now(), 1
        FROM generate_series(1, 8000) AS number
        """
    )
    for table in GROWN:
        owner.execute(f"ANALYZE {table}")


def indexes_of(statements: list[str]) -> set[str]:
    """Return the indexes in the plans of statements, by the name of their table's."""
    found: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        found.update([node["Index Name"]] if "Index Name" in node else [])
        for part in node.get("Plans", ()):
            walk(part)

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
            ((plan,),) = cursor.fetchall()
            walk((orjson.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])
        cursor.execute(
            "SELECT c.relname, p.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
            " JOIN pg_class AS p ON p.oid = i.inhparent WHERE c.relname = ANY(%s)",
            [list(found)],
        )
        parents = dict(cursor.fetchall())
    # A chunk's index is named after the chunk and the hypertable's index.
    return {parents.get(name, name.rpartition("_chunk_")[2]) for name in found}


def test_the_query_that_needs_an_index_is_answered_with_it(among_many, owner, monkeypatch):
    monkeypatch.setattr(slices, "BUSY_SPANS", 1)
    missing = {}
    for name, need in NEEDED.items():
        mark(among_many, owner, "ts >= %s", at(3, 22))  # the last hours of the last day are not refreshed
        with CaptureQueriesContext(connection) as made:
            need.work(among_many)
        statements = [
            one["sql"] for one in made if one["sql"].lstrip().startswith(("SELECT", "WITH", "INSERT", "DELETE"))
        ]
        used = indexes_of([one for one in statements if "pg_try_advisory" not in one])
        if name not in used:
            missing[name] = (need.of, used)

    assert missing == {}


def test_every_index_of_the_storage_is_needed_by_a_query(db):
    tables = {one._meta.db_table for one in apps.get_models(include_auto_created=True)}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.relname FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
            JOIN pg_class AS t ON t.oid = x.indrelid
            WHERE t.relnamespace = 'public'::regnamespace AND NOT i.relispartition AND t.relname <> ALL(%s)
                AND t.relname NOT LIKE 'procrastinate%%'
                AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.oid)
            """,
            [[*tables, "django_migrations"]],
        )
        there = {name for (name,) in cursor}

    assert there == set(NEEDED)
