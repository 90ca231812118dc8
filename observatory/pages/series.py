"""From rows of the API to series of a chart: oldest first, the largest parts by name, the rest together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from errors.json import rfc3339
from observatory.pages.asked import Asked
from observatory.pages.numbers import NONE, Unit, instant, shown
from observatory.pages.shapes import Cell, Chart, Column, Series, Shown, Table, moment

Row = Mapping[str, Any]
MOST_PARTS = 7
UNKNOWN, REST = "unknown", "others"
BEFORE_COLOR = 0
NOTHING = "No model call in this range. Send spans to see them here, or choose a longer range."


def oldest_first(body: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a reply of GET /metrics."""
    return sorted(body["data"], key=lambda row: row["timestamp"])


def values_of(rows: Sequence[Row], name: str) -> list[Any]:
    """Return one figure of rows."""
    return [row[name] for row in rows]


def times_of(rows: Sequence[Row]) -> list[datetime]:
    return [moment(row["timestamp"]) for row in rows]


def stacked(rows: Sequence[Row], *, by: str, figure: str, times: Sequence[datetime]) -> list[Series]:
    """Return the parts of a figure by a label over `times`: the largest by name, the others as one."""
    totals: dict[str, Decimal] = {}
    found: dict[str, dict[datetime, Any]] = {}
    for row in rows:
        name, value = row[by] or UNKNOWN, row[figure]
        if value is None:
            continue
        totals[name] = totals.get(name, Decimal(0)) + Decimal(value)
        found.setdefault(name, {})[moment(row["timestamp"])] = Decimal(value)
    ordered = sorted((name for name in totals if totals[name]), key=lambda name: (-totals[name], name))
    series = [
        Series(label=name, values=[found[name].get(at, 0) for at in times], color=place)
        for place, name in enumerate(ordered[:MOST_PARTS], start=1)
    ]
    if rest := ordered[MOST_PARTS:]:
        values = [sum((found[name].get(at, Decimal(0)) for name in rest), Decimal(0)) for at in times]
        series.append(Series(label=REST, values=values, color=MOST_PARTS + 1))
    return series


def shifted(asked: Asked, rows: Sequence[Row], name: str, times: Sequence[datetime], *, label: str) -> Series:
    """Return a figure of the period before, laid over `times` by its distance from the start."""
    known = {moment(row["timestamp"]) + asked.length: row[name] for row in rows}
    near = (times[1] - times[0] if len(times) > 1 else asked.width) / 2
    values = [next((value for place, value in known.items() if abs(place - at) <= near), None) for at in times]
    return Series(label=label, values=values, color=BEFORE_COLOR, before=True)


def shifted_sum(asked: Asked, rows: Sequence[Row], name: str, times: Sequence[datetime], *, label: str) -> Series:
    """Return the same of rows that are there only where something happened: elsewhere it is 0."""
    found = shifted(asked, rows, name, times, label=label)
    return replace(found, values=[value or 0 for value in found.values])


def table_of(chart: Chart, *, caption: str = "") -> Table:
    """Return the table of a chart: a row for each bucket, a column for each series."""
    columns = [
        Column(label="Time (UTC)", unit=Unit.TIME),
        *(Column(label=one.label, unit=chart.unit) for one in chart.series),
    ]
    rows = [[at, *(one.values[place] for one in chart.series)] for place, at in enumerate(chart.times)]
    return Table(columns=columns, rows=rows, caption=caption)


def buckets(asked: Asked, width: timedelta | None = None) -> list[datetime]:
    """Return the starts of every bucket of the range, with spans or without."""
    seconds = int((width or asked.width).total_seconds())
    first = int(asked.range.start.timestamp()) // seconds * seconds
    return [datetime.fromtimestamp(at, tz=UTC) for at in range(first, math.ceil(asked.range.end.timestamp()), seconds)]


def charted(chart: Chart, found: Mapping[str, str] | None = None) -> Shown:
    """Return a chart with its table and the way to its worst point."""
    return Shown(chart=replace(chart, worst=found), table=table_of(chart), empty=NOTHING if chart.is_empty else "")


def drill(asked: Asked, **more: str | None) -> str:
    """Return the link to the traces behind a chart; the browser adds the bucket."""
    return asked.shared(
        f"{asked.base}/traces",
        **{"start_time": None, "from": None, "end_time": None, "to": None, "compare": None, **more},
    )


def behind(asked: Asked, **more: str) -> str:
    """Return the link to the model calls behind a row of a table."""
    return drill(asked, start_time=asked.start, end_time=asked.end, scope="calls", **more)


def worst(asked: Asked, chart: Chart, series: Series, *, name: str, **more: str) -> Mapping[str, str] | None:
    """Return where the greatest value of a series is, and the way to the trace behind it."""
    known = [(value, at) for value, at in zip(series.values, chart.times, strict=True) if value]
    if not known:
        return None
    value, at = max(known, key=lambda one: (one[0], one[1]))
    width = timedelta(seconds=chart.width)
    start, end = max(at, asked.range.start), min(at + width, asked.range.end)
    link = asked.shared(
        f"{asked.base}/traces/worst",
        **{"from": None, "to": None, "compare": None, **more, "start_time": rfc3339(start), "end_time": rfc3339(end)},
    )
    return {"name": name, "value": shown(value, chart.unit), "when": instant(at), "href": link}


def label_cell(asked: Asked, column: Column, value: str | None, **filters: str) -> Cell:
    """Return a cell whose text narrows the page to it."""
    return Cell(value=value or NONE, column=column, href=asked.link(**filters) if value else "")
