import re
from html import unescape

import pytest
from django.test import Client

from observatory.accounts.models import Project
from tests.analytics.api.payloads import span
from tests.observatory.pages.conftest import text_of


@pytest.fixture
def public(make_tenant, send):
    """Two organisations, one of which has a public project and one that is not."""
    open_, closed = make_tenant("open", projects=("shop",)), make_tenant("closed", projects=("safe",))
    Project.objects.filter(slug="shop").update(is_public=True)
    failing = {"status": {"code": 2, "message": "mail me at ada's"}, "attributes": {"error.type": "timeout"}}
    send(span(), span(**failing), key=open_.key)
    send(*(span() for _ in range(7)), key=closed.key)


def test_anybody_sees_the_figures_of_public_projects_alone(public):
    reply = Client().get("/app/public")

    page = reply.content.decode()
    assert reply.status_code == 200
    assert re.findall(r'<dt>Requests</dt>\s*<dd><span class="value" title="(\d+)"', page) == ["2"]


def test_the_public_page_tells_no_message_and_no_user(public):
    page = Client().get("/app/public").content.decode()

    assert ("mail me" in page, 'name="user_id"' in page, 'name="team_id"' in page) == (False, False, False)


def test_the_calls_of_the_public_page_are_answered_as_they_stand_there(public):
    page = Client().get("/app/public").content.decode()

    calls = re.findall(r"<code>curl -sS &#x27;http://testserver([^<]*)&#x27;</code>", page)
    found = {one: Client().get(unescape(one)).status_code for one in calls}
    assert set(found.values()) == {200}
    assert "TOKEN" not in page


@pytest.mark.parametrize("query", ["user_id=ada", "team_id=x", "project_id=safe"])
def test_what_is_not_public_cannot_be_asked_for(public, query):
    assert Client().get(f"/app/public?{query}").status_code == 401


def test_while_nothing_is_public_a_visitor_is_led_to_sign_in(tenant):
    assert Client().get("/app/public").status_code == 302


def test_a_panel_of_the_public_page_is_a_file_too(public):
    reply = Client().get("/app/public/errors.csv")

    assert reply.content.decode().splitlines() == ["Error,Failed,Share", "timeout,1,100"]


def test_the_public_page_is_limited_by_address(public, settings):
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"anonymous": 1}

    replies = [Client().get("/app/public").status_code for _ in range(2)]

    assert replies[-1] == 429


def test_every_panel_links_to_a_call_that_anybody_may_make(public):
    page = Client().get("/app/public").content.decode()
    calls = re.findall(r"&#x27;http://testserver([^<]*)&#x27;</code>", page)

    assert calls
    assert {Client().get(one.replace("&amp;", "&")).status_code for one in calls} == {200}
    assert "Sign in" in text_of(Client().get("/app/public"))
