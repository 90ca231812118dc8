"""Finding calls: pages and members of the months of spans that the storage is measured on; full text and trees.

What is searched has a store of its own: a week of spans that all have texts, with their search vectors.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from time import process_time
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection, connections, transaction

from analytics.queries.beside import Addition
from analytics.queries.cursors import Cursor
from analytics.queries.filters.searches import searches_of
from analytics.queries.filters.text import read_line
from analytics.queries.filters.tree import Node
from analytics.queries.filters.values import Limits
from analytics.queries.selection import DEFAULT_SELECTION, EVERYTHING, select
from analytics.queries.sorting import Sort
from analytics.queries.spans import SpanList, Spans, count_spans, list_spans, list_statement
from analytics.queries.timerange import TimeRange
from analytics.queries.traces import SpansSelection, locate_trace, select_detail, trace_detail, trace_spans
from analytics.scope import Scope, ScopedProject
from analytics.storage.partitions import ensure_days
from benchmarks.figures import CPU_PASSES, Figure, median_seconds, medians
from benchmarks.filled import filled
from benchmarks.loading import Loaded, loaded, remember
from benchmarks.run import Run
from benchmarks.stores import Server

BUSIEST = 1  # project of the months of spans: three of ten
PROJECT, OTHERS, DAYS, MOST_TEXTS = 7, (8, 9, 10), 7, 500_000
PAGE, LATE_PAGE, WALKED, MANY, TREE = 50, 200, 100_000, 1000, 5000
REPETITIONS = 21
RARE, ONE_IN = "zeppelin", 2000
SCOPE = Scope(
    projects={PROJECT: ScopedProject(organisation_id=1, public_id=UUID(int=PROJECT))}, permissions=frozenset()
)
_DEEP = "ee" * 16
_FILL = """
    WITH numbered AS (
        SELECT number, %(end)s::timestamptz - (number + 1) * %(step)s::interval AS ts,
            (%(projects)s::int[])[number %% 4 + 1] AS project,
            decode(md5('trace' || number / 20), 'hex') AS trace,
            decode(substr(md5('span' || number), 1, 16), 'hex') AS span
        FROM generate_series(0, %(spans)s - 1) AS number
    )
"""
_SPANS = f"""{_FILL}
    INSERT INTO llm_traces (organisation_id, project_id, ts, ingested_at, trace_id, span_id, duration_ms,
        total_cost_nanousd, uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
        audio_input_tokens, visible_output_tokens, reasoning_tokens, audio_output_tokens, usage_counted, call_counted,
        span_name, span_kind, status_code, service_name, operation_name, provider, model, environment, user_id)
    SELECT 1, project, ts, ts, trace, span, number %% 5000, number %% 1000 * 1000, 900, 0, 0, 0, 0, 100, 0, 0, true,
        true, 'chat', 'client', (ARRAY['OK', 'OK', 'OK', 'OK', 'ERROR'])[number / 4 %% 5 + 1], 'shop', 'chat',
        (ARRAY['openai', 'anthropic', 'google'])[number / 4 %% 3 + 1],
        (ARRAY['gpt-4o', 'claude-sonnet', 'gemini-pro', 'gpt-4o-mini'])[number / 4 %% 12 / 3 + 1], 'production',
        'user ' || number %% 997
    FROM numbered
"""
_CONTENTS = f"""{_FILL}
    INSERT INTO llm_contents (organisation_id, project_id, ts, trace_id, span_id, input_text, output_text, attributes,
        search_vector)
    SELECT 1, project, ts, trace, span, asked, answered, jsonb_build_object('shop.cart', number %% 9),
        observatory_document(project, asked, answered)
    FROM numbered CROSS JOIN LATERAL (
        SELECT string_agg((%(words)s::text[])[1 + (number * 31 + place * place * 7) %% 22], ' ')
            || CASE WHEN number / 4 %% %(one_in)s = 0 THEN ' %(rare)s' ELSE '' END AS asked,
            string_agg((%(words)s::text[])[1 + (number * 17 + place * 13) %% 22], ' ') AS answered
        FROM generate_series(1, 90) AS place
    ) AS said
