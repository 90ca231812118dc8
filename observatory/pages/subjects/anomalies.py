"""Anomalies: hours in which a metric was beyond what hours like them are, why, and its course around them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from analytics.api.anomalies import ANOMALY_PARAMETERS
from analytics.api.metrics import AGGREGATION_NAMES
from analytics.api.parameters import Parameter, text
from analytics.registry.anomalies import WATCHED, Severity
from errors.json import rfc3339
from observatory.pages.asked import Asked
from observatory.pages.controls import choices
from observatory.pages.numbers import NONE, Unit, instant
from observatory.pages.numbers import shown as number
from observatory.pages.questions import Call
from observatory.pages.series import charted, drill, oldest_first
from observatory.pages.shapes import Ask, Body, Cell, Chart, Column, Figure, Page, Panel, Series, Shown, Table, moment

LIMIT = 200
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
WEEKS = 4
BEFORE, AFTER, LONGEST = 2 * DAY, DAY, 14 * DAY
NARROWING: Mapping[str, Parameter] = {
    one.name: one for one in ANOMALY_PARAMETERS if one.name in {"metric", "severity", "status"}
}
ANOMALY = Parameter(name="anomaly", read=text(longest=64), schema={}, description="The anomaly whose course is shown.")
NAMES: Mapping[str, str] = {
    "requests": "Requests an hour",
    "error_rate": "Error rate",
    "latency_p95": "p95 latency",
    "cost": "Cost an hour",
    "tokens_per_request": "Tokens a request",
}
_UNITS: Mapping[str, Unit] = {
    "requests": Unit.COUNT,
    "error_rate": Unit.RATE,
    "latency_p95": Unit.MILLISECONDS,
    "cost": Unit.MONEY,
    "tokens_per_request": Unit.COUNT,
}
# The page whose charts show a metric, and the calls that are worth looking at first.
_CHARTS: Mapping[str, str] = {
    "requests": "overview",
    "error_rate": "quality",
    "latency_p95": "performance",
    "cost": "overview",
    "tokens_per_request": "performance",
}
_CALLS: Mapping[str, Mapping[str, str]] = {
    "requests": {},
    "error_rate": {"status": "error"},
    "latency_p95": {"sort_by": "duration_ms"},
    "cost": {"sort_by": "total_cost_usd"},
    "tokens_per_request": {"sort_by": "total_tokens"},
}
_NONE = "Nothing was beyond what is usual in this range. Anomalies are looked for once two weeks of calls are known."
Row = Mapping[str, Any]


def _list(asked: Asked) -> Call:
    names = ("project_id", "provider", "model", *NARROWING)
    narrowed = {name: asked.given[name] for name in names if name in asked.given}
    return Call.to("/anomalies", {"start_time": asked.start, "end_time": asked.end, **narrowed, "limit": str(LIMIT)})


def _listed(asked: Asked, _ask: Ask) -> list[Call]:
    return [_list(asked)]


def _figures(_asked: Asked, body: Body) -> Shown:
    rows = body["items"]
    more = f"the newest {LIMIT}" if body["metadata"]["has_more"] else ""

    def count(name: str, value: str) -> int:
        return sum(one[name] == value for one in rows)

    return Shown(
        figures=[
            Figure(label="Anomalies", value=len(rows), unit=Unit.COUNT, note=more),
            Figure(label="Going on", value=count("status", "open"), unit=Unit.COUNT),
            *(Figure(label=one.capitalize(), value=count("severity", one), unit=Unit.COUNT) for one in _SEVERITIES),
        ]
    )


_SEVERITIES = [one.value for one in reversed(Severity)]


def _anomalies(asked: Asked, body: Body) -> Shown:
    columns = [
        Column(label="From (UTC)", unit=Unit.TIME),
        Column(label="Lasted"),
        Column(label="Project"),
        Column(label="Model"),
        Column(label="Measure"),
        Column(label="Severity"),
        Column(label="Expected"),
        Column(label="Seen"),
        Column(label="What moved"),
        Column(label="Charts"),
        Column(label="Traces"),
    ]
    rows = [
        [
            Cell(value=one["started_at"], column=columns[0], href=f"{asked.link(anomaly=one['id'])}#course"),
            _lasted(asked, one),
            asked.projects.get(one["project_id"], NONE),
            _model_cell(asked, columns[3], one),
            NAMES[one["metric"]],
            Cell(value=one["severity"], column=columns[5], failed=one["severity"] == Severity.CRITICAL),
            _told(one["metric"], one["expected"]),
            _told(one["metric"], one["observed"]),
            _moved(_standing_out(one)),
            Cell(value="Charts", column=columns[9], href=_charts(asked, one)),
            Cell(value="Traces", column=columns[10], href=_traces(asked, one)),
        ]
        for one in body["items"]
    ]
    more = f"These are the newest {LIMIT}. Choose a shorter range for the others."
    return Shown(
        table=Table(columns=columns, rows=rows),
        open=True,
        lines=[more] if body["metadata"]["has_more"] else [],
        empty="" if rows else _NONE,
    )


def _end(asked: Asked, one: Row) -> datetime:
    return moment(one["ended_at"]) if one["ended_at"] else max(asked.clock, moment(one["started_at"]) + HOUR)


def _lasted(asked: Asked, one: Row) -> str:
    if one["ended_at"] is None:
        return "goes on"
    hours = (_end(asked, one) - moment(one["started_at"])) // HOUR
    return "1 hour" if hours == 1 else f"{hours} hours"


def _model_cell(asked: Asked, column: Column, one: Row) -> Cell:
    if one["provider"] is None and one["model"] is None:
        return Cell(value="the whole project", column=column)
    narrowed = {name: one[name] for name in ("provider", "model") if one[name]}
    return Cell(
        value=one["model"] or NONE,
        column=column,
        href=asked.link(**narrowed, anomaly=None),
        quiet=one["provider"] or "",
    )


def _told(metric: str, value: Any) -> str:
    return number(value, _UNITS[metric])


def _standing_out(one: Row) -> list[Row]:
    """Return the values that have more of the change than they usually have of the whole, two at most."""

    def more(part: Row) -> Decimal:
        return Decimal(part["share_pct"]) - Decimal(part["usual_share_pct"])

    return sorted((part for part in one["explanation"] if more(part) > 0), key=more, reverse=True)[:2]


def _moved(parts: Sequence[Row]) -> str:
    """Return which values of which dimensions the change is made of, in words."""
    told_of = [
        f"{part['dimension'].replace('_', ' ')} {part['value']}: {number(part['share_pct'], Unit.PERCENT)}"
        f" of the change, usually {number(part['usual_share_pct'], Unit.PERCENT)} of all"
        for part in parts
    ]
    return f"{'; '.join(told_of)}." if told_of else "Nothing stands out."


def _narrowed(one: Row) -> dict[str, str | None]:
    """Return what narrows other pages to an anomaly: its project, its model and nothing else."""
    start = {"from": None, "to": None, "compare": None}
    return {**start, "project_id": one["project_id"], "provider": one["provider"], "model": one["model"]}


def _charts(asked: Asked, one: Row) -> str:
    start, end = moment(one["started_at"]) - DAY, _end(asked, one) + DAY
    bounds = {"start_time": rfc3339(start), "end_time": rfc3339(end) if end < asked.clock else None}
    return asked.shared(f"{asked.base}/{_CHARTS[one['metric']]}", **_narrowed(one) | bounds)


def _traces(asked: Asked, one: Row) -> str:
    bounds = {"start_time": rfc3339(moment(one["started_at"])), "end_time": rfc3339(_end(asked, one))}
    return asked.shared(f"{asked.base}/traces", **_narrowed(one) | bounds, scope="calls", **_CALLS[one["metric"]])


# --- the course of one of them ----------------------------------------------------------------------------------------
def _chosen(asked: Asked, body: Body) -> Row | None:
    """Return the anomaly that is asked for where it is in the list, else the newest."""
    rows: Sequence[Row] = body["items"]
    return next((one for one in rows if one["id"] == asked.values["anomaly"]), rows[0] if rows else None)


def _course_calls(asked: Asked, ask: Ask) -> list[Call]:
    """Ask for the metric around the anomaly and in the weeks before, whose same hours are what is usual."""
    listed = _list(asked)
    one = _chosen(asked, ask(listed))
    if one is None:
        return [listed]
    start, end = _around(asked, one)
    watched = WATCHED[one["metric"]]
    names = dict.fromkeys(["request_count", watched.measure])
    aggregation = watched.aggregation if watched.aggregation in AGGREGATION_NAMES else ""
    query = {
        "start_time": rfc3339(start - WEEKS * WEEK),
        "end_time": rfc3339(end),
        "project_id": one["project_id"],
        "provider": one["provider"] or "",
        "model": one["model"] or "",
        "metrics": ",".join(names),
        "aggregation": "" if watched.measure == "request_count" else aggregation,
        "interval": "1hour",
    }
    return [listed, Call.to("/metrics", query)]


def _around(asked: Asked, one: Row) -> tuple[datetime, datetime]:
    start, end = moment(one["started_at"]), _end(asked, one)
    end = min(end, start + LONGEST) + AFTER
    return start - BEFORE, min(end, asked.clock).replace(minute=0, second=0, microsecond=0)


def _course(asked: Asked, body: Body, course: Body | None = None) -> Shown:
    one = _chosen(asked, body)
    if one is None or course is None:
        return Shown(empty=_NONE)
    metric = one["metric"]
    known = {moment(row["timestamp"]): row for row in oldest_first(course)}
    start, end = _around(asked, one)
    times = [start + HOUR * count for count in range(max((end - start) // HOUR, 1))]
    seen = [_value(known, at, metric) for at in times]
    usual = [_usual(known, at, metric) for at in times]
    series, has_band = [Series(label=NAMES[metric], values=seen, color=1)], any(len(found) > 1 for found in usual)
    most = [max(found, default=None) for found in usual]
    if has_band:
        series.append(Series(label="At most, weeks before", values=most, color=8))
        least = [min(found, default=None) for found in usual]
        series.append(Series(label="At least, weeks before", values=least, color=8))
    elif any(usual):
        series.append(Series(label="A week before", values=most, before=True))
    chart = Chart(
        times=times,
        series=series,
        unit=_UNITS[metric],
        width=HOUR.total_seconds(),
        band=(1, 2) if has_band else None,
        drill=drill(
            asked,
            project_id=one["project_id"],
            provider=one["provider"],
            model=one["model"],
            scope="calls",
            **_CALLS[metric],
        ),
    )
    shown = charted(chart)
    of = " of ".join(filter(None, (one["model"], one["provider"]))) or "The whole project"
    expected, observed = _told(metric, one["expected"]), _told(metric, one["observed"])
    when = f"from {instant(one['started_at'])} UTC on, {_lasted(asked, one)}"
    line = f"{of}: {observed} where {expected} was to be expected, {when}."
    return Shown(chart=shown.chart, table=shown.table, lines=[line, _moved(one["explanation"])])


def _value(known: Mapping[datetime, Row], at: datetime, metric: str) -> Any:
    """Return the metric of an hour: what adds up is 0 where nothing was called."""
    row = known.get(at)
    if row is None:
        return Decimal(0) if WATCHED[metric].of_project and metric != "error_rate" else None
    return row[WATCHED[metric].measure]


def _usual(known: Mapping[datetime, Row], at: datetime, metric: str) -> list[Any]:
    """Return the metric of the same hour of the weeks before, as far as they are known."""
    first = min(known, default=at)
    hours = [at - WEEK * count for count in range(1, WEEKS + 1)]
    found = [_value(known, hour, metric) for hour in hours if hour >= first]
    return [value for value in found if value is not None]


def _controls(asked: Asked, _ask: Ask) -> list[Mapping[str, Any]]:
    every: dict[str | None, str] = {None: "all"}
    names = {
        "metric": every | dict(NAMES),
        "severity": every | {one: one for one in _SEVERITIES},
        "status": every | {"open": "going on", "closed": "over"},
    }
    labels = {"metric": "Measure", "severity": "Severity", "status": "State"}
    return [choices(asked, NARROWING[name], labels[name], names[name], anomaly=None) for name in labels]


ANOMALIES = Page(
    key="anomalies",
    title="Anomalies",
    permission="metrics:read",
    about="Hours that were beyond what hours like them are, and what moved.",
    own=(*NARROWING.values(), ANOMALY),
    compares=False,
    filters=("provider", "model"),
    controls=_controls,
    panels=(
        Panel(key="figures", title="In short", calls=_listed, show=_figures, figures=True),
        Panel(key="anomalies", title="What was unusual", calls=_listed, show=_anomalies),
        Panel(
            key="course",
            title="Its course",
            note="Beside the least and the most of the same hour of the four weeks before, as far as they are known.",
            calls=_course_calls,
            show=_course,
        ),
    ),
)
