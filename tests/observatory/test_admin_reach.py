"""Staff work in the organisations that they are members of; keys are made, rotated and revoked there."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from observatory.accounts.models import ApiKey, AuditEntry, Membership, Organisation, User
from observatory.database import tenancy
from tests.observatory.accounts.credentials import PASSWORD, bearer
from tests.observatory.test_admin import staff  # noqa: F401  a fixture

KEYS = "/admin/accounts/apikey/"


@pytest.fixture
def helper(tenant):
    """A browser of a member of staff of `tenant` who may do everything there."""
    user = User.objects.create_user("helper", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    Membership.objects.create(user=user, organisation=tenant.organisation, role="admin")
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


@pytest.mark.parametrize(
    "place",
    ["accounts/organisation", "accounts/project", "accounts/membership", "accounts/apikey", "accounts/auditentry"],
)
def test_lists_end_at_the_organisations_of_the_member_of_staff(helper, make_tenant, place):
    make_tenant("rival", projects=("theirs",))

    page = helper.get(f"/admin/{place}/")

    assert (page.status_code, "rival" in page.content.decode(), "theirs" in page.content.decode()) == (
        200,
        False,
        False,
    )


@pytest.mark.parametrize("model", ["organisation", "project", "apikey"])
def test_a_row_of_another_organisation_is_not_reached_by_its_url(helper, make_tenant, model):
    rival = make_tenant("rival")
    key = ApiKey.objects.get(organisation=rival.organisation)
    number = {"organisation": rival.organisation.pk, "project": rival.projects[0].pk, "apikey": key.pk}[model]

    replies = [helper.get(f"/admin/accounts/{model}/{number}/{act}/") for act in ("change", "history")]
    acts = [helper.post(f"{KEYS}{key.pk}/{act}/") for act in ("rotate", "revoke")]

    assert {one.status_code for one in replies} == {302}
    assert {one.status_code for one in acts} == {404}
    with tenancy.only(tenancy.EVERY):
        assert ApiKey.objects.get(pk=key.pk).secret_sha256 == key.secret_sha256


def test_choices_of_a_form_end_there_too(helper, make_tenant):
    make_tenant("rival", projects=("theirs",))

    page = helper.get(f"{KEYS}add/").content.decode()

    assert ("acme" in page, "rival" in page, "theirs" in page) == (True, False, False)


def test_a_member_of_staff_gives_nobody_more_power(helper):
    user = User.objects.get(username="helper")

    page = helper.get(f"/admin/accounts/user/{user.pk}/change/").content.decode()

    assert ('name="username"' in page, 'name="is_superuser"' in page, 'name="is_staff"' in page) == (True, False, False)


def test_a_superuser_is_not_changed_by_a_member_of_staff(helper, tenant):
    root = User.objects.create_superuser("root", password=PASSWORD)
    Membership.objects.create(user=root, organisation=tenant.organisation, role="admin")

    page = helper.get(f"/admin/accounts/user/{root.pk}/password/")

    assert page.status_code == 403


def test_a_key_is_made_and_its_secret_shown_once(helper, tenant):
    form = {
        "organisation": tenant.organisation.pk,
        "name": "shop",
        "projects": [tenant.projects[0].pk],
        "permissions": ["metrics:read"],
        "rate_limit_tier": "viewer",
        "allowed_ips": "",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    shown = helper.post(f"{KEYS}add/", form, follow=True).content.decode()

    (secret,) = set(re.findall(r"llmo_sk_live_\w{40}", shown))
    assert bearer(secret).get("/api/v1/metrics/summary").status_code == 200
    assert bearer(secret).get("/api/v1/traces").status_code == 403
    assert secret not in helper.get(KEYS).content.decode()


def test_a_key_is_rotated_and_both_secrets_work(helper, tenant):
    key = ApiKey.objects.get()
    asked = helper.get(f"{KEYS}{key.pk}/rotate/").content.decode()
    assert ("24 more hours" in asked, bytes(ApiKey.objects.get().secret_sha256)) == (True, bytes(key.secret_sha256))

    shown = helper.post(f"{KEYS}{key.pk}/rotate/", follow=True).content.decode()

    (secret,) = set(re.findall(r"llmo_sk_live_\w{40}", shown))
    statuses = [bearer(one).get("/api/v1/me").status_code for one in (secret, tenant.key)]
    assert statuses == [200, 200]


def test_a_key_is_revoked_and_stays_so(helper, tenant):
    key = ApiKey.objects.get()

    helper.post(f"{KEYS}{key.pk}/revoke/")
    again = helper.post(f"{KEYS}{key.pk}/rotate/")

    assert bearer(tenant.key).get("/api/v1/me").status_code == 401
    assert again.status_code == 403


@pytest.mark.parametrize(("name", "model", "act"), [("key", ApiKey, "revoke"), ("member", Membership, "delete")])
def test_what_is_changed_is_in_the_log_under_the_name_that_the_api_has_for_it(helper, tenant, name, model, act):
    other = User.objects.create_user("other", password=PASSWORD)
    Membership.objects.create(user=other, organisation=tenant.organisation, role="viewer")
    row = model.objects.order_by("pk").last()
    helper.post(f"/admin/accounts/{model._meta.model_name}/{row.pk}/{act}/", {"post": "yes"})

    with tenancy.only(tenancy.EVERY):
        assert (
            AuditEntry.objects.filter(
                organisation_id=tenant.organisation.pk, resource_type=name, action__in=["update", "delete"]
            ).count()
            == 1
        )


@pytest.mark.parametrize("key_id", ["x", "00000000-0000-0000-0000-000000000000"])
def test_a_key_that_is_none_is_not_found(helper, key_id):
    assert helper.get(f"{KEYS}{key_id}/rotate/").status_code == 404


def test_a_key_gets_no_project_of_another_organisation(staff, make_tenant, tenant):  # noqa: F811
    theirs = make_tenant("rival").projects[0]
    page = staff.get(f"{KEYS}add/").content.decode()
    (token, *_) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = {
        "organisation": tenant.organisation.pk,
        "name": "x",
        "projects": [theirs.pk],
        "permissions": ["metrics:read"],
    }

    reply = staff.post(f"{KEYS}add/", form | {"rate_limit_tier": "viewer", "csrfmiddlewaretoken": token})

    assert "Choose projects of the key&#x27;s organisation" in reply.content.decode()


def test_prices_of_everybody_are_up_to_superusers(helper, make_tenant):
    make_tenant("rival")

    page = helper.get("/admin/analytics/modelprice/add/").content.decode()

    assert ("everybody" in page, "acme" in page, "rival" in page) == (False, True, False)


def test_an_organisation_leads_to_its_dashboards(helper):
    assert Organisation.objects.count() == 1
    assert 'href="/app/o/acme"' in helper.get("/admin/accounts/organisation/").content.decode()
