"""A budget from its first rise into its next period: what it tells, and what every kind of receiver got."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection

from analytics.ingest.service import receive
from analytics.ingest.wire import decode
from analytics.management.demo import demo_requests
from analytics.models import Budget
from observatory.accounts.models import Project
from tests.analytics.budgets.conftest import DAY, NOON, ONE_DAY, alerts, call, evaluate, period_of
from tests.analytics.costs.books import scope_of


@pytest.fixture
def demo_day(make_tenant):
    """Return the spans of a day of the demo as they arrive, some at a time, and the dollars that they cost."""
    batches = demo_requests(days=1, traces_per_day=80, seed=1, end=DAY + ONE_DAY, spans_per_request=8)
    arriving = [list(decode(batch.request.SerializeToString(), json=False).spans) for batch in batches]
    (elsewhere,) = make_tenant("elsewhere").projects
    for spans in arriving:
        receive(scope=scope_of(elsewhere), spans=spans, received_at=datetime.now(UTC))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(total_cost_nanousd) FROM llm_traces WHERE project_id = %s AND usage_counted", [elsewhere.pk]
        )
        return arriving, Decimal(cursor.fetchone()[0]).scaleb(-9)


def test_a_budget_warns_turns_critical_and_resolves_and_every_receiver_got_one_message_a_rise(
    made, send, make_channel, receivers, work
):
    posts, mailbox = receivers
    make_channel("webhook", url=f"{posts.url}/hook")
    make_channel("slack", url=f"{posts.url}/slack")
    make_channel("email", addresses=["ops@example.com"])
    budget = made()
    states = []
    for dollars in (50, 31, 15, 10):
        send(call(dollars))
        for minute in range(3):
            evaluate(budget, NOON + timedelta(minutes=minute))
        period = period_of(budget)
        states.append((period.state, float(period.spent)))
        Budget.objects.update(evaluated_at=None)
        work()
    assert states == [("ok", 50), ("warning", 81), ("critical", 96), ("exceeded", 106)]
    assert alerts(budget) == [("warning", 80, False), ("critical", 95, False), ("critical", 100, False)]

    evaluate(budget, NOON + ONE_DAY)
    work()

    assert alerts(budget) == [("warning", 80, True), ("critical", 95, True), ("critical", 100, True)]
    assert (period_of(budget).state, period_of(budget).spent) == ("ok", 0)
    told = ["Budget shop: warning, 81 % of $100.00 spent", "Budget shop: critical, 96 % of $100.00 spent",
            "Budget shop: exceeded, 106 % of $100.00 spent"]  # fmt: skip
    hooks = [body for body, post in zip(posts.bodies, posts.taken, strict=True) if post["path"] == "/hook"]
    slack = [body for body, post in zip(posts.bodies, posts.taken, strict=True) if post["path"] == "/slack"]
    assert [one["subject"] for one in hooks] == told
    assert [one["text"].splitlines()[0].strip("*") for one in slack] == told
    assert [one["Subject"] for one in mailbox.taken] == told
    assert len({post["headers"]["webhook-id"] for post in posts.taken if post["path"] == "/hook"}) == 3


def test_a_budget_of_the_demo_warns_turns_critical_and_resolves_and_every_receiver_got_one_message_a_rise(
    made, demo_day, make_channel, receivers, work
):
    (posts, mailbox), (arriving, dollars) = receivers, demo_day
    make_channel("webhook", url=f"{posts.url}/hook")
    make_channel("slack", url=f"{posts.url}/slack")
    make_channel("email", addresses=["ops@example.com"])
    budget = made(amount=round(float(dollars) / 1.05, 6))
    states, project = ["ok"], Project.objects.get(organisation=budget.organisation_id)
    for minute, spans in enumerate(arriving):
        receive(scope=scope_of(project), spans=spans, received_at=datetime.now(UTC))
        for second in (0, 30):
            evaluate(budget, NOON + timedelta(minutes=minute, seconds=second))
        if (state := period_of(budget).state) != states[-1]:
            states.append(state)
            work()
    evaluate(budget, NOON + ONE_DAY)
    work()

    assert states == ["ok", "warning", "critical", "exceeded"]
    assert [(severity, resolved) for severity, _, resolved in alerts(budget)] == [
        ("warning", True), ("critical", True), ("critical", True),
    ]  # fmt: skip
    assert period_of(budget).state == "ok"
    told = [f"Budget shop: {state}" for state in states[1:]]
    hooks, slack = (
        [body for body, post in zip(posts.bodies, posts.taken, strict=True) if post["path"] == path]
        for path in ("/hook", "/slack")
    )
    assert [one["subject"].partition(",")[0] for one in hooks] == told
    assert [one["text"].strip("*").partition(",")[0] for one in slack] == told
    assert [one["Subject"].partition(",")[0] for one in mailbox.taken] == told
