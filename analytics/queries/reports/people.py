"""Lists of users and sessions, a page at a time, and one session with its traces."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from analytics.queries.figures import Answer, Ask, ask
from analytics.queries.filters.tree import Leaf as Comparison
from analytics.queries.filters.tree import target_named
from analytics.queries.plans import Filter, Operator, Question, Sort
from analytics.queries.reports.recency import seen_last
from analytics.queries.selection import DEFAULT_SELECTION, Selection, below, select
from analytics.queries.shapes import Kind, Leaf, Tree, leaf
from analytics.queries.sorting import Sort as Order
from analytics.queries.spans import SpanList, SpanPage, Spans, Within, list_spans
from analytics.queries.timerange import TimeRange
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.measures import FIGURES, OF_LISTS, Figure
from analytics.registry.operators import BY_KEY as OPERATORS_BY_KEY
from analytics.scope import Scope

Reply = dict[str, Any]
MOST_TRACES = 100
_LAST_SEEN = "last_ts"
_TRACES = "traces"
_LINK = "traces_url"
LinkTo = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of what spans name: by which dimension, its members, and what it can be sorted by; first the default."""

    dimension: str
    members: Mapping[str, Figure]
    sorts: tuple[str, ...]

    @property
    def shape(self) -> Tree:
        """The shape of an item."""
        figures = {key: Leaf(figure=one, nullable=one.nullable) for key, one in self.members.items()}
        link = leaf(Kind.TEXT, "Where the spans behind the item are listed, newest first.")
        return Tree(members={self.dimension: leaf(Kind.TEXT), **figures, _LINK: link})


