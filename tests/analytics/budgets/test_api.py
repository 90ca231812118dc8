"""The routes of budgets: what they take, what they answer, what they refuse."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from analytics.costs.budgets import service
from analytics.models import Budget, BudgetAlert, BudgetPeriod
from errors.catalog import QUERY_TIMEOUT
from errors.exceptions import ApiError
from observatory.accounts.models import AuditEntry
from observatory.accounts.services import api_key_create
from tests.analytics.api.payloads import span
from tests.analytics.budgets.conftest import BUDGETS, NOON, ONE_DAY, TOKENS_OF_A_DOLLAR, alerts, call, evaluate
from tests.documented import DOCUMENT
from tests.observatory.accounts.credentials import bearer, error, token_of

MINUTE_AGO_DOLLARS = 12.5


def fits(component, body):
    whole = DOCUMENT
    schema = {"components": whole["components"], "$ref": f"#/components/schemas/{component}"}
    return [one.message for one in Draft202012Validator(schema).iter_errors(body)]


def spent_just_now(send, dollars):
    usage = {"gen_ai.usage.input_tokens": int(dollars * TOKENS_OF_A_DOLLAR), "gen_ai.usage.output_tokens": 0}
    send(span(attributes=usage))


def patch(api, reply, headers=None, **body):
    return api.patch(f"{BUDGETS}/{reply.json()['id']}", body, content_type="application/json", headers=headers)


def test_a_budget_is_made_with_its_defaults_and_what_is_spent_already(api, create, send, tenant):
    spent_just_now(send, 90)
    reply = create(name=" shop ", amount=100.5, period="yearly")
    body = reply.json()
    start = timezone.now().replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)

    assert (reply.status_code, reply["Location"]) == (201, f"http://testserver{BUDGETS}/{body['id']}")
    assert (reply["ETag"], reply["Cache-Control"], fits("Budget", body)) == ('"1"', "no-store", [])
    assert body | {"id": 0, "created_at": 0, "updated_at": 0} == {
        "id": 0,
        "org_id": str(tenant.organisation.public_id),
        "project_id": None,
        "name": "shop",
        "amount": 100.5,
        "period": "yearly",
        "threshold_type": "percentage",
        "warning_threshold": 80,
        "critical_threshold": 95,
        "filters": dict.fromkeys(["provider", "model", "environment", "user_id", "team_id"]),
        "hard_limit": False,
        "is_active": True,
        "created_at": 0,
        "updated_at": 0,
        "current": {
            "period_start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "period_end": f"{start.year + 1}-01-01T00:00:00Z",
            "spent": 90,
            "percentage_used": 89.5522,
            "unpriced_requests": 0,
            "state": "warning",
            "overrun": None,
        },
    }
    again = api.get(f"{BUDGETS}/{body['id']}")
    assert (again.json(), again["ETag"], again["Cache-Control"]) == (body, '"1"', "private, no-cache")


def test_amounts_keep_every_digit(create):
    body = create(amount=123456.789012345, threshold_type="absolute", warning_threshold=0.000000001).content

    assert (b'"amount":123456.789012345,' in body, b'"warning_threshold":0.000000001,' in body) == (True, True)


def test_thresholds_in_dollars_default_to_the_same_shares(create):
    body = create(amount=50, threshold_type="absolute").json()

    assert (body["warning_threshold"], body["critical_threshold"]) == (40, 47.5)


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"name": ...}, (400, 1201, "name")),
        ({"amount": ...}, (400, 1201, "amount")),
        ({"period": ...}, (400, 1201, "period")),
        ({"name": "  "}, (400, 1203, "name")),
        ({"name": 7}, (400, 1203, "name")),
        ({"name": "x" * 201}, (400, 1205, "name")),
        ({"amount": 0}, (400, 1200, "amount")),
        ({"amount": -1}, (400, 1200, "amount")),
        ({"amount": 1_000_000_001}, (400, 1200, "amount")),
        ({"amount": "100"}, (400, 1203, "amount")),
        ({"amount": True}, (400, 1203, "amount")),
        ({"amount": 1.0000000001}, (400, 1203, "amount")),
        ({"amount": 12345678.123456789}, (400, 1203, "amount")),
        ({"period": "hourly"}, (400, 1202, "period")),
        ({"threshold_type": "ratio"}, (400, 1202, "threshold_type")),
        ({"warning_threshold": 101, "critical_threshold": 102}, (400, 1200, "warning_threshold")),
        ({"warning_threshold": 90, "critical_threshold": 80}, (422, 1211, "warning_threshold")),
        ({"warning_threshold": 96}, (422, 1211, "warning_threshold")),
        ({"threshold_type": "absolute", "critical_threshold": 101}, (422, 1211, "critical_threshold")),
        ({"filters": []}, (400, 1203, "filters")),
        ({"filters": {"model": ""}}, (400, 1203, "filters.model")),
        ({"filters": {"tag": "x"}}, (400, 1202, "filters.tag")),
        ({"hard_limit": "yes"}, (400, 1203, "hard_limit")),
        ({"owner": "me"}, (400, 1202, "owner")),
        ({"project_id": "no-such"}, (403, 1101, "project_id")),
    ],
    ids=lambda value: json.dumps(value, default=str)[:40],
)
def test_a_budget_that_cannot_be_is_refused(create, given, refused):
    assert error(create(**given))[:3] == refused
    assert Budget.objects.count() == 0


def test_a_name_is_taken_once_in_an_organisation(api, create, make_tenant):
    create()
    other = create(name="other")
    theirs = Client(headers=make_tenant("umbrella").headers)

    assert error(create()) == (409, 1400, "name")
    assert error(patch(api, other, name="shop")) == (409, 1400, "name")
    assert create(theirs).status_code == 201


def test_budgets_are_listed_by_name_with_what_is_spent(api, create, send):
    spent_just_now(send, MINUTE_AGO_DOLLARS)
    for name in ("c", "a", "b"):
        create(name=name, period="yearly")
    page = api.get(BUDGETS, {"limit": 2, "offset": 1}).json()

    assert [(one["name"], one["current"]["spent"], fits("Budget", one)) for one in page["budgets"]] == [
        ("b", 12.5, []), ("c", 12.5, []),
    ]  # fmt: skip
    assert page["pagination"] == {"total": 3, "limit": 2, "offset": 1, "has_more": False}


def test_a_list_takes_as_many_statements_for_many_budgets_as_for_one(api, create, django_assert_max_num_queries):
    for number in range(10):
        create(name=str(number))
    with django_assert_max_num_queries(20):
        api.get(BUDGETS)


def test_a_change_bears_another_tag_and_a_stale_one_is_refused(api, create):
    reply = create()
    changed = patch(api, reply, {"If-Match": '"1"'}, amount=200, is_active=False)

    assert (changed.status_code, changed["ETag"], changed.json()["amount"]) == (200, '"2"', 200)
    assert error(patch(api, reply, {"If-Match": '"1"'}, amount=300)) == (412, 1404)
    assert error(api.delete(f"{BUDGETS}/{reply.json()['id']}", headers={"If-Match": '"1"'})) == (412, 1404)
    assert api.delete(f"{BUDGETS}/{reply.json()['id']}", headers={"If-Match": '"2"'}).status_code == 204
    assert error(api.get(f"{BUDGETS}/{reply.json()['id']}"))[:2] == (404, 1307)


def test_what_an_evaluation_changes_has_another_tag_that_changes_may_still_name(api, create, send):
    reply = create(period="yearly")
    budget, path = Budget.objects.get(), f"{BUDGETS}/{reply.json()['id']}"
    assert api.get(path, headers={"If-None-Match": '"1"'}).status_code == 304
    evaluate(budget, timezone.now())
    assert api.get(path, headers={"If-None-Match": '"1"'}).status_code == 304

    spent_just_now(send, 85)
    evaluate(budget, timezone.now())
    now = api.get(path, headers={"If-None-Match": '"1"'})
    assert (now.status_code, now["ETag"], now.json()["current"]["state"]) == (200, '"1.1"', "warning")
    assert patch(api, reply, {"If-Match": '"1.1"'}, hard_limit=True)["ETag"] == '"2"'


def test_a_period_that_has_begun_and_was_not_evaluated_has_nothing_spent_and_a_tag_of_its_own(api, create):
    reply = create()
    BudgetPeriod.objects.update(period_start=NOON, period_end=NOON + ONE_DAY)
    now = api.get(f"{BUDGETS}/{reply.json()['id']}")

    assert (now["ETag"], now.json()["current"]["spent"]) == (f'"1.{timezone.now():%Y%m%d}"', 0)


def test_members_that_are_not_sent_stay(api, create):
    reply = create(filters={"model": "gpt-4o", "user_id": "ada"}, warning_threshold=50, project_id="main")
    first = patch(api, reply, name="other").json()
    second = patch(api, reply, filters={"team_id": "red"}, project_id=None).json()

    assert (first["filters"]["model"], first["warning_threshold"], first["project_id"] is None) == ("gpt-4o", 50, False)
    assert {name for name, value in second["filters"].items() if value} == {"team_id"}
    assert (second["name"], second["project_id"]) == ("other", None)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"threshold_type": "absolute"}, (422, 1211, "warning_threshold")),
        ({"threshold_type": "absolute", "warning_threshold": 5}, (422, 1211, "critical_threshold")),
        ({"critical_threshold": 70}, (422, 1211, "warning_threshold")),
        ({"amount": 0}, (400, 1200, "amount")),
        ({"id": "x"}, (400, 1202, "id")),
    ],
)
def test_a_change_that_cannot_be_is_refused(api, create, changes, refused):
    assert error(patch(api, create(), **changes))[:3] == refused


def test_a_change_tells_what_is_spent_from_now_on(api, create, send):
    spent_just_now(send, 90)
    reply = create(period="yearly", filters={"model": "gpt-4o-mini"})
    changed = patch(api, reply, filters={"model": "gpt-4o"})

    assert (reply.json()["current"]["spent"], changed.json()["current"]["spent"]) == (0, 90)
    assert (changed["ETag"], changed.json()["current"]["state"]) == ('"2"', "warning")


def test_a_repeated_post_makes_one_budget(create):
    replies = [create(headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json() == replies[1].json()
    assert (replies[1]["Idempotency-Replayed"], Budget.objects.count()) == ("true", 1)
    assert error(create(name="else", headers={"Idempotency-Key": "k"}))[:2] == (422, 1212)


def test_the_history_has_periods_and_alerts_the_newest_first(api, made, send):
    budget = made()
    send(call(85))
    evaluate(budget, NOON)
    evaluate(budget, NOON + ONE_DAY)
    body = api.get(f"{BUDGETS}/{budget.id}/history").json()
    (_, past) = body["history"]
    (alert,) = past["alerts"]

    assert (body["budget_id"], fits("BudgetHistory", body)) == (str(budget.id), [])
    assert (past["spent"], past["amount"], past["percentage_used"]) == (85, 100, 85)
    assert (alert["severity"], alert["current_cost"], alert["threshold_value"], alert["percentage_used"]) == (
        "warning", 85, 80, 85,
    )  # fmt: skip
    assert alert["resolved_at"] == f"{NOON + ONE_DAY:%Y-%m-%dT%H:%M:%SZ}"
    assert len(api.get(f"{BUDGETS}/{budget.id}/history", {"limit": 1}).json()["history"]) == 1


@pytest.mark.parametrize(("limit", "code"), [(0, 1200), (101, 1200), ("x", 1203)])
def test_a_history_has_one_to_a_hundred_periods(api, create, limit, code):
    reply = api.get(f"{BUDGETS}/{create().json()['id']}/history", {"limit": limit})

    assert error(reply)[:3] == (400, code, "limit")


@pytest.mark.parametrize("path", ["", "/history"])
@pytest.mark.parametrize("name", ["x", "00000000-0000-4000-8000-000000000000"])
def test_a_budget_that_is_not_there(api, path, name):
    assert error(api.get(f"{BUDGETS}/{name}{path}"))[:2] == (404, 1307)


def test_who_reaches_a_part_of_the_organisation_sees_that_part(make_tenant, create):
    tenant = make_tenant("umbrella", projects=("one", "two"))
    whole = Client(headers=tenant.headers)
    key = api_key_create(
        organisation=tenant.organisation, name="part", projects=tenant.projects[:1], permissions=["*"], tier="viewer"
    )
    part = bearer(key.secret)
    ids = {name: create(whole, name=name, project_id=project).json()["id"]
           for name, project in (("all", None), ("first", "one"), ("second", "two"))}  # fmt: skip

    assert [one["name"] for one in whole.get(BUDGETS).json()["budgets"]] == ["all", "first", "second"]
    assert [one["name"] for one in whole.get(BUDGETS, {"project_id": "two"}).json()["budgets"]] == ["second"]
    assert [one["name"] for one in part.get(BUDGETS).json()["budgets"]] == ["first"]
    assert [part.get(f"{BUDGETS}/{ids[name]}").status_code for name in ids] == [404, 200, 404]
    assert error(create(part, name="mine"))[:3] == (403, 1101, "project_id")
    assert error(part.patch(f"{BUDGETS}/{ids['first']}", {"project_id": None}, content_type="application/json"))[:2] == (
        403, 1101,
    )  # fmt: skip


@pytest.mark.parametrize(("role", "may"), [("admin", True), ("billing", True), ("developer", False), ("viewer", False)])
def test_who_may_write_budgets(create, member, role, may):
    member(role)
    reply = create(bearer(token_of(role)), name=role)

    assert (reply.status_code == 201) is may
    assert may or error(reply)[:2] == (403, 1100)


def test_writes_are_in_the_audit_log(api, create):
    reply = create()
    patch(api, reply, amount=5)
    api.delete(f"{BUDGETS}/{reply.json()['id']}")
    entries = AuditEntry.objects.filter(resource_type="budget").order_by("ts")

    assert [(one.action, one.resource_id, one.changes) for one in entries] == [
        ("create", reply.json()["id"], ["amount", "name", "period"]),
        ("update", reply.json()["id"], ["amount"]),
        ("delete", reply.json()["id"], []),
    ]


def test_a_budget_that_cannot_be_summed_now_is_made_and_left_to_the_worker(create, monkeypatch):
    def refuse(*_given, **_more):
        raise ApiError(QUERY_TIMEOUT)

    monkeypatch.setattr(service, "budget_evaluate", refuse)
    reply = create()

    assert (reply.status_code, reply["ETag"], reply.json()["current"]["state"]) == (201, '"1.new"', "ok")


def test_one_that_is_off_is_told_of_to_nobody(api, create, send):
    spent_just_now(send, 99)
    reply = create(period="yearly", is_active=False)

    assert (reply.json()["current"]["state"], reply["ETag"]) == ("critical", '"1"')
    assert alerts(Budget.objects.get()) == []


def test_what_rose_while_it_was_off_is_told_when_it_is_on(api, create, send):
    spent_just_now(send, 99)
    budget = Budget.objects.get(id=create(period="yearly", is_active=False).json()["id"])
    Budget.objects.update(is_active=True)
    evaluate(budget, timezone.now())
    evaluate(budget, timezone.now())

    assert [one.severity for one in BudgetAlert.objects.filter(period__budget=budget)] == ["critical"]


def test_a_gateway_that_asks_with_an_old_tag_learns_of_the_next_period(api, made):
    budget = made()
    evaluate(budget, timezone.now() - timedelta(days=1))
    tag = api.get(f"{BUDGETS}/{budget.id}")["ETag"]
    evaluate(budget, timezone.now())

    assert api.get(f"{BUDGETS}/{budget.id}", headers={"If-None-Match": tag}).status_code == 200
