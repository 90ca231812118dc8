"""Pages of operators: each command is run with --dry-run first, what it says is shown, and a button runs it for good."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection

from analytics.models import CostRun, ModelPrice
from analytics.storage.holds import hold_list
from analytics.storage.retention import limits_read
from observatory.accounts.models import AuditEntry, Membership, Project
from observatory.database import tenancy
from observatory.operations import operation_run
from ratelimit.backend import AwayError, backend
from tests.analytics.api.payloads import span
from tests.analytics.costs.books import add, row
from tests.observatory.admin.conftest import SCRIPT, done, text_of

REPRICE = "/admin/operations/recompute-costs/"
UNKNOWN = {"gen_ai.provider.name": "acme", "gen_ai.request.model": "one"}


def cost():
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(total_cost_nanousd) FROM llm_traces")
        return cursor.fetchone()[0]


def entries(kind):
    with tenancy.only(tenancy.EVERY):
        return list(AuditEntry.objects.filter(resource_type=kind).order_by("ts"))


def test_an_unpriced_model_is_priced_and_its_spans_are_priced_anew(helper, send, tenant):
    send(span(attributes=UNKNOWN), span(attributes=UNKNOWN))
    page = helper.get("/admin/o/acme/unpriced")
    assert ("acme" in text_of(page), "2,000" in text_of(page) or "3,000" in text_of(page)) == (True, True)
    (link,) = re.findall(r'href="(/admin/analytics/modelprice/add/\?[^"]*)"', page.content.decode())
    link = link.replace("&amp;", "&")
    form = {
        "organisation": tenant.organisation.pk, "provider": "acme", "model_pattern": "one", "service_tier": "default",
        "min_prompt_tokens": "0", "valid_from_0": "2020-01-01", "valid_from_1": "00:00:00", "valid_to_0": "",
        "valid_to_1": "", "input": "1", "output": "2", "_save": "Save",
    }  # fmt: skip

    saved = helper.post(link, form)
    assert (saved.status_code, saved["Location"].startswith(f"{REPRICE}?provider=acme&model=one")) == (302, True)
    asked = helper.get(saved["Location"])
    assert ('value="acme"' in asked.content.decode(), '<option value="acme" selected' in asked.content.decode()) == (
        True,
        True,
    )
    given = {"provider": "acme", "model": "one", "start": "now-2d", "end": "", "project": "acme"}
    shown = done(helper, helper.post(REPRICE, given))

    assert ("would change; nothing was changed" in text_of(shown), cost()) == (True, None)
    changed = done(helper, helper.post(shown.request["PATH_INFO"]))
    assert ("2 of 2 spans changed" in text_of(changed), cost()) == (True, 4_000_000)
    assert [one.resource_id for one in entries("operation")] == ["recompute-costs"]
    run = CostRun.objects.get()
    told = text_of(helper.get(f"/admin/analytics/costrun/{run.pk}/change/"))
    assert ("+0.004" in told, "acme/main" in told) == (True, True)

    undone = done(helper, helper.post("/admin/operations/undo-costs/", {"run": run.pk}))
    done(helper, helper.post(undone.request["PATH_INFO"]))
    assert cost() is None


def test_a_price_that_is_added_by_itself_leads_back_to_the_book(root):
    form = {
        "organisation": "", "provider": "acme", "model_pattern": "one", "service_tier": "default",
        "min_prompt_tokens": "0", "valid_from_0": "2020-01-01", "valid_from_1": "00:00:00", "valid_to_0": "",
        "valid_to_1": "", "input": "1", "output": "2", "_save": "Save",
    }  # fmt: skip

    reply = root.post("/admin/analytics/modelprice/add/", form, follow=True)

    assert (reply.request["PATH_INFO"], "priced anew" in text_of(reply)) == ("/admin/analytics/modelprice/", True)


def test_projects_of_an_organisation_are_priced_anew_one_by_one(root, tenant, send):
    send(span())
    Project.objects.create(organisation=tenant.organisation, slug="other", name="Other")

    shown = done(root, root.post(REPRICE, {"start": "now-2d", "end": "", "project": "acme"}))

    assert [f"--project=acme/{one} --dry-run" in text_of(shown) for one in ("main", "other")] == [True, True]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"start": ""}, "Field &#x27;start&#x27; is required."),
        ({"start": "soon"}, "Invalid format for field &#x27;start&#x27;"),
        ({"start": "now", "end": "now-1d"}, "Invalid time range: the start must be before the end"),
        ({"project": "nobody/nothing"}, "Invalid value for field &#x27;project&#x27;"),
        ({"provider": "x" * 501}, "Field &#x27;provider&#x27; is too long: at most 500 characters"),
    ],
)
def test_what_is_wrong_is_said_beside_the_box_in_the_catalogues_sentence(root, given, said):
    reply = root.post(REPRICE, {"start": "now-2d", "end": "", "project": ""} | given)

    page = reply.content.decode()
    assert (reply.status_code, said in page) == (200, True), page
    assert page.index("errorlist") < page.index(f'name="{next(iter(given))}"') + 2000


def test_forms_of_rows_say_it_in_the_same_sentences(root, tenant):
    reply = root.post("/admin/accounts/organisation/add/", {"name": "", "slug": "acme"})

    page = reply.content.decode()
    assert "Field &#x27;name&#x27; is required." in page
    assert "The value of &#x27;slug&#x27; is taken: choose another" in page


@pytest.mark.parametrize(
    ("place", "given", "said"),
    [
        ("accounts/organisation", {"name": "a\0b", "slug": "ok"}, "Invalid value for field 'name': Null characters"),
        (
            "accounts/organisation",
            {"name": "a", "allowed_ips": "nets"},
            "Invalid value for field 'allowed_ips': 'nets'",
        ),
        ("analytics/channel", {"type": "email", "addresses": "x"}, "Invalid value for field 'addresses': No e-mail"),
        ("accounts/user", {"username": "<i>"}, "Invalid format for field 'username': Enter a valid username"),
        ("accounts/user", {"password1": "a", "password2": "b"}, "Invalid value for field 'password2': The two"),
    ],
)
def test_what_only_one_form_knows_is_said_in_them_too(root, place, given, said):
    page = root.post(f"/admin/{place}/add/", given).content.decode()

    assert said in unescape(page)


def test_what_the_command_refuses_is_shown_with_its_reason(root):
    shown = done(root, root.post("/admin/operations/rebuild-aggregates/", {"start": "2001-01-01", "end": "2001-01-02"}))

    assert ("It was refused" in text_of(shown), "outside the data" in text_of(shown)) == (True, True)
    assert root.post(shown.request["PATH_INFO"]).status_code == 403


def test_a_limit_is_shown_before_it_is_changed(root):
    before = limits_read().days("audit")

    shown = done(root, root.post("/admin/operations/set-retention/", {"kind": "audit", "days": "30", "project": ""}))
    assert ("audit of everybody: would be kept 30 days" in text_of(shown), limits_read().days("audit")) == (
        True,
        before,
    )
    done(root, root.post(shown.request["PATH_INFO"]))

    assert limits_read().days("audit") == 30
    assert "30" in text_of(root.get("/admin/retention/"))


def test_a_hold_is_placed_and_removed_and_its_reason_shown_as_text(root, tenant):
    placed = done(root, root.post("/admin/operations/add-hold/", {"of": "acme/main", "reason": SCRIPT}))
    done(root, root.post(placed.request["PATH_INFO"]))

    page = root.get("/admin/retention/").content.decode()
    assert (len(hold_list()), SCRIPT in page, "&lt;script&gt;" in page) == (1, False, True)
    removed = done(root, root.post("/admin/operations/remove-hold/", {"of": "acme/main"}))
    done(root, root.post(removed.request["PATH_INFO"]))
    assert hold_list() == []


def test_a_refresh_makes_marked_buckets_anew(root, send):
    send(span(start_ns=int((datetime.now(UTC) - timedelta(hours=3)).timestamp()) * 10**9))
    form = {"granularity": "1hour", "start": "now-1d", "end": "", "project": ""}

    shown = done(root, root.post("/admin/operations/refresh-aggregates/", form))
    assert "1hour: 1 buckets would be refreshed" in text_of(shown)
    assert "1hour: 1 buckets refreshed" in text_of(done(root, root.post(shown.request["PATH_INFO"])))
    checked = done(root, root.post("/admin/operations/verify-aggregates/", form))
    assert ("llm_metrics_1hour: 1 buckets compared" in text_of(checked), "Verify" in text_of(checked)) == (True, True)


@pytest.mark.parametrize("page", ["aggregates", "retention", "compression", "jobs"])
def test_states_are_shown(root, page):
    assert root.get(f"/admin/{page}/").status_code == 200


def test_a_job_is_put_into_the_queue_once(root):
    for _ in range(2):
        assert root.post("/admin/jobs/", {"job": "tokens"}).status_code == 302

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'tokens' AND status = 'todo'")
        assert cursor.fetchone()[0] == 1
    assert [one.resource_id for one in entries("job")] == ["tokens", "tokens"]
    assert root.post("/admin/jobs/", {"job": "export"}).status_code == 404


def test_a_run_that_is_shown_twice_runs_once(root):
    reply = root.post("/admin/operations/set-retention/", {"kind": "audit", "days": "30", "project": ""})
    shown = done(root, reply)
    begun = root.post(shown.request["PATH_INFO"])
    done(root, begun)
    done(root, begun)

    assert len(entries("retention")) == 0  # there is no organisation that it concerns
    assert "Done. This is what it did" in text_of(root.get(begun["Location"]))


def test_while_redis_is_away_nothing_is_begun_and_a_page_says_so(root, monkeypatch):
    def away(_work):
        raise AwayError

    monkeypatch.setattr(backend, "ask", away)
    reply = root.post("/admin/operations/apply-retention/", {})

    assert (reply.status_code, "To the administration" in text_of(reply)) == (503, True)


def test_an_operation_that_fails_unforeseen_says_so_without_our_insides(root, monkeypatch):
    def broken(*_words, **_streams):
        raise KeyError("secret-of-ours")

    monkeypatch.setattr("observatory.operations.call_command", broken)
    shown = done(root, root.post("/admin/operations/apply-retention/", {}))

    assert ("It failed." in text_of(shown), "secret-of-ours" in text_of(shown)) == (True, False)


def test_a_run_that_is_forgotten_is_not_found(root):
    operation_run("0" * 32)

    assert root.get(f"/admin/runs/{'0' * 32}/").status_code == 404


def test_somebody_who_left_an_organisation_changes_nothing_there_any_more(helper, send):
    send(span())
    shown = done(helper, helper.post(REPRICE, {"start": "now-2d", "end": "", "project": "acme"}))
    Membership.objects.all().delete()

    assert helper.post(shown.request["PATH_INFO"]).status_code == 403


def test_what_is_made_in_the_admin_is_in_the_audit_log_without_values(helper, tenant):
    form = {"organisation": tenant.organisation.pk, "name": "New", "slug": "new", "usage_exclusive_scopes": ""}
    helper.post("/admin/accounts/project/add/", form)

    (entry,) = entries("project")
    made = Project.objects.get(slug="new")
    assert (entry.action, entry.resource_id, entry.organisation_id) == (
        "create",
        str(made.public_id),
        tenant.organisation.pk,
    )
    assert (entry.success, entry.status_code) == (True, 302)


def rejected(tenant):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO rejected_spans (organisation_id, project_id, received_at, reason, message, request_id, span_name,"
            " service_name, scope_name, key_prefix) VALUES (%s, %s, now(), 'too_old', %s, %s, %s, %s, %s, %s)",
            [tenant.organisation.pk, tenant.projects[0].pk, *[SCRIPT] * 6],
        )


@pytest.mark.parametrize(
    ("model", "make"),
    [
        ("accounts/organisation", lambda tenant: type(tenant.organisation).objects.update(name=SCRIPT)),
        ("accounts/project", lambda _tenant: Project.objects.update(name=SCRIPT)),
        ("accounts/apikey", lambda tenant: tenant.organisation.api_keys.update(name=SCRIPT)),
        ("accounts/auditentry", lambda tenant: AuditEntry.objects.create(organisation_id=tenant.organisation.pk, action="read", resource_type=SCRIPT, resource_id=SCRIPT, success=True, ip_address=SCRIPT, user_agent=SCRIPT, request_id=SCRIPT, duration_ms=1, status_code=200)),
        ("analytics/modelprice", lambda _tenant: add(row(provider=SCRIPT, model_pattern=SCRIPT), source=SCRIPT)),
        ("analytics/costrun", lambda _tenant: CostRun.objects.create(start_time=datetime.now(UTC), end_time=datetime.now(UTC), newest_price=1, provider=SCRIPT, model=SCRIPT)),
        ("analytics/rejectedspan", rejected),
    ],
)  # fmt: skip
def test_scripts_in_names_are_shown_as_text(root, tenant, model, make):
    with tenancy.only(tenancy.EVERY):
        make(tenant)

    listed = root.get(f"/admin/{model}/?o=-1" if model != "analytics/modelprice" else f"/admin/{model}/?q=script")
    page = listed.content.decode()
    (first, *_) = [
        part.split('"')[0]
        for part in page.split('href="')
        if part.startswith(f"/admin/{model}/") and "/change/" in part
    ]
    one = root.get(first).content.decode()

    assert (SCRIPT in page, SCRIPT in one, "&lt;script&gt;alert" in page + one) == (False, False, True)


def test_prices_of_the_book_are_still_everybodys(root):
    assert ModelPrice.objects.filter(organisation_id=0).exists()
    assert root.get("/admin/analytics/modelprice/?q=gpt-4o").status_code == 200