"""
_WORDS = [
    "the",
    "customer",
    "asks",
    "whether",
    "an",
    "order",
    "that",
    "was",
    "paid",
    "last",
    "week",
    "can",
    "still",
    "be",
    "sent",
    "to",
    "another",
    "address",
    "and",
    "what",
    "costs",
]


def measure(run: Run) -> Iterator[Figure]:
    """Yield the figures of every engine: times as quotients, so that machines can be compared."""
    for server in run.servers:
        for spans in sorted(run.sizes):
            store = filled(server, spans)
            with store.store.chosen():
                asked = Asked(scope=store.what.scope(BUSIEST), end=store.what.end, figure=_figure(server, spans))
                yield from _pages(asked)
                yield from _members(asked)
        spans = min(max(run.sizes), MOST_TEXTS)
        texts = server.store(f"bench_texts_{spans}")
        with texts.chosen():
            end = _texts(spans)
            asked = Asked(scope=SCOPE, end=end, figure=_figure(server, spans))
            yield from _search(asked)
            yield from _tree(asked)


def _figure(server: Server, spans: int) -> Callable[..., Figure]:
    return partial(Figure, rows=spans, engine=server.engine)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose spans are looked at, when they end, and what makes a figure of a value."""

    scope: Scope
    end: datetime
    figure: Callable[..., Figure]

    def last(self, days: int) -> TimeRange:
        """Return the days before the end."""
        return TimeRange(start=self.end - timedelta(days=days), end=self.end)

    def plan(self, where: TimeRange, **more: Any) -> SpanList:
        """Return a list of the spans of a range, a page of them."""
        spans = Spans(scope=self.scope, range=where)
        plan = SpanList(spans=spans, selection=DEFAULT_SELECTION, limit=PAGE, clock=where.end)
        return replace(plan, **more)

    def filtered(self, where: TimeRange, text: str) -> Spans:
        """Return the spans of a range that meet a filter."""
        node = _line(text, where.end)
        return Spans(
            scope=self.scope, range=where, filter=node, searches=searches_of(node, scope=self.scope, where=where)
        )


def _texts(spans: int) -> datetime:
    """Fill this database with a week of spans with texts, unless an earlier run did; return when they end."""
    known = loaded()
    if known is None:
        known = Loaded(spans=spans, end=datetime.now(UTC).replace(microsecond=0))
        ensure_days(known.end.date() - timedelta(days=ago) for ago in range(DAYS + 1))
        with transaction.atomic():
            _fill(spans, known.end)
        with connections["owner"].cursor() as cursor:  # the server does so by itself after a while
            for table in ("llm_traces", "llm_contents", "trace_index"):
                cursor.execute(f"VACUUM (ANALYZE) {table}")
        remember(known)
    return known.end


def _fill(spans: int, now: datetime) -> None:
    given: dict[str, Any] = {
        "end": now,
        "step": timedelta(days=DAYS) / spans,
        "projects": [PROJECT, *OTHERS],
        "spans": spans,
        "words": [*_WORDS, *_WORDS][:22],
        "one_in": ONE_IN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SPANS, given)
        cursor.execute(_CONTENTS.replace("%(rare)s", RARE), given)
        cursor.execute(
            """
            INSERT INTO llm_traces (organisation_id, project_id, ts, ingested_at, trace_id, span_id, parent_span_id,
                duration_ms, usage_counted, call_counted, span_name, span_kind, status_code)
            SELECT 1, %(project)s, %(end)s - interval '1 hour' + number * interval '1 ms', now(),
                decode(%(trace)s, 'hex'), int8send(number), CASE WHEN number > 0 THEN int8send(number / 3) END,
                5000 - number, false, false, 'step', 'internal', 'OK'
            FROM generate_series(0::bigint, %(last)s) AS number
            """,
            given | {"project": PROJECT, "trace": _DEEP, "last": TREE - 1},
        )
        cursor.execute(
            "INSERT INTO trace_index SELECT organisation_id, project_id, trace_id, min(ts), max(ts) FROM llm_traces"
            " WHERE organisation_id = 1 AND project_id = ANY(%(projects)s) GROUP BY 1, 2, 3",
            given,
        )


