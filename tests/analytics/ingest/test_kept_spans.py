"""What would be dropped at the next run of retention is refused when it arrives, by the limit of its project."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.ingest.service import receive
from analytics.storage.ageing import retention_apply
from analytics.storage.holds import hold_add, hold_remove
from analytics.storage.retention import limit_set
from analytics.storage.spans import Tenant
from tests.analytics.ingest.spans import SECOND, raw
from tests.analytics.storage.retaining import scope_of

NOW = datetime.now(UTC)


@pytest.fixture
def project(tenant):
    return tenant.projects[0]


@pytest.fixture
def of_project(project):
    return Tenant(organisation_id=project.organisation_id, project_id=project.id)


@pytest.fixture
def hold(project):
    return {"organisation_id": project.organisation_id, "project_id": project.id}


@pytest.fixture
def send(project):
    """Return a function that sends a span of some days ago and tells why it was set aside, `None` when it was not."""

    def to(*, days, of=project):
        start = int((NOW - timedelta(days=days)).timestamp()) * SECOND
        received = receive(scope=scope_of(of), spans=[raw(start_ns=start, end_ns=start)], received_at=NOW)
        return next(((one.reason, one.message) for one in received.rejected), None)

    return to


def count(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


def longer_than(days, whose="its project keeps spans"):
    return "too_old", f"The span started more than {days} days ago, longer than {whose}: do not send it again."


def test_a_span_older_than_its_projects_own_limit_is_too_old(send, of_project):
    limit_set(kind="spans", days=10, tenant=of_project, now=NOW)

    assert send(days=11) == longer_than(10)
    assert count("llm_traces") == 0


def test_a_limit_of_another_project_does_not_count(send, of_project, make_tenant):
    limit_set(kind="spans", days=10, tenant=of_project, now=NOW)

    assert send(days=11, of=make_tenant("globex").projects[0]) is None


def test_a_span_within_its_projects_own_limit_is_kept_by_the_next_run(send, of_project):
    limit_set(kind="spans", days=10, tenant=of_project, now=NOW)

    assert send(days=9) is None
    retention_apply(now=NOW)
    assert count("llm_traces") == 1


def test_the_operators_limit_for_everybody_wins_over_the_setting(send, settings):
    settings.RETENTION_SPANS_DAYS = 30
    limit_set(kind="spans", days=40, now=NOW)

    assert send(days=35) is None
    assert send(days=41) == longer_than(40, "spans are kept")


def test_spans_from_before_what_was_dropped_stay_too_old_when_the_limit_is_raised(send):
    limit_set(kind="spans", days=10, now=NOW)
    retention_apply(now=NOW)
    limit_set(kind="spans", days=90, now=NOW)

    reason, message = send(days=11)
    assert reason == "too_old"
    assert message.startswith(f"The span started before {NOW - timedelta(days=10):%Y-%m-%d}, and older ones")


@pytest.mark.parametrize("whole_organisation", [True, False])
def test_a_hold_suspends_the_projects_own_limit(send, of_project, hold, whole_organisation):
    limit_set(kind="spans", days=10, tenant=of_project, now=NOW)
    hold_add(**hold | ({"project_id": 0} if whole_organisation else {}), reason="case 7")

    assert send(days=11) is None
    retention_apply(now=NOW)
    assert count("llm_traces") == 1


def test_the_projects_own_limit_counts_again_after_its_hold(send, of_project, hold):
    limit_set(kind="spans", days=10, tenant=of_project, now=NOW)
    hold_add(**hold, reason="case 7")
    hold_remove(**hold)

    assert send(days=11) == longer_than(10)


def test_a_hold_does_not_suspend_everybodys_limit(send, hold):
    hold_add(**hold, reason="case 7")

    assert send(days=91) == longer_than(90, "spans are kept")


def test_a_span_older_than_content_is_kept_is_stored_and_loses_its_content(send):
    limit_set(kind="content", days=10, now=NOW)

    assert send(days=11) is None
    retention_apply(now=NOW)
    assert (count("llm_traces"), count("llm_contents")) == (1, 0)


def test_the_limits_are_not_looked_at_for_spans_that_no_limit_can_reach(send):
    with CaptureQueriesContext(connection) as asked:
        send(days=1)

    assert not [one for one in asked if "retention_rules" in one["sql"]]
