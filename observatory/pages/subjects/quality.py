"""Quality: how many calls succeed, what goes wrong with the others, and what users say."""

from typing import Any

from observatory.pages.asked import Asked
from observatory.pages.numbers import Unit
from observatory.pages.questions import Call
from observatory.pages.series import NOTHING, behind, charted, drill, oldest_first, shifted, times_of, values_of, worst
from observatory.pages.shapes import Ask, Body, Cell, Chart, Column, Figure, Page, Panel, Series, Shown, Table
from observatory.pages.subjects import overview

_TOTALS = (
    "total_requests", "failed_requests", "success_rate", "error_rate", "avg_feedback_score", "resolution_rate",
    "error_breakdown",
)  # fmt: skip
_NONE_SAID = "none yet"


def _totals(asked: Asked) -> Call:
    return asked.call("/metrics/quality", fields=",".join(_TOTALS))


def _totals_alone(asked: Asked, _ask: Ask) -> list[Call]:
    return [_totals(asked)]


def _both(asked: Asked, _ask: Ask) -> list[Call]:
    before = asked.call_before(
        "/metrics/quality", fields="total_requests,failed_requests,success_rate,avg_feedback_score"
    )
    return [_totals(asked), *([before] if asked.compares else [])]


def figures(asked: Asked, now: Body, before: Body | None = None) -> Shown:
    """Return success, failure and what users say in short."""
    del asked
    old: Body = before or {}
    score = now.get("avg_feedback_score")
    return Shown(
        figures=[
            Figure(
                label="Success rate",
                value=now["success_rate"],
                unit=Unit.RATE,
                change=overview.change(now["success_rate"], old.get("success_rate")),
                good=1,
            ),
            Figure(
                label="Failed",
                value=now["failed_requests"],
                unit=Unit.COUNT,
                change=overview.change(now["failed_requests"], old.get("failed_requests")),
                good=-1,
            ),
            Figure(
                label="Requests",
                value=now["total_requests"],
                unit=Unit.COUNT,
                change=overview.change(now["total_requests"], old.get("total_requests")),
            ),
            Figure(
                label="Feedback score",
                value=score,
                unit=Unit.SCORE,
                change=overview.change(score, old.get("avg_feedback_score")),
                good=1,
                note=_NONE_SAID if score is None else "",
            ),
            Figure(
                label="Resolved",
                value=now.get("resolution_rate"),
                unit=Unit.RATE,
                note=_NONE_SAID if now.get("resolution_rate") is None else "",
            ),
        ],
        empty="" if now["total_requests"] else NOTHING,
    )


def _rate_calls(asked: Asked, _ask: Ask) -> list[Call]:
    def call(ask: Any) -> Call:
        found: Call = ask(
            "/metrics", metrics="error_rate,error_count,request_count", interval=asked.interval, fill="zero"
        )
        return found

    return [call(asked.call), *([call(asked.call_before)] if asked.compares else [])]


def _rate(asked: Asked, body: Body, before: Body | None = None) -> Shown:
    rows = oldest_first(body)
    times = times_of(rows)
    series = [Series(label="Error rate", values=values_of(rows, "error_rate"), color=6)]
    if before is not None:
        series.append(shifted(asked, oldest_first(before), "error_rate", times, label="Period before"))
    chart = Chart(
        times=times,
        series=series,
        unit=Unit.RATE,
        width=asked.width.total_seconds(),
        drill=drill(asked, scope="calls", status="error"),
        zoom=asked.link(),
    )
    found = worst(asked, chart, series[0], name="Worst", scope="calls", status="error")
    shown = charted(chart, found)
    calm = "No request failed in this range." if any(values_of(rows, "request_count")) else NOTHING
    return Shown(chart=shown.chart, table=shown.table, empty=calm if chart.is_empty else "")


def _errors(asked: Asked, body: Body, _before: Body | None = None) -> Shown:
    return overview.error_table(asked, body["error_breakdown"])


def _by_model(asked: Asked) -> Call:
    return asked.call(
        "/metrics", metrics="request_count,error_count,error_rate", group_by="provider,model", interval="all"
    )


def _models(asked: Asked, body: Body) -> Shown:
    columns = [
        Column(label="Model"),
        Column(label="Requests", unit=Unit.COUNT),
        Column(label="Failed", unit=Unit.COUNT),
        Column(label="Error rate", unit=Unit.RATE),
    ]
    ordered = sorted(body["data"], key=lambda row: (-row["error_count"], -row["request_count"]))
    rows: list[list[Any]] = [
        [
            Cell(
                value=row["model"],
                column=columns[0],
                href=behind(asked, status="error", model=row["model"]),
            ),
            row["request_count"],
            row["error_count"],
            row["error_rate"],
        ]
        for row in ordered
        if row["request_count"]
    ]
    return Shown(table=Table(columns=columns, rows=rows), open=True, empty="" if rows else NOTHING)


QUALITY = Page(
    key="quality",
    title="Quality",
    permission="metrics:read",
    about="How many calls succeed, what goes wrong with the others, and what users say.",
    panels=(
        Panel(key="figures", title="In short", calls=_both, show=figures, figures=True),
        Panel(key="error-rate", title="Error rate", calls=_rate_calls, show=_rate),
        Panel(
            key="errors",
            title="Most common errors",
            calls=_totals_alone,
            show=_errors,
            half=True,
        ),
        Panel(key="models", title="By model", calls=lambda asked, _ask: [_by_model(asked)], show=_models, half=True),
    ),
)
