"""Re-pricings beside an export: what of the file they changed is counted in its manifest."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from analytics.exports import running
from analytics.exports.running import export_run
from analytics.models import CostRun, ExportJob
from tests.analytics.costs.books import add, row
from tests.analytics.exports.conftest import DAY, PATH, spans
from tests.observatory.asking import ask

ACME = {"gen_ai.provider.name": "acme", "gen_ai.request.model": "one"}


@pytest.fixture
def job(send, create, settings):
    """Return a function that creates an export, in steps of two, of five spans without a price and of two with one."""
    settings.EXPORT_STEP_ROWS = 2

    def make(**body):
        send(*spans(5, **ACME), *spans(2))
        return ExportJob.objects.get(id=create(**body).json()["job_id"])

    return make


def reprice():
    add(row())
    words = ("--from", DAY.isoformat(), "--to", (DAY + timedelta(days=1)).isoformat())
    call_command("recompute_costs", *words, "--json")


def manifest(api, job):
    return api.get(f"{PATH}/jobs/{job.id}").json()["manifest"]


@pytest.mark.parametrize(
    ("body", "rows", "repriced"),
    [({}, 7, 5), ({"model": "one"}, 5, 5), ({"model": "gpt-4o"}, 2, 0), ({"limit": 3}, 3, 2)],
    ids=str,
)
def test_spans_that_were_repriced_before_they_were_read_are_counted(api, job, body, rows, repriced):
    one = job(**body)
    reprice()
    export_run(one.id)
    told = manifest(api, one)
    lines = ask(f"{PATH}/jobs/{one.id}/download", client=api)[1].splitlines()

    assert (told["rows"], told["rows_missing"], told["rows_repriced"]) == (rows, 0, repriced)
    assert sum(b'"total_cost_usd":0.002' in line for line in lines) == repriced


def test_those_that_were_read_before_their_change_are_counted_too(api, job, monkeypatch):
    one, record = job(), running._record

    def then(*given):
        record(*given)
        if not CostRun.objects.exists():
            reprice()

    monkeypatch.setattr(running, "_record", then)
    export_run(one.id)

    assert manifest(api, one)["rows_repriced"] == 5


def test_a_re_pricing_that_was_over_before_the_export_was_asked_for_is_not(api, job):
    job()
    reprice()
    one = job()
    export_run(one.id)

    assert manifest(api, one)["rows_repriced"] == 0


def test_where_one_was_undone_meanwhile_nobody_knows(api, job):
    one = job()
    reprice()
    call_command("recompute_costs", "--undo", str(CostRun.objects.get().id), "--json")
    export_run(one.id)

    assert manifest(api, one)["rows_repriced"] is None
