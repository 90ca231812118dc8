"""The overview: how much, how dear, how fast and how well, beside the period before."""

from typing import TYPE_CHECKING, Any

from observatory.pages.asked import Asked
from observatory.pages.numbers import Unit
from observatory.pages.questions import Call
from observatory.pages.series import (
    NOTHING,
    behind,
    buckets,
    charted,
    drill,
    label_cell,
    oldest_first,
    shifted,
    stacked,
    times_of,
    values_of,
    worst,
)
from observatory.pages.shapes import Ask, Body, Cell, Chart, Column, Figure, Page, Panel, Series, Shown, Table

if TYPE_CHECKING:
    from collections.abc import Mapping

_COURSE = "request_count,error_count,success_count,total_cost,total_tokens"


def _summary(asked: Asked) -> Call:
    compare = {} if asked.compares else {"compare_previous_period": "false"}
    return asked.call("/metrics/summary", **compare)


def _summary_alone(asked: Asked, _ask: Ask) -> list[Call]:
    return [_summary(asked)]


def course(asked: Asked) -> Call:
    """Return the call for everything over time."""
    return asked.call("/metrics", metrics=_COURSE, interval=asked.interval, include_percentiles="true", fill="zero")


def course_before(asked: Asked) -> Call:
    """Return the call for the same in the period before."""
    return asked.call_before(
        "/metrics", metrics=_COURSE, interval=asked.interval, include_percentiles="true", fill="zero"
    )


def with_before(asked: Asked, _ask: Ask) -> list[Call]:
    """Return the calls for the course, and for that of the period before where it is compared with."""
    return [course(asked), *([course_before(asked)] if asked.compares else [])]


def _figures(asked: Asked, summary: Body, over_time: Body) -> Shown:
    now, rows = summary["current_period"], oldest_first(over_time)
    changes: Mapping[str, Any] = summary.get("changes") or {}
    before: Mapping[str, Any] = summary.get("previous_period") or {}
    tokens = change(now["total_tokens"], before.get("total_tokens"))
    users = change(now["unique_users"], before.get("unique_users"))
    unpriced = now["unpriced_requests"]
    return Shown(
        figures=[
            Figure(
                label="Requests",
                value=now["total_requests"],
                unit=Unit.COUNT,
                change=changes.get("requests_change_pct"),
                course=values_of(rows, "request_count"),
            ),
            Figure(
                label="Cost",
                value=now["total_cost_usd"],
                unit=Unit.MONEY,
                change=changes.get("cost_change_pct"),
                good=-1,
                course=values_of(rows, "total_cost"),
                note=f"{unpriced:,} without a price" if unpriced else "",
                href=asked.shared(f"{asked.base}/cost") + "#unpriced" if unpriced else "",
            ),
            Figure(
                label="p95 latency",
                value=now["p95_duration_ms"],
                unit=Unit.MILLISECONDS,
                change=change(now["p95_duration_ms"], before.get("p95_duration_ms")),
                good=-1,
                course=values_of(rows, "p95_duration_ms"),
            ),
            Figure(
                label="Error rate",
                value=now["error_rate"],
                unit=Unit.RATE,
                change=changes.get("error_rate_change_pct"),
                good=-1,
                course=values_of(rows, "error_count"),
            ),
            Figure(
                label="Tokens",
                value=now["total_tokens"],
                unit=Unit.COUNT,
                change=tokens,
                course=values_of(rows, "total_tokens"),
            ),
            Figure(label="Users", value=now["unique_users"], unit=Unit.COUNT, change=users, good=1),
        ],
        empty="" if now["total_requests"] else NOTHING,
    )


def change(new: Any, old: Any) -> Any:
    """Return the change in percent where both periods have a value, the older one not 0."""
    return (new - old) * 100 / old if new is not None and old else None


def requests(asked: Asked, body: Body, before: Body | None = None) -> Shown:
    """Return requests over time, those that failed apart."""
    rows = oldest_first(body)
    times = times_of(rows)
    series = [
        Series(label="Succeeded", values=values_of(rows, "success_count"), color=1),
        Series(label="Failed", values=values_of(rows, "error_count"), color=6),
    ]
    if before is not None:
        series.append(shifted(asked, oldest_first(before), "request_count", times, label="Period before"))
    chart = Chart(
        times=times,
        series=series,
        unit=Unit.COUNT,
        width=asked.width.total_seconds(),
        stacked=True,
        bars=True,
        drill=drill(asked, scope="calls"),
        zoom=asked.link(),
    )
    found = worst(asked, chart, series[1], name="Most failures", scope="calls", status="error", sort_by="ts")
    return charted(chart, found)


