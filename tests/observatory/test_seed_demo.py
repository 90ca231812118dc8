"""The command `seed_demo`: what it stores, what it says, how it ends."""

import json
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from analytics.management.demo import PROJECTS
from observatory.management.commands import seed_demo

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(make_tenant):
    return make_tenant("demo", projects=PROJECTS)


def run(**options: Any) -> str:
    """Run a small seeding and return what it reports."""
    said = StringIO()
    call_command("seed_demo", days=2, traces_per_day=15, stdout=said, stderr=StringIO(), **options)
    return said.getvalue()


def counts(**options: Any) -> dict[str, dict[str, int]]:
    projects: dict[str, dict[str, int]] = json.loads(run(json=True, **options))["projects"]
    return projects


def an_hour_ago() -> str:
    return (timezone.now() - timedelta(hours=1)).isoformat()


def test_every_span_that_a_dry_run_announces_is_stored(demo):
    end = an_hour_ago()
    announced = json.loads(run(json=True, dry_run=True, end=end))["would_send"]

    stored = {project: count["stored"] for project, count in counts(end=end).items()}

    assert stored == {
        project: sum(row["spans"] for row in announced if row["project"] == project) for project in PROJECTS
    }


def test_a_dry_run_stores_nothing(demo):
    end = an_hour_ago()
    run(dry_run=True, end=end)

    assert {count["duplicates"] for count in counts(end=end).values()} == {0}


def test_the_same_end_stores_nothing_twice(demo):
    end = an_hour_ago()
    first = counts(end=end)

    assert counts(end=end) == {
        project: {"stored": 0, "duplicates": count["stored"], "rejected": 0} for project, count in first.items()
    }


def test_without_an_end_the_spans_reach_up_to_the_last_full_minute(demo):
    end = json.loads(run(json=True))["end"]

    assert end == datetime.fromisoformat(end).replace(second=0, microsecond=0).isoformat()


def test_the_plan_of_a_dry_run_ends_with_the_total(demo):
    lines = run(dry_run=True, end=an_hour_ago()).splitlines()

    total = sum(int(line.split()[-1]) for line in lines[:-1])
    assert lines[-1] == f"would send {total} spans; nothing was stored"


def test_the_report_has_one_line_a_project(demo):
    lines = run(end=an_hour_ago()).splitlines()

    assert [line.partition(":")[0] for line in lines] == list(PROJECTS)


def test_progress_says_how_much_is_done_and_what_remains(demo, monkeypatch):
    monkeypatch.setattr(seed_demo, "PROGRESS_SECONDS", 0)
    progress = StringIO()

    call_command("seed_demo", days=1, traces_per_day=20, stdout=StringIO(), stderr=progress)

    assert progress.getvalue().splitlines()[-1].endswith(" a second, 0 s left")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"organisation": "nobody"}, "There is no project 'support-assistant' in organisation 'nobody'"),
        ({"end": "yesterday"}, "--end must be an ISO 8601 time"),
        ({"end": "2026-13-01T00:00:00Z"}, "--end must be an ISO 8601 time"),
        ({"end": "2100-01-01T00:00:00Z"}, "--end lies in the future"),
    ],
)
def test_wrong_arguments_end_with_status_two_and_a_sentence(demo, options, sentence):
    with pytest.raises(CommandError, match=sentence) as refused:
        run(**options)

    assert refused.value.returncode == 2


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_days_are_a_whole_number_from_one(demo, number):
    with pytest.raises(CommandError, match="write a whole number from 1"):
        call_command("seed_demo", "--days", number)


def test_spans_behind_the_retention_fail_the_command(demo, settings):
    settings.RETENTION_SPANS_DAYS = 1

    with pytest.raises(CommandError, match="behind the retention") as refused:
        run(end=an_hour_ago())

    assert refused.value.returncode == 1
