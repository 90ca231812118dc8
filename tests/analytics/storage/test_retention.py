"""What is past its limit goes, and no figure changes by it."""

from datetime import timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from analytics.storage.ageing import retention_apply
from analytics.storage.changes import mark_changed
from analytics.storage.spans import Tenant
from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.accounts.models import AuditEntry
from tests.analytics.storage.retaining import (
    NS,
    OLD,
    TODAY,
    YOUNG,
    ask,
    entries,
    partition_exists,
    refresh_all,
    refused,
    run,
    send,
    stored,
)


def test_whole_partitions_past_the_limit_are_dropped(projects):
    one = projects["acme/main"]
    send(one, 1, OLD)
    send(one, 2, YOUNG)
    run("set", "spans", "10")
    done = run("apply")
    assert (done["freed"]["llm_traces"]["rows"], done["freed"]["llm_contents"]["rows"]) == (1, 1)
    assert done["freed"]["trace_index"]["rows"] == 1
    assert (stored(), stored("llm_contents"), stored("trace_index", "last_ts")) == ([(one.id, YOUNG)],) * 3
    assert [partition_exists(name, OLD) for name in ("llm_traces", "llm_contents")] == [False, False]


def test_figures_are_the_same_after_their_spans_are_gone(projects):
    one = projects["acme/main"]
    for number in range(1, 9):
        send(one, number, OLD + timedelta(minutes=37 * number), duration=number * 111)
    # Not refreshed before: what is about to lose its spans is refreshed by `apply`.
    refresh_all()
    before = ask(one, OLD, TODAY)
    send(one, 20, OLD + timedelta(hours=3), duration=5)
    with_late = ask(one, OLD, TODAY)
    run("set", "spans", "10")
    run("apply")
    after = ask(one, OLD, TODAY)
    assert before.totals["request_count_sum"] == 8
    assert after.totals["request_count_sum"] == 9
    assert {
        key: after.totals[key] for key in ("request_count_sum", "duration_avg", "total_tokens_sum", "duration_max")
    } == {
        key: with_late.totals[key] for key in ("request_count_sum", "duration_avg", "total_tokens_sum", "duration_max")
    }
    assert (after.source, ask(one, OLD, TODAY, model="gpt-4o").totals["request_count_sum"]) == ("rollup", 9)


@hypothesis_settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    offsets=st.lists(st.tuples(st.integers(0, 16 * 86_400), st.integers(0, 5000)), min_size=1, max_size=12),
    days=st.integers(2, 19),
    own=st.integers(2, 19),
)
def test_retention_changes_no_figure_of_rolled_up_ranges(projects, offsets, days, own):
    one = projects["acme/main"]
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT example")
    try:
        for number, (offset, duration) in enumerate(offsets, 1):
            send(one, number, OLD + timedelta(seconds=offset), duration=duration)
        refresh_all()
        before = {grain: ask(one, OLD, TODAY, grain=grain) for grain in ("1hour", "1day")}
        run("set", "spans", str(days))
        run("set", "spans", str(min(own, days)), "--project", "acme/main")
        run("apply")
        after = {grain: ask(one, OLD, TODAY, grain=grain) for grain in ("1hour", "1day")}
        assert [(one.totals, one.series) for one in after.values()] == [
            (one.totals, one.series) for one in before.values()
        ]
        assert all(at >= TODAY - timedelta(days=min(own, days)) for _, at in stored())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK TO SAVEPOINT example")


def test_ragged_ends_are_widened_where_spans_are_gone(projects):
    one = projects["acme/main"]
    send(one, 1, OLD + timedelta(minutes=10))
    run("set", "spans", "10")
    run("set", "minute", "10")
    run("apply")
    found = ask(one, OLD + timedelta(minutes=30, seconds=7), TODAY)
    assert (found.answers[0].range.start, found.totals["request_count_sum"], found.source) == (OLD, 1, "rollup")


def test_what_only_spans_tell_is_refused_where_they_are_gone(projects):
    one = projects["acme/main"]
    send(one, 1, OLD)
    run("set", "spans", "10")
    run("apply")
    with pytest.raises(ApiError) as refused:
        ask(one, OLD, TODAY, session_id="s")
    kept = TODAY - timedelta(days=10)
    assert (refused.value.spec.code, refused.value.field) == (1204, "start_time")
    assert f"since {kept:%Y-%m-%dT%H:%M:%SZ}" in refused.value.message


def test_minutes_that_are_gone_are_answered_from_spans(projects):
    one = projects["acme/main"]
    send(one, 1, OLD + timedelta(minutes=10))
    refresh_all()
    run("set", "minute", "10")
    assert run("apply")["freed"]["llm_metrics_1min"]["rows"] == 1
    found = ask(one, OLD + timedelta(minutes=5), OLD + timedelta(minutes=20), grain="1min")
    assert (found.totals["request_count_sum"], found.source) == (1, "spans")


def test_a_dry_run_tells_and_frees_nothing(projects):
    one = projects["acme/main"]
    send(one, 1, OLD)
    run("set", "spans", "10")
    told = run("apply", "--dry-run")["freed"]
    assert (told["llm_traces"]["rows"], told["llm_traces"]["bytes"] > 0, stored()) == (1, True, [(one.id, OLD)])
    assert run("apply")["freed"]["llm_traces"] == told["llm_traces"]