def _line(text: str, now: datetime) -> Node:
    limits = Limits(depth=10, leaves=100, values=1000, regex_chars=256, text_chars=10_000, now=now)
    node = read_line(text, limits=limits)
    assert node is not None
    return node


def _pages(asked: Asked) -> Iterator[Figure]:
    day, week = asked.last(1), asked.last(DAYS)
    plain = asked.plan(day)
    narrowed = asked.plan(day, spans=asked.filtered(day, "provider:openai model:gpt-4o status:error"))
    first = asked.plan(week)
    late = replace(first, after=_place_of(first, LATE_PAGE - 1))
    dear = replace(plain, sort=Sort(key="total_cost_usd"))
    late_dear = replace(dear, after=_place_of(dear, LATE_PAGE - 1))
    pages = [partial(list_spans, plan) for plan in (plain, narrowed, first, late, dear, late_dear)]
    keys = [_keys_of(plan) for plan in (plain, narrowed)]
    by_key = [partial(_read_by_key, asked.scope, found) for found in keys]
    times = medians(*pages, *by_key, repetitions=REPETITIONS)
    for place, name in enumerate(("first_page", "first_page_filtered")):
        yield asked.figure(figure=f"traces.{name}", value=times[place] * 1000, unit="ms")
        if keys[place]:  # of few spans none may meet the filter
            against = times[place] / times[len(pages) + place]
            yield asked.figure(figure=f"traces.{name}_vs_primary_key", value=against, unit="x", target=5.0)
    yield asked.figure(figure="traces.page_200_vs_page_1", value=times[3] / times[2], unit="x", target=1.3)
    yield asked.figure(figure="traces.first_page_by_cost", value=times[4] * 1000, unit="ms")
    yield asked.figure(figure="traces.page_200_by_cost_vs_page_1", value=times[5] / times[4], unit="x", target=1.3)
    yield asked.figure(figure="traces.walk_skipped_or_repeated", value=_walk(asked, week), unit="rows", target=0)


_Keys = list[tuple[datetime, bytes, bytes]]


def _keys_of(plan: SpanList) -> _Keys:
    """Return the keys of the rows of a page."""
    with connection.cursor() as cursor:
        cursor.execute(*list_statement(plan))
        return [(ts, bytes(trace), bytes(span)) for _, ts, trace, span, *_ in cursor.fetchall()[: plan.limit]]


