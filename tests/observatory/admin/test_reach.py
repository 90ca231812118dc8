"""Nothing in the admin reaches another organisation by editing a URL: every URL is walked with what is somebody else's."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analytics.models import Budget, BudgetPeriod, Channel, CostRun, Delivery, ExportJob, ModelPrice, RejectedSpan
from observatory.accounts.models import ApiKey, AuditEntry, Membership, Organisation, Project, User
from observatory.admin.operations import OPERATIONS
from observatory.admin.pages import PAGES
from observatory.database import tenancy
from tests.observatory.admin.conftest import AT, done, text_of
from tests.observatory.pages.conftest import PASSWORD

MARK = "rival-secret"


@pytest.fixture
def theirs(make_tenant):
    """Every kind of row of another organisation, by model."""
    rival = make_tenant("rival", projects=(MARK,))
    organisation, project = rival.organisation, rival.projects[0]
    user = User.objects.create_user(f"{MARK}-user", password=PASSWORD)
    member = Membership.objects.create(user=user, organisation=organisation, role="admin")
    price = {"provider": MARK, "model_pattern": MARK, "valid_from": AT, "input": 1, "output": 2, "source": MARK}
    export = {
        "organisation_uuid": organisation.public_id, "project_ids": [project.pk], "project_uuids": [project.public_id],
        "format": "csv", "compression": "none", "within": "all", "start_time": AT, "end_time": AT + timedelta(days=1),
        "step_rows": 1, "created_at": AT, "settled": AT, "expected_rows": 1, "expected_exactly": True,
        "asked": {"scope": MARK}, "status": "completed", "expires_at": timezone.now() + timedelta(days=1),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rejected_spans (organisation_id, project_id, received_at, reason, message, request_id, span_name)"
            " VALUES (%s, %s, now(), 'too_old', 'old', 'r', %s) RETURNING id",
            [organisation.pk, project.pk, MARK],
        )
        rejected = cursor.fetchone()[0]
    with tenancy.only(tenancy.EVERY):
        return {
            Organisation: organisation.pk,
            Project: project.pk,
            User: user.pk,
            Membership: member.pk,
            ApiKey: ApiKey.objects.get(organisation=organisation).pk,
            AuditEntry: AuditEntry.objects.create(
                organisation_id=organisation.pk, action="read", resource_type=MARK, success=True, ip_address="",
                user_agent="", request_id="", duration_ms=1, status_code=200,
            ).pk,
            ModelPrice: ModelPrice.objects.create(organisation_id=organisation.pk, **price).pk,
            CostRun: CostRun.objects.create(start_time=AT, end_time=AT, newest_price=1, project_id=project.pk, model=MARK).pk,
            ExportJob: ExportJob.objects.create(organisation_id=organisation.pk, **export).pk,
            RejectedSpan: rejected,
            **alerting(organisation),
        }  # fmt: skip


def alerting(organisation):
    """Return a budget, its period, a channel and a message of an organisation."""
    owned, dated = {"organisation_id": organisation.pk}, {"created_at": AT, "updated_at": AT}
    whose = owned | {"organisation_uuid": organisation.public_id}
    budget = Budget.objects.create(
        **whose, **dated, name=MARK, amount=1, period="daily", warning_threshold=80, critical_threshold=95
    )
    period = BudgetPeriod.objects.create(
        budget=budget, **owned, period_start=AT, period_end=AT + timedelta(days=1), amount=1
    )
    channel = Channel.objects.create(**whose, **dated, name=MARK, type="webhook", target=b"x")
    delivery = Delivery.objects.create(
        channel=channel, **owned, kind="budget", key=MARK, subject=MARK, text=MARK, created_at=AT, next_attempt_at=AT
    )
    return {Budget: budget.pk, BudgetPeriod: period.pk, Channel: channel.pk, Delivery: delivery.pk}


def everything():
    """Return every row of the tables that the admin writes, but for what signing in and being refused leave."""
    with tenancy.only(tenancy.EVERY):
        return {
            model: sorted(map(str, model.objects.values_list()))
            for model in (Organisation, Project, User, Membership, ApiKey, ModelPrice, CostRun, ExportJob, RejectedSpan)
        }


def places(model, number):
    """Return every URL of the admin's pages about one row of a model."""
    found = []
    for pattern in admin.site.get_model_admin(model).get_urls():
        route = str(pattern.pattern)
        if names := re.findall(r"<(?:\w+:)?(\w+)>", route):
            filled = re.sub(r"<[^>]+>", str(number), route)
            assert len(names) == 1, route
            found.append(
                f"/admin/{model._meta.app_label}/{model._meta.model_name}/{filled}".replace("^", "").strip("$")
            )
    return found


def test_every_page_about_a_row_of_another_organisation_is_closed(helper, theirs):
    before = everything()
    walked = 0
    for model, number in theirs.items():
        for place in places(model, number):
            for reply in (
                helper.get(place),
                helper.post(place, {"post": "yes", "name": "x", "slug": "x", "_save": "x"}),
            ):
                walked += 1
                leads_out = reply.status_code == 302 and MARK not in reply["Location"]
                assert leads_out or reply.status_code in {403, 404, 405}, (place, reply.status_code)
                assert MARK not in text_of(reply), place
            after = helper.get("/admin/")
            assert MARK not in text_of(after), place
    assert (walked > 60, everything() == before) == (True, True)


def test_no_model_of_the_admin_is_left_out_of_the_walk(theirs):
    others = set(admin.site._registry) - set(theirs)

    assert {model._meta.label for model in others} == {"auth.Group"}  # superusers' alone


