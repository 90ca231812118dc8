import re

import pytest
from django.test import Client

from observatory.accounts.models import ApiKey, Project, User
from tests.observatory.accounts.credentials import PASSWORD, bearer
from tests.observatory.asking import ask

LOGIN = "/app/sign-in?next=/admin/"


@pytest.fixture
def staff(db):
    """A browser in which a superuser is signed in."""
    User.objects.create_superuser("root", password=PASSWORD)
    browser = Client(enforce_csrf_checks=True)
    assert sign_in(browser).status_code == 302
    return browser


def sign_in(browser, password=PASSWORD):
    page = browser.get(LOGIN).content.decode()
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = {"username": "root", "password": password, "next": "/admin/", "csrfmiddlewaretoken": token}
    return browser.post("/app/sign-in", form)


def test_the_admin_is_signed_into(staff):
    page = staff.get("/admin/")

    assert (page.status_code, "LLM Observatory" in page.content.decode()) == (200, True)


def test_a_wrong_password_is_told_on_the_page(db):
    reply = sign_in(Client(enforce_csrf_checks=True))

    assert (reply.status_code, "credentials are not valid" in reply.content.decode()) == (401, True)


def test_a_form_without_its_token_is_refused(staff):
    reply = staff.post("/admin/logout/")

    assert (reply.status_code, reply["Content-Type"]) == (403, "text/html; charset=utf-8")


def test_nobody_else_sees_it(db):
    reply = Client().get("/admin/accounts/user/")

    assert (reply.status_code, reply["Location"]) == (302, "/admin/login/?next=/admin/accounts/user/")
    assert Client().get(reply["Location"])["Location"] == "/app/sign-in?next=%2Fadmin%2Faccounts%2Fuser%2F"


def test_somebody_who_is_no_staff_is_told_so(member):
    member("admin")
    browser = Client()
    browser.force_login(User.objects.get(username="admin"))

    replies = [browser.get("/admin/accounts/user/", follow=True), browser.get("/admin/o/acme/traces", follow=True)]

    assert [(one.status_code, "To the administration" in one.content.decode()) for one in replies] == [(403, True)] * 2


@pytest.mark.parametrize("place", ["https://evil.example/admin/", "//evil.example/admin/", "/api/v1/traces", ""])
def test_the_way_to_sign_in_leads_back_to_the_admin_alone(db, place):
    reply = Client().get("/admin/login/", {"next": place})

    assert reply["Location"] == "/app/sign-in?next=%2Fadmin%2F"


@pytest.mark.parametrize("model", ["organisation", "project", "membership", "apikey", "user"])
def test_every_list_and_form_opens(staff, member, model):
    one = {"organisation": "organisation", "project": "project", "membership": "membership"}
    member("viewer")
    page = staff.get(f"/admin/accounts/{model}/")
    (first, *_) = re.findall(rf'href="(/admin/accounts/{one.get(model, model)}/[\w-]+/change/)', page.content.decode())

    assert (page.status_code, staff.get(first).status_code) == (200, 200)


def test_a_key_is_shown_without_its_secret(staff, tenant):
    page = staff.get(f"/admin/accounts/apikey/{ApiKey.objects.get().id}/change/").content.decode()

    assert tenant.key not in page


@pytest.mark.parametrize("path", ["/api/v1/traces", "/api/v1/metrics/performance"])
def test_the_cookie_of_the_admin_opens_nothing_else(staff, path):
    assert staff.get(path).status_code == 401


def test_the_api_sets_no_cookie(tenant):
    reply = bearer(tenant.key).get("/api/v1/traces")

    assert (reply.status_code, dict(reply.cookies)) == (200, {})


def test_a_path_of_the_admin_that_is_none_is_answered_by_the_admin(staff):
    reply = staff.get("/admin/no-such/")

    assert (reply.status_code, reply["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_project_made_here_is_reached_by_an_administrator_at_once(staff, tenant, member):
    page = staff.get("/admin/accounts/project/add/").content.decode()
    (token, *_) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = {"organisation": tenant.organisation.pk, "name": "New", "slug": "new", "csrfmiddlewaretoken": token}

    reply = staff.post("/admin/accounts/project/add/", form)

    assert (reply.status_code, Project.objects.filter(slug="new", is_public=False).exists()) == (302, True)


def test_a_pattern_that_is_none_is_told_beside_its_box(staff, tenant):
    (project,) = tenant.projects
    page = staff.get(f"/admin/accounts/project/{project.pk}/change/").content.decode()
    (token, *_) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = {
        "organisation": tenant.organisation.pk,
        "name": "Chat",
        "slug": "chat",
        "redaction": '{"custom_patterns": [{"name": "A", "pattern": "(?=a)"}]}',
        "csrfmiddlewaretoken": token,
    }

    reply = staff.post(f"/admin/accounts/project/{project.pk}/change/", form)

    assert "custom_patterns[0]" in reply.content.decode()
    project.refresh_from_db()
    assert project.redaction["custom_patterns"] == []


@pytest.mark.parametrize("path", ["/api/docs", "/errors", "/app/sign-in"])
def test_everything_a_page_needs_comes_from_the_service_itself(db, path):
    page = Client().get(path).content.decode()

    wanted = re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', page)
    found = {one: ask(one)[0].status_code for one in wanted if not one.startswith("/errors")}
    assert (found, [one for one in found if not one.startswith("/static/")]) == (dict.fromkeys(found, 200), [])
    assert found


@pytest.mark.parametrize("path", ["/api/docs", "/errors", "/errors/1200", "/app/sign-in"])
def test_a_page_has_nothing_that_its_policy_forbids(db, path):
    page = Client().get(path).content.decode()

    assert re.findall(r"<script>|<style|style=|\son\w+=|javascript:", page) == []
