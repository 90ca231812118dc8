"""Prices from a file: the difference first, all lines or none, and what others wrote stays."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from analytics.costs import price_import
from analytics.costs.price_book import add_bundled_prices
from analytics.costs.price_files import read_price_file
from analytics.ingest.prices import current_price_book
from analytics.models import ModelPrice
from analytics.pricing.bundled import SOURCE
from analytics.storage.exclusive import RefusedError
from tests.analytics.costs.books import add, row

AT = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = "provider,model_pattern,valid_from,input,output,cache_read"
ONE = f"{HEAD}\nacme,one,2026-01-01,1.5,2,0.15\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file of prices and returns its path."""

    def make(content, name="prices.csv"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return str(path)

    return make


def run(*words):
    out = StringIO()
    try:
        call_command("import_prices", *words, "--json", stdout=out, stderr=StringIO())
    except CommandError as problem:
        return problem.returncode, json.loads(out.getvalue() or "null", parse_float=Decimal) or str(problem)
    return json.loads(out.getvalue(), parse_float=Decimal)


def find(model="one", *, organisation=0, provider="acme", prompt_tokens=10, tier="default", at=AT):
    book = current_price_book(organisation)
    return book.find(provider=provider, models=(model,), tier=tier, at=at, prompt_tokens=prompt_tokens)


def test_a_new_row_is_told_and_priced_by_at_once(db, write):
    assert run(write(ONE)) == {
        "dry_run": False,
        "added": 1,
        "new": [
            {
                "line": 2,
                "provider": "acme",
                "model_pattern": "one",
                "service_tier": "default",
                "min_prompt_tokens": 0,
                "valid_from": "2026-01-01T00:00:00Z",
                "valid_to": None,
                "input": Decimal("1.5"),
                "output": 2,
                "cache_read": Decimal("0.15"),
                **dict.fromkeys(
                    ("cache_write_5m", "cache_write_1h", "audio_input", "audio_output", "reasoning", "per_request")
                ),
            }
        ],
        "changed": [],
        "unchanged": 0,
        "rejected": [],
    }
    assert (find().input, find().source) == (Decimal("1.5"), "prices.csv")


def test_a_dry_run_tells_the_same_and_adds_nothing(db, write):
    told = run(write(ONE), "--dry-run")

    assert (len(told["new"]), told["added"], ModelPrice.objects.filter(provider="acme").count()) == (1, 0, 0)


def test_what_is_known_is_not_added_again_and_a_change_corrects_it(db, write):
    run(write(ONE))
    (first,) = ModelPrice.objects.filter(provider="acme").values_list("id", flat=True)
    assert (run(write(ONE))["unchanged"], ModelPrice.objects.filter(provider="acme").count()) == (1, 1)

    told = run(write(ONE.replace("0.15", "0.2")))

    assert told["changed"] == [
        {
            "line": 2,
            "provider": "acme",
            "model_pattern": "one",
            "service_tier": "default",
            "min_prompt_tokens": 0,
            "valid_from": "2026-01-01T00:00:00Z",
            "corrects": str(first),
            "changes": {"cache_read": {"before": Decimal("0.15"), "after": Decimal("0.2")}},
        }
    ]
    assert (find().cache_read, ModelPrice.objects.filter(provider="acme").count()) == (Decimal("0.2"), 2)


def test_a_line_that_ends_when_it_begins_withdraws_a_price(db, write):
    run(write(ONE))
    run(write(f"{HEAD},valid_to\nacme,one,2026-01-01,1.5,2,0.15,2026-01-01\n"))

    assert find() is None


def test_lines_without_a_start_hold_from_the_one_that_is_given(db, write):
    content = "provider,model_pattern,input,output\nacme,one,1,2\n"

    assert run(write(content))[0] == 2
    assert run(write(content), "--valid-from", "2026-02-01")["new"][0]["valid_from"] == "2026-02-01T00:00:00Z"


def test_thresholds_tiers_and_requests_are_columns_like_others(db, write):
    run(
        write(
            "provider,model_pattern,service_tier,min_prompt_tokens,valid_from,input,output,per_request\n"
            "acme,one*,default,0,2026-01-01,1,2,\n"
            "acme,one*,default,200000,2026-01-01,2,4,\n"
            "acme,one*,batch,0,2026-01-01,0.5,1,0.01\n"
        )
    )

    assert [find("one-x", prompt_tokens=count).input for count in (200_000, 200_001)] == [1, 2]
    assert find("one-x", tier="batch").per_request == Decimal("0.01")


def test_json_is_read_as_csv_is_and_the_answer_of_the_api_too(db, write):
    item = {"provider": "Acme", "model_pattern": "one", "valid_from": "2026-01-01T00:00:00Z", "input": 1.5}
    item |= {"output": 2e-7, "valid_to": None, "id": "7", "source": "x", "shared": True, "min_prompt_tokens": 0}

    run(write(json.dumps({"prices": [item], "pagination": {}}), "prices.json"))
    assert (find().input, find().output) == (Decimal("1.5"), Decimal("0.0000002"))
    assert run(write(json.dumps([item]), "again.json"))["unchanged"] == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",one,2026-01-01,1,2,", "provider is missing: write it"),
        ("acme,one,2026-01-01,,2,", "input is missing: write 0 if it costs nothing"),
        ("acme,one,,1,2,", "valid_from is missing: write it, or give --valid-from for every line without one"),
        ("acme,one,yesterday,1,2,", "valid_from must be a date or an ISO 8601 time such as 2026-03-01, not yesterday"),
        ("acme,one,1931-01-01,1,2,", "valid_from must lie between 1970 and 2200, not 1931-01-01"),
        ("acme,one,2026-01-01,-1,2,", "input must be US dollars such as 2.5, with at most 9 decimals, not -1"),
        ("acme,one,2026-01-01,NaN,2,", "input must be US dollars such as 2.5, with at most 9 decimals, not NaN"),
        (
            "acme,one,2026-01-01,0.0000000001,2,",
            "input must be US dollars such as 2.5, with at most 9 decimals, not 0.0000000001",
        ),
        ("acme,one,2026-01-01,1000000.000000001,2,", "input must be at most 1000000, not 1000000.000000001"),
        ("acme,one,2026-01-01,1,2,3,4", "more values than columns"),
        (f"acme,{'x' * 501},2026-01-01,1,2,", "model_pattern must be at most 500 characters long"),
        ("acme,zero,2026-01-01,1,2,", "says the same key as line 2: keep one"),
    ],
)
def test_a_wrong_line_is_told_with_its_number_and_nothing_is_added(db, write, line, reason):
    code, told = run(write(f"{HEAD}\nacme,zero,2026-01-01,1,2,\n{line}\n"))

    assert (code, told["added"], told["rejected"]) == (2, 0, [{"line": 3, "reason": reason}])
    assert not ModelPrice.objects.filter(provider="acme").exists()