def test_lists_and_their_filters_end_at_the_reach(helper, theirs):
    shown = []
    for model in theirs:
        place = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for query in ("", f"?q={MARK}", "?o=1", f"?organisation__slug=rival&q={MARK}", "?e=1"):
            reply = helper.get(place + query, follow=True)
            said = text_of(reply).replace(f'"{MARK}"', "")
            shown += [place + query] if MARK in said or reply.status_code not in {200, 400, 403} else []

    assert shown == []


def test_pages_of_ours_about_another_organisation_are_closed(helper, theirs, make_tenant):
    for page in PAGES:
        path = re.sub(r"<slug:organisation>", "rival", page.path)
        path = re.sub(r"<str:trace_id>", "a" * 32, re.sub(r"<slug:(?:key|run_id)>", "0" * 32, path))
        reply = helper.get(f"/admin/{path}")
        if "rival" in path or "0" * 32 in path or not page.listed:
            assert reply.status_code in {403, 404}, path
        assert MARK not in text_of(reply), path


def test_operations_take_nothing_of_another_organisation(helper, theirs):
    run = theirs[CostRun]
    given = {"start": "now-3d", "end": "", "project": f"rival/{MARK}"}

    replies = [
        helper.post("/admin/operations/recompute-costs/", given),
        helper.post("/admin/operations/recompute-costs/", given | {"project": "rival"}),
        helper.post("/admin/operations/recompute-costs/", given | {"project": ""}),
        helper.post("/admin/operations/undo-costs/", {"run": run}),
    ]

    assert [(one.status_code, "errorlist" in one.content.decode()) for one in replies] == [(200, True)] * 4
    assert not any(MARK in re.sub(r"rival/rival-secret is not one", "", text_of(one)) for one in replies[1:])


@pytest.mark.parametrize("key", [key for key, one in OPERATIONS.items() if one.back != "analytics_costrun_changelist"])
def test_operations_on_everybodys_rows_are_superusers(helper, key):
    replies = [helper.get(f"/admin/operations/{key}/"), helper.post(f"/admin/operations/{key}/", {})]

    assert [one.status_code for one in replies] == [403, 403]


def test_a_run_is_shown_to_nobody_but_who_asked(helper, root, tenant):
    reply = root.post("/admin/operations/apply-retention/", {})
    done(root, reply)

    assert helper.get(reply["Location"]).status_code == 404
    assert helper.post(reply["Location"]).status_code == 404


@pytest.mark.parametrize("query", ["corrects={price}", "of=rival&first_seen=2026-03-01&model=x&provider=y"])
def test_links_that_fill_a_form_in_take_nothing_from_another_organisation(helper, theirs, query):
    reply = helper.get(f"/admin/analytics/modelprice/add/?{query.format(price=theirs[ModelPrice])}")

    assert (reply.status_code, MARK in reply.content.decode(), "rival" in text_of(reply)) == (200, False, False)


def test_choices_of_forms_end_at_the_reach(helper, theirs):
    pages = ["accounts/membership", "accounts/apikey", "accounts/project", "analytics/modelprice"]

    said = "".join(helper.get(f"/admin/{page}/add/").content.decode() for page in pages)

    assert (MARK in said, "rival" in said, "acme" in said) == (False, False, True)


def test_a_user_who_is_elsewhere_too_keeps_their_password(helper, theirs, tenant):
    user = User.objects.get(pk=theirs[User])
    Membership.objects.create(user=user, organisation=tenant.organisation, role="viewer")

    form = {"password1": "another long one", "password2": "another long one"}
    replies = [helper.get(f"/admin/accounts/user/{user.pk}/password/")]
    replies.append(helper.post(f"/admin/accounts/user/{user.pk}/password/", form))

    assert [one.status_code for one in replies] == [403, 403]
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_groups_are_up_to_superusers(helper, root):
    places = ["/admin/auth/group/", "/admin/auth/group/add/"]

    assert [helper.get(one).status_code for one in places] == [403, 403]
    assert [root.get(one).status_code for one in places] == [200, 200]


def test_every_url_of_the_admin_is_closed_to_visitors(db):
    lists = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    ours = [f"/admin/{re.sub(r'<[^>]+>', 'acme', page.path)}" for page in PAGES]

    replies = [Client().get(one) for one in [*lists, *ours]]

    assert {(one.status_code, one["Location"].partition("?")[0]) for one in replies} == {(302, "/admin/login/")}


def test_unknown_ids_are_no_errors_of_ours(helper):
    for model in admin.site._registry:
        for number in ("0", "x", "-1", str(uuid4()), "9" * 40, "a%00b"):
            reply = helper.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/{number}/change/")
            assert reply.status_code in {302, 403, 404}, (model, number, reply.status_code)


def test_lists_of_rows_look_no_name_up_row_by_row(root, theirs, make_tenant):
    with tenancy.only(tenancy.EVERY):
        entry = AuditEntry.objects.get(pk=theirs[AuditEntry])
    asked = {}
    for round_ in range(2):
        for model in (AuditEntry, CostRun, ModelPrice, ApiKey, Project):
            place = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            with CaptureQueriesContext(connection) as made:
                assert root.get(place + (f"?q={MARK}" if model is ModelPrice else "")).status_code == 200
            asked.setdefault(model, []).append(len(made))
        if round_ == 0:
            for number in range(5):
                make_tenant(f"more{number}")
                entry.pk = uuid4()
                AuditEntry.objects.bulk_create([entry])
                CostRun.objects.create(start_time=AT, end_time=AT, newest_price=1, project_id=theirs[Project])
                ModelPrice.objects.create(
                    organisation_id=theirs[Organisation], provider=MARK, model_pattern=f"{MARK}{number}", valid_from=AT,
                    input=1, output=2, source=MARK,
                )  # fmt: skip

    assert {model.__name__: many - few for model, (few, many) in asked.items() if many > few} == {}
