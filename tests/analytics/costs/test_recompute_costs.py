"""Spans take the costs of today's price book and can have the old ones back; rollups follow both ways."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.costs import repricing
from analytics.models import CostRun
from analytics.storage.engines import RELATIONS, engine
from analytics.storage.horizons import move_horizon
from observatory.accounts.models import AuditEntry
from tests import timescale
from tests.analytics.costs.books import add, call, row, scope_of, send
from tests.analytics.storage.test_rollups import assert_equal_to_spans, empty_the_store, refresh_all

DAY = (datetime.now(UTC) - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
END = DAY + timedelta(days=1)
RANGE = ("--from", DAY.isoformat(), "--to", END.isoformat())


@pytest.fixture
def project(db, tenant):
    empty_the_store()  # tests that need real commits leave spans of other tenants behind
    return tenant.projects[0]


def run(*words):
    out = StringIO()
    call_command("recompute_costs", *words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue(), parse_float=Decimal)


def refused(*words):
    with pytest.raises(CommandError) as end:
        run(*words)
    return end.value.returncode, str(end.value)


def stored():
    """Return every column of a cost of every span, and the breakdowns, in the order of the spans."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT s.span_id, price_id, prompt_cost_nanousd, completion_cost_nanousd, total_cost_nanousd,
                unpriced_reason, cost_breakdown::text
            FROM llm_traces AS s LEFT JOIN llm_contents USING (organisation_id, project_id, ts, trace_id, span_id)
            ORDER BY organisation_id, project_id, ts, s.span_id
            """
        )
        return [(int.from_bytes(span_id, "big"), *rest) for span_id, *rest in cursor]


def costs():
    return {span: total for span, _, _, _, total, _, _ in stored()}


def marks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT grain, bucket FROM bucket_change ORDER BY 1, 2")
        return cursor.fetchall()


def test_spans_that_had_no_price_get_it_with_version_breakdown_and_marks(project):
    send(project, call(1, DAY + timedelta(hours=3, minutes=7)))
    refresh_all()
    assert stored() == [(1, None, None, None, None, "no_price", None)]

    (version,) = add(row())
    done = run(*RANGE)

    # 1,000 x 1,000 and 500 x 2,000 nano-dollars
    assert stored() == [
        (1, version, 1_000_000, 1_000_000, 2_000_000, None, '{"uncached_input": 0.001, "visible_output": 0.001}')
    ]
    three = DAY + timedelta(hours=3)
    assert marks() == [("1hour", three), ("1min", three + timedelta(minutes=7)), ("5min", three + timedelta(minutes=5))]
    assert done == {
        "run": done["run"],
        "dry_run": False,
        "resumed": False,
        "spans": 1,
        "changed": 1,
        "differences": [
            {
                "day": DAY.date().isoformat(),
                "provider": "acme",
                "model": "one",
                "spans": 1,
                "cost_before_usd": 0,
                "cost_after_usd": Decimal("0.002"),
                "unpriced_before": 1,
                "unpriced_after": 0,
            }
        ],
    }


def test_a_dry_run_shows_the_same_difference_and_changes_nothing(project):
    send(project, call(1, DAY), call(2, DAY + timedelta(hours=30)))
    add(row())
    before, marked = stored(), marks()

    previewed = run(*RANGE, "--dry-run")
    assert (stored(), marks(), CostRun.objects.count()) == (before, marked, 0)

    assert run(*RANGE)["differences"] == previewed["differences"]
    assert (previewed["run"], previewed["spans"], previewed["changed"]) == (None, 1, 1)


def test_a_correction_changes_the_costs_that_the_wrong_price_made(project):
    add(row())
    send(project, call(1, DAY), call(2, DAY))
    add(row(input="3"))

    (difference,) = run(*RANGE)["differences"]

    assert (difference["cost_before_usd"], difference["cost_after_usd"]) == (Decimal("0.004"), Decimal("0.008"))
    assert costs() == {1: 4_000_000, 2: 4_000_000}


def test_a_price_that_is_withdrawn_leaves_calls_without_a_cost(project):
    add(row())
    send(project, call(1, DAY))
    add(row(valid_to=row().valid_from))

    run(*RANGE)

    assert stored() == [(1, None, None, None, None, "no_price", None)]


def test_a_second_run_finds_nothing_to_do(project):
    send(project, call(1, DAY))
    add(row())
    run(*RANGE)

    again = run(*RANGE)
    assert (again["spans"], again["changed"], again["differences"]) == (1, 0, [])


def test_the_tier_of_a_span_is_kept_for_its_price(project):
    add(row(), row(service_tier="batch", input="0.5", output="1"))
    send(project, call(1, DAY, openai__response__service_tier="batch"), call(2, DAY))
    assert costs() == {1: 1_000_000, 2: 2_000_000}

    add(row(service_tier="batch", input="0.1", output="0.2"))
    run(*RANGE)
    assert costs() == {1: 200_000, 2: 2_000_000}


def test_a_span_from_before_tiers_were_kept_has_the_tier_of_its_price(project):
    add(row(), row(service_tier="batch", input="0.5", output="1"))
    send(project, call(1, DAY, openai__response__service_tier="batch"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE llm_traces SET service_tier = NULL")

    assert run(*RANGE)["changed"] == 0


def test_who_answered_is_priced_before_who_was_asked(project):
    send(project, call(1, DAY, gen_ai__response__model="one-2026"))
    add(row(), row(model_pattern="one-2026", input="5"))

    run(*RANGE)
    assert costs() == {1: 6_000_000}


def test_range_project_provider_and_model_narrow_a_run(project, make_tenant):
    other = make_tenant("globex").projects[0]
    send(project, call(1, DAY), call(2, END), call(3, DAY, gen_ai__request__model="two"))
    send(project, call(4, DAY, gen_ai__provider__name="other"))
    send(other, call(5, DAY))
    add(*(row(model_pattern="*", provider=provider) for provider in ("acme", "other")))

    run(*RANGE, "--project", "acme/main", "--provider", "acme", "--model", "one")
    assert {span for span, cost in costs().items() if cost is not None} == {1}
    run(*RANGE, "--project", "globex/main")
    assert {span for span, cost in costs().items() if cost is not None} == {1, 5}
    run(*RANGE, "--model", "two")
    assert {span for span, cost in costs().items() if cost is not None} == {1, 3, 5}
    run(*RANGE)
    assert {span for span, cost in costs().items() if cost is not None} == {1, 3, 4, 5}


def test_an_organisation_is_priced_by_its_own_rows_and_nobody_else_by_them(project, make_tenant):
    other = make_tenant("globex").projects[0]
    for one, number in ((project, 1), (other, 2)):
        send(one, call(number, DAY))
    add(row())
    add(row(model_pattern="o*", input="7"), organisation_id=project.organisation_id)

    run(*RANGE)

    assert costs() == {1: 8_000_000, 2: 2_000_000}


def test_sums_of_the_difference_are_over_counted_usage(project):
    add(row())
    send(project, call(1, DAY, trace=1), call(2, DAY + timedelta(seconds=1), trace=1, parent=1))
    add(row(input="3"))

    (difference,) = run(*RANGE)["differences"]
    assert (difference["spans"], difference["cost_before_usd"]) == (2, Decimal("0.002"))


def test_undoing_restores_every_column_exactly_and_marks_again(project):
    add(row(cache_read="0.333333333"))
    send(
        project,
        call(1, DAY, gen_ai__usage__cache_read__input_tokens=333),
        call(2, DAY, gen_ai__request__model="unknown"),
        call(3, DAY, gen_ai__usage__input_tokens=None, gen_ai__usage__output_tokens=None),
    )
    before = stored()
    add(row(input="3", per_request="0.5"), row(model_pattern="unknown"))
    number = run(*RANGE)["run"]
    assert stored() != before
    refresh_all()

    assert run("--undo", str(number)) == {"run": number, "dry_run": False, "spans": 2}

    assert stored() == before
    assert {bucket for grain, bucket in marks() if grain == "1hour"} == {DAY}
    assert CostRun.objects.get().state == CostRun.State.UNDONE


def test_undoing_can_be_looked_at_first(project):
    send(project, call(1, DAY))
    add(row())
    number = run(*RANGE)["run"]
    after = stored()

    assert run("--undo", str(number), "--dry-run") == {"run": number, "dry_run": True, "spans": 1}
    assert stored() == after


def test_a_run_is_undone_once_and_after_those_that_came_later(project):
    send(project, call(1, DAY))
    add(row())
    first = run(*RANGE)["run"]
    add(row(input="3"))
    second = run(*RANGE)["run"]

    assert refused("--undo", str(first)) == (
        2,
        f"Run {second} changed some of the same spans afterwards: undo it first.",
    )
    run("--undo", str(second))
    run("--undo", str(first))
    assert costs() == {1: None}
    assert refused("--undo", str(first)) == (2, f"Run {first} was undone already.")
    assert refused("--undo", "999999999")[0] == 2


def test_a_run_that_was_killed_goes_on_where_it_was(project, monkeypatch):
    send(project, *(call(number, DAY + timedelta(minutes=number)) for number in range(1, 8)))
    add(row())
    before = stored()
    monkeypatch.setattr(repricing, "STEP_SPANS", 3)
    calls = []

    def killed(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(*given)

    write = repricing.write_costs
    monkeypatch.setattr(repricing, "write_costs", killed)
    with pytest.raises(CommandError, match="Interrupted: what was done stays"):
        run(*RANGE)
    assert sum(cost is not None for cost in costs().values()) == 3
    assert told_in_the_audit_log() == ["begun"]

    monkeypatch.setattr(repricing, "write_costs", write)
    done = run(*RANGE)

    assert (done["resumed"], done["spans"], done["changed"]) == (True, 7, 7)
    assert [one["spans"] for one in done["differences"]] == [7]
    assert set(costs().values()) == {2_000_000}
    run("--undo", str(done["run"]))
    assert stored() == before
    assert told_in_the_audit_log() == [
        "begun",
        "begun",
        "done: 7 of 7 spans changed",
        "undoing begun",
        "undone: 7 spans restored",
    ]


def told_in_the_audit_log():
    (number,) = CostRun.objects.values_list("id", flat=True)
    entries = AuditEntry.objects.filter(resource_type="cost_run", resource_id=str(number))
    return sorted(change for one in entries for change in one.changes)


def test_a_run_that_was_killed_begins_anew_when_prices_have_changed(project):
    send(project, call(1, DAY))
    add(row())
    CostRun.objects.create(start_time=DAY, end_time=END, newest_price=1)

    assert run(*RANGE)["resumed"] is False


def test_an_unfinished_run_can_be_undone(project, monkeypatch):
    send(project, *(call(number, DAY + timedelta(minutes=number)) for number in range(1, 5)))
    add(row())
    before = stored()
    monkeypatch.setattr(repricing, "STEP_SPANS", 2)
    write, calls = repricing.write_costs, []

    def killed(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return write(*given)

    monkeypatch.setattr(repricing, "write_costs", killed)
    with pytest.raises(CommandError, match="Interrupted: what was done stays"):
        run(*RANGE)
    monkeypatch.setattr(repricing, "write_costs", write)

    assert run("--undo", str(CostRun.objects.get().id))["spans"] == 2
    assert stored() == before


def test_two_runs_at_once_are_refused(project, owner):
    send(project, call(1, DAY))
    owner.execute("SELECT pg_advisory_lock(hashtext('llm-observatory re-pricing'))")

    code, said = refused(*RANGE)

    assert (code, said.startswith("Another run of re-pricing is under way")) == (1, True)


def test_spans_behind_the_horizon_are_left_alone(project):
    send(project, call(1, DAY), call(2, DAY + timedelta(hours=12)))
    add(row())
    move_horizon("spans", to=DAY + timedelta(hours=12), project_id=project.id, organisation_id=project.organisation_id)

    assert run(*RANGE)["spans"] == 1
    assert costs() == {1: None, 2: 2_000_000}


def test_spans_that_went_after_a_run_are_left_out_when_it_is_undone(project):
    send(project, call(1, DAY), call(2, DAY + timedelta(hours=12)))
    add(row())
    number = run(*RANGE)["run"]
    move_horizon("spans", to=DAY + timedelta(hours=12), project_id=project.id, organisation_id=project.organisation_id)

    assert run("--undo", str(number))["spans"] == 1
    assert costs() == {1: 2_000_000, 2: None}


def test_old_costs_of_a_user_who_is_erased_are_erased(project):
    send(project, call(1, DAY, user__id="u-17"), call(2, DAY, user__id="u-18"))
    add(row())
    number = run(*RANGE)["run"]
    words = ("--organisation", "acme", "--user", "u-17")

    call_command("erase_user", *words, stdout=StringIO(), stderr=StringIO())

    assert run("--undo", str(number))["spans"] == 1


def test_old_costs_of_a_project_under_a_hold_are_kept(project):
    send(project, call(1, DAY))
    add(row())
    run(*RANGE)
    call_command("retention", "hold", "add", "--organisation", "acme", "--reason", "a court asked", stdout=StringIO())
    move_horizon("spans", to=END)

    assert repricing.forget_costs_behind() == 0
    call_command("retention", "hold", "remove", "--organisation", "acme", stdout=StringIO())
    assert repricing.forget_costs_behind() == 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", DAY.isoformat()),
        ("--undo", "1", *RANGE),
        ("--undo", "1", "--runs"),
        ("--from", END.isoformat(), "--to", DAY.isoformat()),
        (*RANGE, "--project", "nobody"),
    ],
)
def test_wrong_arguments_are_told(project, words):
    send(project, call(1, DAY))

    assert refused(*words)[0] == 2


def test_people_see_the_difference_by_day_and_model(project):
    send(project, call(1, DAY))
    add(row())
    out = StringIO()

    call_command("recompute_costs", *RANGE, stdout=out)

    number = CostRun.objects.get().id
    assert out.getvalue().splitlines() == [
        "day         provider  model  spans  before  after  difference  unpriced",
        f"{DAY:%Y-%m-%d}  acme      one        1       0  0.002      +0.002    1 -> 0",
        "all                              1       0  0.002      +0.002    1 -> 0",
        f"run {number}: 1 of 1 spans changed; undo it with `recompute_costs --undo {number}`",
    ]


def test_runs_are_listed_newest_first(project):
    send(project, call(1, DAY))
    first, second = run(*RANGE)["run"], run(*RANGE, "--provider", "acme")["run"]

    assert [(one["run"], one["state"], one["provider"]) for one in run("--runs")["runs"]] == [
        (second, "done", "acme"),
        (first, "done", None),
    ]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 30), st.integers(0, 100_000), st.sampled_from(["one", "two", "x"])),
        st.tuples(st.just("price"), st.sampled_from(["one", "two", "*"]), st.integers(1, 9)),
        st.tuples(st.sampled_from(["recompute", "undo", "refresh", "compress"])),
    ),
    min_size=2,
    max_size=8,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(script=steps)
def test_after_any_history_rollups_say_what_spans_say(project, script):
    empty_the_store()
    CostRun.objects.all().delete()
    two_days = ("--from", DAY.isoformat(), "--to", (DAY + timedelta(days=2)).isoformat())
    undone = []
    for number, (step, *given_) in enumerate(script):
        match step, given_:
            case "send", (span, offset, model):
                send(project, call(span, DAY + timedelta(seconds=offset), gen_ai__request__model=model))
            case "price", (pattern, rate):
                add(row(model_pattern=pattern, input=str(rate)))
            case "recompute", _ if stored():
                undone.append((run(*two_days)["run"], number))
            case "undo", _ if undone:
                run("--undo", str(undone.pop()[0]))
            case "refresh", _:
                refresh_all()
            case "compress", _ if timescale.wanted():
                for relation in RELATIONS:
                    engine().compress_day(relation, DAY.date())
    refresh_all()
    scope = scope_of(project)
    for grain in ("1hour", "1day"):
        assert_equal_to_spans(scope, DAY, DAY + timedelta(days=2), grain=grain)
    assert_equal_to_spans(scope, DAY, DAY + timedelta(days=2), model="one")
