"""cache_warm: the questions of the dashboards are asked before people come, and charged to nobody."""

import io
from datetime import timedelta

import orjson
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from analytics.api.caching import store
from observatory.accounts.models import Project
from tests.analytics.api.payloads import span
from tests.observatory.pages.conftest import BASE, send, signed_in  # noqa: F401  `send` is a fixture

# A range that stays the same however long a test takes.
TODAY = timezone.now().date()
RANGE = {"start": f"{TODAY - timedelta(days=6)}", "end": f"{TODAY + timedelta(days=2)}"}
QUERY = "start_time={start}&end_time={end}".format(**RANGE)


def run(*arguments):
    said = io.StringIO()
    call_command("cache_warm", *arguments, "--json", stdout=said, stderr=io.StringIO())
    return orjson.loads(said.getvalue())


def test_pages_that_were_warmed_compute_nothing(tenant, member, send, monkeypatch):  # noqa: F811
    Project.objects.create(organisation=tenant.organisation, slug="second", name="Second")
    member("admin")
    send(span(), key=tenant.key)
    browser = signed_in("admin")
    (told,) = run("--start", RANGE["start"], "--end", RANGE["end"])["organisations"]

    monkeypatch.setattr(store, "once", lambda *_given, **_more: pytest.fail("a reply was made"))
    replies = {
        f"{page}{project}": browser.get(f"{BASE}/{page}?{QUERY}{project}").status_code
        for page in ("overview", "performance", "quality")
        for project in ("", "&project_id=main", "&project_id=second")
    }

    assert set(replies.values()) == {200}
    assert (told["organisation"], told["viewers"], told["refused"]) == ("acme", 1, {})
    assert told["made"] > 0


def test_warming_anew_finds_what_is_kept(member, send):  # noqa: F811
    member("viewer")
    send(span())
    (first,) = run("--start", RANGE["start"], "--end", RANGE["end"])["organisations"]
    (second,) = run("--start", RANGE["start"], "--end", RANGE["end"])["organisations"]

    assert second["kept"] > first["kept"]
    assert second["made"] < first["made"]


def test_warming_is_charged_to_nobody(member, send, settings):  # noqa: F811
    settings.RATE_LIMIT_PER_MINUTE = settings.RATE_LIMIT_PER_MINUTE | {"viewer": 1}
    member("viewer")

    (told,) = run()["organisations"]

    assert told["refused"] == {}


def test_members_who_share_replies_are_asked_for_once(tenant, member, make_tenant):
    member("viewer", "ada")
    member("viewer", "bob")
    member("billing")
    make_tenant("without-members")

    plans = run("--dry-run")["plans"]

    # The only project of the tenant is the page without a choice.
    assert plans == [
        {"organisation": "acme", "role": "viewer", "projects": 0, "pages": 8},
        {"organisation": "acme", "role": "billing", "projects": 0, "pages": 2},
    ]


def test_a_dry_run_asks_nothing(member, monkeypatch):
    member("viewer")
    monkeypatch.setattr("observatory.pages.questions.Asker.ask", lambda *_given: pytest.fail("it asked"))

    assert run("--dry-run")["dry_run"] is True


def test_a_range_that_is_none_is_refused_with_the_sentence_of_the_api(member):
    member("viewer")

    with pytest.raises(CommandError, match="Invalid format for field 'start_time'") as refused:
        run("--start", "banana")
    assert refused.value.returncode == 2


def test_one_project_is_warmed_for_those_who_reach_it(tenant, member):
    member("viewer")
    Project.objects.create(organisation=tenant.organisation, slug="second", name="Second")

    assert run("--project", "second", "--dry-run")["plans"] == []
    with pytest.raises(CommandError, match="--project alone"):
        run("--project", "main", "--organisation", "acme")
