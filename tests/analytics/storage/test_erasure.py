"""A user who is erased is gone from spans, content and usage, and every figure is what the spans that are left say."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from analytics import erasure
from analytics.erasure import belonging
from analytics.ingest.service import receive
from analytics.ingest.wire import RawSpan
from analytics.registry.rollups import DAY as A_DAY
from analytics.storage import erasing
from analytics.storage.costs import Chosen, keep_costs, read_costs
from analytics.storage.erasing import OwnedSpan
from analytics.storage.opinions import Subject, evaluation_add, feedback_add
from analytics.storage.spans import Tenant, TraceSpan
from analytics.storage.versions import version_of
from observatory.accounts.models import AuditEntry
from observatory.management.commands import erase_user
from tests.analytics.storage.retaining import NS, OLD, TODAY, YOUNG, ask, refresh_all, scope_of

USER, OTHER = "u-17", "u-18"


@pytest.fixture
def project(make_tenant):
    return make_tenant(projects=("main", "other")).projects[0]


@pytest.fixture
def other(project):
    return project.organisation.projects.get(slug="other")


def raw(number, *, trace=1, parent=0, user=None, at=YOUNG, tokens=10) -> RawSpan:
    start = int(at.timestamp()) * NS + number * NS
    return RawSpan(
        trace_id=trace.to_bytes(16),
        span_id=number.to_bytes(8),
        parent_span_id=parent.to_bytes(8) if parent else b"",
        name="call",
        start_ns=start,
        end_ns=start + 1_000_000,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": tokens,
            "gen_ai.prompt": "hello",
        }
        | ({"user.id": user} if user else {}),
    )


def send(project, *spans):
    receive(scope=scope_of(project), spans=spans, received_at=datetime.now(UTC))


def erase(*words, user=USER):
    out = StringIO()
    call_command(
        "erase_user", "--organisation", "acme", "--user", user, *words, "--json", stdout=out, stderr=StringIO()
    )
    return json.loads(out.getvalue())


def refused(*words, **given):
    with pytest.raises(CommandError) as end:
        erase(*words, **given)
    return end.value.returncode, str(end.value)


def left(table="llm_traces"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT trace_id, span_id FROM {table} ORDER BY 1, 2")
        return [(int.from_bytes(trace, "big"), int.from_bytes(span, "big")) for trace, span in cursor]


def traces():
    with connection.cursor() as cursor:
        cursor.execute("SELECT trace_id, first_ts, last_ts FROM trace_index ORDER BY 1")
        return [(int.from_bytes(trace, "big"), first, last) for trace, first, last in cursor]


def requests(project, start=YOUNG):
    return ask(project, start, TODAY).totals["request_count_sum"]


def test_spans_content_and_traces_of_the_user_go_and_all_else_stays(project):
    send(project, raw(1, user=USER), raw(2, trace=2, user=OTHER), raw(3, trace=3))
    done = erase()

    assert left() == left("llm_contents") == [(2, 2), (3, 3)]
    assert [trace for trace, _, _ in traces()] == [2, 3]
    assert {table: rows for table, rows in done["rows"].items() if rows} == {
        "llm_traces": 1,
        "llm_contents": 1,
        "trace_index": 1,
    }


def test_spans_without_a_user_go_with_the_trace_that_names_nobody_else(project):
    send(project, raw(1), raw(2, parent=1, user=USER), raw(3, parent=1))
    erase()

    assert left() == []


def test_of_a_trace_of_several_users_only_what_is_theirs_goes(project):
    send(project, raw(1), raw(2, parent=1, user=USER), raw(3, parent=2), raw(4, parent=1, user=OTHER), raw(5, parent=4))
    erase()

    assert left() == [(1, 1), (1, 4), (1, 5)]
    assert traces() == [(1, YOUNG + timedelta(seconds=1), YOUNG + timedelta(seconds=5))]


def test_every_figure_is_what_the_spans_that_are_left_say(project):
    send(project, *(raw(number, trace=number, user=USER if number % 3 else OTHER) for number in range(1, 10)))
    refresh_all()
    erase()
    words = ("--from", YOUNG.isoformat(), "--to", TODAY.isoformat(), "--json")
    out = StringIO()
    call_command("aggregates", "verify", *words, stdout=out, stderr=StringIO())

    assert json.loads(out.getvalue())["differences"] == []
    found = ask(project, YOUNG, TODAY)
    assert (found.source, found.totals["request_count_sum"]) == ("rollup", 3)


def test_who_repeated_the_usage_of_an_erased_span_is_counted_from_then_on(project):
    send(project, raw(1, user=OTHER, tokens=30), raw(2, parent=1, user=USER, tokens=30))
    assert ask(project, YOUNG, TODAY).totals["request_count_sum"] == 1
    erase()

    assert left() == [(1, 1)]
    assert ask(project, YOUNG, TODAY).totals["total_tokens_sum"] == 30


def test_answers_have_a_newer_version(project):
    send(project, raw(1, user=USER))
    refresh_all()
    before = ask(project, YOUNG, TODAY).answers[0].as_of
    erase()

    assert ask(project, YOUNG, TODAY).answers[0].as_of > before


def test_totals_of_spans_that_retention_dropped_stay(project):
    send(project, raw(1, user=USER, at=OLD), raw(2, trace=2, user=USER))
    call_command("retention", "set", "spans", "10", stdout=StringIO())
    call_command("retention", "apply", stdout=StringIO(), stderr=StringIO())
    erase()

    assert requests(project, OLD) == 1


def test_a_dry_run_tells_the_same_and_changes_nothing(project):
    send(project, raw(1, user=USER), raw(2, parent=1), raw(3, trace=2, user=OTHER))
    told = erase("--dry-run")

    assert len(left()) == 3
    done = erase()
    same = ("rows", "from", "to", "user_sha256", "projects")
    assert {key: told[key] for key in same} == {key: done[key] for key in same}


def test_a_project_that_is_named_is_the_only_one(project, other):
    send(project, raw(1, user=USER))
    send(other, raw(2, trace=2, user=USER))
    assert erase("--project", "other")["projects"] == ["other"]

    assert left() == [(1, 1)]


def test_another_organisations_user_of_the_same_name_stays(project, make_tenant):
    send(make_tenant("globex").projects[0], raw(1, user=USER))
    erase()

    assert left() == [(1, 1)]


def test_a_hold_keeps_its_project_and_the_rest_is_erased(project, other):
    send(project, raw(1, user=USER))
    send(other, raw(2, trace=2, user=USER))
    words = ("--organisation", "acme", "--project", "main", "--reason", "case 7")
    call_command("retention", "hold", "add", *words, stdout=StringIO())
    out = StringIO()
    with pytest.raises(CommandError, match="a legal hold wins") as end:
        call_command("erase_user", "--organisation", "acme", "--user", USER, stdout=out, stderr=StringIO())

    assert (end.value.returncode, left()) == (1, [(1, 1)])
    assert "acme/main: kept, legal hold since" in out.getvalue()
    assert [one["project"] for one in erase("--dry-run")["kept"]] == ["main"]


@pytest.fixture
def after_each_trace(monkeypatch):
    """Return a function that lets something happen after each trace of an erasure."""

    def let(happen):
        monkeypatch.setattr(erasure, "TRACES_A_STEP", 1)
        monkeypatch.setattr(erase_user.Command, "progress", lambda _self, _what: lambda _total: lambda _count: happen())

    return let


def test_a_hold_that_is_placed_meanwhile_ends_the_erasure_there(project, after_each_trace):
    send(project, raw(1, user=USER), raw(2, trace=2, user=USER))
    words = ("--organisation", "acme", "--reason", "case 7")
    after_each_trace(lambda: call_command("retention", "hold", "add", *words, stdout=StringIO()))

    assert refused()[0] == 1
    assert left() == [(2, 2)]


def test_an_interrupted_erasure_is_run_again(project, after_each_trace):
    def interrupt():
        if len(left()) == 2:
            raise InterruptedError

    send(project, *(raw(number, trace=number, user=USER) for number in range(1, 4)))
    after_each_trace(interrupt)
    with pytest.raises(InterruptedError):
        erase()

    assert requests(project) == 2
    assert erase()["rows"]["llm_traces"] == 2


def test_rows_of_rollups_by_user_go_wherever_they_are_from_and_totals_stay(project):
    send(project, raw(1, user=USER, at=OLD), raw(2, trace=2, user=OTHER, at=OLD), raw(3, trace=3, user=USER))
    call_command("retention", "set", "spans", "10", stdout=StringIO())
    call_command("retention", "apply", stdout=StringIO(), stderr=StringIO())
    refresh_all()
    before = ask(project, OLD, OLD + A_DAY).answers[0].as_of
    told = erase("--dry-run")["rows"]

    assert erase()["rows"] == told
    assert told["llm_usage_1day"] == 2
    with connection.cursor() as cursor:
        for table in erasing.usage_tables():
            cursor.execute(f"SELECT DISTINCT user_id FROM {table}")
            assert cursor.fetchall() in ([], [(OTHER,)])
    after = ask(project, OLD, OLD + A_DAY)
    assert (after.totals["request_count_sum"], after.answers[0].as_of > before) == (2, True)


def test_old_costs_that_a_re_pricing_keeps_of_a_span_go_with_it(project):
    send(project, raw(1, user=USER), raw(2, trace=2, user=OTHER))
    tenant = Tenant(organisation_id=project.organisation_id, project_id=project.id)
    priced = read_costs(Chosen(tenant=tenant, start=YOUNG, end=TODAY), after=None, limit=9)
    keep_costs(1, tenant, [one.cost for one in priced])

    assert erase()["rows"]["cost_run_spans"] == 1
    assert left("cost_run_spans") == [(2, 2)]


def say(project, trace, span=None, user=None, at=YOUNG):
    """Say something about a trace, or a span of it, as feedback of `user` and as an evaluation."""
    subject = Subject(
        tenant=Tenant(organisation_id=project.organisation_id, project_id=project.id),
        trace_id=trace.to_bytes(16),
        span_id=span and span.to_bytes(8),
        first_ts=at,
        last_ts=at,
    )
    feedback_add(subject, values={"score": 1, "user_id": user}, now=TODAY)
    evaluation_add(subject, values={"evaluator_name": "judge", "passed": True}, now=TODAY)


def said(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT trace_id, span_id FROM {table} ORDER BY 1, 2")
        return [(int.from_bytes(trace, "big"), span and int.from_bytes(span, "big")) for trace, span in cursor]


def test_what_was_said_about_the_users_spans_and_traces_goes_with_them(project):
    send(project, raw(1, user=USER), raw(2, trace=2, user=OTHER), raw(3, trace=2, parent=2, user=USER))
    for trace, span in ((1, None), (1, 1), (2, None), (2, 2), (2, 3)):
        say(project, trace, span)
    told = erase("--dry-run")["rows"]

    assert erase()["rows"] == told
    assert (told["trace_feedback"], told["trace_evaluations"]) == (3, 3)
    assert said("trace_feedback") == said("trace_evaluations") == [(2, 2), (2, None)]


def test_feedback_that_the_user_gave_on_traces_of_others_goes(project, other):
    send(project, raw(1, user=USER), raw(2, trace=2, user=OTHER))
    send(other, raw(3, trace=3, user=OTHER))
    say(project, 1, user=USER)
    say(project, 2, user=USER)
    say(project, 2, 2, user=OTHER)
    say(other, 3, user=USER)
    told = erase("--dry-run")["rows"]

    assert erase()["rows"] == told
    assert (told["trace_feedback"], told["trace_evaluations"]) == (3, 1)
    assert (said("trace_feedback"), said("trace_evaluations")) == ([(2, 2)], [(2, 2), (2, None), (3, None)])


def test_links_of_the_users_spans_go_and_links_of_others_stay(project):
    links = [{"trace_id": f"{9:032x}", "span_id": f"{9:016x}", "attributes": {}}]
    theirs, others = raw(1, user=USER), raw(2, trace=2, user=OTHER)
    send(project, replace(theirs, links=links), replace(others, links=links))
    told = erase("--dry-run")["rows"]

    assert erase()["rows"] == told
    assert (told["trace_links"], said("trace_links")) == (1, [(2, 2)])


def test_answers_have_a_newer_version_when_only_feedback_goes(project):
    send(project, raw(2, trace=2, user=OTHER))
    say(project, 2, user=USER)
    refresh_all()
    before = version_of(ask_tenant(project), YOUNG, TODAY)
    erase()

    assert version_of(ask_tenant(project), YOUNG, TODAY).newest > before.newest


def test_a_trace_that_an_erased_span_links_to_has_a_newer_version(project):
    linked = raw(9, trace=9, user=OTHER, at=OLD)
    links = [{"trace_id": f"{9:032x}", "span_id": f"{9:016x}", "attributes": {}}]
    send(project, linked, replace(raw(1, user=USER), links=links))
    before = version_of(ask_tenant(project), OLD, OLD + A_DAY)
    erase()

    assert version_of(ask_tenant(project), OLD, OLD + A_DAY).newest > before.newest


def ask_tenant(project):
    return {"organisations": [project.organisation_id], "projects": [project.id]}


def test_the_receipt_is_a_new_file_that_only_its_owner_reads(project, tmp_path):
    send(project, raw(1, user=USER))
    told = erase("--receipt", str(tmp_path / "u.json"))

    assert json.loads((tmp_path / "u.json").read_text()) == told
    assert (tmp_path / "u.json").stat().st_mode & 0o777 == 0o600
    assert USER not in (tmp_path / "u.json").read_text()


def test_an_erasure_is_in_the_audit_log_without_the_user(project):
    send(project, raw(1, user=USER))
    erase("--dry-run")
    told = erase()

    (entry,) = AuditEntry.objects.filter(organisation_id=project.organisation_id)
    assert (entry.organisation_id, entry.action, entry.resource_type, entry.resource_id, entry.success) == (
        project.organisation_id,
        "delete",
        "user",
        f"sha256:{told['user_sha256']}",
        True,
    )
    assert entry.changes == sorted(table for table, count in told["rows"].items() if count)


def test_a_user_nobody_names_is_told_so(project):
    out = StringIO()
    call_command("erase_user", "--organisation", "acme", "--user", "nobody", stdout=out)

    assert out.getvalue().splitlines()[1:][-1] == "nothing names this user"


def test_what_cannot_be_is_refused_and_nothing_is_erased(project, tmp_path):
    send(project, raw(1, user=USER))
    (tmp_path / "there.json").touch()

    assert refused(user="") == (2, "Name the --user: spans without one belong to nobody.")
    assert refused("--receipt", str(tmp_path / "there.json"))[0] == 2
    assert refused("--receipt", str(tmp_path / "nowhere" / "u.json"))[0] == 2
    assert refused("--project", "nothing") == (
        2,
        "There is no project acme/nothing: the admin lists those that there are.",
    )
    assert left() == [(1, 1)]


def test_a_second_run_at_the_same_time_is_refused(project, owner: psycopg.Connection):
    owner.execute("SELECT pg_advisory_lock(hashtext('llm-observatory erasure'))")
    code, said = refused()

    assert (code, f"server process {owner.info.backend_pid}" in said) == (1, True)


SPAN = TraceSpan(trace_id=b"t", span_id=b"", parent_span_id=None, start_ns=0, has_usage=False, is_call=False)


def owned(name, parent=None, user=None):
    return OwnedSpan(
        span=replace(SPAN, span_id=name.encode(), parent_span_id=parent.encode() if parent else None), user_id=user
    )


@pytest.mark.parametrize(
    ("spans", "theirs"),
    [
        ([owned("a", user=USER)], "a"),
        ([owned("a"), owned("b", "a", USER), owned("c", "gone")], "abc"),
        ([owned("a", user=OTHER), owned("b", "a"), owned("c", "b", USER), owned("d", "c"), owned("e", "d")], "cde"),
        ([owned("a", user=USER), owned("b", "a", OTHER), owned("c", "b")], "a"),
        ([owned("a", "b"), owned("b", "a"), owned("c", user=USER), owned("d", user=OTHER)], "c"),
        ([owned("a"), owned("b", user=OTHER)], ""),
        ([], ""),
    ],
)
def test_whose_a_span_is(spans, theirs):
    assert belonging(spans, USER) == frozenset((b"t", name.encode()) for name in theirs)
