"""A provider's usage export beside what was counted: exports as providers really write them."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analytics.costs.invoices import invoice_compare
from analytics.storage.exclusive import RefusedError
from analytics.storage.horizons import move_horizon
from tests.analytics.costs.books import call, send
from tests.analytics.storage.test_rollups import empty_the_store

DAY = (datetime.now(UTC) - timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
NEXT = DAY + timedelta(days=1)
OPENAI = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens,input_audio_tokens,"
    "output_audio_tokens"
)
ANTHROPIC = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,"
    "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count,inference_geo,speed"
)


def openai(at, model, *counts, key="key_one"):
    """Return a line: requests, input, output and cached tokens."""
    requests, tokens_in, out, cached = (*counts, 0)[:4]
    start, end = int(at.timestamp()), int(at.timestamp()) + 60
    return (
        f"{start},{end},{at.isoformat()},{(at + timedelta(minutes=1)).isoformat()},proj_abc,{requests},,{key},{model},"
        f"False,default,{tokens_in},{out},{cached},{tokens_in - cached},0,0"
    )


def anthropic(day, model, *counts):
    """Return a line: uncached and read tokens, writes of five minutes and an hour, output."""
    plain, read, write_5m, write_1h, out = counts
    return f"{day},{model},production,Default,standard,≤ 200k,{plain},{write_5m},{write_1h},{read},{out},0,global,"


@pytest.fixture
def project(db, tenant):
    empty_the_store()
    return tenant.projects[0]


@pytest.fixture
def run(tmp_path):
    """Return a function that compares a file of lines; it returns the exit code and the answer or the refusal."""

    def compare(head, *lines, provider="openai", words=()):
        path = tmp_path / "usage.csv"
        path.write_text("\ufeff" + "\n".join((head, *lines)) + "\n", encoding="utf-8")
        out = StringIO()
        try:
            call_command("import_invoice", str(path), "--provider", provider, "--json", *words, stdout=out)
        except CommandError as problem:
            return problem.returncode, json.loads(out.getvalue()) if out.getvalue() else str(problem)
        return 0, json.loads(out.getvalue())

    return compare


def ours(number, at, model="gpt-4o-2024-08-06", **said):
    given_ = {
        "gen_ai__provider__name": "openai",
        "gen_ai__request__model": "gpt-4o",
        "gen_ai__response__model": model,
        "gen_ai__usage__cache_read__input_tokens": 200,
    }
    return call(number, at, **(given_ | said))


def test_equal_counts_leave_no_gap_however_many_lines_a_day_has(project, run):
    send(project, ours(1, DAY), ours(2, DAY + timedelta(hours=5)), ours(3, NEXT, model="gpt-4o-mini"))

    assert run(
        OPENAI,
        openai(DAY, "gpt-4o-2024-08-06", 1, 1000, 500, 200),
        openai(DAY + timedelta(hours=5), "gpt-4o-2024-08-06", "1.0", 1000, 500, 200, key="key_two"),
        openai(NEXT, "gpt-4o-mini", 1, 1000, 500, 200),
        f"{int(NEXT.timestamp())},{int(NEXT.timestamp()) + 60},,,,,,,,,,,,,,,",
    ) == (0, {"compared": 2, "not_kept": [], "gaps": []})


def test_each_figure_that_differs_is_told_by_day_and_model(project, run):
    send(project, ours(1, DAY))

    code, told = run(OPENAI, openai(DAY, "gpt-4o-2024-08-06", 2, 2500, 500, 200))

    day, model = DAY.date().isoformat(), "gpt-4o-2024-08-06"
    assert (code, told["gaps"]) == (
        4,
        [
            {"day": day, "model": model, "figure": "requests", "theirs": 2, "ours": 1, "missing": 1},
            {"day": day, "model": model, "figure": "input_tokens", "theirs": 2500, "ours": 1000, "missing": 1500},
        ],
    )


def test_models_that_only_one_side_knows_are_gaps(project, run):
    send(project, ours(1, DAY, model="gpt-4o"))

    code, told = run(OPENAI, openai(DAY, "gpt-4.1", 1, 10, 5))

    assert (code, told["compared"]) == (4, 2)
    assert {(one["model"], one["figure"], one["missing"]) for one in told["gaps"]} == {
        ("gpt-4.1", "requests", 1),
        ("gpt-4.1", "input_tokens", 10),
        ("gpt-4.1", "output_tokens", 5),
        ("gpt-4o", "requests", -1),
        ("gpt-4o", "input_tokens", -1000),
        ("gpt-4o", "cache_read_tokens", -200),
        ("gpt-4o", "output_tokens", -500),
    }


def test_anthropic_counts_its_cache_beside_the_input(project, run):
    send(
        project,
        call(
            1,
            DAY,
            gen_ai__provider__name="anthropic",
            gen_ai__request__model="claude-sonnet-4-20250514",
            gen_ai__usage__input_tokens=1650,
            gen_ai__usage__cache_read__input_tokens=1000,
            gen_ai__usage__cache_creation__input_tokens=500,
            gen_ai__usage__cache_creation__ephemeral_1h_input_tokens=200,
        ),
    )

    line = anthropic(DAY.date(), "claude-sonnet-4-20250514", 150, 1000, 300, 200, 500)
    assert run(ANTHROPIC, line, provider="anthropic") == (0, {"compared": 1, "not_kept": [], "gaps": []})
    line = anthropic(f"{DAY.date()} 15:00", "claude-sonnet-4-20250514", 150, 900, 300, 200, 500)
    assert [one["missing"] for one in run(ANTHROPIC, line, provider="anthropic")[1]["gaps"]] == [-100]


def test_other_providers_projects_and_repeated_usage_do_not_count(project, make_tenant, run):
    other = make_tenant("globex").projects[0]
    agent = ours(2, DAY, trace=1)
    send(project, agent, ours(1, DAY, trace=1, parent=2), call(3, DAY))
    send(other, ours(4, DAY))
    line = openai(DAY, "gpt-4o-2024-08-06", 1, 1000, 500, 200)

    assert run(OPENAI, line, words=("--project", "acme/main"))[0] == 0
    assert run(OPENAI, line)[0] == 4
    assert run(OPENAI, openai(DAY, "gpt-4o-2024-08-06", 2, 2000, 1000, 400))[0] == 0


def test_days_whose_spans_are_gone_are_left_out(project, run):
    send(project, ours(1, DAY), ours(2, NEXT))
    move_horizon("spans", to=NEXT)

    code, told = run(
        OPENAI,
        openai(DAY, "gpt-4o-2024-08-06", 9, 9, 9),
        openai(NEXT, "gpt-4o-2024-08-06", 1, 1000, 500, 200),
    )
    assert (code, told) == (0, {"compared": 1, "not_kept": [DAY.date().isoformat()], "gaps": []})


@pytest.mark.parametrize(
    ("provider", "file", "said"),
    [
        ("openai", ("start_time,end_time,amount_value,amount_currency", "1,2,3,usd"), "This is an export of costs"),
        ("openai", (ANTHROPIC,), "The file has no column start_time"),
        ("anthropic", (OPENAI,), "The file has no column usage_date_utc"),
        ("anthropic", ("usage_date_utc,model,token_type,cost_usd", "2026-01-01,Claude,output,1"), "export of costs"),
        ("openai", (OPENAI,), "holds no usage"),
        ("openai", (OPENAI, openai(DAY, "", 1, 2, 3)), "Line 2: model is empty"),
        ("openai", (OPENAI, openai(DAY, "gpt-4o", "many", 2, 3)), "Line 2: num_model_requests is many"),
        ("openai", (OPENAI, openai(DAY, "gpt-4o", "1.5", 2, 3)), "Line 2: num_model_requests is 1.5"),
        ("openai", (OPENAI, openai(DAY, "gpt-4o", "-1", 2, 3)), "Line 2: num_model_requests is -1"),
        ("openai", (OPENAI, openai(DAY, "gpt-4o", "NaN", 2, 3)), "Line 2: num_model_requests is NaN"),
        ("anthropic", (ANTHROPIC, anthropic("May", "claude", 1, 2, 3, 4, 5)), "Line 2: usage_date_utc is May"),
        ("anthropic", (ANTHROPIC, anthropic("", "claude", 1, 2, 3, 4, 5)), "Line 2: usage_date_utc is empty"),
    ],
)
def test_what_is_no_usage_of_the_provider_is_refused(project, run, provider, file, said):
    code, told = run(*file, provider=provider)

    assert (code, said in told) == (2, True)


def test_people_see_a_table(project, tmp_path):
    send(project, ours(1, DAY))
    path = tmp_path / "usage.csv"
    path.write_text(f"{OPENAI}\n{openai(DAY, 'gpt-4o-2024-08-06', 1, 1100, 500, 200)}\n")
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("import_invoice", str(path), "--provider", "openai", stdout=out)

    assert out.getvalue().splitlines() == [
        "day         model              figure        theirs  ours  missing",
        f"{DAY:%Y-%m-%d}  gpt-4o-2024-08-06  input_tokens    1100  1000     +100",
        "1 days of models compared, 1 figures differ",
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(content=st.text(max_size=100), provider=st.sampled_from(["openai", "anthropic"]))
def test_any_text_is_compared_or_refused(db, tmp_path, content, provider):
    path = tmp_path / "usage.csv"
    path.write_text(f"{OPENAI if provider == 'openai' else ANTHROPIC}\n{content}", encoding="utf-8", newline="")

    with pytest.raises(RefusedError):
        invoice_compare(path, provider=provider, project_id=None)
