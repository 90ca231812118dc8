"""What an export is of: from the row of a job or schedule to the spans that the queries know."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from analytics.exports.formats import FORMATS, Format
from analytics.models import ExportJob, Selected
from analytics.queries.filters.document import read_filter
from analytics.queries.filters.tree import Node
from analytics.queries.filters.values import Limits
from analytics.queries.selection import DEFAULT_SELECTION, Selection, select
from analytics.queries.spans import Arrived, Spans, Within
from analytics.queries.timerange import TimeRange, round_up
from analytics.scope import Scope, ScopedProject

_ANY = 10**6  # what was admitted once is read again whatever the limits are by then


def scope_of(row: Selected) -> Scope:
    """Return the projects of a job or schedule."""
    return Scope(
        projects={
            number: ScopedProject(organisation_id=row.organisation_id, public_id=uuid)
            for number, uuid in zip(row.project_ids, row.project_uuids, strict=True)
        },
        permissions=frozenset(),
    )


def selection_of(row: Selected) -> Selection:
    """Return the members that are exported."""
    return select(row.fields) if row.fields else DEFAULT_SELECTION


def filter_of(expression: Mapping[str, Any] | None, *, now: datetime) -> Node | None:
    """Return the filter that was admitted at `now`, from whose next full minute its relative times count."""
    if expression is None:
        return None
    clock = round_up(now, grid=settings.TIME_GRID_SECONDS)
    limits = Limits(depth=_ANY, leaves=_ANY, values=_ANY, regex_chars=_ANY, text_chars=_ANY, now=clock)
    return read_filter(expression, limits=limits)


def spans_of(job: ExportJob) -> Spans:
    """Return the spans of a job, as they were stored when it was created."""
    return Spans(
        scope=scope_of(job),
        range=TimeRange(start=job.start_time, end=job.end_time),
        within=Within(job.within),
        filter=filter_of(job.filter, now=job.created_at),
        arrived=Arrived(settled=job.settled, times=tuple(job.arrived)),
    )


def format_of(row: Selected) -> Format:
    """Return the format."""
    return FORMATS[row.format]


def file_name_of(job: ExportJob) -> str:
    """Return the name that a downloaded file is offered with."""
    return f"traces-{job.id}.{format_of(job).file_extension(job.compression)}"
