import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.pricing.money import dollars, dollars_text
from errors.json import plain_decimal


@pytest.mark.parametrize(
    ("nanousd", "text"),
    [(0, "0"), (1, "0.000000001"), (1_000_000_000, "1"), (10_500_000_000, "10.5"), (-2_500_000, "-0.0025")],
)
def test_an_amount_is_written_in_dollars(nanousd, text):
    assert dollars_text(nanousd) == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_amount_is_written_as_its_decimal_is(nanousd):
    assert dollars_text(nanousd) == plain_decimal(dollars(nanousd))
