"""The tree of a trace: depth, self time, critical path, and what is below each span.

Pure. Spans whose parent is not stored are roots, and so is the earliest of spans that are each other's ancestors.
Clocks of several machines differ: of a child only what lies within its parent counts.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal

from analytics.pricing.money import sum_of_costs


@dataclass(slots=True, kw_only=True)
class TreeSpan:
    """A stored span as the tree needs it; times are microseconds, tokens and cost those of a counted span."""

    span_id: bytes
    parent_span_id: bytes | None
    start_us: int
    duration_us: int
    counted: bool = False
    cost_nanousd: int | None = None
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a span is in its trace. Cost and tokens are of the counted spans of its subtree, itself included."""

    depth: int
    self_time_ms: int
    subtree_cost_usd: Decimal | None
    subtree_tokens: int
    on_critical_path: bool


PLACE: tuple[str, ...] = tuple(one.name for one in fields(Place))


@dataclass(slots=True)
class _Node:
    span: TreeSpan
    depth: int = 0
    start: int = 0  # of what lies within the parent
    end: int = 0
    children: "list[_Node]" = field(default_factory=list)
    cost: int | None = None
    counted: int = 0
    tokens: int = 0
    critical: bool = False


def places_of(spans: Sequence[TreeSpan]) -> Mapping[bytes, Place]:
    """Return the place of every span of one trace, by its id."""
    ordered = _from_the_top(sorted(spans, key=lambda span: (span.start_us, span.span_id)))
    _roll_up(ordered)
    _mark_critical_path(ordered)
    return {
        node.span.span_id: Place(
            depth=node.depth,
            self_time_ms=round(_self_time(node) / 1000),
            subtree_cost_usd=sum_of_costs(node.cost, over=node.counted),
            subtree_tokens=node.tokens,
            on_critical_path=node.critical,
        )
        for node in ordered
    }


def _from_the_top(spans: Sequence[TreeSpan]) -> list[_Node]:
    """Return the nodes, every one behind its parent, the first root in front."""
    known = {span.span_id for span in spans}
    below: dict[bytes | None, list[TreeSpan]] = defaultdict(list)
    for span in spans:
        parent = span.parent_span_id
        below[parent if parent in known and parent != span.span_id else None].append(span)
    ordered: list[_Node] = []
    seen: set[bytes] = set()
    for root in (*below[None], *spans):  # a span that no root reaches is in a circle
        if root.span_id in seen:
            continue
        seen.add(root.span_id)
        queue = [_Node(root, start=root.start_us, end=root.start_us + root.duration_us)]
        for node in queue:
            for child in below.get(node.span.span_id, ()):
                if child.span_id not in seen:
                    seen.add(child.span_id)
                    made = _Node(child, depth=node.depth + 1)
                    made.start = min(max(child.start_us, node.start), node.end)
                    made.end = max(made.start, min(child.start_us + child.duration_us, node.end))
                    node.children.append(made)
                    queue.append(made)
        ordered += queue
    return ordered


def _roll_up(ordered: Sequence[_Node]) -> None:
    for node in reversed(ordered):
        if node.span.counted:
            node.counted += 1
            node.tokens += node.span.tokens
            if node.span.cost_nanousd is not None:
                node.cost = (node.cost or 0) + node.span.cost_nanousd
        for child in node.children:
            node.counted += child.counted
            node.tokens += child.tokens
            if child.cost is not None:
                node.cost = (node.cost or 0) + child.cost


def _self_time(node: _Node) -> int:
    """Return the microseconds in which the span ran and none of its children did."""
    start, end = node.span.start_us, node.span.start_us + node.span.duration_us
    covered, until = 0, start
    for child in node.children:  # in the order of their starts
        first = max(child.span.start_us, until)
        last = min(child.span.start_us + child.span.duration_us, end)
        if last > first:
            covered += last - first
            until = last
    return node.span.duration_us - covered


def _mark_critical_path(ordered: Sequence[_Node]) -> None:
    """Mark what the end of the first root waited for: from the end back, always the child that ended last."""
    waiting = list(ordered[:1])
    while waiting:
        node = waiting.pop()
        node.critical = True
        until = node.end
        for child in sorted(node.children, key=lambda one: one.end, reverse=True):
            if child.end <= until and (child.end > child.start or child.span.duration_us == 0):
                waiting.append(child)
                until = child.start