def test_a_second_run_finds_nothing_left(projects):
    send(projects["acme/main"], 1, OLD)
    run("set", "spans", "10")
    run("apply")
    assert run("apply")["freed"] == {}


def test_a_day_with_a_marked_bucket_is_not_dropped(projects):
    send(projects["acme/main"], 1, OLD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT observatory_drop_partition('llm_traces', %s)", [OLD.date()])
        assert cursor.fetchone()[0] == "marked"


def test_a_project_may_keep_its_spans_for_less(projects):
    one, other = projects["acme/main"], projects["globex/main"]
    send(one, 1, OLD)
    send(other, 2, OLD)
    run("set", "spans", "10", "--project", "acme/main")
    assert run("apply")["freed"]["llm_traces"] | {"bytes": 0} == {"rows": 1, "partitions": 0, "bytes": 0}
    assert stored() == stored("llm_contents") == [(other.id, OLD)]


def test_rows_go_in_steps(projects, settings):
    settings.DELETE_STEP_ROWS = 2
    for number in range(1, 6):
        send(projects["acme/main"], number, OLD)
    send(projects["globex/main"], 9, OLD)
    run("set", "spans", "10", "--project", "acme/main")
    steps = []
    retention_apply(now=timezone.now(), planned=lambda _total: steps.append)
    assert steps[:3] == [2, 2, 1]
    assert [project for project, _ in stored()] == [projects["globex/main"].id]


def test_what_was_freed_is_counted_and_an_interrupted_run_leaves_a_backlog(projects, settings):
    def series(name):
        return REGISTRY.get_sample_value(name, {"table": "llm_traces"}) or 0

    def interrupt(_count):
        raise InterruptedError

    settings.DELETE_STEP_ROWS = 2
    for number in range(1, 6):
        send(projects["acme/main"], number, OLD)
    send(projects["globex/main"], 9, OLD)
    run("set", "spans", "10", "--project", "acme/main")
    before = series("retention_dropped_total")
    with pytest.raises(InterruptedError):
        retention_apply(now=timezone.now(), planned=lambda _total: interrupt)
    assert (series("retention_backlog_rows"), series("retention_dropped_total") - before) == (3, 2)
    run("apply")
    assert (series("retention_backlog_rows"), series("retention_dropped_total") - before) == (0, 5)


def test_content_may_age_before_its_span(projects):
    one = projects["acme/main"]
    send(one, 1, OLD)
    run("set", "content", "10")
    run("apply")
    assert (stored(), stored("llm_contents")) == ([(one.id, OLD)], [])


def test_content_lives_as_long_as_its_span_unless_ageing_is_on(projects, settings):
    assert {one["kind"]: one["days"] for one in run("show")["limits"]}["content"] == 90
    settings.RETENTION_CONTENT_ENABLED = True
    assert {one["kind"]: one["days"] for one in run("show")["limits"]}["content"] == 30


def test_rollups_go_past_their_own_limits(projects):
    one = projects["acme/main"]
    send(one, 1, OLD)
    refresh_all()
    run("set", "spans", "5")
    run("set", "minute", "5")
    run("set", "hour", "5")
    run("apply")
    assert [stored(table, "bucket") for table in ("llm_metrics_1min", "llm_metrics_1hour", "llm_totals_1hour")] == [
        []
    ] * 3
    assert (
        ask(one, OLD, TODAY, grain="1day").totals["request_count_sum"],
        len(stored("llm_totals_1day", "bucket")),
    ) == (
        1,
        1,
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("set", "spans", "1"), "at least 2 days"),
        (("set", "spans", "40000"), "at most 36500 days"),
        (("set", "content", "91"), "must not be kept longer than spans"),
        (("set", "spans", "211"), "must not be kept longer than hour"),
        (("set", "day", "200"), "must not be kept longer than day"),
        (("set", "spans", "91", "--project", "acme/main"), "must not be kept longer|not for more"),
        (("set", "hour", "20", "--project", "acme/main"), "every project"),
        (("set", "spans", "20", "--project", "nothing"), "no project nothing"),
        (("set", "spans", "20", "--project", "main"), "acme/main, globex/main"),
        (("hold", "add", "--organisation", "acme"), "needs a reason"),
        (("hold", "remove", "--organisation", "acme"), "no such hold"),
        (("hold", "add", "--organisation", "nobody", "--reason", "x"), "no organisation nobody"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(projects, words, reason):
    code, said = refused(*words)
    assert code == 2
    assert any(part in said for part in reason.split("|")), said


@pytest.mark.parametrize(
    ("words", "reason"),
    [(("set", "weeks", "20"), "invalid choice: 'weeks'"), (("set", "spans", "soon"), "invalid int")],
)
def test_a_kind_or_number_that_is_none_is_refused(projects, words, reason):
    assert reason in refused(*words)[1]  # from a shell argparse ends with 2, as it does for every command


def test_a_dry_run_of_set_tells_what_the_next_run_would_free(projects):
    send(projects["acme/main"], 1, OLD)
    send(projects["globex/main"], 2, OLD)
    send(projects["globex/main"], 3, YOUNG)
    AuditEntry.objects.create(
        organisation_id=projects["acme/main"].organisation_id,
        ts=OLD,
        resource_type="old",
        success=True,
        duration_ms=0,
        status_code=200,
    )

    told = {words: run("set", *words.split(), "--dry-run")["freed"] for words in ("spans 10", "audit 10", "spans 30")}
    assert {words: set(one) for words, one in told.items()} == {
        "spans 10": {"llm_traces", "llm_contents", "trace_index"},
        "audit 10": {"audit_log"},
        "spans 30": set(),
    }
    assert told["spans 10"]["llm_traces"]["bytes"] > 0
    run("set", "spans", "10")
    assert run("apply", "--dry-run")["freed"] == told["spans 10"]
    assert told["spans 10"]["llm_traces"] | {"bytes": 0} == {"rows": 2, "partitions": 1, "bytes": 0}


def test_a_dry_run_of_a_projects_limit_tells_of_its_rows_alone(projects):
    send(projects["acme/main"], 1, OLD)
    send(projects["globex/main"], 2, OLD)

    told = run("set", "spans", "10", "--project", "acme/main", "--dry-run")["freed"]

    assert {table: (one["rows"], one["partitions"]) for table, one in told.items()} == {
        "llm_traces": (1, 0),
        "llm_contents": (1, 0),
        "trace_index": (1, 0),
    }


def test_what_would_be_freed_is_told_to_people(projects):
    send(projects["acme/main"], 1, OLD)
    out = StringIO()
    call_command("retention", "set", "spans", "10", "--dry-run", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0] == "spans of everybody: would be kept 10 days (before: 90)"
    assert "llm_traces: the next run would free 1 rows, 1 partitions, " in lines[1]


def test_a_dry_run_of_set_changes_nothing(projects):
    before = run("show")["limits"]
    assert run("set", "spans", "20", "--dry-run")["after"] == 20
    assert run("show")["limits"] == before


def test_limits_that_contradict_each_other_stop_everything(projects, settings):
    settings.RETENTION_HOUR_DAYS = 10
    code, said = refused("apply")
    assert (code, "spans (90 days) must not be kept longer than hour (10 days)" in said) == (1, True)


def test_a_second_apply_at_the_same_time_is_refused(projects, owner: psycopg.Connection):
    owner.execute("SELECT pg_advisory_lock(hashtext('llm-observatory retention'))")
    code, said = refused("apply")
    assert (code, f"server process {owner.info.backend_pid}" in said) == (1, True)


def test_marks_behind_the_horizon_are_not_refreshed(projects):
    one = projects["acme/main"]
    send(one, 1, OLD)
    run("set", "spans", "10")
    run("apply")
    tenant = Tenant(organisation_id=one.organisation_id, project_id=one.id)
    mark_changed(tenant, [int(OLD.timestamp()) * NS])  # a writer that looked at the limits just before they moved
    call_command("worker", "--once", "--only", "rollups", stdout=StringIO())
    assert ask(one, OLD, TODAY).totals["request_count_sum"] == 1


def test_what_retention_frees_is_in_the_audit_log_of_whoever_lost_it(projects):
    one, other = projects["acme/main"], projects["globex/main"]
    send(one, 1, OLD)
    send(other, 2, OLD)
    refresh_all()
    run("set", "content", "10", "--project", "acme/main")
    run("apply", "--dry-run")
    run("apply")
    run("apply")
    past = ["llm_models_5min", "llm_usage_1hour"]
    assert entries(resource_type="retention") == [
        (
            one.organisation_id,
            "update",
            "retention",
            "content",
            "manage.py retention set",
            ["content: 90 days to 10"],
        ),
        (
            one.organisation_id,
            "delete",
            "retention",
            None,
            "manage.py retention apply",
            ["llm_contents", *past],
        ),
        (other.organisation_id, "delete", "retention", None, "manage.py retention apply", past),
    ]


def test_the_audit_log_has_a_limit_of_its_own_which_the_job_applies(projects):
    one = projects["acme/main"]
    AuditEntry.objects.create(
        organisation_id=one.organisation_id,
        ts=TODAY - timedelta(days=20),
        resource_type="old",
        success=True,
        duration_ms=0,
        status_code=200,
    )
    audit.record_command("test", audit.Act(action="read", resource_type="young", organisation_id=one.organisation_id))
    assert run("apply", "--dry-run")["freed"] == {}
    assert {key: run("set", "audit", "10")[key] for key in ("before", "after")} == {"before": 90, "after": 10}
    assert run("apply", "--dry-run")["freed"]["audit_log"]["rows"] == 1
    call_command("worker", "--once", "--only", "retention", stdout=StringIO())
    assert entries(resource_type="old") == []
    assert len(entries(resource_type="young")) == 1


def test_a_project_has_no_audit_limit_of_its_own(projects):
    code, said = refused("set", "audit", "10", "--project", "acme/main")
    assert (code, said) == (2, "Not set: the audit log is kept equally long for every project.")
