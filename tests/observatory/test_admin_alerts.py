"""Budgets, channels and messages in the admin: seen, tried, sent again."""

import re
from datetime import timedelta
from ipaddress import ip_network
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from analytics.alerts.channels import announce
from analytics.alerts.managing import channel_create, shown_target, target_of
from analytics.models import Budget, BudgetPeriod, Channel, Delivery, DeliveryStatus
from observatory.accounts.models import AuditEntry, Membership, User
from observatory.database import tenancy
from tests.analytics.alerts.conftest import due, lookups  # noqa: F401  a fixture
from tests.observatory.accounts.credentials import PASSWORD

URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def staff(db, settings):
    settings.ALERT_ALLOWED_NETWORKS = (ip_network("127.0.0.0/8"),)
    browser = Client()
    browser.force_login(User.objects.create_superuser("root", password=PASSWORD))
    return browser


@pytest.fixture
def channel(staff, tenant):
    made, _ = channel_create(
        organisation_id=tenant.organisation.pk,
        organisation_uuid=tenant.organisation.public_id,
        given={"type": "webhook", "name": "pager"},
        target=target_of("webhook", {"url": URL}),
        now=timezone.now(),
    )
    return made


@pytest.fixture
def dead(channel):
    announce(organisation_id=channel.organisation_id, kind="budget", key="k", subject="Spent",
             text="All of it.", data={})  # fmt: skip
    Delivery.objects.update(status=DeliveryStatus.DEAD, attempts=9, last_error="The receiver answered 500.")
    return Delivery.objects.get()


def admin(model, *rest):
    return "/".join(["/admin/analytics", model, *map(str, rest), ""])


def test_every_list_and_form_opens(staff, api, dead):
    api.post("/api/v1/costs/budgets", {"name": "b", "amount": 1, "period": "daily"}, content_type="application/json")
    for model in ("budget", "budgetperiod", "channel", "delivery"):
        page = staff.get(admin(model)).content.decode()
        (one, *_) = re.findall(rf'href="(/admin/analytics/{model}/[\w-]+/change/)', page)
        assert staff.get(one).status_code == 200
    assert (staff.get(admin("channel", "add")).status_code, "The receiver answered 500." in page) == (200, True)


@pytest.fixture
def budget(staff, api):
    given = {"name": "b", "amount": 1, "period": "daily"}
    api.post("/api/v1/costs/budgets", given, content_type="application/json")
    return Budget.objects.get()


def test_what_a_budget_came_to_cannot_be_deleted_here(staff, budget):
    period = BudgetPeriod.objects.get()
    replies = [
        staff.post(admin(model, number, "delete"), {"post": "yes"}).status_code
        for model, number in (("budget", budget.pk), ("budgetperiod", period.pk))
    ]
    staff.post(
        admin("budget"), {"action": "delete_selected", "_selected_action": str(budget.pk), "post": "yes"}, follow=True
    )

    assert (replies, Budget.objects.count(), BudgetPeriod.objects.count()) == ([403, 403], 1, 1)


def test_a_budget_is_deactivated_keeps_its_history_and_is_activated_again(staff, budget):
    page = staff.get(admin("budget", budget.pk, "change")).content.decode()
    seen = []
    for verb in ("deactivate", "deactivate", "activate"):
        asked = staff.get(admin("budget", budget.pk, verb))
        staff.post(admin("budget", budget.pk, verb))
        budget.refresh_from_db()
        seen.append((asked.status_code, budget.is_active, budget.row_version, BudgetPeriod.objects.count()))

    assert admin("budget", budget.pk, "deactivate") in page
    assert seen == [(200, False, 2, 1), (200, False, 2, 1), (200, True, 3, 1)]


def test_who_deactivated_a_budget_is_in_the_audit_log(staff, budget):
    staff.post(admin("budget", budget.pk, "deactivate"))
    with tenancy.only(tenancy.EVERY):
        (entry,) = AuditEntry.objects.filter(resource_type="budget", resource_id=str(budget.pk), action="update")

    assert (entry.organisation_id, entry.changes, entry.user_id is None) == (
        budget.organisation_id, ["is_active"], False
    )  # fmt: skip


def test_a_channel_that_is_made_here_shows_its_secret_once(staff, tenant):
    form = {"organisation": tenant.organisation.pk, "type": "webhook", "name": "pager", "url": URL, "is_active": "on"}
    reply = staff.post(admin("channel", "add"), form, follow=True)
    (channel,) = Channel.objects.all()

    assert re.search(r"whsec_[\w+/=]+", reply.content.decode())
    assert "whsec_" not in staff.get(admin("channel", channel.pk, "change")).content.decode()
    assert (channel.organisation_uuid, shown_target(channel)) == (tenant.organisation.public_id, "http://127.0.0.1:9/…")


def test_a_private_address_is_refused_beside_its_box(staff, tenant, settings):
    settings.ALERT_ALLOWED_NETWORKS = ()
    form = {"organisation": tenant.organisation.pk, "type": "webhook", "name": "pager", "url": URL}
    page = staff.post(admin("channel", "add"), form).content.decode()

    assert ("private network" in page, Channel.objects.count()) == (True, 0)