_SHARED = {key: FIGURES[key] for key in ("total_tokens", "total_cost_usd", "unpriced_requests")}
SESSIONS = Listing(
    dimension="session_id",
    members={
        "user_id": OF_LISTS["user_min"],
        "first_ts": OF_LISTS["first_ts"],
        "last_ts": OF_LISTS["last_ts"],
        "trace_count": OF_LISTS["trace_count"],
        "request_count": FIGURES["request_count"],
        "error_count": FIGURES["error_count"],
        **_SHARED,
    },
    sorts=("last_ts", "first_ts", "total_cost_usd", "request_count"),
)
USERS = Listing(
    dimension="user_id",
    members={
        "first_ts": OF_LISTS["first_ts"],
        "last_ts": OF_LISTS["last_ts"],
        "session_count": OF_LISTS["session_count"],
        "request_count": FIGURES["request_count"],
        "error_count": FIGURES["error_count"],
        "error_rate": FIGURES["error_rate"],
        **_SHARED,
    },
    sorts=("last_ts", "first_ts", "total_cost_usd", "request_count", "error_rate"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Items, and where the next page goes on: the value sorted by and the label of the last; `None` at the end."""

    items: list[Reply]
    next: tuple[Any, str] | None


def people(
    *,
    listing: Listing,
    scope: Scope,
    where: TimeRange,
    filters: Sequence[Filter],
    sort: Sort,
    limit: int,
    after: tuple[Any, str] | None,
    wanted: Tree,
    link_to: LinkTo,
    ask: Ask = ask,
) -> Page:
    """Return a page of a list; only the members of `wanted`, and what it is sorted by, are computed.

    `link_to` makes of the label of an item where its spans are listed.
    """
    shown = {key: one for key, one in listing.members.items() if key in wanted or key == sort.by}
    figures = [Figure(key=key, measure=one.measure, aggregation=one.aggregation) for key, one in shown.items()]
    question = Question(
        scope=scope,
        range=where,
        filters=[*filters, _named(listing)],
        group_by=[DIMENSIONS[listing.dimension]],
        figures=figures,
        sort=sort,
        limit=limit,
        after=after,
        presence=("span_count",),
    )
    answer = _of_the_last_seen(question, ask) or ask(question)[0]
    items = [_item(answer, place, listing, link_to) for place in range(len(answer.rows))]
    last = items[-1] if answer.truncated else None
    following = None if last is None else (last[sort.by], last[listing.dimension])
    return Page(items=[wanted.cut(one) for one in items], next=following)


def count_people(*, listing: Listing, scope: Scope, where: TimeRange, filters: Sequence[Filter], ask: Ask = ask) -> int:
    """Return how many items a list has on all its pages."""
    question = Question(
        scope=scope,
        range=where,
        filters=[*filters, _named(listing)],
        group_by=[DIMENSIONS[listing.dimension]],
        figures=[OF_LISTS[_LAST_SEEN]],
        sort=Sort(by=_LAST_SEEN),
        limit=1,
        presence=("span_count",),
        counted=True,
    )
    return ask(question)[0].counted


def _of_the_last_seen(question: Question, ask: Ask) -> Answer | None:
    """Return the answer of a page by `last_ts`, newest first, from those who were seen last alone.

    `None` when that is not asked, or the newest spans name too few. A page may only show who was seen after the spans
    that were not looked at. Those of the first page are known by the newest span of each; on a later one some may
    have been seen after its start.
    """
    (dimension,) = question.group_by
    if question.sort != Sort(by=_LAST_SEEN) or any(
        one.dimension == dimension and one.operator is Operator.EQ for one in question.filters
    ):
        return None
    place = [one.key for one in question.figures].index(_LAST_SEEN)
    until = question.after[0] if question.after else None
    limit = question.limit or 0
    for seen in seen_last(dimension, question.scope, question.range, question.filters, until=until):
        if seen.down_to is not None and len(seen.labels) <= limit:
            continue
        if not seen.labels:
            return None
        shown = seen.first(limit + 1) if until is None else list(seen.labels)
        narrowed = Filter(dimension=dimension, operator=Operator.IN, values=tuple(shown))
        (answer,) = ask(replace(question, filters=[*question.filters, narrowed]))
        whole = seen.down_to is None and len(shown) == len(seen.labels)
        if whole or (answer.truncated and (seen.down_to is None or answer.rows[-1].values[place] > seen.down_to)):
            return answer
    return None


def _named(listing: Listing) -> Filter:
    """Return the filter that leaves out spans which name nothing."""
    return Filter(dimension=DIMENSIONS[listing.dimension], operator=Operator.PRESENT, values=())


def _item(answer: Answer, place: int, listing: Listing, link_to: LinkTo) -> Reply:
    row = answer.rows[place]
    label = str(row.labels[0])
    return {listing.dimension: label, **answer.figures_of(row), _LINK: link_to(label)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSelection:
    """What to send of a session: its members, and those of each of its traces."""

    members: Tree
    traces: Selection = DEFAULT_SELECTION

    @property
    def has_traces(self) -> bool:
        """Whether the session's traces are read: root spans, of which spans outside the range tell that they are."""
        return _TRACES in self.members or "traces_truncated" in self.members


def select_session(names: Sequence[str]) -> SessionSelection:
    """Return the selection of `names`, `traces.<member>` among them; raise 400/1202 for one that is no member."""
    own, of_traces = below(names, _TRACES)
    chosen = SESSION.chosen([*own, _TRACES] if len(own) < len(names) else own)
    return SessionSelection(members=chosen, traces=select(of_traces) if of_traces else DEFAULT_SELECTION)


def session(
    *, scope: Scope, where: TimeRange, session_id: str, wanted: SessionSelection, link_to: LinkTo, ask: Ask = ask
) -> Reply | None:
    """Return a session with its first traces, oldest first; `None` when the range has none of it."""
    filters = [Filter(dimension=DIMENSIONS["session_id"], values=(session_id,))]
    page = people(
        listing=SESSIONS,
        scope=scope,
        where=where,
        filters=filters,
        sort=Sort(by="last_ts"),
        limit=1,
        after=None,
        wanted=SESSIONS.shape,
        link_to=link_to,
        ask=ask,
    )
    if not page.items:
        return None
    (item,) = page.items
    if wanted.has_traces:
        roots = _roots(scope, where, session_id, wanted.traces)
        item |= {_TRACES: orjson.Fragment(roots.json), "traces_truncated": roots.next is not None}
    return wanted.members.cut(item)


SESSION = Tree(
    members={
        **SESSIONS.shape.members,
        _TRACES: leaf(Kind.OBJECT, f"Root spans, oldest first, at most {MOST_TRACES}.", many=True),
        "traces_truncated": leaf(Kind.BOOLEAN),
    }
)


def _roots(scope: Scope, where: TimeRange, session_id: str, selection: Selection) -> SpanPage:
    """Return the first root spans of a session in a range: those without a stored parent, oldest first."""
    named = Comparison(target=target_named("session_id"), operator=OPERATORS_BY_KEY["eq"], value=session_id)
    plan = SpanList(
        spans=Spans(scope=scope, range=where, within=Within.ROOTS, filter=named),
        selection=selection,
        sort=Order(descending=False),
        limit=MOST_TRACES,
        clock=where.end,
    )
    return list_spans(plan)
