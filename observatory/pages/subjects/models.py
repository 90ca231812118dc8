"""Models beside each other: latency, cost, reliability, over the same range."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from analytics.api.comparison import COMPARE_PARAMETERS, LEAST, MOST
from analytics.api.parameters import Parameter
from observatory.pages.asked import Asked
from observatory.pages.numbers import Unit
from observatory.pages.questions import Call
from observatory.pages.series import behind, buckets, charted, drill
from observatory.pages.shapes import Ask, Body, Cell, Chart, Column, Page, Panel, Series, Shown, Table, moment

_FIRST = 4  # are compared while none is chosen
_MOST_NAMED = 30
_MODELS = next(one for one in COMPARE_PARAMETERS if one.name == "models")
MODELS_PARAMETER = Parameter(
    name="models", read=_MODELS.read, schema=_MODELS.schema, default=(), description=_MODELS.description
)


def known(asked: Asked) -> Call:
    """Return the call for the models of the range."""
    return asked.call("/metrics", metrics="request_count,completion_tokens", group_by="model", interval="all")


def names_of(body: Body) -> list[str]:
    """Return the models of the range: those that write before those that do not, the most frequent first."""
    rows = [row for row in body["data"] if row["model"]]
    rows.sort(key=lambda row: (not row["completion_tokens"], -row["request_count"], row["model"]))
    return [row["model"] for row in rows][:_MOST_NAMED]


def chosen(asked: Asked, ask: Ask) -> Sequence[str]:
    """Return the models that are compared: those of the URL, else the most frequent."""
    picked: Sequence[str] = asked.values["models"]
    return picked or names_of(ask(known(asked)))[:_FIRST]


def _compare(asked: Asked, ask: Ask) -> list[Call]:
    models = chosen(asked, ask)
    return [asked.call("/models/compare", models=",".join(models))] if len(models) >= LEAST else []


def compared(asked: Asked, body: Body | None = None) -> Shown:
    """Return the models as rows, the best of each column marked, and what follows from it."""
    if body is None or not body["models"]:
        return Shown(empty="Two models or more can be compared; this range has fewer. Choose a longer range.")
    columns = [
        Column(label="Model"),
        Column(label="Provider"),
        Column(label="Requests", unit=Unit.COUNT),
        Column(label="Mean latency", unit=Unit.MILLISECONDS),
        Column(label="p95 latency", unit=Unit.MILLISECONDS),
        Column(label="Per request", unit=Unit.MONEY),
        Column(label="Total cost", unit=Unit.MONEY),
        Column(label="Success", unit=Unit.RATE),
        Column(label="Tokens", unit=Unit.COUNT),
    ]
    best = {
        "avg_latency_ms": _least(body, "avg_latency_ms"),
        "p95_latency_ms": _least(body, "p95_latency_ms"),
        "avg_cost_usd": _least(body, "avg_cost_usd"),
        "success_rate": _most(body, "success_rate"),
    }

    def cell(place: int, name: str, figures: Body) -> Cell:
        value = figures[name]
        return Cell(value=value, column=columns[place], best=value is not None and value == best.get(name))

    rows: list[list[Any]] = [
        [
            Cell(value=one["model"], column=columns[0], href=behind(asked, model=one["model"])),
            one["provider"],
            *(
                cell(place, name, one["metrics"])
                for place, name in enumerate(
                    (
                        "request_count", "avg_latency_ms", "p95_latency_ms", "avg_cost_usd", "total_cost_usd",
                        "success_rate", "total_tokens",
                    ),
                    start=2,
                )
            ),
        ]
        for one in body["models"]
    ]  # fmt: skip
    return Shown(table=Table(columns=columns, rows=rows), open=True, lines=body["summary"]["recommendations"])


def _figures(body: Body, name: str) -> list[Decimal]:
    return [one["metrics"][name] for one in body["models"] if one["metrics"][name] is not None]


def _least(body: Body, name: str) -> Decimal | None:
    return min(_figures(body, name), default=None) if len(body["models"]) > 1 else None


def _most(body: Body, name: str) -> Decimal | None:
    return max(_figures(body, name), default=None) if len(body["models"]) > 1 else None


def _over_time(metrics: str, **more: str) -> Any:
    def calls(asked: Asked, ask: Ask) -> list[Call]:
        models = chosen(asked, ask)
        narrowed = asked.call("/metrics", metrics=metrics, group_by="model", interval=_interval(asked), **more)
        return [narrowed, known(asked)] if models else []

    return calls


def _interval(asked: Asked) -> str:
    """Return the width of buckets: labels are read from hours up, minutes cost spans."""
    return "1day" if asked.interval == "1day" else "1hour"


def _lines(figure: str, unit: Unit, sort_by: str) -> Any:
    def show(asked: Asked, body: Body | None = None, named: Body | None = None) -> Shown:
        rows = [] if body is None else body["data"]
        picked = asked.values["models"] or ([] if named is None else names_of(named)[:_FIRST])
        plain = dict.fromkeys(name.rpartition("/")[2] for name in picked)
        times = buckets(asked) if _interval(asked) == asked.interval else _hours(rows)
        series = []
        for place, name in enumerate(list(plain)[:8], start=1):
            found = {moment(row["timestamp"]): row[figure] for row in rows if row["model"] == name}
            series.append(Series(label=name, values=[found.get(at) for at in times], color=place))
        width = 86400.0 if _interval(asked) == "1day" else 3600.0
        chart = Chart(
            times=times,
            series=series,
            unit=unit,
            width=width,
            drill=drill(asked, scope="calls", sort_by=sort_by),
            zoom=asked.link(),
        )
        return charted(chart)

    return show


def _hours(rows: Sequence[Body]) -> list[Any]:
    return sorted({moment(row["timestamp"]) for row in rows})


def _controls(asked: Asked, ask: Ask) -> list[dict[str, Any]]:
    names = names_of(ask(known(asked)))
    picked = list(chosen(asked, ask))
    choices = []
    for name in dict.fromkeys([*names, *picked]):
        here = name in picked
        after = [one for one in picked if one != name] if here else [*picked, name]
        choices.append(
            {
                "name": name,
                "here": here,
                "href": asked.link(models=",".join(after)) if LEAST <= len(after) <= MOST else "",
            }
        )
    return [{"template": "pages/picks.html", "label": "Compare", "choices": choices}] if names else []


MODELS = Page(
    key="models",
    title="Models",
    permission="metrics:read",
    about="Models beside each other, over the same range and filters.",
    own=(MODELS_PARAMETER,),
    controls=_controls,
    compares=False,
    panels=(
        Panel(key="compared", title="Compared", calls=_compare, show=compared),
        Panel(
            key="latency",
            title="p95 latency",
            calls=_over_time("request_count,duration", aggregation="p95"),
            show=_lines("duration", Unit.MILLISECONDS, "duration_ms"),
            half=True,
        ),
        Panel(
            key="cost",
            title="Cost per request",
            permission="costs:read",
            calls=_over_time("request_count,total_cost", aggregation="avg"),
            show=_lines("total_cost", Unit.MONEY, "total_cost_usd"),
            half=True,
        ),
        Panel(
            key="errors",
            title="Error rate",
            calls=_over_time("request_count,error_rate"),
            show=_lines("error_rate", Unit.RATE, "ts"),
            half=True,
        ),
        Panel(
            key="requests",
            title="Requests",
            calls=_over_time("request_count"),
            show=_lines("request_count", Unit.COUNT, "ts"),
            half=True,
        ),
    ),
)
