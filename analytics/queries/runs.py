"""A question whose range is settled, and what decides about its sources: what changed, and what is still kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analytics.queries.plans import Question
from analytics.queries.sources import Segment, choose, earliest, widened
from analytics.queries.timerange import TimeRange, check_length
from analytics.registry.measures import Figure
from analytics.registry.rollups import Rollup
from analytics.scope import Scope
from analytics.storage.changes import Changes, changes_of
from analytics.storage.horizons import EVER, Horizons, horizons_of
from errors.catalog import RANGE_NOT_KEPT
from errors.exceptions import ApiError


def check_grain(question: Question) -> None:
    """Raise 400/1204 when the range is longer than its buckets are served over."""
    grain = question.grain
    longest = (question.is_by_label and grain.longest_by_label) or grain.longest
    if longest is not None:
        check_length(question.range, longest=longest, instead=grain.next)


@dataclass(frozen=True, slots=True)
class Known:
    """What was read in this snapshot already."""

    horizons: dict[tuple[int, ...], Horizons] = field(default_factory=dict)
    changes: dict[tuple[Any, ...], Changes] = field(default_factory=dict)

    def horizons_of(self, scope: Scope) -> Horizons:
        key = tuple(scope.projects)
        if key not in self.horizons:
            self.horizons[key] = horizons_of(key)
        return self.horizons[key]

    def changes_of(self, scope: Scope, where: TimeRange) -> Changes:
        key = (*scope.projects, where.start, where.end)
        if key not in self.changes:
            self.changes[key] = changes_of(scope.tenant, where.start, where.end)
        return self.changes[key]


@dataclass(frozen=True, kw_only=True)
class Run:
    """A question whose range is settled, with what decides about its sources."""

    question: Question
    changes: Changes
    kept: Horizons
    used: list[Segment] = field(default_factory=list)

    def segments(self, rollups: Sequence[Rollup]) -> list[Segment]:
        segments = choose(self.question.range, rollups, self.changes.marked, self.kept, self.changes.slices)
        self.used.extend(segments)
        return segments


def settled(asked: Question, known: Known) -> Run:
    kept = known.horizons_of(asked.scope)
    parts, where = asked.parts, asked.range
    for rollups in parts:
        where = widened(where, rollups, kept)
    # Of the same range it is the same question, with what it has worked out already.
    question = asked if where == asked.range else replace(asked, range=where)
    since = max(earliest(rollups, kept) for rollups in parts)
    if question.range.start < since:
        raise ApiError(
            RANGE_NOT_KEPT,
            field="start_time",
            earliest=f"{since:%Y-%m-%dT%H:%M:%SZ}",
            details="Older data can be asked for by day, without what only spans tell." if since > EVER else "",
        )
    return Run(question=question, changes=known.changes_of(asked.scope, question.range), kept=kept)


def ordering(question: Question) -> list[Figure]:
    sorting = [one for one in question.figures if one.key == question.sort.by]
    return [*(one.figure for one in question.having), *sorting]


def source_of(segments: Sequence[Segment]) -> str:
    """Return where the facts of an answer came from: rollup, spans, mixed."""
    from_spans = {segment.rollup is None for segment in segments}
    return "mixed" if len(from_spans) > 1 else "spans" if from_spans == {True} else "rollup"
