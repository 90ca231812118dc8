from datetime import timedelta

import pytest

from analytics.pricing.book import PriceBook
from tests.analytics.pricing.prices import AT, price


def found(*prices, **asked):
    asked = {"provider": "openai", "models": ("gpt-4o",), "tier": "default", "at": AT, "prompt_tokens": 10} | asked
    result = PriceBook(prices).find(**asked)
    return result and result.id


def test_without_a_provider_there_is_no_price():
    assert found(price(), provider=None) is None


def test_prices_of_other_providers_do_not_count():
    assert found(price(provider="azure.ai.openai")) is None


@pytest.mark.parametrize("models", [(), (None,), (None, None), ("",), ("gpt-4",), ("GPT-4o",), ("gpt-4o-mini",)])
def test_a_model_that_no_row_names_has_no_price(models):
    assert found(price(), models=models) is None


@pytest.mark.parametrize(
    ("pattern", "model"),
    [
        ("gpt-4o*", "gpt-4o"),
        ("gpt-4o*", "gpt-4o-2024-08-06"),
        ("*gpt-4o", "openai/gpt-4o"),
        ("*gpt-4o*", "openai/gpt-4o-mini"),
        ("gpt-?o", "gpt-4o"),
        ("gpt-[0-9][0-9]", "gpt-45"),
        ("gpt-[*]", "gpt-*"),
        ("g*-mini", "gpt-4o-mini"),
    ],
)
def test_a_pattern_matches_its_models(pattern, model):
    assert found(price(model_pattern=pattern), models=(model,)) == 1


@pytest.mark.parametrize(
    ("pattern", "model"),
    [
        ("gpt-4o*", "a-gpt-4o"),
        ("*gpt-4o", "gpt-4o-mini"),
        ("gpt-[0-9]", "gpt-x"),
        ("gpt-[*]", "gpt-x"),
        ("gpt.4o*", "gpt-4o"),
    ],
)
def test_a_pattern_matches_no_other_models(pattern, model):
    assert found(price(model_pattern=pattern), models=(model,)) is None


def test_who_answered_is_tried_before_who_was_asked():
    asked, answered = price(id=1, model_pattern="asked"), price(id=2, model_pattern="answered*")

    assert found(asked, answered, models=("answered-1", "asked")) == 2
    assert found(asked, answered, models=("unknown", "asked")) == 1
    assert found(asked, answered, models=(None, "asked")) == 1


def test_an_exact_name_comes_before_any_pattern_and_the_longest_pattern_before_shorter_ones():
    exact = price(id=1)
    longer = price(id=2, model_pattern="gpt-4*")
    shorter = price(id=3, model_pattern="gpt-*")
    classes = price(id=4, model_pattern="gpt-[0-9]*")

    assert found(shorter, classes, longer, exact) == 1
    assert found(shorter, classes, longer) == 2
    assert found(shorter, classes, models=("gpt-5",)) in {3, 4}


def test_a_tier_without_a_price_costs_what_the_default_costs():
    default, batch = price(id=1), price(id=2, service_tier="batch")

    assert [found(default, batch, tier=tier) for tier in ("default", "batch", "flex", "auto")] == [1, 2, 1, 1]
    assert found(batch) is None


def test_a_price_of_the_tier_comes_before_a_better_name_of_the_default_tier():
    assert found(price(id=1), price(id=2, model_pattern="gpt-*", service_tier="batch"), tier="batch") == 2


def test_validity_includes_its_start_and_not_its_end():
    old = price(id=1, valid_to=AT)
    new = price(id=2, valid_from=AT)

    assert found(old, new, at=AT) == 2
    assert found(old, new, at=AT - timedelta(microseconds=1)) == 1
    assert found(price(valid_from=AT, valid_to=AT + timedelta(days=1)), at=AT + timedelta(days=1)) is None


def test_an_exact_name_that_is_not_valid_leaves_the_word_to_a_pattern():
    assert found(price(id=1, valid_to=AT), price(id=2, model_pattern="gpt-*")) == 2


@pytest.mark.parametrize(("prompt", "expected"), [(0, 1), (200_000, 1), (200_001, 2), (500_000, 2), (500_001, 3)])
def test_the_greatest_threshold_below_the_prompt_counts(prompt, expected):
    rows = [price(id=1), price(id=2, min_prompt_tokens=200_000), price(id=3, min_prompt_tokens=500_000)]

    assert found(*rows, prompt_tokens=prompt) == expected


def test_of_rows_that_both_hold_the_later_start_counts_and_then_the_later_row():
    assert found(price(id=1, valid_from=AT), price(id=2)) == 1
    assert found(price(id=1), price(id=2)) == 2


def test_a_correction_takes_the_place_of_the_row_it_corrects_also_where_it_ends_sooner():
    wrong, right = price(id=1), price(id=2, valid_to=AT)

    assert [found(wrong, right, at=at) for at in (AT - timedelta(1), AT)] == [2, None]


def test_a_row_that_ends_when_it_begins_withdraws_the_one_before():
    wrong = price(id=1, model_pattern="gpt-*")
    withdrawn = price(id=2, model_pattern="gpt-*", valid_to=wrong.valid_from)

    assert found(wrong, withdrawn) is None
    assert found(wrong, withdrawn, price(id=3)) == 3


def layered(own, shared, **asked):
    asked = {"provider": "openai", "models": ("gpt-4o",), "tier": "default", "at": AT, "prompt_tokens": 10} | asked
    result = PriceBook(own, over=PriceBook(shared)).find(**asked)
    return result and result.id


def test_an_own_price_wins_over_a_better_name_beneath():
    assert layered([price(id=2, model_pattern="*")], [price(id=1)]) == 2
    assert layered([price(id=2, model_pattern="gpt-4o")], [price(id=1)], models=("gpt-4o-2024-08-06", "gpt-4o")) == 2


def test_what_has_no_own_price_takes_the_one_beneath():
    assert layered([price(id=2, model_pattern="o3")], [price(id=1)]) == 1
    assert layered([price(id=2, valid_from=AT)], [price(id=1)], at=AT - timedelta(seconds=1)) == 1


def test_an_own_price_of_single_calls_leaves_batches_to_the_price_of_batches():
    own, beneath = [price(id=2)], [price(id=1), price(id=3, service_tier="batch")]

    assert [layered(own, beneath, tier=tier) for tier in ("default", "batch", "flex")] == [2, 3, 2]


def test_an_answer_does_not_depend_on_what_was_asked_before():
    book = PriceBook([price(id=1), price(id=2, min_prompt_tokens=100), price(id=3, service_tier="batch")])
    asked = {"provider": "openai", "models": ("gpt-4o",), "at": AT}

    answers = [
        book.find(**asked, tier=tier, prompt_tokens=prompt).id
        for tier, prompt in [("default", 1), ("default", 101), ("batch", 1), ("default", 1)]
    ]

    assert answers == [1, 2, 3, 1]