@pytest.mark.parametrize(
    ("tail", "reason"),
    [
        ("fast,0,2026-01-01,", "service_tier must be one of default, batch, flex, priority, not fast"),
        ("default,many,2026-01-01,", "min_prompt_tokens must be a whole number up to 2147483647, not many"),
        ("default,2147483648,2026-01-01,", "min_prompt_tokens must be a whole number up to 2147483647, not 2147483648"),
        (
            "default,0,2026-01-02,2026-01-01",
            "valid_to 2026-01-01T00:00:00+00:00 is before valid_from 2026-01-02T00:00:00+00:00",
        ),
    ],
)
def test_wrong_tiers_thresholds_and_ends_are_told(db, write, tail, reason):
    head = "provider,model_pattern,input,output,service_tier,min_prompt_tokens,valid_from,valid_to"

    assert run(write(f"{head}\nacme,one,1,2,{tail}\n"))[1]["rejected"] == [{"line": 2, "reason": reason}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The file is empty"),
        (f"{HEAD}\n", "holds no prices"),
        ("provider,model,input\n", "There is no column 'model'"),
        ('[{"provider": "a"', "The file is not JSON"),
        ('{"rows": []}', "The file is no list of prices"),
        ('[{"prompt": 1}]', "There is no column 'prompt'"),
    ],
)
def test_a_file_that_is_none_is_refused(db, write, content, said):
    code, told = run(write(content))

    assert (code, said in told) == (2, True)


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(tmp_path):
    latin = tmp_path / "latin.csv"
    latin.write_bytes("provider,Preis für\n".encode("latin-1"))

    for path in (latin, tmp_path / "absent.csv"):
        with pytest.raises(RefusedError):
            read_price_file(path, valid_from=None)


@pytest.mark.parametrize(
    "words", [(), ("--package", "--valid-from", "2026-01-01"), ("--package", "--organisation", "acme")]
)
def test_wrong_arguments_are_told(db, words):
    assert run(*words)[0] == 2


def test_an_organisation_has_prices_that_nobody_else_sees(make_tenant, write):
    acme, globex = make_tenant("acme").organisation.id, make_tenant("globex").organisation.id
    add(row())

    assert run(write(ONE), "--organisation", "nobody")[0] == 2
    assert len(run(write(ONE), "--organisation", "acme")["new"]) == 1

    assert [find(organisation=one).input for one in (acme, globex, 0)] == [Decimal("1.5"), 1, 1]
    assert run(write(ONE), "--organisation", "acme")["unchanged"] == 1
    assert len(run(write(ONE), "--organisation", "globex")["new"]) == 1


def test_people_see_each_change_on_a_line(db, write):
    run(write(ONE))
    out = StringIO()

    call_command("import_prices", write(f"{ONE.replace('1.5', '1')}acme,two,2026-01-01,3,4,\n"), stdout=out)

    assert out.getvalue().splitlines() == [
        "new       acme two default from 2026-01-01T00:00Z: input 3, output 4",
        "changed   acme one default from 2026-01-01T00:00Z: input 1.5 -> 1",
        "1 new, 1 changed, 0 unchanged, 0 rejected; 2 rows added",
        "Stored spans keep their costs: `recompute_costs` prices them anew.",
    ]


def test_the_package_that_filled_the_book_says_nothing_new(db):
    add_bundled_prices()

    told = run("--package")
    assert (told["new"], told["changed"], told["added"], told["unchanged"] > 5000) == ([], [], 0, True)


def test_news_of_the_package_are_taken_and_a_correction_by_hand_stays(db, monkeypatch):
    add(row(), row(model_pattern="two"), source=SOURCE)
    add(row(input="9"), source="prices.csv")
    monkeypatch.setattr(price_import, "bundled_prices", lambda: (row(input="3"), row(model_pattern="two", input="3")))

    told = run("--package")

    assert (len(told["changed"]), told["added"]) == (2, 2)
    assert [find(model).input for model in ("one", "two")] == [9, 3]
    assert run("--package")["unchanged"] == 2


@given(content=st.text(max_size=200) | st.binary(max_size=200).map(lambda value: value.decode("latin-1")))
def test_any_text_is_rows_rejected_lines_or_a_refusal(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("prices") / "prices.csv"
    path.write_text(f"{HEAD}\n{content}", encoding="utf-8", newline="")

    try:
        lines, rejected = read_price_file(path, valid_from=None)
    except RefusedError:
        return
    assert all(one.reason for one in rejected)
    assert all(one.row.provider for one in lines)
