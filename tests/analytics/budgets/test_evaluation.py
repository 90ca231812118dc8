"""What evaluations make of spans: states, alerts, an event and a message for each rise, once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import orjson
import pytest
from django.db import connection, connections
from django.test import Client
from django_redis import get_redis_connection

from analytics.costs.budgets import evaluation
from analytics.costs.budgets.evaluation import alerts_of_resting_resolve, budget_evaluate
from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.models import Budget, BudgetAlert, BudgetPeriod, Channel, Delivery
from analytics.registry.rollups import ROLLUPS
from analytics.storage.horizons import move_horizon
from analytics.storage.partitions import ensure_days
from analytics.storage.rollups import refresh
from errors.catalog import MISSING_AUTHORIZATION
from errors.exceptions import ApiError
from observatory import jobs
from tests.analytics.api.payloads import NS
from tests.analytics.budgets.conftest import (
    DAY,
    NOON,
    ONE_DAY,
    TOKENS_OF_A_DOLLAR,
    alerts,
    call,
    evaluate,
    period_of,
)

# Noon of the tenth of the month before this one: so much of it is over, and so much is ahead.
TENTH = (datetime.now(UTC).replace(day=1) - timedelta(days=1)).replace(
    day=10, hour=12, minute=0, second=0, microsecond=0
)


@pytest.fixture
def events(tenant, django_capture_on_commit_callbacks):
    """Return a function that evaluates and gives severity and dollars of the events so far."""

    def run(budget, now):
        with django_capture_on_commit_callbacks(execute=True):
            evaluate(budget, now)
        entries = get_redis_connection("default").xrange(f"llmo:events:{tenant.organisation.pk}")
        data = [orjson.loads(fields[b"data"]) for _, fields in entries if fields[b"type"] == b"cost_threshold"]
        return [(one["severity"], one["threshold_value"], one["current_value"]) for one in data]

    return run


def test_a_message_says_what_is_spent_exactly(made, send, make_channel, posts, work):
    make_channel("webhook", url=posts.url)
    budget = made(amount=0.01)
    send(call(0.0085), call(None))
    evaluate(budget, NOON)
    work()
    (body,) = posts.bodies

    assert body["text"] == (
        f"$0.0085 of $0.01 (85 %) of budget shop are spent on {DAY:%Y-%m-%d}. Its warning threshold is $0.008."
        " 1 request has no price and no part in this sum."
    )
    assert b'"current_value":0.0085,' in posts.taken[0]["body"]
    assert {name: body["data"][name] for name in ("state", "severity", "amount", "percentage_used", "unpriced_requests")} == {
        "state": "warning", "severity": "warning", "amount": 0.01, "percentage_used": 85, "unpriced_requests": 1,
    }  # fmt: skip


def test_an_event_is_told_of_each_rise_and_none_of_what_stays(made, send, events):
    budget = made()
    send(call(85))

    assert events(budget, NOON) == events(budget, NOON + timedelta(minutes=1)) == [("warning", 80, 85)]
    send(call(20))
    assert events(budget, NOON + timedelta(minutes=2)) == [("warning", 80, 85), ("critical", 100, 105)]


def test_a_state_that_is_jumped_over_makes_no_alert(made, send):
    budget = made()
    send(call(97))
    evaluate(budget, NOON)

    assert alerts(budget) == [("critical", 95, False)]


@pytest.mark.parametrize(
    ("spent", "state"), [(79.9999, "ok"), (80, "warning"), (94.9999, "warning"), (95, "critical"), (100, "exceeded")]
)
def test_a_state_begins_at_its_bound(made, send, spent, state):
    budget = made()
    send(call(spent))
    evaluate(budget, NOON)

    assert period_of(budget).state == state


def test_bounds_in_dollars(made, send):
    budget = made(threshold_type="absolute", warning_threshold=10, critical_threshold=20)
    send(call(12))
    evaluate(budget, NOON)

    assert alerts(budget) == [("warning", 10, False)]


def test_a_larger_amount_resolves_and_another_rise_is_told_again(made, send):
    budget = made()
    send(call(85))
    evaluate(budget, NOON)
    Budget.objects.filter(id=budget.id).update(amount=200, row_version=2)
    evaluate(budget, NOON + timedelta(minutes=1))
    assert alerts(budget) == [("warning", 80, True)]

    send(call(80))
    evaluate(budget, NOON + timedelta(minutes=2))
    assert alerts(budget) == [("warning", 80, True), ("warning", 160, False)]


def test_a_fall_to_a_lower_state_is_no_rise_and_a_rise_from_there_is_one(made, send, make_channel, posts, work):
    make_channel("webhook", url=posts.url)
    budget = made()
    told = []
    for minute, (dollars, amount) in enumerate([(96, 100), (0, 110), (0, 110), (9, 110), (0, 200), (0, 130), (0, 100)]):
        send(*([call(dollars)] if dollars else []))
        Budget.objects.filter(id=budget.id).update(amount=amount)
        evaluate(budget, NOON + timedelta(minutes=minute))
        told.append((period_of(budget).state, BudgetAlert.objects.count()))
    work()

    assert told == [("critical", 1), ("warning", 1), ("warning", 1), ("critical", 2), ("ok", 2), ("warning", 3),
                    ("exceeded", 4)]  # fmt: skip
    assert alerts(budget) == [
        ("critical", 95, True), ("critical", 104.5, True), ("warning", 104, False), ("critical", 100, False),
    ]  # fmt: skip
    assert len(posts.bodies) == 4


def test_a_state_that_was_reached_while_a_budget_was_off_is_told_when_it_is_on(made, send):
    budget = made(is_active=False)
    send(call(96))
    told = []
    for minute, (active, amount) in enumerate([(False, 100), (False, 110), (True, 110), (True, 110)]):
        Budget.objects.filter(id=budget.id).update(amount=amount, is_active=active)
        evaluate(budget, NOON + timedelta(minutes=minute))
        told.append(alerts(budget))

    assert told == [[], [], [("warning", 88, False)], [("warning", 88, False)]]


def test_the_end_of_a_period_resolves_alerts_of_a_budget_that_rests_too(made, send):
    budget = made()
    send(call(96))
    evaluate(budget, NOON)
    resolved = []
    for at, active in [(NOON, False), (NOON + timedelta(days=1), True), (NOON + timedelta(days=1), False)]:
        Budget.objects.filter(id=budget.id).update(is_active=active)
        alerts_of_resting_resolve(now=at)
        resolved.append(alerts(budget)[0][2])

    assert resolved == [False, False, True]


def test_only_requests_that_the_filters_admit_count(made, send):
    budget = made(filters={"user_id": "ada", "environment": "production"})
    send(call(10, **{"user.id": "ada"}), call(20, **{"user.id": "bob"}))
    send(call(40, **{"user.id": "ada"}), **{"deployment.environment.name": "staging"})
    evaluate(budget, NOON)

    assert period_of(budget).spent == 10


def test_a_hard_limit_that_is_exceeded_refuses_no_span_and_tells_of_those_without_a_price(made, send, api):
    budget = made(hard_limit=True, amount=10)
    send(call(20))
    evaluate(budget, NOON)
    send(call(30), call(None))
    evaluate(budget, NOON + timedelta(minutes=1))
    (past,) = api.get(f"/api/v1/costs/budgets/{budget.id}/history").json()["history"]

    assert (period_of(budget).state, past["spent"], period_of(budget).unpriced_requests) == ("exceeded", 50, 1)


def test_a_project_s_budget_and_the_organisation_s(make_tenant, send, create):
    tenant = make_tenant("umbrella", projects=("one", "two"))
    client = Client(headers=tenant.headers)
    for project, dollars in zip(tenant.projects, (10, 20), strict=True):
        send(call(dollars), client=Client(headers=tenant.headers | {"X-Project-ID": str(project.public_id)}))
    create(client, name="all")
    create(client, name="one", project_id="one")
    for budget in Budget.objects.all():
        Budget.objects.filter(id=budget.id).update(evaluated_at=None)
        evaluate(budget, NOON)

    spent = BudgetPeriod.objects.filter(period_start=DAY).values_list("budget__name", "spent")
    assert dict(spent) == {"all": 30, "one": 10}


def test_late_spans_are_added_to_the_period_that_is_over_and_told_of_to_nobody(made, send):
    budget = made()
    send(call(50))
    evaluate(budget, NOON)
    send(call(45))
    evaluate(budget, NOON + ONE_DAY)

    assert [float(one.spent) for one in budget.periods.order_by("period_start")] == [95, 0]
    assert alerts(budget) == []


def test_rollups_and_spans_give_the_same_sum_and_rollups_are_read_where_they_are_fresh(made, send):
    budget = made()
    send(call(12.345678), call(0.000001))
    evaluate(budget, NOON)
    before = period_of(budget).spent
    for grain in ("1min", "1hour", "1day"):
        while refresh(grain, before=NOON + ONE_DAY).more:
            pass
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM llm_traces")
    evaluate(budget, NOON + timedelta(minutes=1))

    assert (before, period_of(budget).spent) == (Decimal("12.345677500"), Decimal("12.345677500"))


def test_an_evaluator_that_was_overtaken_notes_nothing(made, send, monkeypatch):
    budget = made()
    send(call(85))
    real = evaluation._measure

    def slow(*given, **more):
        measured = real(*given, **more)
        if more["now"] == NOON:
            send(call(20))
            evaluate(budget, NOON + timedelta(minutes=1))
        return measured

    monkeypatch.setattr(evaluation, "_measure", slow)

    assert evaluate(budget, NOON) is False
    assert (float(period_of(budget).spent), alerts(budget)) == (105, [("critical", 100, False)])


def test_an_evaluation_that_a_change_overtook_notes_nothing(made, send, monkeypatch):
    budget = made()
    send(call(85))
    real = evaluation._measure

    def slow(*given, **more):
        measured = real(*given, **more)
        Budget.objects.filter(id=budget.id).update(amount=1000, row_version=2)
        return measured

    monkeypatch.setattr(evaluation, "_measure", slow)

    assert (evaluate(budget, NOON), alerts(budget)) == (False, [])


def test_the_worker_evaluates_what_is_due_and_one_that_cannot_be_keeps_no_other(made, create, send, monkeypatch):
    first, second = made(), made(name="second")
    create(name="off", is_active=False)
    real = jobs.scope_of_budget
    monkeypatch.setattr(jobs, "scope_of_budget", lambda one: None if one.id == first.id else real(one))

    assert (jobs.budgets(), jobs.budgets()) == (1, 0)
    assert (Budget.objects.get(id=first.id).evaluated_at, Budget.objects.get(id=second.id).evaluated_at is None) == (
        None, False,
    )  # fmt: skip


def test_a_budget_whose_figures_are_refused_is_left_for_later(made, monkeypatch):
    made()

    def refuse(*_given, **_more):
        raise ApiError(MISSING_AUTHORIZATION)

    monkeypatch.setattr(evaluation, "_measure", refuse)
    assert jobs.budgets() == 0


def test_an_overrun_that_is_foreseen_is_told_once_a_period(made, send, make_channel, posts, work):
    make_channel("webhook", url=posts.url)
    budget = made(period="monthly", amount=155)
    # Ten dollars a day for two weeks, of which nine days are of this month.
    send(*(call(10, at=TENTH - timedelta(days=back)) for back in range(1, 15)))
    for minutes in (0, 61, 122):
        evaluate(budget, TENTH + timedelta(minutes=minutes))
    work()
    period, on = period_of(budget), TENTH.date().replace(day=16)

    assert (period.state, float(period.spent), alerts(budget)) == ("ok", 90, [("info", 155, False)])
    assert [body["subject"] for body in posts.bodies] == [f"Budget shop: will pass 100 % on 16 {on:%B}"]
    assert posts.bodies[0]["data"]["overrun_on"] == on.isoformat()
    assert posts.bodies[0]["text"].endswith(f"If spending goes on like this, it will pass 100 % on 16 {on:%B}.")


def test_a_budget_is_evaluated_when_what_came_before_is_no_longer_kept(made, send):
    budget = made(period="monthly", amount=100)
    send(call(50, at=TENTH - timedelta(days=15)), call(85, at=TENTH - timedelta(days=1)))
    first = TENTH.replace(day=1, hour=0)
    past = BudgetPeriod.objects.create(
        budget=budget, organisation_id=budget.organisation_id, amount=100, spent=50,
        period_start=(first - ONE_DAY).replace(day=1), period_end=first,
    )  # fmt: skip
    for kind in ("spans", *{rollup.kind for rollup in ROLLUPS}):
        move_horizon(kind, to=first)
    assert evaluate(budget, TENTH)
    past.refresh_from_db()

    assert (period_of(budget).spent, alerts(budget), past.spent) == (85, [("warning", 80, False)], 50)


def test_a_budget_of_whose_present_period_a_part_is_gone_keeps_what_was_noted(made, send):
    budget = made(period="monthly", amount=100)
    send(call(85, at=TENTH - timedelta(days=5)))
    evaluate(budget, TENTH)
    for kind in ("spans", *{rollup.kind for rollup in ROLLUPS}):
        move_horizon(kind, to=TENTH.replace(hour=0) - timedelta(days=2))
    with pytest.raises(ApiError):
        evaluate(budget, TENTH + timedelta(minutes=1))

    assert (period_of(budget).spent, alerts(budget)) == (85, [("warning", 80, False)])


def test_an_overrun_that_is_behind_the_period_is_not_told(made, send):
    budget = made(period="monthly", amount=10_000)
    send(*(call(10, at=TENTH - timedelta(days=back)) for back in range(1, 15)))
    evaluate(budget, TENTH)

    assert (period_of(budget).overrun_on, alerts(budget)) == (None, [])


def test_periods_of_both_lengths_stay_in_the_history_when_the_length_changes(made, send):
    budget = made(period="daily")
    send(call(10))
    evaluate(budget, NOON)
    Budget.objects.filter(id=budget.id).update(period="monthly", row_version=2)
    evaluate(budget, NOON + timedelta(minutes=1))

    assert budget.periods.count() == 2


@pytest.fixture
def beside(committed, owner):
    """A budget of committed rows that has 85 of 100 dollars spent, and a channel."""
    (organisation,) = committed.projects
    ensure_days([DAY.date()])
    usage = {"gen_ai.usage.input_tokens": 85 * TOKENS_OF_A_DOLLAR, "gen_ai.usage.output_tokens": 0}
    start_ns = int(NOON.timestamp()) * NS
    one = RawSpan(
        trace_id=b"1" * 16,
        span_id=b"1" * 8,
        parent_span_id=b"",
        name="chat",
        start_ns=start_ns,
        end_ns=start_ns + NS,
        attributes={"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o", **usage},
    )  # fmt: skip
    receive(scope=committed, received_at=datetime.now(UTC), spans=[one])
    tenant = {"organisation_id": organisation, "organisation_uuid": uuid4(), "created_at": NOON, "updated_at": NOON}
    Channel.objects.create(**tenant, name="hook", type="webhook", target=b"")
    bounds = {"warning_threshold": 80, "critical_threshold": 95}
    yield Budget.objects.create(**tenant, **bounds, name="shop", amount=100, period="daily")
    for table in ("deliveries", "channels", "budget_alerts", "budget_periods", "budgets"):
        owner.execute(f"DELETE FROM {table} WHERE organisation_id = %s", [organisation])
    owner.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'deliver'")


def test_evaluators_beside_one_another_tell_of_a_rise_once(beside, committed, monkeypatch):
    together, real = threading.Barrier(4), evaluation._measure

    def measured(*given, **more):
        found = real(*given, **more)
        together.wait(timeout=20)
        return found

    def run(number):
        try:
            return budget_evaluate(
                beside.id, scope_of=lambda _: committed, now=NOON + timedelta(hours=2, milliseconds=number)
            )
        finally:
            connections.close_all()

    monkeypatch.setattr(evaluation, "_measure", measured)
    with ThreadPoolExecutor(4) as threads:
        noted = list(threads.map(run, range(4)))

    assert (alerts(beside), Delivery.objects.filter(organisation_id=beside.organisation_id).count()) == (
        [("warning", 80, False)], 1,
    )  # fmt: skip
    assert any(noted)
