"""A browser without a screen: Django's client, signed in as a member of the tenant."""

import re
from html import unescape

import pytest
from django.test import Client

from tests.analytics.api.payloads import request as otlp
from tests.analytics.api.payloads import span

PASSWORD = "correct horse battery"
BASE = "/app/o/acme"
EVERY_PAGE = ("overview", "cost", "performance", "quality", "models", "anomalies", "budgets", "traces")


def signed_in(username):
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    page = browser.get("/app/sign-in").content.decode()
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    form = {"username": username, "password": PASSWORD, "csrfmiddlewaretoken": token}
    assert browser.post("/app/sign-in", form).status_code == 302
    return browser


@pytest.fixture
def browser(member):
    member("developer")
    return signed_in("developer")


@pytest.fixture
def send(tenant):
    """Return a function that stores spans of the tenant."""

    def post(*spans, key=tenant.key):
        reply = Client(headers={"Authorization": f"Bearer {key}"}).post(
            "/v1/traces", otlp(*spans), content_type="application/json"
        )
        assert reply.status_code == 200, reply.content

    return post


@pytest.fixture
def stored(send):
    """Three calls of two models, one of which failed."""
    send(
        span(attributes={"user.id": "ada"}),
        span(duration_ms=4000, attributes={"gen_ai.request.model": "gpt-4o-mini"}),
        span(status={"code": 2, "message": "overloaded"}, attributes={"error.type": "overloaded_error"}),
    )


def text_of(reply):
    """Return what a page says, without its markup."""
    page = re.sub(r"<(script|style)\b.*?</\1>", "", reply.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