def cost_by_model(asked: Asked, body: Body) -> Shown:
    """Return costs over time by model."""
    rows = body["data"]
    times = buckets(asked)
    chart = Chart(
        times=times,
        series=stacked(rows, by="model", figure="total_cost", times=times),
        unit=Unit.MONEY,
        width=asked.width.total_seconds(),
        stacked=True,
        bars=True,
        drill=drill(asked, scope="calls", sort_by="total_cost_usd"),
        zoom=asked.link(),
    )
    whole = Series(label="", values=[sum(values) for values in zip(*(one.values for one in chart.series), strict=True)])
    dearest = None
    if chart.series:
        dearest = worst(asked, chart, whole, name="Highest", scope="calls", sort_by="total_cost_usd")
    return charted(chart, dearest)


def latency(asked: Asked, body: Body, before: Body | None = None) -> Shown:
    """Return percentiles of latency over time."""
    rows = oldest_first(body)
    times = times_of(rows)
    series = [
        Series(label="p50", values=values_of(rows, "p50_duration_ms"), color=3),
        Series(label="p95", values=values_of(rows, "p95_duration_ms"), color=1),
        Series(label="p99", values=values_of(rows, "p99_duration_ms"), color=5),
    ]
    slowest = series[-1]
    if before is not None:
        series.append(shifted(asked, oldest_first(before), "p95_duration_ms", times, label="p95 before"))
    chart = Chart(
        times=times,
        series=series,
        unit=Unit.MILLISECONDS,
        width=asked.width.total_seconds(),
        drill=drill(asked, scope="calls", sort_by="duration_ms"),
        zoom=asked.link(),
    )
    return charted(chart, worst(asked, chart, slowest, name="Slowest", scope="calls", sort_by="duration_ms"))


def _models(asked: Asked, summary: Body) -> Shown:
    columns = [
        Column(label="Model"),
        Column(label="Provider"),
        Column(label="Cost", unit=Unit.MONEY),
        Column(label="Share", unit=Unit.PERCENT),
    ]
    rows = [
        [
            label_cell(asked, columns[0], one["model"], model=one["model"] or ""),
            label_cell(asked, columns[1], one["provider"], provider=one["provider"] or ""),
            one["value"],
            Cell(value=one["percentage"], column=columns[3], share=one["percentage"]),
        ]
        for one in summary["top_items"]["by_cost"]
    ]
    return Shown(
        table=Table(columns=columns, rows=rows), open=True, empty="" if rows else "Nothing has a cost here yet."
    )


def of_error(kind: str) -> str:
    """Return the line of the filter language that finds calls that failed with a type; without one they say ERROR."""
    if kind == "ERROR":
        return "status:error -error_type:*"
    escaped = kind.replace("\\", "\\\\").replace('"', '\\"')
    return f'status:error error_type:"{escaped}"'


def error_table(asked: Asked, rows: list[dict[str, Any]]) -> Shown:
    """Return the commonest errors, each leading to its calls."""
    columns = [
        Column(label="Error"),
        Column(label="Failed", unit=Unit.COUNT),
        Column(label="Share", unit=Unit.PERCENT),
        Column(label="Newest message"),
    ]
    found = [
        [
            Cell(
                value=one["error_type"],
                column=columns[0],
                href=behind(asked, q=of_error(one["error_type"])),
            ),
            one["count"],
            Cell(value=one["percentage"], column=columns[2], share=one["percentage"]),
            one["sample_message"],
        ]
        for one in rows
    ]
    return Shown(
        table=Table(columns=columns, rows=found), open=True, empty="" if found else "No request failed in this range."
    )


def _errors(asked: Asked, summary: Body) -> Shown:
    return error_table(asked, summary["quality"]["most_common_errors"])


OVERVIEW = Page(
    key="overview",
    title="Overview",
    permission="metrics:read",
    about="Requests, cost, speed and errors at a glance.",
    panels=(
        Panel(
            key="figures",
            title="In short",
            calls=lambda asked, _ask: [_summary(asked), course(asked)],
            show=_figures,
            figures=True,
        ),
        Panel(key="requests", title="Requests", calls=with_before, show=requests, half=True),
        Panel(key="latency", title="Latency", calls=with_before, show=latency, half=True),
        Panel(
            key="cost-by-model",
            title="Cost by model",
            calls=lambda asked, _ask: [
                asked.call("/metrics", metrics="total_cost", group_by="model", interval=asked.interval)
            ],
            show=cost_by_model,
            permission="costs:read",
        ),
        Panel(
            key="models",
            title="Most expensive models",
            calls=_summary_alone,
            show=_models,
            half=True,
        ),
        Panel(
            key="errors",
            title="Most common errors",
            calls=_summary_alone,
            show=_errors,
            half=True,
        ),
    ),
)
