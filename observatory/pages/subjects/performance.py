"""Performance: how long calls take, to their end and to their first token, and how many there are."""

from typing import Any

from observatory.pages.asked import Asked
from observatory.pages.numbers import Unit
from observatory.pages.questions import Call
from observatory.pages.series import (
    NOTHING,
    charted,
    drill,
    label_cell,
    oldest_first,
    shifted,
    times_of,
    values_of,
    worst,
)
from observatory.pages.shapes import Ask, Body, Chart, Column, Figure, Page, Panel, Series, Shown, Table
from observatory.pages.subjects import overview

_TOTALS = (
    "request_count", "avg_latency_ms", "p50_latency_ms", "p95_latency_ms", "p99_latency_ms", "p50_ttft_ms",
    "p95_ttft_ms", "throughput_rps", "tokens_per_second", "error_rate",
)  # fmt: skip


def _totals(asked: Asked) -> Call:
    return asked.call("/metrics/performance", fields=",".join(_TOTALS))


def _totals_before(asked: Asked) -> Call:
    return asked.call_before("/metrics/performance", fields=",".join(_TOTALS))


def _both(asked: Asked, _ask: Ask) -> list[Call]:
    return [_totals(asked), *([_totals_before(asked)] if asked.compares else [])]


def figures(asked: Asked, now: Body, before: Body | None = None) -> Shown:
    """Return latency, time to the first token and throughput in short."""
    del asked
    old: Body = before or {}

    def figure(label: str, name: str, unit: Unit, good: int = 0) -> Figure:
        return Figure(
            label=label, value=now[name], unit=unit, change=overview.change(now[name], old.get(name)), good=good
        )

    return Shown(
        figures=[
            figure("p50 latency", "p50_latency_ms", Unit.MILLISECONDS, -1),
            figure("p95 latency", "p95_latency_ms", Unit.MILLISECONDS, -1),
            figure("p99 latency", "p99_latency_ms", Unit.MILLISECONDS, -1),
            figure("p95 first token", "p95_ttft_ms", Unit.MILLISECONDS, -1),
            figure("Requests", "throughput_rps", Unit.PER_SECOND),
            figure("Tokens", "tokens_per_second", Unit.PER_SECOND),
        ],
        empty="" if now["request_count"] else NOTHING,
    )


def _first_token_calls(asked: Asked, _ask: Ask) -> list[Call]:
    return [_first_token(asked, "p50"), _first_token(asked, "p95"), _first_token(asked, "p99")]


def _first_token(asked: Asked, aggregation: str) -> Call:
    return asked.call(
        "/metrics", metrics="time_to_first_token", aggregation=aggregation, interval=asked.interval, fill="zero"
    )


def _ttft(asked: Asked, *bodies: Body) -> Shown:
    rows = [oldest_first(body) for body in bodies]
    series = [
        Series(label=label, values=values_of(found, "time_to_first_token"), color=color)
        for label, color, found in zip(("p50", "p95", "p99"), (3, 1, 5), rows, strict=True)
    ]
    chart = Chart(
        times=times_of(rows[0]),
        series=series,
        unit=Unit.MILLISECONDS,
        width=asked.width.total_seconds(),
        drill=drill(asked, scope="calls", sort_by="ttft_ms"),
        zoom=asked.link(),
    )
    found = worst(asked, chart, series[-1], name="Slowest", scope="calls", sort_by="ttft_ms")
    shown = charted(chart, found)
    return Shown(
        chart=shown.chart,
        table=shown.table,
        empty="No call of this range tells when its first token came: only streamed ones do." if chart.is_empty else "",
    )


def _tokens(asked: Asked, body: Body, before: Body | None = None) -> Shown:
    rows = oldest_first(body)
    times = times_of(rows)
    series = [Series(label="Tokens", values=values_of(rows, "total_tokens"), color=4)]
    if before is not None:
        series.append(shifted(asked, oldest_first(before), "total_tokens", times, label="Period before"))
    chart = Chart(
        times=times,
        series=series,
        unit=Unit.COUNT,
        width=asked.width.total_seconds(),
        stacked=True,
        bars=True,
        drill=drill(asked, scope="calls", sort_by="total_tokens"),
        zoom=asked.link(),
    )
    return charted(chart, worst(asked, chart, series[0], name="Most", scope="calls", sort_by="total_tokens"))


def _by_model(asked: Asked) -> Call:
    return asked.call(
        "/metrics",
        metrics="request_count,duration,error_rate,total_tokens",
        group_by="provider,model",
        interval="all",
        include_percentiles="true",
    )


def _models(asked: Asked, body: Body) -> Shown:
    columns = [
        Column(label="Model"),
        Column(label="Provider"),
        Column(label="Requests", unit=Unit.COUNT),
        Column(label="Mean", unit=Unit.MILLISECONDS),
        Column(label="p50", unit=Unit.MILLISECONDS),
        Column(label="p95", unit=Unit.MILLISECONDS),
        Column(label="p99", unit=Unit.MILLISECONDS),
        Column(label="Errors", unit=Unit.RATE),
        Column(label="Tokens", unit=Unit.COUNT),
    ]
    ordered = sorted(body["data"], key=lambda row: -row["request_count"])
    rows: list[list[Any]] = [
        [
            label_cell(asked, columns[0], row["model"], model=row["model"] or ""),
            label_cell(asked, columns[1], row["provider"], provider=row["provider"] or ""),
            row["request_count"],
            row["duration"],
            row["p50_duration_ms"],
            row["p95_duration_ms"],
            row["p99_duration_ms"],
            row["error_rate"],
            row["total_tokens"],
        ]
        for row in ordered
        if row["request_count"]
    ]
    return Shown(table=Table(columns=columns, rows=rows), open=True, empty="" if rows else NOTHING)


PERFORMANCE = Page(
    key="performance",
    title="Performance",
    permission="metrics:read",
    about="How long calls take, to their end and to their first token.",
    panels=(
        Panel(key="figures", title="In short", calls=_both, show=figures, figures=True),
        Panel(key="latency", title="Latency", calls=overview.with_before, show=overview.latency),
        Panel(key="first-token", title="Time to the first token", calls=_first_token_calls, show=_ttft, half=True),
        Panel(key="tokens", title="Tokens", calls=overview.with_before, show=_tokens, half=True),
        Panel(key="models", title="By model", calls=lambda asked, _ask: [_by_model(asked)], show=_models),
    ),
)
