"""How many incidents the detector of anomalies finds, and how much of what it finds is one.

Incidents are put into simulated projects and into nothing else of them. The demo has one of its own.
"""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from analytics.anomalies.detection import DAY, HISTORY, HOUR, History
from analytics.anomalies.runs import Key, Run, judged
from analytics.anomalies.watching import WHOLE
from analytics.management.demo import incident_of
from analytics.management.demo.vendors import INCIDENT
from benchmarks.demo_hours import demo_hours
from benchmarks.figures import Figure
from benchmarks.incidents import END, JUDGED, KINDS, Hours, Incident, incident_in_a_week, project
from benchmarks.run import Run as Asked

BUSIEST = (20, 60, 200)  # requests of the busiest hour
TIMES = 8  # projects of each kind of incident and of each size
QUIET = 24  # projects without any
DEMOS = 14
PRECISION, RECALL = 0.95, 0.9


class Found(NamedTuple):
    """What was found in a project: anomalies, those that are of its incident, and whether there are any."""

    anomalies: int
    right: int

    @property
    def is_found(self) -> bool:
        """Whether the incident was found."""
        return self.right > 0


def measure(_run: Asked) -> Iterator[Figure]:
    """Yield precision and recall over injected incidents, recall of each kind, and what is found on demo data."""
    chance = random.Random(8)  # noqa: S311  the same projects every time
    everything: list[Found] = []
    for kind in KINDS:
        found = [
            injected(chance, incident_in_a_week(chance, kind), busiest=busiest)
            for busiest in BUSIEST
            for _ in range(TIMES)
        ]
        everything += found
        share = sum(one.is_found for one in found) / len(found)
        yield Figure(figure=f"anomalies.recall.{kind.key}", value=share, unit="", rows=len(found), direction="at_least")
    quiet = [injected(chance, None, busiest=chance.choice(BUSIEST)) for _ in range(QUIET)]
    anomalies = sum(one.anomalies for one in (*everything, *quiet))
    recall = sum(one.is_found for one in everything) / len(everything)
    precision = sum(one.right for one in everything) / anomalies
    rows = len(everything) + len(quiet)
    yield Figure(
        figure="anomalies.recall", value=recall, unit="", rows=len(everything), target=RECALL, direction="at_least"
    )
    yield Figure(
        figure="anomalies.precision", value=precision, unit="", rows=rows, target=PRECISION, direction="at_least"
    )
    alarms = sum(one.anomalies - one.right for one in (*everything, *quiet)) / rows
    yield Figure(figure="anomalies.false_per_project_week", value=alarms, unit="", rows=rows)
    demos = [
        on_demo(datetime(2026, 3, 2, 9, 17, tzinfo=UTC) + day * timedelta(hours=29), seed=day) for day in range(DEMOS)
    ]
    missed = sum(not one.is_found for one in demos)
    extra = sum(one.anomalies - one.right for one in demos)
    yield Figure(figure="anomalies.demo.incidents_missed", value=missed, unit="", rows=DEMOS, target=0)
    yield Figure(figure="anomalies.demo.others_found", value=extra, unit="", rows=DEMOS, target=0)


def injected(chance: random.Random, incident: Incident | None, *, busiest: float) -> Found:
    """Return what is found in the last week of a project, judged day by day, each without knowing the days after it."""
    hours = project(chance, busiest=busiest, incident=incident)
    runs: dict[tuple[Key, datetime], Run] = {}
    day = END - JUDGED
    while day < END:
        runs |= found_in(hours, since=day, until=day + DAY, known=runs)
        day += DAY
    right = sum(incident is not None and _is_of(incident, key, run) for (key, _), run in runs.items())
    return Found(len(runs), right)


def found_in(
    hours: Hours, *, since: datetime, until: datetime, known: Mapping[tuple[Key, datetime], Run] | None = None
) -> dict[tuple[Key, datetime], Run]:
    """Return the anomalies of `[since, until)`, with what was known of those before, by key and first hour."""
    histories = {
        series: History(
            hours={hour: one for hour, one in mine.items() if until - HISTORY <= hour < until},
            start=until - HISTORY,
            end=until,
        )
        for series, mine in hours.items()
    }
    newest = {key: run for (key, _), run in (known or {}).items()}
    closed = [since + HOUR * count for count in range((until - since) // HOUR)]
    return {(key, run.first): run for key, run in judged(histories, closed, newest)}


def _is_of(incident: Incident, key: Key, run: Run) -> bool:
    in_time = run.first < incident.end and run.end > incident.start
    return in_time and key.metric in incident.kind.metrics and key.series in {incident.model.series, WHOLE}


def on_demo(end: datetime, *, seed: int) -> Found:
    """Return what is found, all projects together, when two weeks of demo data that end at `end` are judged at once."""
    projects = demo_hours(end, seed=seed)
    newest = max(hour for hours in projects.values() for hour in hours[WHOLE])
    runs = [
        (key, run)
        for hours in projects.values()
        for (key, _), run in found_in(hours, since=newest - JUDGED, until=newest).items()
    ]
    start, stop = incident_of(end)
    right = sum(
        run.first < stop and run.end > start and key.series.provider in {INCIDENT.provider, None} for key, run in runs
    )
    return Found(len(runs), right)
