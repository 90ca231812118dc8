"""The hours of a project as series: from the query core, which reads the rollups."""

from collections import Counter, defaultdict
from datetime import datetime

from analytics.anomalies.detection import History, Hour
from analytics.anomalies.watching import WHOLE, Series
from analytics.queries.figures import Answer, ask
from analytics.queries.plans import Question, Sort
from analytics.queries.sources import earliest
from analytics.queries.timerange import TimeRange
from analytics.registry.anomalies import WATCHED
from analytics.registry.dimensions import BY_KEY as DIMENSIONS
from analytics.registry.grains import BY_KEY as GRAINS
from analytics.registry.measures import Figure, figure
from analytics.registry.rollups import BY_TABLE
from analytics.scope import Scope
from analytics.storage.horizons import horizons_of

MOST_MODELS = 100  # of a project that are watched on their own, those with the most requests
_INNER = {name for one in WATCHED.values() for _, name in one.inner}
FIGURES: tuple[Figure, ...] = (
    figure("request_count"),
    figure("error_count"),
    *(figure(one.measure, one.aggregation, key=one.key) for one in WATCHED.values()),
    *(figure("duration", name, key=name) for name in sorted(_INNER)),
)


def histories_of(scope: Scope, *, start: datetime, end: datetime) -> dict[Series, History]:
    """Return the hours of `[start, end)`, full hours both, of every model of the scope and of all of it together.

    What is no longer kept is no part of them.
    """
    start = max(start, earliest([BY_TABLE["llm_metrics_1hour"]], horizons_of(list(scope.projects))))
    if start >= end:
        return {}
    by_model = Question(
        scope=scope,
        range=TimeRange(start=start, end=end),
        grain=GRAINS["1hour"],
        group_by=[DIMENSIONS["provider"], DIMENSIONS["model"]],
        figures=FIGURES,
        sort=Sort(descending=False),
    )
    whole = Question(scope=scope, range=by_model.range, grain=by_model.grain, figures=FIGURES, sort=by_model.sort)
    models, project = ask(by_model, whole)
    hours = _hours(models)
    hours.pop(WHOLE, None)  # calls that name neither provider nor model are part of the project only
    requests = Counter({series: sum(one.requests for one in known.values()) for series, known in hours.items()})
    kept = {series: hours[series] for series, _ in requests.most_common(MOST_MODELS)} | _hours(project)
    return {series: History(hours=known, start=start, end=end) for series, known in kept.items()}


def _hours(answer: Answer) -> dict[Series, dict[datetime, Hour]]:
    found: dict[Series, dict[datetime, Hour]] = defaultdict(dict)
    for row in answer.rows:
        assert row.bucket is not None
        figures = answer.figures_of(row)
        found[Series(*row.labels) if row.labels else WHOLE][row.bucket] = Hour(
            requests=figures["request_count"], errors=figures["error_count"], figures=figures
        )
    return dict(found)