def _read_by_key(scope: Scope, keys: _Keys) -> None:
    """Read the rows of keys that are known, their content beside them, by primary key in one statement."""
    starts = [ts for ts, _, _ in keys]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.*, c.input_text, c.output_text, c.attributes
            FROM unnest(%(starts)s::timestamptz[], %(traces)s::bytea[], %(spans)s::bytea[])
                AS key (ts, trace_id, span_id)
            JOIN llm_traces AS s ON s.organisation_id = 1 AND s.project_id = %(project)s AND s.ts = key.ts
                AND s.trace_id = key.trace_id AND s.span_id = key.span_id AND s.ts BETWEEN %(first)s AND %(last)s
            LEFT JOIN llm_contents AS c ON c.organisation_id = 1 AND c.project_id = %(project)s AND c.ts = key.ts
                AND c.trace_id = key.trace_id AND c.span_id = key.span_id AND c.ts BETWEEN %(first)s AND %(last)s
            """,
            {
                "project": next(iter(scope.projects)),
                "starts": starts,
                "traces": [trace for _, trace, _ in keys],
                "spans": [span for _, _, span in keys],
                "first": min(starts, default=None),
                "last": max(starts, default=None),
            },
        )
        assert len(cursor.fetchall()) == len(keys)


def _place_of(plan: SpanList, pages: int) -> Cursor | None:
    page = list_spans(replace(plan, limit=min(pages * PAGE, count_spans(plan.spans) - PAGE), selection=select(["ts"])))
    return page.next


def _walk(asked: Asked, where: TimeRange) -> int:
    """Return how many of the rows, 100,000 at most, a walk over pages skipped, repeated or told in another order."""
    plan, seen = asked.plan(where, selection=select(["trace_id", "span_id"]), limit=MANY), list[tuple[str, str]]()
    while len(seen) < WALKED:
        page = list_spans(plan)
        seen += [(one["trace_id"], one["span_id"]) for one in orjson.loads(page.json)]
        if page.next is None:
            break
        plan = replace(plan, after=page.next)
    return differing(seen[:WALKED], _all_ids(asked, where))


def _all_ids(asked: Asked, where: TimeRange) -> list[tuple[str, str]]:
    """Return the ids of the newest rows of a range, read at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT encode(trace_id, 'hex'), encode(span_id, 'hex') FROM llm_traces
            WHERE organisation_id = 1 AND project_id = %s AND ts >= %s AND ts < %s
            ORDER BY ts DESC, trace_id DESC, span_id DESC LIMIT %s
            """,
            [next(iter(asked.scope.projects)), where.start, where.end, WALKED],
        )
        ids: list[tuple[str, str]] = cursor.fetchall()
    return ids


def differing(seen: Sequence[Any], expected: Sequence[Any]) -> int:
    """Return how many of `expected` were not seen, how many were seen besides, or else how many stand elsewhere."""
    known, there = Counter(seen), Counter(expected)
    besides = (known - there).total() + (there - known).total()
    return besides or sum(one != other for one, other in zip(seen, expected, strict=True))


def _search(asked: Asked) -> Iterator[Figure]:
    week = asked.last(DAYS)
    found = asked.filtered(week, RARE)
    scanned = asked.filtered(week, f"input_text:{RARE} OR output_text:{RARE}")
    took = median_seconds(partial(count_spans, found), repetitions=REPETITIONS)
    against = median_seconds(partial(count_spans, scanned), repetitions=3)
    page = median_seconds(partial(list_spans, asked.plan(week, spans=found)), repetitions=REPETITIONS)
    yield asked.figure(figure="traces.search_7d", value=took * 1000, unit="ms")
    yield asked.figure(figure="traces.search_7d_first_page", value=page * 1000, unit="ms")
    yield asked.figure(
        figure="traces.search_7d_vs_ilike", value=against / took, unit="x", target=20.0, direction="at_least"
    )


def _members(asked: Asked) -> Iterator[Figure]:
    few = asked.plan(asked.last(DAYS), selection=select(["trace_id", "model", "total_cost_usd"]), limit=MANY)
    full = replace(few, selection=EVERYTHING)
    short, long = medians(*(partial(list_spans, plan) for plan in (few, full)), repetitions=REPETITIONS)
    yield asked.figure(figure="traces.fields_vs_full", value=long / short, unit="x", target=4.0, direction="at_least")
    yield asked.figure(figure="traces.fields_python_cpu", value=_cpu(few) / MANY * 1e6, unit="us/row", target=15.0)


def _cpu(plan: SpanList) -> float:
    best = float("inf")
    for _ in range(CPU_PASSES):
        begun = process_time()
        list_spans(plan)
        best = min(best, process_time() - begun)
    return best


def _tree(asked: Asked) -> Iterator[Figure]:
    where = locate_trace(asked.scope, _DEEP)
    assert where is not None
    tree = partial(trace_spans, where, selection=SpansSelection(members=DEFAULT_SELECTION), limit=TREE)
    detail = partial(
        trace_detail,
        asked.scope,
        _DEEP,
        selection=select_detail([], add=frozenset({Addition.CHILDREN}), inline=settings.TRACE_MAX_INLINE_SPANS),
    )
    rows = partial(_read_rows, where.trace_id)
    from_rows, told, whole = medians(rows, tree, detail, repetitions=REPETITIONS)
    yield asked.figure(figure="traces.tree_of_5000_vs_rows", value=told / from_rows, unit="x", target=10.0)
    yield asked.figure(figure="traces.detail_of_5000_vs_rows", value=whole / from_rows, unit="x", target=10.0)


def _read_rows(trace_id: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM llm_traces WHERE organisation_id = 1 AND project_id = %s AND trace_id = %s",
            [PROJECT, trace_id],
        )
        cursor.fetchall()
