"""What a page was asked for: its parameters stand in the URL, so that whoever gets the link sees the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from analytics.api.common import FILTERS, PROJECTS, RANGE, moves, time_range
from analytics.api.parameters import Parameter, boolean, choice, validate
from analytics.queries.timerange import TimeRange
from errors.exceptions import ApiError
from errors.json import rfc3339
from observatory.pages.questions import Call

DEFAULT_START = "now-7d"
LONGEST_DAYS = 365
PREVIOUS, NONE = "previous", "none"
COMPARE = Parameter(
    name="compare",
    read=choice({PREVIOUS: PREVIOUS, NONE: NONE}),
    schema={},
    default=PREVIOUS,
    description="Whether the period before stands beside.",
)
REFRESH = Parameter(name="refresh", read=boolean, schema={}, default=False, description="Ask again each minute.")
SHARED: tuple[Parameter, ...] = (*RANGE, PROJECTS, *FILTERS, COMPARE, REFRESH)
FILTER_NAMES = tuple(one.name for one in FILTERS)
# The ranges that a click gives: bound and name.
PRESETS: Mapping[str, str] = {
    "now-1h": "Last hour",
    "now-6h": "Last 6 hours",
    "now-24h": "Last 24 hours",
    "now-7d": "Last 7 days",
    "now-14d": "Last 14 days",
    "now-30d": "Last 30 days",
    "now-90d": "Last 90 days",
}
# Width of the buckets by the longest range that it is for; beyond all of them, days.
_INTERVALS: Sequence[tuple[timedelta, str, timedelta]] = (
    (timedelta(hours=3), "1min", timedelta(minutes=1)),
    (timedelta(hours=24), "5min", timedelta(minutes=5)),
    (timedelta(days=14), "1hour", timedelta(hours=1)),
)
_DAYS = ("1day", timedelta(days=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Validated parameters of the page at `place`, whose sisters are below `base`. `given` are those that were sent."""

    place: str
    base: str
    given: Mapping[str, str]
    values: Mapping[str, Any]
    range: TimeRange
    clock: datetime = field(default_factory=timezone.now)
    projects: Mapping[str, str] = field(default_factory=dict)  # in the viewer's reach: name by public id

    @property
    def start(self) -> str:
        """The start as the API is asked for it."""
        return self.given.get("start_time") or self.given.get("from") or DEFAULT_START

    @property
    def end(self) -> str:
        """The end as the API is asked for it; empty for now."""
        return self.given.get("end_time") or self.given.get("to") or ""

    @property
    def moves(self) -> bool:
        """Whether the range goes with the clock."""
        return moves({"start_time": self.start, "end_time": self.end or None})

    @property
    def compares(self) -> bool:
        """Whether the period before is shown beside."""
        return bool(self.values["compare"] == PREVIOUS)

    @property
    def interval(self) -> str:
        """The width of buckets that suits the range, by the API's name."""
        return self._bucket[0]

    @property
    def width(self) -> timedelta:
        """The width of buckets that suits the range."""
        return self._bucket[1]

    @property
    def granularity(self) -> str:
        """The same for routes that know minutes, hours and days alone."""
        return "1hour" if self.interval == "5min" else self.interval

    @property
    def granule(self) -> timedelta:
        """The width that `granularity` names."""
        return timedelta(hours=1) if self.interval == "5min" else self.width

    @property
    def length(self) -> timedelta:
        return self.range.end - self.range.start

    @property
    def _bucket(self) -> tuple[str, timedelta]:
        return next(((name, width) for longest, name, width in _INTERVALS if self.length <= longest), _DAYS)

    @property
    def filters(self) -> dict[str, str]:
        """The equalities and projects that were given."""
        return {name: self.given[name] for name in ("project_id", *FILTER_NAMES) if name in self.given}

    def call(self, path: str, **more: str) -> Call:
        """Return the call of the API for the page's range and filters."""
        return Call.to(path, {"start_time": self.start, "end_time": self.end, **self.filters, **more})

    def call_before(self, path: str, **more: str) -> Call:
        """Return the same of the period before, which is as long and ends where this one starts."""
        before = {"start_time": rfc3339(self.range.start - self.length), "end_time": rfc3339(self.range.start)}
        return Call.to(path, {**before, **self.filters, **more})

    def link(self, place: str = "", /, **changes: str | None) -> str:
        """Return the link to a page (this one) with the same parameters but for `changes`; `None` leaves one out."""
        query = {name: value for name, value in {**self.given, **changes}.items() if value}
        return f"{place or self.place}{'?' if query else ''}{urlencode(query)}"

    def shared(self, place: str, /, **changes: str | None) -> str:
        """Return the link to another page with the parameters that all pages have."""
        names = {one for parameter in SHARED for one in (parameter.name, *parameter.also)}
        query = {name: value for name, value in self.given.items() if name in names} | changes
        kept = {name: value for name, value in query.items() if value}
        return f"{place}{'?' if kept else ''}{urlencode(kept)}"


def read(
    request: HttpRequest, *, base: str, own: Sequence[Parameter] = (), projects: Mapping[str, str] | None = None
) -> Asked:
    """Return what a page is asked for; raise 400/1200-1205 naming the first parameter that is wrong.

    Boxes of a form that were left empty are sent empty: they count as left out.
    """
    given = given_of(request.GET)
    values = validate(_without_empty(request.GET), (*SHARED, *own))
    clock = timezone.now()
    where = time_range(
        {"start_time": values["start_time"] or DEFAULT_START, "end_time": values["end_time"]},
        default=timedelta(days=7),
        longest_days=LONGEST_DAYS,
        clock=clock,
    )
    return Asked(
        place=request.path, base=base, given=given, values=values, range=where, clock=clock, projects=projects or {}
    )


def fallback(request: HttpRequest, *, base: str, own: Sequence[Parameter] = ()) -> Asked:
    """Return what a page shows around a parameter that is wrong: nothing narrowed, the range by default."""
    clock = timezone.now()
    values = {one.name: one.default for one in (*SHARED, *own)}
    where = time_range(
        {"start_time": DEFAULT_START, "end_time": None},
        default=timedelta(days=7),
        longest_days=LONGEST_DAYS,
        clock=clock,
    )
    return Asked(place=request.path, base=base, given={}, values=values, range=where, clock=clock)


def given_of(query: QueryDict) -> dict[str, str]:
    """Return the parameters that have a value, the last of each."""
    return {name: value for name, value in query.items() if isinstance(value, str) and value.strip()}


def _without_empty(query: QueryDict) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        if sent := [value for value in values if isinstance(value, str) and value.strip()]:
            kept.setlist(name, sent)
    return kept


def refused(problem: ApiError) -> dict[str, str]:
    """Return what stands beside the field that is wrong."""
    told_so, _, allowed = problem.details.partition("allowed: ")
    sentence = ". ".join(filter(None, (problem.message, told_so.strip())))
    return {"field": problem.field, "sentence": sentence, "allowed": allowed and f"Allowed: {allowed}"}
