"""Cost: what was spent, on what and by whom, where it is going, and what has no price."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from analytics.api.parameters import Parameter, choice
from analytics.queries.reports.costs import ATTRIBUTABLE
from observatory.pages.asked import Asked
from observatory.pages.controls import choices
from observatory.pages.numbers import Unit
from observatory.pages.numbers import shown as text
from observatory.pages.questions import Call
from observatory.pages.series import buckets, charted, drill, label_cell, shifted_sum, stacked, worst
from observatory.pages.shapes import Ask, Body, Cell, Chart, Column, Figure, Page, Panel, Series, Shown, Table

PARTS = ("model", "provider", "environment")
BY = Parameter(
    name="by",
    read=choice({one: one for one in PARTS}),
    schema={},
    default="model",
    description="What costs are cut by.",
)
WHOSE = Parameter(
    name="whose",
    read=choice({one: one for one in ATTRIBUTABLE}),
    schema={},
    default="user",
    description="Whom costs are attributed to.",
)
_FILTER_OF = {
    "user": "user_id",
    "team": "team_id",
    "provider": "provider",
    "model": "model",
    "environment": "environment",
}
_TOP = 20
_HISTORY_DAYS = 60


def _summary(asked: Asked) -> Call:
    return asked.call("/costs/summary", top_limit="10")


def _figures(_asked: Asked, body: Body) -> Shown:
    found = body["overview"]
    unpriced = found["unpriced_requests"]
    daily = (body.get("trends") or {}).get("daily") or []
    return Shown(
        figures=[
            Figure(
                label="Total",
                value=found["total_cost"],
                unit=Unit.MONEY,
                course=[one["cost"] for one in daily],
                note=f"{unpriced:,} calls without a price" if unpriced else "",
                href="#unpriced" if unpriced else "",
            ),
            Figure(label="Prompts", value=found["prompt_cost"], unit=Unit.MONEY),
            Figure(label="Completions", value=found["completion_cost"], unit=Unit.MONEY),
            Figure(label="Per request", value=found["avg_cost_per_request"], unit=Unit.MONEY),
            Figure(label="Per 1,000 tokens", value=found["avg_cost_per_1k_tokens"], unit=Unit.MONEY),
            Figure(
                label="Last full day",
                value=found["day_over_day_change"],
                unit=Unit.CHANGE,
                note="against the day before",
            ),
        ],
        empty=""
        if found["total_requests"]
        else "Nothing was spent in this range. Send spans, or choose a longer range.",
    )


def _over_time(asked: Asked, _ask: Ask) -> list[Call]:
    calls = [asked.call("/costs/analytics", group_by=asked.values["by"], granularity=asked.granularity)]
    if asked.compares:
        calls.append(asked.call_before("/costs/analytics", granularity=asked.granularity))
    return calls


def _cost(asked: Asked, body: Body, before: Body | None = None) -> Shown:
    times = buckets(asked, asked.granule)
    series = stacked(body["time_series"], by=asked.values["by"], figure="total_cost", times=times)
    whole = Series(label="", values=[sum(values) for values in zip(*(one.values for one in series), strict=True)])
    if before is not None and series:
        series.append(shifted_sum(asked, before["time_series"], "total_cost", times, label="Period before"))
    chart = Chart(
        times=times,
        series=series,
        unit=Unit.MONEY,
        width=asked.granule.total_seconds(),
        stacked=True,
        bars=True,
        drill=drill(asked, scope="calls", sort_by="total_cost_usd"),
        zoom=asked.link(),
    )
    found = worst(asked, chart, whole, name="Highest", scope="calls", sort_by="total_cost_usd") if series else None
    return charted(chart, found)


def _attribution(asked: Asked) -> Call:
    return Call.to(
        "/costs/attribution",
        dict(asked.call("").query)
        | {"end_time": asked.end or "now", "dimension": asked.values["whose"], "limit": str(_TOP)},
    )


def _whose(asked: Asked, body: Body) -> Shown:
    dimension = asked.values["whose"]
    columns = [
        Column(label=dimension.capitalize()),
        Column(label="Cost", unit=Unit.MONEY),
        Column(label="Share", unit=Unit.PERCENT),
        Column(label="Requests", unit=Unit.COUNT),
        Column(label="Tokens", unit=Unit.COUNT),
        Column(label="Per request", unit=Unit.MONEY),
        Column(label="Without a price", unit=Unit.COUNT),
    ]
    rows = [
        [
            label_cell(asked, columns[0], one["dimension_value"], **_narrowing(dimension, one["dimension_value"])),
            one["total_cost"],
            Cell(value=one["cost_percentage"], column=columns[2], share=one["cost_percentage"]),
            one["request_count"],
            one["total_tokens"],
            one["avg_cost_per_request"],
            one["unpriced_requests"] or None,
        ]
        for one in body["items"]
    ]
    other = body["other"]
    more = f"{other['items']:,} more are not shown." if other["items"] else ""
    return Shown(
        table=Table(columns=columns, rows=rows),
        open=True,
        lines=[more] if more else [],
        empty="" if rows else "No cost here.",
    )


def _narrowing(dimension: str, value: str | None) -> dict[str, str]:
    name = _FILTER_OF.get(dimension)
    return {name: value} if name and value else {}


def _forecast_calls(asked: Asked, ask: Ask) -> list[Call]:
    """Ask of what has history: days before the first that cost anything would be taken for days without use."""
    since = f"now-{_HISTORY_DAYS}d/d"
    days = Call.to("/costs/analytics", {"start_time": since, "granularity": "1day", **asked.filters})
    spent = [row["timestamp"] for row in ask(days)["time_series"] if row["total_cost"]]
    return [Call.to("/costs/forecast", {"historical_start": min(spent, default=since), **asked.filters})]


def _forecast(_asked: Asked, body: Body) -> Shown:
    history, ahead, summary = body["historical"], body["forecast"], body["summary"]
    days = [one["date"] for one in (*history, *ahead)]
    gap = [None] * len(history)
    series = [
        Series(label="Spent", values=[*(one["cost"] for one in history), *([None] * len(ahead))], color=1),
        Series(label="Forecast", values=[*gap, *(one["forecasted_cost"] for one in ahead)], color=2),
    ]
    band = None
    if ahead and ahead[0]["upper_bound"] is not None:
        series.append(Series(label="At most (95 %)", values=[*gap, *(one["upper_bound"] for one in ahead)], color=8))
        series.append(Series(label="At least (95 %)", values=[*gap, *(one["lower_bound"] for one in ahead)], color=8))
        band = (2, 3)
    chart = Chart(
        times=[datetime.combine(datetime.fromisoformat(day), time(), tzinfo=UTC) for day in days],
        series=series,
        unit=Unit.MONEY,
        width=timedelta(days=1).total_seconds(),
        band=band,
    )
    shown = charted(chart)
    error = (
        ""
        if summary["mape"] is None
        else f" Tested on its own past, it was off by {text(summary['mape'], Unit.PERCENT)} a day."
    )
    line = (
        f"The next {len(ahead)} days will cost {text(summary['total_forecasted_cost'], Unit.MONEY)}, "
        f"{text(summary['avg_daily_cost'], Unit.MONEY)} a day.{error}"
    )
    return Shown(chart=shown.chart, table=shown.table, lines=[line])


def _dearest(asked: Asked, body: Body) -> Shown:
    columns = [
        Column(label="Start (UTC)", unit=Unit.TIME),
        Column(label="Model"),
        Column(label="User"),
        Column(label="Cost", unit=Unit.MONEY),
        Column(label="Tokens", unit=Unit.COUNT),
        Column(label="Duration", unit=Unit.MILLISECONDS),
    ]
    rows = [
        [
            Cell(value=one["timestamp"], column=columns[0], href=f"{asked.base}/traces/{one['trace_id']}"),
            one["model"],
            one["user_id"],
            one["cost"],
            one["tokens"],
            one["duration_ms"],
        ]
        for one in body["top_traces"] or []
    ]
    return Shown(table=Table(columns=columns, rows=rows), open=True, empty="" if rows else "No call has a cost here.")


_REASONS = {
    "no_price": "The price book has no row for it",
    "no_part_price": "A part of it has no price",
    "no_usage": "Its tokens were not sent",
}


def _unpriced(asked: Asked, body: Body) -> Shown:
    columns = [
        Column(label="Provider"),
        Column(label="Model"),
        Column(label="Why"),
        Column(label="Calls", unit=Unit.COUNT),
        Column(label="Tokens", unit=Unit.COUNT),
        Column(label="Last seen (UTC)", unit=Unit.TIME),
    ]
    rows: list[list[Any]] = [
        [
            one["provider"],
            Cell(
                value=one["model"],
                column=columns[1],
                href=drill(
                    asked,
                    start_time=asked.start,
                    end_time=asked.end,
                    model=one["model"] or None,
                    q=f"unpriced_reason:{one['reason']}",
                ),
            ),
            _REASONS.get(one["reason"], one["reason"]),
            one["request_count"],
            one["total_tokens"],
            one["last_seen"],
        ]
        for one in body["items"]
    ]
    return Shown(
        table=Table(columns=columns, rows=rows),
        open=True,
        empty="" if rows else "Every call in this range has a price.",
    )


def _controls(asked: Asked, _ask: Ask) -> list[dict[str, Any]]:
    return [
        choices(asked, BY, "Over time by", _named(PARTS)),
        choices(asked, WHOSE, "Attributed to", _named(ATTRIBUTABLE)),
    ]


def _named(keys: Iterable[str]) -> dict[str, str]:
    return {key: key.removesuffix("_id").removesuffix("_name").replace("_", " ") for key in keys}


COST = Page(
    key="cost",
    title="Cost",
    permission="costs:read",
    about="What was spent, on what, by whom, and where it is going.",
    own=(BY, WHOSE),
    controls=_controls,
    panels=(
        Panel(
            key="figures",
            title="In short",
            permission="costs:read",
            calls=lambda asked, _ask: [_summary(asked)],
            show=_figures,
            figures=True,
        ),
        Panel(key="over-time", title="Cost over time", permission="costs:read", calls=_over_time, show=_cost),
        Panel(
            key="attribution",
            title="Who and what it was for",
            permission="costs:read",
            calls=lambda asked, _ask: [_attribution(asked)],
            show=_whose,
        ),
        Panel(
            key="forecast",
            title="Forecast",
            note=f"From up to {_HISTORY_DAYS} days before today, whatever the range.",
            permission="costs:read",
            calls=_forecast_calls,
            show=_forecast,
        ),
        Panel(
            key="dearest",
            title="Most expensive calls",
            permission="traces:read",
            calls=lambda asked, _ask: [_summary(asked)],
            show=_dearest,
            half=True,
        ),
        Panel(
            key="unpriced",
            title="Without a price",
            permission="costs:read",
            calls=lambda asked, _ask: [asked.call("/costs/unpriced")],
            show=_unpriced,
            half=True,
        ),
    ),
)
