"""The public page: what anybody may know of public projects, and nothing about who used them."""

from observatory.pages.asked import Asked
from observatory.pages.numbers import Unit
from observatory.pages.questions import Call
from observatory.pages.series import charted, times_of, values_of
from observatory.pages.shapes import Ask, Body, Chart, Column, Page, Panel, Series, Shown, Table
from observatory.pages.subjects import performance, quality


def _performance(asked: Asked, _ask: Ask) -> list[Call]:
    return [asked.call("/metrics/performance", granularity=asked.granularity)]


def _quality(asked: Asked, _ask: Ask) -> list[Call]:
    return [asked.call("/metrics/quality", granularity=asked.granularity)]


def _figures(asked: Asked, body: Body) -> Shown:
    return performance.figures(asked, body)


def _rates(asked: Asked, body: Body) -> Shown:
    return quality.figures(asked, body)


def _series(asked: Asked, body: Body, name: str, *, label: str, unit: Unit, color: int) -> Shown:
    rows = body["time_series"]
    chart = Chart(
        times=times_of(rows),
        series=[Series(label=label, values=values_of(rows, name), color=color)],
        unit=unit,
        width=asked.granule.total_seconds(),
        zoom=asked.link(),
    )
    return charted(chart)


def _latency(asked: Asked, body: Body) -> Shown:
    return _series(asked, body, "p95_latency_ms", label="p95 latency", unit=Unit.MILLISECONDS, color=1)


def _requests(asked: Asked, body: Body) -> Shown:
    return _series(asked, body, "request_count", label="Requests", unit=Unit.COUNT, color=3)


def _success(asked: Asked, body: Body) -> Shown:
    return _series(asked, body, "success_rate", label="Success rate", unit=Unit.RATE, color=1)


def _errors(_asked: Asked, body: Body) -> Shown:
    columns = [Column(label="Error"), Column(label="Failed", unit=Unit.COUNT), Column(label="Share", unit=Unit.PERCENT)]
    rows = [[one["error_type"], one["count"], one["percentage"]] for one in body["error_breakdown"]]
    empty = "" if rows else "No request failed in this range."
    return Shown(table=Table(columns=columns, rows=rows), open=True, empty=empty)


PUBLIC = Page(
    key="public",
    title="Public projects",
    permission="metrics:read",
    about="How fast and how well, open to anybody.",
    compares=False,
    panels=(
        Panel(key="figures", title="In short", calls=_performance, show=_figures, figures=True),
        Panel(key="rates", title="Success in short", calls=_quality, show=_rates, figures=True),
        Panel(key="latency", title="Latency", calls=_performance, show=_latency, half=True),
        Panel(key="requests", title="Requests", calls=_performance, show=_requests, half=True),
        Panel(key="success", title="Success rate", calls=_quality, show=_success, half=True),
        Panel(key="errors", title="Most common errors", calls=_quality, show=_errors, half=True),
    ),
)
