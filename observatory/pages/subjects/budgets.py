"""Budgets: what is spent of each, where it is going, and its periods."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

from analytics.api.common import LIMIT_AND_OFFSET
from analytics.api.parameters import Parameter, text
from analytics.costs.budgets.sentences import overrun_foreseen, unpriced_left_out
from analytics.costs.budgets.standing import RANK, dollars_of
from analytics.models import BudgetState
from observatory.pages.asked import Asked
from observatory.pages.controls import choices
from observatory.pages.numbers import Unit
from observatory.pages.numbers import shown as number
from observatory.pages.questions import Call
from observatory.pages.series import table_of
from observatory.pages.shapes import Ask, Body, Cell, Chart, Column, Mark, Meter, Page, Panel, Series, Shown, Table
from observatory.pages.shapes import moment as instant_of

LIMIT, PERIODS = 100, 24
BUDGET = Parameter(name="budget", read=text(longest=64), schema={}, description="The budget whose periods are shown.")
OFFSET = next(one for one in LIMIT_AND_OFFSET if one.name == "offset")
OFF = "off"
_NONE = "There is no budget yet. The API makes one: POST /api/v1/costs/budgets."
_PERIOD = {"daily": "a day", "weekly": "a week", "monthly": "a month", "quarterly": "a quarter", "yearly": "a year"}
Row = Mapping[str, Any]


def _list(asked: Asked) -> Call:
    query = {"project_id": asked.filters.get("project_id", ""), "limit": str(LIMIT), "offset": _offset(asked)}
    return Call.to("/costs/budgets", query)


def _offset(asked: Asked) -> str:
    return str(asked.values["offset"] or "")


def _most_pressing_first(body: Body) -> list[Row]:
    """Return budgets by state, those that are off last, and by how much of each is used."""

    def rank(one: Row) -> tuple[int, Decimal]:
        state = BudgetState(one["current"]["state"])
        return RANK[state] if one["is_active"] else -1, Decimal(one["current"]["percentage_used"])

    return sorted(body["budgets"], key=rank, reverse=True)


def _chosen(asked: Asked, body: Body) -> str:
    """Return the id of the budget whose periods are shown: the one that is asked for, or the most pressing."""
    asked_for: str = asked.values["budget"] or ""
    return asked_for or next((str(one["id"]) for one in _most_pressing_first(body)), "")


def _meters(asked: Asked, body: Body) -> Shown:
    rows = _most_pressing_first(body)
    chosen, pages = _chosen(asked, body), body["pagination"]
    more = f"{pages['total']:,} budgets; these are {pages['offset'] + 1:,} to {pages['offset'] + len(rows):,} by name."
    return Shown(
        meters=[_meter(asked, one, here=one["id"] == chosen) for one in rows],
        table=_table(asked, rows),
        lines=[more] if rows and pages["total"] > len(rows) else [],
        empty="" if rows else "There are fewer budgets than that." if pages["total"] else _NONE,
    )


def _meter(asked: Asked, one: Row, *, here: bool) -> Meter:
    now, amount = one["current"], Decimal(one["amount"])
    spent, used = Decimal(now["spent"]), Decimal(now["percentage_used"])
    whole = max(used, Decimal(100))  # where more is spent than there is, the amount is a mark too
    marks = [
        Mark(name=f"{name} at {number(dollars, Unit.MONEY)}", at=dollars / amount * 10_000 / whole)
        for name, dollars in _thresholds(one).items()
    ]
    if whole > Decimal(100):
        marks.append(Mark(name=f"amount {number(amount, Unit.MONEY)}", at=Decimal(10_000) / whole))
    told = f"{number(spent, Unit.MONEY)} of {number(amount, Unit.MONEY)}, {number(used, Unit.PERCENT)}"
    return Meter(
        name=one["name"],
        href=f"{asked.link(budget=one['id'])}#periods",
        here=here,
        about=_about(asked, one),
        state=now["state"] if one["is_active"] else OFF,
        told=told,
        used=used * 100 / whole,
        marks=marks,
        lines=list(_sentences(asked, one)),
    )


def _thresholds(one: Row) -> dict[str, Decimal]:
    return {
        name: dollars_of(Decimal(one[f"{name}_threshold"]), kind=one["threshold_type"], amount=Decimal(one["amount"]))
        for name in ("warning", "critical")
    }


def _about(asked: Asked, one: Row) -> str:
    project = "the organisation" if one["project_id"] is None else asked.projects.get(one["project_id"], "a project")
    narrowed = [f"{name.replace('_', ' ')} {value}" for name, value in one["filters"].items() if value is not None]
    return ", ".join([_PERIOD[one["period"]], project, *narrowed])


def _sentences(asked: Asked, one: Row) -> list[str]:
    now = one["current"]
    if not one["is_active"]:
        return ["It is off: nothing is added to it."]
    days = (_day(now["period_end"]) - asked.clock.astimezone(UTC).date()).days
    left = "today" if days <= 1 else f"{days} days are left, today included"
    end = f"The period ends on {_day(now['period_end']) - timedelta(days=1)}: {left}."
    foreseen = now["overrun"]
    if now["state"] == BudgetState.EXCEEDED:
        ahead = ["It is used up."]
    elif foreseen is None:
        ahead = []
    else:
        bounds = {name: date.fromisoformat(foreseen[name]) if foreseen[name] else None for name in _BOUNDS}
        ahead = [overrun_foreseen(date.fromisoformat(foreseen["on"]), **bounds)]
    unpriced = [unpriced_left_out(now["unpriced_requests"])] if now["unpriced_requests"] else []
    return [end, *ahead, *unpriced]


_BOUNDS = ("earliest", "latest")


def _day(text_of: str) -> date:
    return instant_of(text_of).date()


def _table(asked: Asked, rows: Sequence[Row]) -> Table:
    columns = [
        Column(label="Budget"),
        Column(label="Of"),
        Column(label="State"),
        Column(label="Spent", unit=Unit.MONEY),
        Column(label="Amount", unit=Unit.MONEY),
        Column(label="Used", unit=Unit.PERCENT),
        Column(label="Warning", unit=Unit.MONEY),
        Column(label="Critical", unit=Unit.MONEY),
        Column(label="Used up on (UTC)", unit=Unit.DATE),
        Column(label="Without a price", unit=Unit.COUNT),
    ]
    return Table(
        columns=columns,
        rows=[
            [
                Cell(value=one["name"], column=columns[0], href=f"{asked.link(budget=one['id'])}#periods"),
                _about(asked, one),
                one["current"]["state"] if one["is_active"] else OFF,
                one["current"]["spent"],
                one["amount"],
                one["current"]["percentage_used"],
                *_thresholds(one).values(),
                (one["current"]["overrun"] or {"on": None})["on"],
                one["current"]["unpriced_requests"],
            ]
            for one in rows
        ],
    )


def _history_calls(asked: Asked, ask: Ask) -> list[Call]:
    """Ask for the periods of the budget that is chosen; where there is none, for the list, which says so."""
    listed = _list(asked)
    chosen = _chosen(asked, ask(listed))
    if not chosen:
        return [listed]
    return [
        Call.to(f"/costs/budgets/{chosen}/history", {"limit": str(PERIODS)}),
        Call.to(f"/costs/budgets/{chosen}", {}),
    ]


def _periods(_asked: Asked, body: Body, budget: Body | None = None) -> Shown:
    if budget is None:
        return Shown(empty=_NONE)
    rows = sorted(body["history"], key=lambda one: str(one["period_start"]))
    lengths = [instant_of(one["period_end"]) - instant_of(one["period_start"]) for one in rows]
    chart = Chart(
        times=[instant_of(one["period_start"]) for one in rows],
        series=[
            Series(label="Spent", values=[one["spent"] for one in rows], color=1),
            Series(label="Amount", values=[one["amount"] for one in rows], before=True),
        ],
        unit=Unit.MONEY,
        width=max(lengths, default=timedelta(days=1)).total_seconds(),
        stacked=True,
        bars=True,
    )
    whole = table_of(chart)
    columns = [
        Column(label="Period from (UTC)", unit=Unit.DATE),
        *whole.columns[1:],
        Column(label="Used", unit=Unit.PERCENT),
        Column(label="Alerts", unit=Unit.COUNT),
    ]
    cells = [
        [_day(one["period_start"]), one["spent"], one["amount"], one["percentage_used"], len(one["alerts"])]
        for one in rows
    ]
    return Shown(
        chart=chart,
        table=Table(columns=columns, rows=cells),
        lines=[budget["name"]] if rows else [],
        empty="" if rows else f"{budget['name']} was not evaluated yet: that happens within a minute.",
    )


def _alerts(_asked: Asked, body: Body, budget: Body | None = None) -> Shown:
    if budget is None:
        return Shown(empty=_NONE)
    columns = [
        Column(label="Raised (UTC)", unit=Unit.TIME),
        Column(label="Severity"),
        Column(label="Spent", unit=Unit.MONEY),
        Column(label="Used", unit=Unit.PERCENT),
        Column(label="What was said"),
        Column(label="Resolved (UTC)", unit=Unit.TIME),
    ]
    found = [one for period in body["history"] for one in period["alerts"]]
    rows = [
        [
            one["triggered_at"],
            Cell(value=one["severity"], column=columns[1], failed=one["severity"] == "critical"),
            one["current_cost"],
            one["percentage_used"],
            one["message"],
            one["resolved_at"],
        ]
        for one in sorted(found, key=lambda one: str(one["triggered_at"]), reverse=True)
    ]
    empty = "" if rows else f"{budget['name']} has raised no alert."
    return Shown(table=Table(columns=columns, rows=rows), open=True, empty=empty)


def _controls(asked: Asked, ask: Ask) -> list[Mapping[str, Any]]:
    total = ask(_list(asked))["pagination"]["total"]
    if total <= LIMIT:
        return []
    names = {at: f"{at + 1:,} to {min(at + LIMIT, total):,}" for at in range(0, total, LIMIT)}
    return [choices(asked, OFFSET, "Budgets by name", names, budget=None)]


BUDGETS = Page(
    key="budgets",
    title="Budgets",
    permission="costs:read",
    about="What is spent of each amount, and where it is going.",
    own=(BUDGET, OFFSET),
    compares=False,
    ranged=False,
    filters=(),
    controls=_controls,
    panels=(
        Panel(
            key="budgets",
            title="This period",
            permission="costs:read",
            calls=lambda asked, _ask: [_list(asked)],
            show=_meters,
        ),
        Panel(key="periods", title="Periods", permission="costs:read", calls=_history_calls, show=_periods),
        Panel(key="alerts", title="Alerts", permission="costs:read", calls=_history_calls, show=_alerts),
    ),
)