def test_a_name_server_is_asked_once_and_outside_of_any_transaction(staff, tenant, lookups):  # noqa: F811  a fixture
    form = {"organisation": tenant.organisation.pk, "type": "webhook", "name": "pager", "url": URL, "is_active": "on"}
    staff.post(admin("channel", "add"), form)
    (channel,) = Channel.objects.all()
    staff.post(
        admin("channel", channel.pk, "change"), {"name": "pager", "url": "http://127.0.0.2:9/", "is_active": "on"}
    )
    staff.post(admin("channel", channel.pk, "change"), {"name": "other", "url": ""})
    channel.refresh_from_db()

    assert (lookups, shown_target(channel)) == ([("127.0.0.1", 0), ("127.0.0.2", 0)], "http://127.0.0.2:9/…")


def test_a_name_that_is_taken_is_told_beside_its_box(staff, tenant, channel):
    form = {"organisation": tenant.organisation.pk, "type": "slack", "name": "pager", "url": URL}
    page = staff.post(admin("channel", "add"), form)

    assert (page.status_code, "is taken" in page.content.decode(), Channel.objects.count()) == (200, True, 1)


def test_a_change_is_made_of_the_row_as_it_is_locked(staff, channel, django_assert_max_num_queries):
    with django_assert_max_num_queries(40) as asked:
        staff.post(admin("channel", channel.pk, "change"), {"name": "other", "url": "", "is_active": "on"})

    (lock,) = [one["sql"] for one in asked if "FOR UPDATE" in one["sql"] and '"channels"' in one["sql"]]
    assert str(channel.pk) in lock or channel.pk.hex in lock


def test_a_change_without_a_url_keeps_it(staff, channel):
    staff.post(admin("channel", channel.pk, "change"), {"name": "other", "url": "", "is_active": "on"})
    channel.refresh_from_db()

    assert (channel.name, shown_target(channel), channel.row_version) == ("other", "http://127.0.0.1:9/…", 2)


def test_the_button_sends_a_test_once_it_is_confirmed(staff, channel):
    asked = staff.get(admin("channel", channel.pk, "test"))
    before = Delivery.objects.count()
    reply = staff.post(admin("channel", channel.pk, "test"))

    assert (asked.status_code, before, reply.status_code) == (200, 0, 302)
    assert [one.kind for one in Delivery.objects.all()] == ["test"]


def test_a_dead_message_is_sent_again_by_its_button(staff, dead):
    assert "Send again" in staff.get(admin("delivery", dead.pk, "change")).content.decode()
    staff.post(admin("delivery", dead.pk, "resend"))
    dead.refresh_from_db()

    assert (dead.status, dead.attempts) == ("pending", 0)


def test_dead_messages_are_sent_again_by_the_list(staff, dead):
    staff.post(admin("delivery"), {"action": "resend_all", "_selected_action": [dead.pk]})
    dead.refresh_from_db()

    assert dead.status == "pending"


def test_many_dead_messages_are_sent_again_in_portions_by_few_statements(
    staff, dead, monkeypatch, django_assert_max_num_queries
):
    for number in range(30):
        dead.pk, dead.key, dead.created_at = uuid4(), str(number), dead.created_at + timedelta(seconds=1)
        dead.save(force_insert=True)
    monkeypatch.setattr("analytics.alerts.sending.PORTION", 20)
    monkeypatch.setattr("observatory.admin.alerts.PORTION", 20)
    everything = {"action": "resend_all", "_selected_action": [dead.pk], "select_across": "1"}
    with django_assert_max_num_queries(30):
        page = staff.post(admin("delivery"), everything, follow=True).content.decode()

    assert (Delivery.objects.filter(status="pending").count(), len(due())) == (20, 20)
    assert "20 messages wait to be sent again." in page
    assert "ask again for the others" in page


def test_a_deleted_channel_takes_its_messages_along(staff, dead):
    staff.post(admin("channel", dead.channel_id, "delete"), {"post": "yes"})

    assert (Channel.objects.count(), Delivery.objects.count()) == (0, 0)


def test_staff_of_another_organisation_see_and_send_nothing(staff, dead, make_tenant):
    other = User.objects.create_user("theirs", password=PASSWORD, is_staff=True)
    other.user_permissions.set(Permission.objects.filter(content_type__app_label="analytics"))
    Membership.objects.create(user=other, organisation=make_tenant("umbrella").organisation, role="admin")
    browser = Client()
    browser.force_login(other)

    assert "pager" not in browser.get(admin("channel")).content.decode()
    assert browser.post(admin("delivery", dead.pk, "resend")).status_code == 404
    assert browser.post(admin("channel", dead.channel_id, "test")).status_code == 404
    dead.refresh_from_db()
    assert (dead.status, Delivery.objects.count()) == ("dead", 1)


def test_who_may_only_look_sends_nothing(staff, dead, tenant):
    other = User.objects.create_user("looks", password=PASSWORD, is_staff=True)
    other.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    Membership.objects.create(user=other, organisation=tenant.organisation, role="viewer")
    browser = Client()
    browser.force_login(other)

    assert browser.get(admin("delivery")).status_code == 200
    assert browser.post(admin("delivery", dead.pk, "resend")).status_code == 403
    assert browser.post(admin("channel", dead.channel_id, "test")).status_code == 403
