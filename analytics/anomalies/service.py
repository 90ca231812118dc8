"""Judging the closed hours of a project, and keeping what was found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from django.db import transaction
from django.db.models import Q

from analytics.anomalies.detection import DAY, HISTORY, HOUR, WEEK, History
from analytics.anomalies.explaining import Part, explained
from analytics.anomalies.reading import histories_of
from analytics.anomalies.runs import QUIET, Key, Run, judged
from analytics.anomalies.telling import tell_channels, tell_event
from analytics.anomalies.watching import MOST_TOGETHER, Series
from analytics.models import Anomaly, AnomalyProgress, AnomalyStatus
from analytics.registry.anomalies import Direction, severity_of
from analytics.scope import Scope
from analytics.storage.changes import floor

LONGEST_BEHIND = WEEK  # hours before that are not judged any more, and of a new project that many at first
KEPT = 210 * DAY  # as long as the rollups of hours that tell of the same
_NEWS = DAY  # channels are not told of what ended before that
_MOST_SCORE = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedProject:
    """A project with the hour of its newest span. `scope` holds it alone; `name` is what people call it."""

    scope: Scope
    name: str
    newest: datetime

    @property
    def project_id(self) -> int:
        """The storage's number of the project."""
        return next(iter(self.scope.projects))


def project_judge(project: WatchedProject, *, now: datetime) -> int:
    """Judge the hours of a project that closed since the last time; return how many anomalies began or ended.

    An hour is closed when the clock is past it and a span of a later hour came: of a project that sends nothing nobody
    knows yet whether its spans are late.
    """
    until = min(floor(now, HOUR), project.newest)
    known = AnomalyProgress.objects.filter(project_id=project.project_id).first()
    since = max(known.judged_until if known else until - LONGEST_BEHIND, until - LONGEST_BEHIND)
    if since >= until:
        return 0
    hours = [since + HOUR * count for count in range((until - since) // HOUR)]
    histories = histories_of(project.scope, start=until - HISTORY, end=until)
    kept = _kept(project.project_id, since)
    found = _found(histories, hours, kept)
    news = {
        (key, first): run
        for (key, first), run in found.items()
        if key.series in histories and ((key, first) not in kept or not run.is_open)
    }
    explanations = {place: _explanation(project, histories, place[0], run) for place, run in news.items()}
    with transaction.atomic():
        mine, _ = AnomalyProgress.objects.select_for_update().get_or_create(
            project_id=project.project_id,
            defaults={"organisation_id": _organisation(project), "judged_until": since},
        )
        if mine.judged_until > since:  # somebody else did it meanwhile
            return 0
        told = sum(
            _keep(project, key, run, kept.get((key, first)), explanations.get((key, first)), now=now)
            for (key, first), run in found.items()
        )
        AnomalyProgress.objects.filter(project_id=project.project_id).update(judged_until=until)
    return told


def anomalies_forget(*, now: datetime) -> int:
    """Delete anomalies that are over since longer than they are kept; return how many."""
    return Anomaly.objects.filter(ended_at__lt=now - KEPT).delete()[0]


Place = tuple[Key, datetime]


def _kept(project_id: int, since: datetime) -> Mapping[Place, Anomaly]:
    """Return the anomalies that hours from `since` on may belong to."""
    near = Q(status=AnomalyStatus.OPEN) | Q(last_hour__gte=since - QUIET - MOST_TOGETHER * HOUR)
    found = Anomaly.objects.filter(near, project_id=project_id).order_by("started_at")
    return {(Key(Series(one.provider, one.model), one.metric), one.started_at): one for one in found}


def _found(
    histories: Mapping[Series, History], hours: Sequence[datetime], kept: Mapping[Place, Anomaly]
) -> dict[Place, Run]:
    runs = {key: _run(anomaly) for (key, _), anomaly in kept.items()}  # the newest of each is the last
    return {(key, run.first): run for key, run in judged(histories, hours, runs)}


def _run(anomaly: Anomaly) -> Run:
    return Run(
        direction=Direction(anomaly.direction),
        first=anomaly.started_at,
        last=anomaly.last_hour,
        score=float(anomaly.score),
        expected=anomaly.expected,
        observed=anomaly.observed,
        is_open=anomaly.status == AnomalyStatus.OPEN,
    )


def _explanation(
    project: WatchedProject, histories: Mapping[Series, History], key: Key, run: Run
) -> list[dict[str, str | None]]:
    history = histories[key.series]
    parts = explained(project.scope, key, run, known_since=history.first or history.end)
    return [dict(_told(one)) for one in parts]


def _told(part: Part) -> Iterator[tuple[str, str | None]]:
    yield "dimension", part.dimension
    yield "value", part.value
    numbers = {
        "expected": part.expected, "observed": part.observed,
        "share_pct": part.share, "usual_share_pct": part.usual_share,
    }  # fmt: skip
    yield from ((name, format(number, "f")) for name, number in numbers.items())


def _keep(
    project: WatchedProject,
    key: Key,
    run: Run,
    anomaly: Anomaly | None,
    explanation: list[dict[str, str | None]] | None,
    *,
    now: datetime,
) -> bool:
    """Write an anomaly as it is now; return whether it began or ended."""
    begins = anomaly is None
    if anomaly is None:
        anomaly = Anomaly(
            organisation_id=_organisation(project),
            project_id=project.project_id,
            metric=key.metric,
            provider=key.series.provider,
            model=key.series.model,
            direction=run.direction,
            started_at=run.first,
            created_at=now,
        )
    ends = not run.is_open and anomaly.status == AnomalyStatus.OPEN
    score = min(Decimal(run.score), _MOST_SCORE).quantize(Decimal("0.01"), ROUND_HALF_UP)
    anomaly.severity = severity_of(float(score))
    anomaly.score, anomaly.expected, anomaly.observed = score, Decimal(run.expected), Decimal(run.observed)
    anomaly.last_hour = run.last
    anomaly.status = AnomalyStatus.OPEN if run.is_open else AnomalyStatus.CLOSED
    anomaly.ended_at = None if run.is_open else run.end
    if explanation is not None:
        anomaly.explanation = explanation
    anomaly.updated_at = now
    anomaly.save()
    if begins and run.end > now - _NEWS:
        name = project.scope.projects[project.project_id].public_id
        tell_channels(anomaly, project=name, name=project.name)
    if begins or ends:
        tell_event(anomaly)
    return begins or ends


def _organisation(project: WatchedProject) -> int:
    return project.scope.projects[project.project_id].organisation_id
