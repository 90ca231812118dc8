"""The price book in the admin: rows are read, corrected by new ones, never changed."""

import re

import pytest

from analytics.ingest.prices import current_price_book
from analytics.models import CostRun, ModelPrice
from tests.analytics.costs.books import add, row
from tests.analytics.pricing.prices import AT
from tests.observatory.test_admin import staff  # noqa: F401  a fixture

LIST, ADD = "/admin/analytics/modelprice/", "/admin/analytics/modelprice/add/"
pytestmark = pytest.mark.usefixtures("staff")


def find(organisation=0):
    return current_price_book(organisation).find(
        provider="acme", models=("one",), tier="default", at=AT, prompt_tokens=10
    )


def form_of(page):
    """Return what the form of a page would send as it stands."""
    inputs = re.findall(r"<input ([^>]*)>", page)
    pairs = [dict(re.findall(r'(\w+)="([^"]*)"', one)) for one in inputs]
    form = {one["name"]: one.get("value", "") for one in pairs if "name" in one and not one["name"].startswith("_")}
    chosen = re.findall(r'<select name="(\w+)".*?</select>', page, flags=re.DOTALL)
    for name in chosen:
        (block,) = re.findall(rf'<select name="{name}".*?</select>', page, flags=re.DOTALL)
        picked = re.findall(r'<option value="([^"]*)" selected', block)
        form[name] = (picked or re.findall(r'<option value="([^"]*)"', block))[0]
    return form


def test_rows_are_listed_and_cannot_be_changed(staff):  # noqa: F811
    (version,) = add(row())

    listed = staff.get(f"{LIST}?q=acme").content.decode()
    page = staff.get(f"{LIST}{version}/change/").content.decode()

    assert ("acme" in listed, 'name="input"' in page, 'name="_save"' in page) == (True, False, False)
    assert staff.post(f"{LIST}{version}/delete/").status_code == 403


def test_a_correction_begins_as_the_row_it_corrects_and_leaves_it_as_it_was(staff):  # noqa: F811
    (wrong,) = add(row(valid_from=AT))
    page = staff.get(f"{LIST}{wrong}/change/").content.decode()
    (link,) = re.findall(r'href="([^"]*corrects=[^"]*)"', page)
    form = form_of(staff.get(link).content.decode())
    assert (form["provider"], form["model_pattern"], form["input"], form["valid_from_0"]) == (
        "acme",
        "one",
        "1.000000000",
        "2026-03-01",
    )

    reply = staff.post(ADD, form | {"input": "3.5"})

    assert (reply.status_code, ModelPrice.objects.get(id=wrong).input) == (302, 1)
    assert (float(find().input), find().source) == (3.5, "admin: root")


def test_an_organisation_can_be_given_a_price_of_its_own(staff, tenant):  # noqa: F811
    form = form_of(staff.get(ADD).content.decode())
    form |= {"organisation": tenant.organisation.pk, "provider": "ACME", "model_pattern": "o*", "input": "7"}
    form |= {"output": "8", "valid_from_0": "2026-01-01", "valid_from_1": "00:00:00"}

    assert staff.post(ADD, form).status_code == 302
    assert (find(), find(tenant.organisation.pk).input) == (None, 7)


@pytest.mark.parametrize(
    "change",
    [
        {"input": "-1"},
        {"input": ""},
        {"input": "0.0000000001"},
        {"service_tier": "fast"},
        {"min_prompt_tokens": "-1"},
        {"valid_to_0": "2025-01-01", "valid_to_1": "00:00:00"},
    ],
)
def test_a_price_that_is_none_is_told_on_the_page(staff, change):  # noqa: F811
    (known,) = add(row(valid_from=AT))
    form = form_of(staff.get(f"{ADD}?corrects={known}").content.decode())

    reply = staff.post(ADD, form | change)

    assert (reply.status_code, "errorlist" in reply.content.decode()) == (200, True)
    assert ModelPrice.objects.filter(provider="acme").count() == 1


@pytest.mark.parametrize("number", ["x", "0", "²"])
def test_a_correction_of_nothing_is_an_empty_form(staff, number):  # noqa: F811
    assert form_of(staff.get(ADD, {"corrects": number}).content.decode())["provider"] == ""


def test_runs_are_read(staff):  # noqa: F811
    run = CostRun.objects.create(start_time=AT, end_time=AT, newest_price=1)

    page = staff.get(f"/admin/analytics/costrun/{run.id}/change/")
    assert (page.status_code, staff.get("/admin/analytics/costrun/add/").status_code) == (200, 403)
    assert str(run.id) in staff.get("/admin/analytics/costrun/").content.decode()
