"""How many spans of a file had their cost changed while it was written: they are in it as they were found."""

from datetime import datetime

from django.db import connection
from django.db.models import Q

from analytics.models import CostRun
from analytics.queries.contents import Key
from analytics.queries.spans import Spans, all_of

_KEY = "(s.ts, s.trace_id, s.span_id, s.project_id)"
_CHANGED = f"""count(*) FILTER (WHERE {_KEY} <= (%(last_ts)s, %(last_trace)s, %(last_span)s, %(last_project)s)
    AND EXISTS (
        SELECT FROM cost_run_spans AS kept
        WHERE kept.organisation_id = s.organisation_id AND kept.project_id = s.project_id AND kept.ts = s.ts
            AND kept.trace_id = s.trace_id AND kept.span_id = s.span_id AND kept.run_id = ANY(%(runs)s)
    ))"""


def repriced_in(spans: Spans, *, last: Key | None, since: datetime) -> int | None:
    """Return how many of `spans` up to the key `last` were changed by a re-pricing that was under way after `since`.

    A span counts whether it was read before its change or after it. `None` where a run was undone meanwhile: what it
    changed is known no more.
    """
    runs = CostRun.objects.filter(Q(finished_at=None) | Q(finished_at__gte=since))
    found = list(runs.values_list("id", "state"))
    if any(state in (CostRun.State.UNDOING, CostRun.State.UNDONE) for _, state in found):
        return None
    if not found or last is None:
        return 0
    sql, given = all_of(spans, _CHANGED)
    given |= {"runs": [number for number, _ in found]}
    given |= dict(zip(("last_ts", "last_trace", "last_span", "last_project"), last, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        counted: int = cursor.fetchone()[0]
    return counted
