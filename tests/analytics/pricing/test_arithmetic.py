import ast
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pricing.arithmetic import Cost, cost
from analytics.pricing.usage import PARTS, Usage
from tests.analytics.pricing.prices import RATES, price


def test_a_thousand_in_and_five_hundred_out_of_gpt_4o_cost_three_quarters_of_a_cent():
    costed = cost(Usage(uncached_input=1000, visible_output=500), price())

    assert (costed, costed.total) == (
        Cost(
            prompt=2_500_000, completion=5_000_000, breakdown={"uncached_input": 2_500_000, "visible_output": 5_000_000}
        ),
        7_500_000,
    )


def test_parts_without_a_price_take_that_of_their_side():
    usage = Usage(cache_read=1, cache_write_5m=2, cache_write_1h=3, reasoning=4)

    assert cost(usage, price()).breakdown == {
        "cache_read": 2500,
        "cache_write_5m": 5000,
        "cache_write_1h": 7500,
        "reasoning": 40_000,
    }


def test_parts_with_a_price_take_their_own_also_when_it_is_nothing():
    rates = {
        "cache_read": "1.25",
        "cache_write_5m": "3",
        "cache_write_1h": "6",
        "reasoning": "0",
        "audio_input": "40",
        "audio_output": "80",
    }
    usage = Usage(**dict.fromkeys(PARTS, 1))
    own = price(**rates)

    assert cost(usage, own).breakdown == {
        "uncached_input": 2500,
        "cache_read": 1250,
        "cache_write_5m": 3000,
        "cache_write_1h": 6000,
        "audio_input": 40_000,
        "visible_output": 10_000,
        "reasoning": 0,
        "audio_output": 80_000,
    }


@pytest.mark.parametrize("part", ["audio_input", "audio_output"])
def test_audio_without_a_price_leaves_the_call_without_a_cost(part):
    assert cost(Usage(**{part: 1}), price()) == "no_part_price"


def test_no_tokens_cost_nothing():
    assert cost(Usage(), price()) == Cost(prompt=0, completion=0, breakdown={})


@pytest.mark.parametrize(
    ("tokens", "rate", "nano"),
    [(1, "0.0005", 0), (3, "0.0005", 2), (5, "0.0005", 2), (1, "0.000501", 1), (7, "0.0005", 4), (1, "0.075", 75)],
)
def test_half_a_nano_dollar_is_rounded_to_the_even_one(tokens, rate, nano):
    assert cost(Usage(uncached_input=tokens), price(input=rate)).prompt == nano


rates = st.decimals(0, 1000, places=9)


@given(
    counts=st.lists(st.integers(0, 2**31), min_size=8, max_size=8), given_rates=st.lists(rates, min_size=9, max_size=9)
)
def test_each_part_is_exact_and_sums_are_of_rounded_parts(counts, given_rates):
    usage = Usage(**dict(zip(PARTS, counts, strict=True)))
    own = price(**dict(zip(sorted(RATES), given_rates, strict=True)))

    costed = cost(usage, own)

    rate_of = {"uncached_input": own.input, "visible_output": own.output}
    expected = {}
    for part in PARTS:
        if tokens := getattr(usage, part):
            nano = Fraction(tokens) * Fraction(rate_of.get(part) if part in rate_of else getattr(own, part)) * 1000
            expected[part] = round(nano)
    expected["request"] = round(Fraction(own.per_request) * 10**9)
    assert costed.breakdown == expected
    assert costed.total == costed.prompt + costed.completion + expected["request"] == sum(expected.values())


def test_costs_agree_with_decimal_arithmetic_at_nine_places():
    dollars = (Decimal(12_345) * Decimal("0.123456789") / 1_000_000).quantize(Decimal("1e-9"), ROUND_HALF_EVEN)

    assert cost(Usage(uncached_input=12_345), price(input="0.123456789")).prompt == int(dollars * 10**9)


def test_a_request_costs_its_own_price_whatever_its_tokens():
    by_request = price(input="3", output="15", per_request="0.014")

    costed = cost(Usage(uncached_input=1000, visible_output=100), by_request)

    # 1000 x 3000 + 100 x 15000 + 14,000,000 for the request
    assert (costed.prompt, costed.completion, costed.breakdown["request"], costed.total) == (
        3_000_000,
        1_500_000,
        14_000_000,
        18_500_000,
    )
    assert cost(Usage(), by_request).total == 14_000_000


def test_no_figure_is_lost_where_binary_fractions_would_lose_it():
    # 2^31 - 1 tokens at 999999999.999999999 dollars a million: 22 significant digits, a double has 15 to 17.
    usage = Usage(uncached_input=2**31 - 1)

    assert cost(usage, price(input="999999999.999999999")).prompt == round(
        Fraction(2**31 - 1) * Fraction(999_999_999_999_999_999, 10**6)
    )
    # A tenth of a cent a million times is ten dollars times a hundred, to the last nano-dollar.
    assert cost(Usage(uncached_input=3), price(input="0.1")).prompt * 333_333 == 99_999_900


MONEY = ["analytics/pricing", "analytics/costs", "analytics/ingest/prices.py", "analytics/ingest/records.py",
         "analytics/storage/costs.py", "analytics/storage/cost_reports.py"]  # fmt: skip


@pytest.mark.parametrize("where", MONEY)
def test_code_that_money_goes_through_has_no_binary_fraction_and_no_division(where):
    root = Path(__file__).parents[3] / where
    modules = sorted(root.rglob("*.py")) if root.is_dir() else [root]

    found = [
        (module.name, ast.dump(node))
        for module in modules
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Div)
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]
    assert (found, bool(modules)) == ([], True)
