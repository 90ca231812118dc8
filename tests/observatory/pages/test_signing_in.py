import re

import pytest
from django.test import Client

from observatory.accounts.models import AuditEntry, Membership, Organisation, User
from observatory.database import tenancy
from tests.observatory.pages.conftest import BASE, PASSWORD, signed_in, text_of


def form_of(browser, **given):
    page = browser.get("/app/sign-in").content.decode()
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    return {"csrfmiddlewaretoken": token} | given


def entries():
    with tenancy.only(tenancy.EVERY):
        return list(
            AuditEntry.objects.filter(resource_type="session")
            .order_by("ts")
            .values_list("action", "success", "status_code")
        )


def test_a_visitor_is_led_to_the_form_and_back_to_where_they_were_going(member):
    member("developer")
    browser = Client()

    asked = browser.get(f"{BASE}/cost?start_time=now-1d")
    assert (asked.status_code, asked["Location"]) == (
        302,
        "/app/sign-in?next=%2Fapp%2Fo%2Facme%2Fcost%3Fstart_time%3Dnow-1d",
    )
    form = {"username": "developer", "password": PASSWORD, "next": f"{BASE}/cost?start_time=now-1d"}
    reply = browser.post("/app/sign-in", form)
    assert (reply.status_code, reply["Location"]) == (302, f"{BASE}/cost?start_time=now-1d")


@pytest.mark.parametrize(
    "place", ["https://evil.example/app", "//evil.example/app", "/api/v1/me", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_but_to_pages(member, place):
    member("developer")

    reply = Client().post("/app/sign-in", {"username": "developer", "password": PASSWORD, "next": place})

    assert (reply.status_code, reply["Location"]) == (302, "/app")


@pytest.mark.parametrize("name", ["developer", "nobody", "nul\0", "x" * 500])
def test_a_wrong_name_or_password_is_told_beside_the_field_and_recorded(member, name):
    member("developer")

    reply = Client().post("/app/sign-in", {"username": name, "password": "wrong"})

    assert (reply.status_code, reply["Content-Type"]) == (401, "text/html; charset=utf-8")
    assert "These credentials are not valid: check them and try again" in text_of(reply)
    assert entries() == [("login", False, 401)]


def test_signing_in_is_recorded(member):
    member("developer")

    signed_in("developer")

    assert entries() == [("login", True, 302)]


def test_a_form_of_another_site_signs_nobody_in(member):
    member("developer")
    browser = Client(enforce_csrf_checks=True)

    reply = browser.post("/app/sign-in", {"username": "developer", "password": PASSWORD})

    assert (reply.status_code, reply["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_attempts_are_limited_by_address(db, settings):
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"auth": 2}

    replies = [Client().post("/app/sign-in", {"username": "a", "password": "b"}) for _ in range(4)]

    assert [one.status_code for one in replies][-1] == 429
    assert (replies[-1]["Content-Type"], "Retry-After" in replies[-1]) == ("text/html; charset=utf-8", True)


def test_signing_out_ends_the_session(browser):
    form = form_of_page(browser)

    reply = browser.post("/app/sign-out", form)

    assert (reply.status_code, reply["Location"]) == (302, "/app/sign-in")
    assert browser.get(f"{BASE}/overview").status_code == 302


def form_of_page(browser):
    page = browser.get(f"{BASE}/overview").content.decode()
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    return {"csrfmiddlewaretoken": token}


def test_the_cookie_of_a_session_opens_no_path_of_the_api(browser):
    assert browser.get("/api/v1/metrics/summary").status_code == 401


def test_a_user_who_was_disabled_is_signed_in_no_more(browser):
    User.objects.update(is_active=False)

    assert browser.get(f"{BASE}/overview").status_code == 302


def test_a_user_without_membership_is_told_so(db):
    User.objects.create_user("lost", password=PASSWORD)

    reply = signed_in("lost").get("/app")

    assert (reply.status_code, reply["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_home_is_the_organisation_that_was_looked_at_last(browser, member):
    other = Organisation.objects.create(slug="zoo", name="Zoo")
    Membership.objects.create(user=User.objects.get(username="developer"), organisation=other, role="admin")
    assert browser.get("/app")["Location"] == BASE

    browser.get("/app/o/zoo/overview")

    assert browser.get("/app")["Location"] == "/app/o/zoo"


def test_an_address_that_the_organisation_does_not_allow_sees_nothing(browser, tenant):
    Organisation.objects.update(allowed_ips=["192.0.2.0/24"])

    reply = browser.get(f"{BASE}/overview")

    assert (reply.status_code, "acme" in text_of(reply).lower()) == (403, False)


@pytest.fixture
def superuser(db):
    User.objects.create_superuser("root", password=PASSWORD)
    return signed_in("root")


def test_a_superuser_looks_at_every_organisation_without_being_a_member(superuser, make_tenant):
    make_tenant("acme")
    make_tenant("zoo")

    assert superuser.get("/app")["Location"] == BASE
    replies = [superuser.get(f"/app/o/{one}/overview") for one in ("acme", "zoo")]
    assert [(one.status_code, "root, superuser" in text_of(one)) for one in replies] == [(200, True)] * 2
    assert superuser.get("/app")["Location"] == "/app/o/zoo"


def test_an_organisation_that_is_none_is_told_to_a_superuser_as_to_others(superuser, tenant):
    assert superuser.get("/app/o/nobody/overview").status_code == 403


def test_a_superuser_who_looks_at_traces_of_others_is_in_their_audit_log(superuser, tenant):
    superuser.get(f"{BASE}/traces")

    with tenancy.only(tenancy.EVERY):
        (entry,) = AuditEntry.objects.filter(resource_type="trace")
    assert (entry.organisation_id, entry.action, entry.user_id) == (
        tenant.organisation.pk,
        "read",
        User.objects.get(username="root").pk,
    )
