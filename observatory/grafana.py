"""The Grafana dashboard, made from the table of series: a row of what matters first, then one panel a series."""

import json
from collections.abc import Iterator
from typing import Any

from observatory.series import GROUPS, SERIES, Series

SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH, HEIGHT, COLUMNS = 8, 8, 24
QUANTILES = (0.5, 0.95, 0.99)
# What an operator looks at first: title, unit, expression.
FIRST: tuple[tuple[str, str, str], ...] = (
    ("Requests per second", "reqps", "sum(rate(http_requests_total[$__rate_interval]))"),
    (
        "Share of requests that failed (5xx)",
        "percentunit",
        (
            'sum(rate(http_requests_total{status=~"5.."}[$__rate_interval]))'
            " / sum(rate(http_requests_total[$__rate_interval]))"
        ),
    ),
    (
        "95 of 100 requests took at most",
        "s",
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[$__rate_interval])))",
    ),
    ("Spans stored per second", "ops", 'sum(rate(ingest_spans_total{outcome="accepted"}[$__rate_interval]))'),
    (
        "Share of cached reads that hit",
        "percentunit",
        (
            "sum(rate(cache_hits_total[$__rate_interval])) / (sum(rate(cache_hits_total[$__rate_interval]))"
            " + sum(rate(cache_misses_total[$__rate_interval])))"
        ),
    ),
    ("Longest wait of a bucket for its rollup", "s", "max(rollup_lag_seconds)"),
)


def dashboard() -> str:
    """Return the dashboard as the JSON text that Grafana is provisioned with."""
    panels = [*_rows()]
    for number, panel in enumerate(panels, start=1):
        panel["id"] = number
    made = {
        "uid": "llm-observatory",
        "title": "LLM Observatory",
        "tags": ["llm-observatory"],
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "panels": panels,
    }
    return json.dumps(made, indent=1) + "\n"


def _rows() -> Iterator[dict[str, Any]]:
    top = 0
    first = [_panel(title, unit, [(expression, "")]) for title, unit, expression in FIRST]
    groups = {group: [_of(one) for one in SERIES if one.group == group] for group in GROUPS}
    for title, panels in {"At a glance": first, **groups}.items():
        yield {"type": "row", "title": title, "collapsed": False, "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1}}
        top += 1
        for index, panel in enumerate(panels):
            row, column = divmod(index * WIDTH, COLUMNS)
            yield panel | {"gridPos": {"x": column, "y": top + row * HEIGHT, "w": WIDTH, "h": HEIGHT}}
        top += -(-len(panels) * WIDTH // COLUMNS) * HEIGHT


def _of(one: Series) -> dict[str, Any]:
    """Return the panel of a series: rates of counters, quantiles of histograms, gauges as they are."""
    by, legend = ", ".join(one.labels), " ".join(f"{{{{{label}}}}}" for label in one.labels)
    if one.kind == "histogram":
        rate = f"sum by (le) (rate({one.name}_bucket[$__rate_interval]))"
        targets = [(f"histogram_quantile({share}, {rate})", f"p{share * 100:g}") for share in QUANTILES]
    elif one.kind == "counter":
        targets = [(f"sum by ({by}) (rate({one.name}[$__rate_interval]))", legend)]
    else:
        targets = [(f"{one.fold} by ({by}) ({one.name})", legend)]
    return _panel(one.name, one.unit, targets)


def _panel(title: str, unit: str, targets: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "custom": {"fillOpacity": 8}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend or "__auto"}
            for index, (expression, legend) in enumerate(targets)
        ],
    }
