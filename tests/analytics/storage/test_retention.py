"""What is past its limit goes, what is held stays, and no figure changes by it."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.registry.rollups import GRAIN_WIDTHS
from analytics.scope import Scope, ScopedProject
from analytics.storage.ageing import retention_apply
from analytics.storage.changes import mark_changed
from analytics.storage.rejected import RejectedSpan, forget_rejected, insert_rejected
from analytics.storage.rollups import refresh
from analytics.storage.spans import Tenant
from errors.exceptions import ApiError
from observatory.accounts import audit
from observatory.accounts.models import AuditEntry
from tests.analytics.storage.test_rollups import ask as ask_rollups

NS = 1_000_000_000
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
OLD, YOUNG = TODAY - timedelta(days=20), TODAY - timedelta(days=4)


def scope_of(project) -> Scope:
    return Scope(
        projects={project.id: ScopedProject(organisation_id=project.organisation_id, public_id=project.public_id)},
        permissions=frozenset(),
    )


@pytest.fixture
def projects(make_tenant):
    return {
        "acme/main": make_tenant("acme").projects[0],
        "globex/main": make_tenant("globex").projects[0],
    }


def send(project, number, at, *, duration=100) -> None:
    start = int(at.timestamp() * NS)
    span = RawSpan(
        trace_id=number.to_bytes(16),
        span_id=number.to_bytes(8),
        parent_span_id=b"",
        name="call",
        start_ns=start,
        end_ns=start + duration * 1_000_000,
        status_code=0,
        attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.prompt": "hello"},
    )
    receive(scope=scope_of(project), spans=[span], received_at=datetime.now(UTC))


def refresh_all() -> None:
    for grain in GRAIN_WIDTHS:
        refresh(grain, before=datetime.now(UTC))


def ask(project, start, end, grain="1hour", **equal):
    return ask_rollups(scope_of(project), start, end, grain=grain, **equal)


def run(*words):
    out = StringIO()
    call_command("retention", *words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def refused(*words):
    with pytest.raises(CommandError) as end:
        run(*words)
    return end.value.returncode, str(end.value)


def stored(table="llm_traces", column="ts"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT project_id, {column} FROM {table} ORDER BY 2, 1")
        return cursor.fetchall()


def partition_exists(relation, day):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{relation}_{day:%Y%m%d}"])
        return cursor.fetchone()[0]


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


def test_a_hold_keeps_its_rows_and_the_rows_of_others_go(projects):
    one, other = projects["acme/main"], projects["globex/main"]
    send(one, 1, OLD)
    send(other, 2, OLD)
    run("set", "spans", "10")
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    done = run("apply")
    assert stored() == stored("llm_contents") == [(one.id, OLD)]
    assert [(left["table"], left["rows"], left["hold"]["reason"]) for left in done["left"]] == [
        ("llm_traces", 1, "case 7"),
        ("llm_contents", 1, "case 7"),
    ]


def test_data_go_once_their_hold_is_removed(projects):
    send(projects["acme/main"], 1, OLD)
    run("set", "spans", "10")
    run("hold", "add", "--organisation", "acme", "--project", "main", "--reason", "case 7")
    run("apply")
    run("hold", "remove", "--organisation", "acme", "--project", "main")
    run("apply")
    assert (stored(), partition_exists("llm_traces", OLD)) == ([], False)


def test_the_function_that_drops_a_day_looks_at_holds_itself(projects):
    send(projects["acme/main"], 1, OLD)
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    with connection.cursor() as cursor:
        cursor.execute("SELECT observatory_drop_partition('llm_traces', %s)", [OLD.date()])
        assert cursor.fetchone()[0] == "held"


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


@pytest.mark.parametrize("kind", ["spans", "content", "minute", "usage_hour"])
def test_a_limit_of_everybody_that_would_drop_held_data_is_refused(projects, kind):
    start = TODAY - timedelta(days=5)
    send(projects["acme/main"], 1, start)
    refresh_all()
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    before = run("show")["limits"]

    code, said = refused("set", kind, "4")

    assert (code, "case 7" in said, run("show")["limits"]) == (2, True, before)
    assert run("set", kind, "5")["after"] == 5


def test_a_limit_of_everybody_may_change_beside_held_data_that_it_does_not_reach(projects):
    send(projects["acme/main"], 1, YOUNG)
    send(projects["globex/main"], 2, OLD)
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    assert run("set", "spans", "10")["after"] == 10
    assert run("apply")["freed"]["llm_traces"]["partitions"] == 1


def test_what_a_hold_keeps_past_everybodys_limit_already_refuses_no_shorter_one(projects):
    send(projects["acme/main"], 1, OLD)
    run("set", "spans", "15")
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    assert run("set", "spans", "10")["after"] == 10


def test_a_limit_of_the_audit_log_that_would_drop_held_entries_is_refused(projects):
    one = projects["acme/main"]
    AuditEntry.objects.create(
        organisation_id=one.organisation_id,
        ts=OLD,
        resource_type="old",
        success=True,
        duration_ms=0,
        status_code=200,
    )
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    code, said = refused("set", "audit", "10")

    assert (code, "case 7" in said, run("set", "audit", "30")["after"]) == (2, True, 30)


def test_a_hold_keeps_what_is_past_its_projects_own_limit_and_that_is_told(projects):
    send(projects["acme/main"], 1, OLD)
    run("set", "spans", "10", "--project", "acme/main")
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    left = run("apply", "--dry-run")["left"]

    assert {(one["table"], one["rows"]) for one in left} == {("llm_traces", 1), ("llm_contents", 1)}


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


def test_a_shorter_limit_on_held_data_is_refused(projects):
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")
    assert "case 7" in refused("set", "spans", "10", "--project", "acme/main")[1]


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


def entries(**equal):
    fields = ("organisation_id", "action", "resource_type", "resource_id", "user_agent", "changes")
    return list(AuditEntry.objects.filter(**equal).order_by("organisation_id", "ts").values_list(*fields))


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


def test_audit_entries_of_an_organisation_stay_while_any_of_it_is_held(projects):
    for project in projects.values():
        AuditEntry.objects.create(
            organisation_id=project.organisation_id,
            ts=TODAY - timedelta(days=200),
            resource_type="old",
            success=True,
            duration_ms=0,
            status_code=200,
        )
    run("hold", "add", "--organisation", "acme", "--project", "main", "--reason", "case 7")

    freed = run("apply")["freed"]["audit_log"]["rows"]

    held = projects["acme/main"].organisation_id
    assert (freed, [of for of, *_ in entries(resource_type="old")]) == (1, [held])


def test_rejected_spans_of_a_held_project_stay(projects):
    for project in projects.values():
        owner = Tenant(organisation_id=project.organisation_id, project_id=project.id)
        entry = RejectedSpan(received_at=int(OLD.timestamp()) * NS, reason="too_old", message="", request_id="")
        insert_rejected(owner, [entry])
    run("hold", "add", "--organisation", "acme", "--reason", "case 7")

    gone = forget_rejected(before=TODAY, most=100)

    assert (gone, {project for project, _ in stored("rejected_spans", "reason")}) == (1, {projects["acme/main"].id})


def test_a_project_has_no_audit_limit_of_its_own(projects):
    code, said = refused("set", "audit", "10", "--project", "acme/main")
    assert (code, said) == (2, "Not set: the audit log is kept equally long for every project.")


def test_holds_are_in_the_audit_log(projects):
    run("hold", "add", "--organisation", "acme", "--reason", "case 2026-17", "--dry-run")
    run("hold", "add", "--organisation", "acme", "--reason", "case 2026-17")
    run("hold", "remove", "--organisation", "acme")
    told = [(action, what, of) for _, action, what, of, _, _ in entries(resource_type="legal_hold")]
    assert told == [("create", "legal_hold", "acme"), ("delete", "legal_hold", "acme")]
