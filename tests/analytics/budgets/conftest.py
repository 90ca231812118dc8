"""Budgets, spans that cost a round amount, and evaluations at an instant."""

from datetime import UTC, datetime, timedelta

import pytest

from analytics.costs.budgets.evaluation import budget_evaluate
from analytics.models import Budget, BudgetAlert, BudgetPeriod
from observatory.jobs import scope_of_budget
from tests.analytics.alerts.conftest import at_home, mailbox, make_channel, posts, work  # noqa: F401  fixtures
from tests.analytics.api.conftest import send  # noqa: F401  a fixture
from tests.analytics.api.payloads import NS, span
from tests.analytics.storage.conftest import committed, owner  # noqa: F401  fixtures

BUDGETS = "/api/v1/costs/budgets"
# A day that is over, so that every instant of it can be evaluated.
DAY = (datetime.now(UTC) - timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
NOON = DAY + timedelta(hours=12)
ONE_DAY = timedelta(days=1)
TOKENS_OF_A_DOLLAR = 400_000  # of gpt-4o's input


def call(dollars, *, at=DAY + timedelta(hours=6), **attributes):
    """Return a call that costs so many dollars; `None`: it has no price."""
    model = {"gen_ai.request.model": "nobody-knows-1"} if dollars is None else {}
    tokens = int((dollars or 1) * TOKENS_OF_A_DOLLAR)
    usage = {"gen_ai.usage.input_tokens": tokens, "gen_ai.usage.output_tokens": 0}
    return span(start_ns=int(at.timestamp()) * NS, attributes={**usage, **model, **attributes})


@pytest.fixture
def receivers(posts, mailbox):  # noqa: F811  both are fixtures
    return posts, mailbox


@pytest.fixture
def create(api):
    """Return a function that posts a budget and returns its reply."""

    def post(client=api, headers=None, **body):
        given = {"name": "shop", "amount": 100, "period": "daily"} | body
        given = {name: value for name, value in given.items() if value is not ...}
        return client.post(BUDGETS, given, content_type="application/json", headers=headers)

    return post


@pytest.fixture
def made(create):
    """Return a function that makes a budget whose present period is not yet evaluated."""

    def make(**body):
        reply = create(**body)
        assert reply.status_code == 201, reply.content
        budget = Budget.objects.get(id=reply.json()["id"])
        budget.periods.all().delete()
        budget.evaluated_at = None
        budget.save()
        return budget

    return make


def evaluate(budget, now):
    return budget_evaluate(budget.id, scope_of=scope_of_budget, now=now)


def alerts(budget):
    """Return severity and dollars reached of the alerts of a budget, in their order, and whether each is resolved."""
    found = BudgetAlert.objects.filter(period__budget=budget).order_by("triggered_at", "number")
    return [(one.severity, float(one.threshold_value), one.resolved_at is not None) for one in found]


def period_of(budget):
    return BudgetPeriod.objects.filter(budget=budget).latest("period_start")
