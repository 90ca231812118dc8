"""Browsers without a screen in which staff are signed in: a superuser, and one of `tenant` who may do everything there."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from observatory.accounts.models import Membership, User
from observatory.operations import operation_run
from tests.observatory.pages.conftest import PASSWORD, send, text_of

__all__ = ["send", "text_of"]
SCRIPT = "<script>alert(1)</script>"
AT = datetime(2026, 3, 1, tzinfo=UTC)


def browser_of(user):
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


@pytest.fixture
def root(db):
    return browser_of(User.objects.create_superuser("root", password=PASSWORD))


@pytest.fixture
def helper(tenant):
    user = User.objects.create_user("helper", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    Membership.objects.create(user=user, organisation=tenant.organisation, role="admin")
    return browser_of(user)


def done(browser, reply):
    """Do what the worker would do after `reply`, which led to a run; return the run's page."""
    assert reply.status_code == 302, text_of(reply)
    (run_id,) = re.findall(r"^/admin/runs/(\w+)/$", reply["Location"])
    operation_run(run_id)
    return browser.get(reply["Location"])
